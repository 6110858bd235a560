"""Where the parameters to be masked are: weights of linear and convolutional layers, and what `include` names."""

# pyright: reportPrivateUsage=false

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from torch import nn
from torch.nn.utils import parametrize

from slth._errors import InputError
from slth.learning.policy import Policy
from slth.network import check_shaped

_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_LINEAR = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, *_TRANSPOSED)
_EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)


@dataclass(frozen=True, slots=True)
class Location:
    """Where a parameter to be masked is."""

    path: str
    module: nn.Module
    name: str  # in its module
    aliases: tuple[tuple[str, nn.Module, str], ...]  # of the same parameter, tied: (path, module, name)
    fan_in: int
    fan_out: int

    @property
    def weight(self) -> nn.Parameter:
        """The parameter itself, as long as no mask stands before it."""
        weight = self.module._parameters[self.name]
        assert weight is not None
        return weight

    @property
    def owners(self) -> list[tuple[nn.Module, str]]:
        """Everywhere the parameter stands: its module and its name in it, and those tied to it."""
        return [(self.module, self.name), *((module, name) for _, module, name in self.aliases)]


@dataclass(frozen=True, slots=True, eq=False)
class NamedParameter:
    """A parameter, somewhere in a model; one that is tied has several."""

    path: str
    module: nn.Module
    name: str
    parameter: nn.Parameter

    @property
    def layer(self) -> str:
        """The path of its module."""
        return self.path.rpartition(".")[0]

    @property
    def masked_by_default(self) -> bool:
        """A linear or convolutional layer's weight."""
        return self.name == "weight" and (isinstance(self.module, _LINEAR) or _transposed_linear(self.module))

    @property
    def wrapped(self) -> bool:
        """Part of a parametrization that was there before."""
        return isinstance(self.module, parametrize.ParametrizationList)

    def fits(self, patterns: Iterable[str]) -> list[str]:
        """Those patterns that name the parameter, or its layer."""
        return [pattern for pattern in patterns if any(fnmatchcase(n, pattern) for n in (self.path, self.layer))]


def named_parameters(model: nn.Module) -> list[NamedParameter]:
    """All parameters in the order of `model.modules()`.

    Raises:
        InputError: a layer that has not seen its input shape yet.
    """
    found: list[NamedParameter] = []
    for path, module in model.named_modules():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                check_shaped(type(module).__name__, parameter)
                found.append(NamedParameter(f"{path}.{name}".lstrip("."), module, name, parameter))
    return found


def locations(model: nn.Module, policy: Policy) -> list[Location]:
    """The parameters to be masked, in the order of `model.modules()`; tied ones once, under their first path.

    Raises:
        InputError: none, a pattern that matches nothing, or a layer that has not seen its input shape yet.
    """
    there = named_parameters(model)
    named = {id(place.parameter) for place in there if any(fnmatchcase(place.path, p) for p in policy.include)}
    wanted = [
        place for place in there if not place.wrapped and (place.masked_by_default or id(place.parameter) in named)
    ]
    _check_include(policy, there)
    _check_skip(policy, wanted)
    left = {id(place.parameter) for place in wanted if place.fits(policy.skip)}
    left |= {id(place.parameter) for place in there if isinstance(place.module, _EMBEDDINGS)} - named
    owners: dict[int, list[NamedParameter]] = {}
    for place in there:
        owners.setdefault(id(place.parameter), []).append(place)
    masked: list[Location] = []
    for place in wanted:
        if id(place.parameter) in left:
            continue  # carried, and so is what is tied to it
        left.add(id(place.parameter))  # tied: once, here
        same = (other for other in owners[id(place.parameter)] if other is not place)
        aliases = tuple((other.path, other.module, other.name) for other in same)
        masked.append(Location(place.path, place.module, place.name, aliases, *fans(place)))
    if not masked:
        raise InputError(_nothing(there))
    return masked


def _check_include(policy: Policy, there: list[NamedParameter]) -> None:
    known = [place.path for place in there if not place.wrapped]
    unused = [pattern for pattern in policy.include if not any(fnmatchcase(path, pattern) for path in known)]
    if unused:
        raise InputError(f"include: no parameter matches {', '.join(unused)}; the parameters are {_listed(known)}")


def _check_skip(policy: Policy, wanted: list[NamedParameter]) -> None:
    hits = {pattern for place in wanted for pattern in place.fits(policy.skip)}
    unused = [pattern for pattern in policy.skip if pattern not in hits]
    if unused:
        names = [place.layer if place.masked_by_default else place.path for place in wanted]
        raise InputError(f"skip: no layer matches {', '.join(unused)}; the layers are {_listed(names)}")


def _nothing(there: list[NamedParameter]) -> str:
    """The sentence for a model without anything to mask."""
    free = [place for place in there if not place.wrapped and place.parameter.ndim > 1] or there
    if not free:
        return "the model has no layer to mask, and no parameters; expected linear or convolutional layers"
    named = _listed([f"{place.path} {tuple(place.parameter.shape)}" for place in free])
    return (
        "the model has no layer to mask: expected linear or convolutional layers with a weight of their own, and a "
        "layer that is skipped, masked already or tied to an embedding does not count; others are masked by name, "
        f"Policy(include=({free[0].path!r},)): {named}"
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))[:300]


def fans(place: NamedParameter) -> tuple[int, int]:
    """(fan_in, fan_out): how many entries meet in an output, and how many an input meets. Groups do not meet.

    Of a layer that is not known, the last axis meets in an output and the one before it are the outputs: a matrix
    (out, inp), a stack of such (experts, out, inp), a vector that is one output; four axes and more are a convolution.
    """
    module, shape = place.module, tuple(place.parameter.shape)
    if place.name == "weight" and _transposed_linear(module):
        return shape[0], shape[1]
    if place.name == "weight" and isinstance(module, _EMBEDDINGS):
        return 1, shape[1]  # an output is an entry of one row
    if place.name == "weight" and isinstance(module, nn.Bilinear):
        return shape[1] * shape[2], shape[0] * shape[2]
    if place.masked_by_default or len(shape) > 3:
        taps, groups = math.prod(shape[2:]), int(getattr(module, "groups", 1))
        if isinstance(module, _TRANSPOSED):  # stored (inp, out / groups, ...); the others (out, inp / groups, ...)
            return shape[0] // groups * taps, shape[1] * taps
        return shape[1] * taps, shape[0] // groups * taps
    return shape[-1] if shape else 1, shape[-2] if len(shape) > 1 else 1


def biases_of(module: nn.Module) -> list[nn.Parameter]:
    """What a layer that is masked adds to its sums: by name, for a recurrent layer has several."""
    if isinstance(module, _LINEAR) or _transposed_linear(module):
        bias = module._parameters.get("bias")
        return [] if bias is None else [bias]
    return [bias for name, bias in module._parameters.items() if bias is not None and "bias" in name]


def _transposed_linear(module: nn.Module) -> bool:
    """GPT-2's linear layer."""
    return type(module).__name__ == "Conv1D" and hasattr(module, "nf")
