"""What becomes of every parameter of a model: masked, left out, zeroed, carried or trained."""

# pyright: reportPrivateUsage=false

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from torch import nn

from slth import _arguments
from slth._errors import InputError
from slth.learning.laws import WeightLaw, stream_law
from slth.learning.selection import count_kept

_NORMS = (
    nn.modules.batchnorm._NormBase,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
)
_CHOICES = {
    "biases": ("zero", "carry", "train"),
    "norms": ("plain", "carry", "train"),
    "weights": ("random", "keep"),
    "allocation": ("uniform", "erk"),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """Which weights are masked, and what happens to everything else.

    A pattern (`fc*`, `*.lm_head`) is compared with the name of a layer and with that of the parameter, `fc1.weight`.

    Attributes:
        law: of the random weights; see `slth.learning.laws`.
        gain: weights × gain.
        scaled: weights × √(1 / density), so that a masked layer keeps the variance of a full one.
        weights: "random": from streams; "keep": the model's own, trained perhaps, and nothing beside them is set to 0
            or 1: "zero" and "plain" are "carry" then. Such a ticket is weak: it stores the weights.
        biases: of masked layers. "zero": set to 0; "carry": as the model has them, fixed; "train": they move.
        norms: parameters of normalisation layers. "plain": 1 and 0; "carry"; "train".
        allocation: how the method's density is shared out; see `slth.learning.allocation`. "uniform": every layer has
            it; "erk": small layers keep more, all together exactly what it says.
        densities: {pattern: density} of layers that have one of their own; the first pattern that fits counts.
        first, last: density of the first and the last masked layer, before any pattern; None: as the others. 1: random,
            unpruned.
        include: patterns of parameters that are masked beside the weights of linear and convolutional layers:
            `*.in_proj_weight`, `rnn.weight_ih_l0`.
        skip: patterns of layers and parameters that are not masked: carried as they are, with what is tied to them.
    """

    law: WeightLaw = "signed_constant"
    gain: float = 1.0
    scaled: bool = False
    biases: Literal["zero", "carry", "train"] = "zero"
    norms: Literal["plain", "carry", "train"] = "plain"
    first: float | None = None
    last: float | None = None
    skip: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    weights: Literal["random", "keep"] = "random"
    allocation: Literal["uniform", "erk"] = "uniform"
    densities: Mapping[str, float] | tuple[tuple[str, float], ...] = ()  # kept as pairs

    def __post_init__(self) -> None:
        stream_law(self.law)
        if not (math.isfinite(self.gain) and self.gain > 0):
            raise InputError(f"gain, a factor of all random weights, must be a positive number, got {self.gain}")
        for name, legal in _CHOICES.items():
            if getattr(self, name) not in legal:
                raise InputError(f"{name}: expected one of {', '.join(legal)}; got {getattr(self, name)!r}")
        if self.weights == "keep":
            for name, reset in (("biases", "zero"), ("norms", "plain")):
                if getattr(self, name) == reset:
                    object.__setattr__(self, name, "carry")
        for density in (self.first, self.last):
            if density is not None:
                count_kept(density, 1)
        for name in ("skip", "include"):
            object.__setattr__(self, name, _arguments.names(name, getattr(self, name)))
        object.__setattr__(self, "densities", _arguments.pairs("densities", self.densities))
        for _, density in self.patterns:
            count_kept(density, 1)

    @property
    def patterns(self) -> tuple[tuple[str, float], ...]:
        """The densities of layers that have one of their own, as pairs."""
        return tuple(self.densities.items()) if isinstance(self.densities, Mapping) else self.densities


def norm_parameters(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """("weight" or "bias", parameter) of every normalisation layer that has some."""
    for module in model.modules():
        if isinstance(module, _NORMS) or type(module).__name__.endswith("RMSNorm"):
            yield from module.named_parameters(recurse=False)
