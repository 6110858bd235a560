"""`attach`: random frozen weights for a model, and a method's masks on them."""

# pyright: reportPrivateUsage=false

from fractions import Fraction

import torch
from torch import nn
from torch.nn.utils import parametrize

from slth._errors import InputError
from slth.learning.laws import scale_of, stream_law
from slth.learning.masked_parameter import FinalMask, MaskedParameter
from slth.learning.masks import Masks
from slth.learning.method import Masker
from slth.learning.model_state import ModelState
from slth.learning.policy import Location, Policy, locations, norm_parameters
from slth.learning.selection import count_kept
from slth.numerics import check_seed


def attach(model: nn.Module, method: Masker, *, seed: int = 0, policy: Policy | None = None) -> Masks:
    """Give a model random frozen weights and put a method's masks on them.

    Args:
        model: any module; its linear and convolutional layers are masked, however deep they are. Changed in place.
        method: such as `EdgePopup(density=0.5)`.
        seed: names the random weights: the stream of a tensor is its path in the model.
        policy: laws, biases, norms, first and last layers, exceptions; None: the method's own.

    Raises:
        InputError: no method; nothing to mask, masks already there, a density that leaves a layer less than one
            weight, weights that are not float32.

    >>> from slth.learning import EdgePopup
    >>> model = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> attach(model, EdgePopup(density=0.5))
    Masks(2 tensors, 20 of 40 weights, seed 0)
    """
    check_seed(seed)
    if not isinstance(method, Masker):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InputError(
            f"expected a method with density, policy, mask and prepare, got {method!r}; try one such as EdgePopup()"
        )
    policy = method.policy if policy is None else policy
    lists = (module for module in model.modules() if isinstance(module, parametrize.ParametrizationList))
    if any(isinstance(module, FinalMask) for listed in lists for module in listed):
        raise InputError("the model has masks already; take them off first: masks.detach()")
    density = min(method.density) if isinstance(method.density, tuple) else method.density
    tensors = _masked_parameters(model, density, policy, seed=seed)
    before = ModelState(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        if policy.norms == "plain":
            for name, parameter in norm_parameters(model):
                parameter.fill_(1.0 if name == "weight" else 0.0)
        for tensor in tensors:
            _put_mask(tensor, method, policy)
    masks = Masks(model, seed, policy, tensors=tensors, before=before)
    masks.move("scores")
    method.prepare(masks)
    return masks


def _masked_parameters(model: nn.Module, density: float, policy: Policy, *, seed: int) -> list[MaskedParameter]:
    """The records of all that will be masked; nothing is changed yet."""
    places = locations(model, policy)
    densities = [density] * len(places)
    if policy.first is not None:
        densities[0] = policy.first
    if policy.last is not None:
        densities[-1] = policy.last
    return [_masked_parameter(*pair, policy, seed=seed) for pair in zip(places, densities, strict=True)]


def _masked_parameter(location: Location, density: float, policy: Policy, *, seed: int) -> MaskedParameter:
    weight = location.module._parameters[location.name]
    assert weight is not None
    if weight.dtype != torch.float32:
        raise InputError(f"{location.path} is {weight.dtype}: random weights are float32; call model.float() first")
    kept = count_kept(density, weight.numel())
    if Fraction(str(density)) * weight.numel() < 1:
        raise InputError(
            f"{location.path} has {weight.numel()} weights, of which density {density:g} keeps less than one; use a "
            f"higher density, or leave the layer out: Policy(skip=({location.path.rpartition('.')[0]!r},))"
        )
    enlarged = density if policy.scaled else 1.0
    scale = scale_of(policy.law, location.fan_in, location.fan_out, density=enlarged, gain=policy.gain)
    return MaskedParameter(location, seed, stream_law(policy.law), scale, kept, tuple(weight.shape))


def _put_mask(tensor: MaskedParameter, method: Masker, policy: Policy) -> None:
    """The stream's values into the parameter, the method's mask before it, wherever it is used."""
    location = tensor.location
    weight = location.module._parameters[location.name]
    assert weight is not None
    weight.copy_(tensor.values())
    for bias in tensor.biases if policy.biases == "zero" else ():
        bias.zero_()
    mask = method.mask(tensor).to(weight.device)
    parametrize.register_parametrization(location.module, location.name, mask, unsafe=True)
    for _, module, name in location.aliases:
        parametrize.register_parametrization(module, name, mask, unsafe=True)
