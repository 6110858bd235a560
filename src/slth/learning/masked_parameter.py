"""One masked parameter: a frozen tensor whose values a stream gives, and the mask that stands before its layer."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from slth._errors import InputError
from slth.learning.locations import Location, biases_of
from slth.numerics import Law, Stream, draw


@runtime_checkable
class FinalMask(Protocol):
    """What a ticket reads of a mask. Methods alone, so that `isinstance` can tell a mask from any other module."""

    def chosen(self) -> Tensor: ...  # bool, the final mask
    def gain(self) -> float: ...  # multiplies what is kept


@runtime_checkable
class Mask(FinalMask, Protocol):
    """What stands between a frozen weight and its layer: an `nn.Module` of one method."""

    scores: nn.Parameter | None  # what trains; None: the mask is given

    def __call__(self, weight: Tensor) -> Tensor: ...  # the weight that the layer sees
    def train(self, mode: bool) -> object: ...  # in evaluation the mask is the final one
    @property
    def binary(self) -> bool: ...  # kept weights count as their sign


@dataclass(frozen=True, slots=True, eq=False)
class MaskedParameter:
    """Where a masked parameter is, and the stream its values come from.

    Attributes:
        scale: what the stream's values are multiplied with, a float32.
        kept: weights that the method is to keep.
        wanted: the density that leads to `kept`, ⌈wanted · size⌉, as a decimal.
        pooled: it has no density of its own: the first, the last and those that a pattern names have.
        own: the model's weights, float32, where the policy keeps them; None: those of the stream.
        redraw: 1, 2, ...: the stream is "path@1", "path@2", ...
    """

    location: Location
    seed: int
    law: Law
    scale: float
    kept: int
    shape: tuple[int, ...]
    wanted: float = 1.0
    pooled: bool = True
    own: Tensor | None = None
    redraw: int = 0

    @property
    def path(self) -> str:
        return self.location.path

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
        """The weights under the mask as it is put on, float32: W₀, or the model's own."""
        return self.drawn() if self.own is None or self.redraw else self.own.clone()

    def stored(self) -> Tensor:
        """The same as a ticket says them, W₀ + Δ with Δ in float32, if they are not W₀."""
        values, drawn = self.values(), self.drawn()
        return drawn if torch.equal(values, drawn) else drawn + (values - drawn)

    def drawn(self) -> Tensor:
        """W₀, float32: the stream's values times the scale."""
        drawn = draw(Stream(self.seed, self.stream), self.law, self.shape)
        return torch.from_numpy(drawn * np.float32(self.scale))

    def uniform(self, name: str) -> Tensor:
        """U[−1, 1) / √fan_in from the stream "path/name": initial scores."""
        drawn = draw(Stream(self.seed, f"{self.stream}/{name}"), "uniform", self.shape)
        return torch.from_numpy(drawn / np.float32(np.sqrt(self.location.fan_in)))

    @property
    def original(self) -> nn.Parameter:
        """The frozen tensor itself, in its module."""
        return self._parametrizations.original  # pyright: ignore

    @property
    def mask(self) -> Mask:
        return self._parametrizations[0]  # pyright: ignore

    @property
    def biases(self) -> list[nn.Parameter]:
        """Those of its layer, and of layers tied to it."""
        return [bias for module, _ in self.location.owners for bias in biases_of(module)]

    @property
    def _parametrizations(self) -> parametrize.ParametrizationList:
        if not parametrize.is_parametrized(self.location.module, self.location.name):
            raise InputError(f"{self.path} has no mask any more: it was taken off; attach a new one")
        return self.location.module.parametrizations[self.location.name]  # pyright: ignore
