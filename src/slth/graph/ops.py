"""Ops: how the values of a network combine. A closed vocabulary of frozen records; meanings follow ONNX."""

from dataclasses import dataclass
from typing import Literal

from slth._errors import InputError
from slth.graph.bases import Basis


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear map with coefficients of its own, and a bias for each output.

    Two nodes of one map share coefficients and random numbers: a layer that is used twice.
    """

    map: str  # path of the map; it names the random streams
    basis: Basis
    bias: bool

    @property
    def coefficients(self) -> tuple[int, int, int]:
        """Shape (out, inp, tap)."""
        return self.basis.outputs, self.basis.inputs, self.basis.taps

    @property
    def weights(self) -> int:
        """Parameters, biases included."""
        return self.basis.outputs * (self.basis.inputs * self.basis.taps + self.bias)


@dataclass(frozen=True, slots=True)
class Pointwise:
    """A function of each number by itself."""

    function: Literal["relu"]

    def __post_init__(self) -> None:
        if self.function != "relu":
            raise InputError(f"expected a function of one number, relu; got {self.function!r}")


Op = Linear | Pointwise
