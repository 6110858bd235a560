"""Masks on the user's own model: `attach` puts them there, `detach` takes them away, a ticket is what they found.

A mask is a parametrization of a frozen tensor: the model's code is untouched, wherever the layer is nested, and nobody
writes into a weight during a forward pass. The frozen values come from streams, so a seed regenerates them.
"""

# pyright: reportPrivateUsage=false

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from slth._errors import InputError
from slth.learning.laws import scale_of, stream_law
from slth.learning.policy import Place, Policy, bias_of, norm_parameters, places
from slth.learning.selection import count_kept
from slth.numerics import Stream
from slth.numerics.streams import Law, check_seed, draw


@runtime_checkable
class Mask(Protocol):
    """What stands between a frozen weight and its layer: an `nn.Module` of one method."""

    scores: nn.Parameter | None  # what trains; None: the mask is given

    def __call__(self, weight: Tensor) -> Tensor: ...  # the weight that the layer sees
    def train(self, mode: bool) -> object: ...  # in evaluation the mask is the final one
    def chosen(self) -> Tensor: ...  # bool, the final mask
    def gain(self) -> float: ...  # multiplies what is kept
    @property
    def binary(self) -> bool: ...  # kept weights count as their sign


@runtime_checkable
class Masker(Protocol):
    """What `attach` needs of a method."""

    @property
    def density(self) -> float: ...
    @property
    def policy(self) -> Policy: ...  # used if the caller gives none
    def mask(self, weight: "Frozen") -> nn.Module: ...  # a `Mask`

    # `prepare(masks)`, if there is one, is called once the masks are on


@dataclass(frozen=True, slots=True, eq=False)
class Frozen:
    """One masked parameter: where it is, and the stream its values come from."""

    place: Place
    seed: int
    law: Law
    scale: float
    kept: int
    shape: tuple[int, ...]
    redraw: int = 0  # 1, 2, ...: the stream is "path@1", "path@2", ...

    @property
    def path(self) -> str:
        return self.place.path

    @property
    def stream(self) -> str:
        """The path of the stream."""
        return f"{self.path}@{self.redraw}" if self.redraw else self.path

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    @property
    def density(self) -> float:
        return self.kept / self.size

    def values(self) -> Tensor:
        """W, float32: the stream's values times the scale."""
        drawn = draw(Stream(self.seed, self.stream), self.law, self.shape)
        return torch.from_numpy(drawn * np.float32(self.scale))

    def uniform(self, name: str) -> Tensor:
        """U[−1, 1) / √fan_in from the stream "path/name": initial scores."""
        drawn = draw(Stream(self.seed, f"{self.stream}/{name}"), "uniform", self.shape)
        return torch.from_numpy(drawn / np.float32(np.sqrt(self.place.fan_in)))

    @property
    def original(self) -> nn.Parameter:
        """The frozen tensor itself, in its module."""
        return self.place.module.parametrizations[self.place.name].original  # pyright: ignore

    @property
    def mask(self) -> Mask:
        return self.place.module.parametrizations[self.place.name][0]  # pyright: ignore

    @property
    def biases(self) -> list[nn.Parameter]:
        """Those of its layer, and of layers tied to it."""
        modules = (self.place.module, *(module for _, module, _ in self.place.aliases))
        return [bias for module in modules if (bias := bias_of(module)) is not None]


