"""`attach`: random frozen weights for a model, and a method's masks on them. All of it, or nothing."""

from fractions import Fraction

import torch
from torch import nn
from torch.nn.utils import parametrize

from slth._errors import InputError
from slth.learning.allocation import erk_counts
from slth.learning.guards import check_masker, check_weights, module_in
from slth.learning.laws import scale_of, stream_law
from slth.learning.left_out import left_out
from slth.learning.locations import Location, locations, named_parameters
from slth.learning.loop import Loop
from slth.learning.masked_parameter import MaskedParameter
from slth.learning.masks import Masks
from slth.learning.method import Masker
from slth.learning.model_state import ModelState
from slth.learning.policy import Policy, norm_parameters
from slth.learning.selection import count_kept
from slth.numerics import check_seed


def attach(model: nn.Module, method: Masker, *, seed: int = 0, policy: Policy | None = None) -> Masks:
    """Give a model random frozen weights and put a method's masks on them. If that fails, nothing has changed.

    Args:
        model: any module; its linear and convolutional layers are masked, however deep they are, and what
            `Policy.include` names. Changed in place. Of a model in DataParallel or `torch.compile`, the one inside.
        method: such as `EdgePopup(density=0.5)`.
        seed: names the random weights: the stream of a tensor is its path in the model.
        policy: laws, biases, norms, densities by layer, exceptions; None: the method's own.

    Raises:
        InputError: no model, no method; nothing to mask, masks already there, a density that leaves a layer less than
            one weight, weights that are not float32 or have no storage of their own.

    >>> from slth.learning import EdgePopup
    >>> model = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> masks = attach(model, EdgePopup(density=0.5))
    >>> masks
    Masks(2 tensors, 20 of 40 weights, 86.9% of all 46 parameters masked, seed 0)
    >>> masks.left_out["2.bias"]
    'bias of a masked layer: set to 0'
    """
    seed = check_seed(seed)
    check_masker(method)
    model = module_in(model)
    policy = method.policy if policy is None else policy
    found = locations(model, policy)
    check_weights(model, found)
    density = min(method.density) if isinstance(method.density, tuple) else method.density
    tensors = _masked_parameters(model, found, density, policy=policy, seed=seed)
    ready = [(tensor, method.mask(tensor).to(tensor.location.weight.device)) for tensor in tensors]
    before, reasons, loop = ModelState(model), left_out(model, policy, found), Loop(method)
    masks = Masks(model, seed, policy, tensors=tensors, before=before, left_out=reasons, progress=loop)
    try:
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.requires_grad_(False)
            if policy.norms == "plain":
                for name, parameter in norm_parameters(model):
                    parameter.fill_(1.0 if name == "weight" else 0.0)
            for tensor, mask in ready:
                _put_mask(tensor, mask, policy)
        masks.move("scores")
        method.prepare(masks)
        loop.begin(masks)
    except BaseException:
        _put_back(masks, before)
        raise
    return masks


def _masked_parameters(
    model: nn.Module, found: list[Location], density: float, *, policy: Policy, seed: int
) -> list[MaskedParameter]:
    """The records of all that will be masked; nothing is changed yet."""
    named = _named_densities(model, found, policy)
    counts: dict[str, int] = {}
    if policy.allocation == "erk":
        free = [location for location in found if location.path not in named]
        shapes = [tuple(location.weight.shape) for location in free]
        shared = erk_counts(shapes, density) if free else []
        counts = dict(zip((location.path for location in free), shared, strict=True))
    tensors: list[MaskedParameter] = []
    for location in found:
        size, wanted = location.weight.numel(), named.get(location.path, density)
        if location.path in counts:
            wanted = (counts[location.path] - 0.5) / size  # ⌈wanted · size⌉ is the count, however it is rounded
        else:
            _check_enough(location, wanted)
        tensors.append(_masked_parameter(location, wanted, policy, seed=seed, pooled=location.path not in named))
    return tensors


def _check_enough(location: Location, density: float) -> None:
    size = location.weight.numel()
    if Fraction(str(density)) * size < 1:
        layer = location.path.rpartition(".")[0] if location.name == "weight" else location.path
        raise InputError(
            f"{location.path} has {size} weights, of which density {density:g} keeps less than one; use a higher "
            f"density, or leave the layer out: Policy(skip=({layer or location.path!r},))"
        )


def _named_densities(model: nn.Module, found: list[Location], policy: Policy) -> dict[str, float]:
    """The densities that the policy names, by path."""
    there = {place.path: place for place in named_parameters(model)}
    named: dict[str, float] = {}
    used: set[str] = set()
    for location in found:
        fitting = there[location.path].fits([pattern for pattern, _ in policy.patterns])
        used.update(fitting)
        if fitting:
            named[location.path] = dict(reversed(policy.patterns))[fitting[0]]
    unused = [pattern for pattern, _ in policy.patterns if pattern not in used]
    if unused:
        masked = ", ".join(location.path for location in found)[:300]
        raise InputError(f"densities: no masked layer matches {', '.join(unused)}; what is masked is {masked}")
    for row, density in ((0, policy.first), (-1, policy.last)):
        if density is not None:
            named[found[row].path] = density
    return named


def _masked_parameter(
    location: Location, density: float, policy: Policy, *, seed: int, pooled: bool
) -> MaskedParameter:
    weight = location.weight
    kept = count_kept(density, weight.numel())
    shared = policy.allocation == "erk" and pooled
    enlarged = 1.0 if not policy.scaled else kept / weight.numel() if shared else density
    scale = scale_of(policy.law, location.fan_in, location.fan_out, density=enlarged, gain=policy.gain)
    own = weight.detach().cpu().clone() if policy.weights == "keep" else None
    shape = tuple(weight.shape)
    return MaskedParameter(
        location, seed, stream_law(policy.law), scale, kept, shape, wanted=density, pooled=pooled, own=own
    )


def _put_mask(tensor: MaskedParameter, mask: nn.Module, policy: Policy) -> None:
    """The stream's values into the parameter, the method's mask before it, wherever it is used."""
    for bias in tensor.biases if policy.biases == "zero" else ():
        bias.zero_()  # first: one that is masked by name is a bias of its layer, too
    if tensor.own is None:
        tensor.location.weight.copy_(tensor.values())
    for module, name in tensor.location.owners:
        parametrize.register_parametrization(module, name, mask, unsafe=True)


def _put_back(masks: Masks, before: ModelState) -> None:
    """The model as it was, however far `attach` came."""
    for tensor in masks:
        for module, name in tensor.location.owners:
            if parametrize.is_parametrized(module, name):
                parametrize.remove_parametrizations(module, name, leave_parametrized=False)
    for parent, name, module in reversed(masks.replaced):
        setattr(parent, name, module)
    with torch.no_grad():
        before.put_back(values=True)
