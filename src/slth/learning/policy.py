"""What becomes of every parameter of a model: masked, left out, zeroed, carried or trained."""

# pyright: reportPrivateUsage=false

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from torch import nn

from slth._errors import InputError
from slth.learning.laws import WeightLaw, stream_law
from slth.learning.selection import count_kept

_NORMS = (
    nn.modules.batchnorm._NormBase,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_LINEAR = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, *_TRANSPOSED)


@dataclass(frozen=True, slots=True)
class Policy:
    """Which weights are masked, and what happens to everything else.

    Attributes:
        law: of the random weights; see `slth.learning.laws`.
        gain: weights × gain.
        scaled: weights × √(1 / density), so that a masked layer keeps the variance of a full one.
        biases: of masked layers. "zero": set to 0; "carry": as the model has them, fixed; "train": they move.
        norms: parameters of normalisation layers. "plain": 1 and 0; "carry"; "train".
        first, last: density of the first and the last masked layer; None: as the others. 1: random, unpruned.
        skip: name patterns (`fc*`, `*.lm_head`) of layers that are not masked: carried as they are, with what is tied
            to them.
    """

    law: WeightLaw = "signed_constant"
    gain: float = 1.0
    scaled: bool = False
    biases: Literal["zero", "carry", "train"] = "zero"
    norms: Literal["plain", "carry", "train"] = "plain"
    first: float | None = None
    last: float | None = None
    skip: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        stream_law(self.law)
        if not (math.isfinite(self.gain) and self.gain > 0):
            raise InputError(f"gain, a factor of all random weights, must be a positive number, got {self.gain}")
        for name, value, legal in (
            ("biases", self.biases, ("zero", "carry", "train")),
            ("norms", self.norms, ("plain", "carry", "train")),
        ):
            if value not in legal:
                raise InputError(f"{name}: expected one of {', '.join(legal)}; got {value!r}")
        for density in (self.first, self.last):
            if density is not None:
                count_kept(density, 1)


@dataclass(frozen=True, slots=True)
class Location:
    """Where a parameter to be masked is."""

    path: str
    module: nn.Module
    name: str  # in its module
    aliases: tuple[tuple[str, nn.Module, str], ...]  # of the same parameter, tied: (path, module, name)
    fan_in: int
    fan_out: int


def locations(model: nn.Module, policy: Policy) -> list[Location]:
    """The parameters to be masked, in the order of `model.modules()`; tied ones once, under their first path.

    Raises:
        InputError: none, a pattern that matches nothing, or a layer that has not seen its input shape yet.
    """
    layers = [(path, module, fans) for path, module in model.named_modules() if (fans := _fans(module)) is not None]
    hits = {path: {pattern for pattern in policy.skip if fnmatchcase(path, pattern)} for path, _, _ in layers}
    unused = set(policy.skip).difference(*hits.values())
    if unused:
        raise InputError(f"skip: no layer matches {', '.join(sorted(unused))}; the layers are {', '.join(hits)[:300]}")
    owners = _owners(model)
    skipped = {id(module.weight) for path, module, _ in layers if hits[path]}
    masked: list[Location] = []
    for path, module, fans in layers:
        same = owners[id(module.weight)]
        embedded = any(isinstance(owner, (nn.Embedding, nn.EmbeddingBag)) for _, owner, _ in same)
        if id(module.weight) in skipped or embedded:
            continue  # carried, and so is what is tied to it
        skipped.add(id(module.weight))  # tied: once, here
        aliases = tuple(owner for owner in same if owner[1] is not module or owner[2] != "weight")
        masked.append(Location(f"{path}.weight".lstrip("."), module, "weight", aliases, *fans))
    if not masked:
        raise InputError(
            "the model has no layer to mask: expected linear or convolutional layers with a weight of their own; "
            "a layer that is skipped, masked already or tied to an embedding does not count"
        )
    return masked


def _owners(model: nn.Module) -> dict[int, list[tuple[str, nn.Module, str]]]:
    owners: dict[int, list[tuple[str, nn.Module, str]]] = {}
    for path, module in model.named_modules():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                owners.setdefault(id(parameter), []).append((f"{path}.{name}".lstrip("."), module, name))
    return owners


def _fans(module: nn.Module) -> tuple[int, int] | None:
    """(fan_in, fan_out) of a layer that can be masked, else None. Groups do not meet."""
    weight = module._parameters.get("weight")
    if isinstance(weight, nn.parameter.UninitializedParameter):
        raise InputError(f"{type(module).__name__} does not know its shape yet; run the model once on some data first")
    if weight is None:
        return None
    if _transposed_linear(module):
        return weight.shape[0], weight.shape[1]
    if not isinstance(module, _LINEAR):
        return None
    taps, groups = weight[0, 0].numel(), int(getattr(module, "groups", 1))
    if isinstance(module, _TRANSPOSED):  # stored (inp, out / groups, ...); the others (out, inp / groups, ...)
        return weight.shape[0] // groups * taps, weight.shape[1] * taps
    return weight.shape[1] * taps, weight.shape[0] // groups * taps


def bias_of(module: nn.Module) -> nn.Parameter | None:
    """The bias of a layer that can be masked."""
    return module._parameters.get("bias") if isinstance(module, _LINEAR) or _transposed_linear(module) else None


def _transposed_linear(module: nn.Module) -> bool:
    """GPT-2's linear layer."""
    return type(module).__name__ == "Conv1D" and hasattr(module, "nf")


def norm_parameters(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """("weight" or "bias", parameter) of every normalisation layer that has some."""
    for module in model.modules():
        if isinstance(module, _NORMS) or type(module).__name__.endswith("RMSNorm"):
            yield from module.named_parameters(recurse=False)