class Masks:
    """The handle that `attach` returns."""

    def __init__(self, model: nn.Module, seed: int, policy: Policy, tensors: Sequence[Frozen], before: "_Before"):
        self.model = model
        self.seed = seed
        self.policy = policy
        self.tensors = tuple(tensors)
        self._before: _Before | None = before
        self.replaced: list[tuple[nn.Module, str, nn.Module]] = []  # (parent, name, what stood there): see `detach`

    def __iter__(self) -> Iterator[Frozen]:
        return iter(self.tensors)

    def __repr__(self) -> str:
        return f"Masks({len(self.tensors)} tensors, {self.kept:,} of {self.size:,} weights, seed {self.seed})"

    @property
    def size(self) -> int:
        """Masked weights."""
        return sum(tensor.size for tensor in self.tensors)

    @property
    def kept(self) -> int:
        """Weights that the masks keep now."""
        return sum(int(tensor.mask.chosen().sum()) for tensor in self.tensors)

    @property
    def scores(self) -> list[nn.Parameter]:
        """What trains where nothing but the mask trains."""
        return [tensor.mask.scores for tensor in self.tensors if tensor.mask.scores is not None]

    @property
    def pooled(self) -> list[Frozen]:
        """The tensors that have no density of their own: not the first and the last one if the policy names theirs."""
        start = 0 if self.policy.first is None else 1
        return list(self.tensors[start : len(self.tensors) - (0 if self.policy.last is None else 1)])

    @property
    def beside(self) -> list[nn.Parameter]:
        """Biases and norm parameters that train beside what is masked."""
        found: list[nn.Parameter] = []
        if self.policy.norms == "train":
            found += [parameter for _, parameter in norm_parameters(self.model)]
        if self.policy.biases == "train":
            found += [bias for tensor in self.tensors for bias in tensor.biases]
        return list({id(parameter): parameter for parameter in found}.values())

    @property
    def originals(self) -> list[nn.Parameter]:
        """The frozen weights."""
        return [tensor.original for tensor in self.tensors]

    def move(self, what: str) -> list[nn.Parameter]:
        """Let "scores" or "weights" train, with biases and norms where the policy says so; the parameters that do."""
        chosen = self.scores if what == "scores" else self.originals
        moving = [*chosen, *self.beside]
        for parameter in self.model.parameters():
            parameter.requires_grad_(False)
        for parameter in moving:
            parameter.requires_grad_(True)
        return moving

    def redraw(self, time: int) -> None:
        """Fresh random weights from the streams "path@time", under masks that do not depend on the weights."""
        from dataclasses import replace

        self.tensors = tuple(replace(tensor, redraw=time) for tensor in self.tensors)
        self.rewind()

    def rewind(self) -> None:
        """Every masked weight back to the value its stream gives."""
        with torch.no_grad():
            for tensor in self.tensors:
                tensor.original.copy_(tensor.values())

    def moves(self, tensor: Frozen, *, limit: float | None = None) -> Tensor | None:
        """Δ = W − W₀ in float32, clipped to ±limit; W becomes W₀ + Δ, so that Δ says all. None if nothing moved."""
        start = tensor.values()
        with torch.no_grad():
            now = tensor.original.detach().cpu()
            if torch.equal(now, start):
                return None
            delta = now - start
            if limit is not None:
                delta = delta.clamp(-bound32(limit), bound32(limit))
            tensor.original.copy_(start + delta)
        return delta

    def detach(self, *, restore: bool = False) -> nn.Module:
        """Take the masks off. The layers keep the masked weights; with `restore` the model is as before `attach`.

        Either way the parameters are the same objects as before, in the same order, and train if they did.
        """
        before = self._before
        if before is None:
            raise InputError("these masks were taken off before")
        for tensor in self.tensors:
            tensor.mask.train(False)  # the final mask, no draw
            parametrize.remove_parametrizations(tensor.place.module, tensor.place.name, leave_parametrized=True)
            for _, module, name in tensor.place.aliases:
                parametrize.remove_parametrizations(module, name, leave_parametrized=False)
        if restore:
            for parent, name, module in reversed(self.replaced):
                setattr(parent, name, module)
        before.put_back(values=restore)
        self._before = None
        return self.model


class _Before:
    """The model as it was: values, what trained, and the order of parameters in their modules."""

    def __init__(self, model: nn.Module):
        self.parameters = [(p, p.detach().clone(), p.requires_grad) for p in model.parameters()]
        self.modules = [(module, module.training, tuple(module._parameters)) for module in model.modules()]
        self.buffers = [
            (module, name, value.detach().clone())  # moving a model to another device makes new buffers
            for module in model.modules()
            for name, value in module._buffers.items()
            if value is not None
        ]

    def put_back(self, *, values: bool) -> None:
        """Order and what trains; with `values`, everything."""
        for parameter, value, trains in self.parameters:
            parameter.requires_grad_(False)
            if values:
                parameter.copy_(value)
            if trains:
                parameter.requires_grad_(True)
        for module, training, names in self.modules:
            for name in names:  # a parametrization that is taken off leaves its tensor at the end
                module._parameters[name] = module._parameters.pop(name)
            if values:
                module.training = training
        if values:
            for module, name, value in self.buffers:
                module._buffers[name].copy_(value)  # pyright: ignore


def attach(model: nn.Module, method: Masker, *, seed: int = 0, policy: Policy | None = None) -> Masks:
    """Give a model random frozen weights and put a method's masks on them.

    Args:
        model: any module; its linear and convolutional layers are masked, however deep they are. Changed in place.
        method: such as `EdgePopup(density=0.5)`.
        seed: names the random weights: the stream of a tensor is its path in the model.
        policy: laws, biases, norms, first and last layers, exceptions; None: the method's own.

    Raises:
        InputError: nothing to mask, masks already there, a density that leaves a layer less than one weight, weights
            that are not float32.

    >>> from slth.learning import EdgePopup
    >>> model = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> attach(model, EdgePopup(density=0.5))
    Masks(2 tensors, 20 of 40 weights, seed 0)
    """
    check_seed(seed)
    policy = method.policy if policy is None else policy
    lists = (module for module in model.modules() if isinstance(module, parametrize.ParametrizationList))
    if any(hasattr(mask, "chosen") for listed in lists for mask in listed):
        raise InputError("the model has masks already; take them off first: masks.detach()")
    found = places(model, policy)
    densities = [method.density] * len(found)
    if policy.first is not None:
        densities[0] = policy.first
    if policy.last is not None:
        densities[-1] = policy.last
    frozen = [_frozen(place, policy, density, seed) for place, density in zip(found, densities, strict=True)]
    before = _Before(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        if policy.norms == "plain":
            for name, parameter in norm_parameters(model):
                parameter.fill_(1.0 if name == "weight" else 0.0)
        for tensor in frozen:
            weight = tensor.place.module._parameters[tensor.place.name]
            assert weight is not None
            weight.copy_(tensor.values())
            for bias in tensor.biases if policy.biases == "zero" else ():
                bias.zero_()
            mask = method.mask(tensor).to(weight.device)
            parametrize.register_parametrization(tensor.place.module, tensor.place.name, mask, unsafe=True)
            for _, module, name in tensor.place.aliases:
                parametrize.register_parametrization(module, name, mask, unsafe=True)
    masks = Masks(model, seed, policy, frozen, before)
    masks.move("scores")
    prepare = getattr(method, "prepare", None)
    if prepare is not None:
        prepare(masks)
    return masks


def bound32(limit: float) -> float:
    """The largest float32 that is at most a limit.

    >>> bound32(0.1) <= 0.1 < bound32(0.1) + 1e-8
    True
    """
    near = np.float32(limit)
    return float(near if float(near) <= limit else np.nextafter(near, np.float32(-np.inf)))


def _frozen(place: Place, policy: Policy, density: float, seed: int) -> Frozen:
    weight = place.module._parameters[place.name]
    assert weight is not None
    if weight.dtype != torch.float32:
        raise InputError(f"{place.path} is {weight.dtype}: random weights are float32; call model.float() first")
    kept = count_kept(density, weight.numel())
    if Fraction(str(density)) * weight.numel() < 1:
        raise InputError(
            f"{place.path} has {weight.numel()} weights, of which density {density:g} keeps less than one; use a "
            f"higher density, or leave the layer out: Policy(skip=({place.path.rpartition('.')[0]!r},))"
        )
    enlarged = density if policy.scaled else 1.0
    scale = scale_of(policy.law, place.fan_in, place.fan_out, density=enlarged, gain=policy.gain)
    return Frozen(place, seed, stream_law(policy.law), scale, kept, tuple(weight.shape))
