r"""The numbers of a network: a target's coefficients, what a pruned random network realises of them, a box of inputs.

For a map y = W x + b on inputs x, the realisation is

$$\hat y = P x^+ + N x^- + \hat b, \qquad x^+ = \max(x, 0),\ x^- = \max(-x, 0).$$

Ideal is P = W, N = −W, b̂ = b. All entries are float64 and taken as exact.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from slth._errors import InputError
from slth._shapes import Bias, Coefficient, Input, Signed
from slth.graph.bases import Basis
from slth.graph.nodes import Graph


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """A linear map of the target: coefficients W (out, inp, tap), and b (out,) or None for 0."""

    weight: Coefficient
    bias: Bias | None

    def __post_init__(self) -> None:
        if self.weight.ndim != 3 or self.weight.size == 0:
            raise InputError(f"a weight has shape (out, inp, tap), none of them 0, got {self.weight.shape}")
        _check_array(self.weight, self.weight.shape, "weight")
        _check_array(self.bias, self.weight.shape[:1], "bias")

    def apply(self, basis: Basis, x: np.ndarray) -> np.ndarray:
        """W x + b in float64; x (batch, ...)."""
        return _shifted(basis.apply(self.weight, x), self.bias)


@dataclass(frozen=True, slots=True, eq=False)
class Realised:
    """What the pruned random network computes in place of one map.

    positive: P, negative: N, both (out, inp, tap); bias: b̂ (out,) or None for 0. signed: (inp,), the inputs that can be
    negative. N is None if there are none; its columns are 0, and claim nothing, where `signed` is False.
    """

    positive: Coefficient
    negative: Coefficient | None
    bias: Bias | None
    signed: Signed

    def __post_init__(self) -> None:
        if self.positive.ndim != 3 or self.positive.size == 0:
            raise InputError(f"the positive half has shape (out, inp, tap), none of them 0, got {self.positive.shape}")
        _check_array(self.positive, self.positive.shape, "positive half")
        _check_array(self.negative, self.positive.shape, "negative half")
        _check_array(self.bias, self.positive.shape[:1], "realised bias")
        if self.signed.shape != self.positive.shape[1:2] or self.signed.dtype != np.bool_:
            raise InputError(
                f"signed must be {self.positive.shape[1]} booleans, got {self.signed.dtype} {self.signed.shape}"
            )
        if (self.negative is None) == bool(self.signed.any()):
            raise InputError("a negative half is expected exactly if some coordinate is signed")
        if self.negative is not None and self.negative[:, ~self.signed].any():
            raise InputError("the negative half must be 0 at coordinates that are not signed")

    def apply(self, basis: Basis, x: np.ndarray) -> np.ndarray:
        """P x⁺ + N x⁻ + b̂ in float64; x (batch, ...)."""
        y = basis.apply(self.positive, np.maximum(x, 0.0))
        if self.negative is not None:
            y = y + basis.apply(self.negative, np.maximum(-x, 0.0))
        return _shifted(y, self.bias)


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """The inputs a bound speaks of: all x with lower ≤ x ≤ upper, coordinate by coordinate; both (inp,)."""

    lower: Input
    upper: Input

    def __post_init__(self) -> None:
        if self.lower.ndim != 1 or self.lower.size == 0:
            raise InputError(f"a box has one lower end per input, got an array of shape {self.lower.shape}")
        _check_array(self.lower, self.lower.shape, "lower end of the box")
        _check_array(self.upper, self.lower.shape, "upper end of the box")
        if (self.lower > self.upper).any():
            raise InputError("an input range is empty: its lower end exceeds its upper end")

    @classmethod
    def uniform(cls, lower: float, upper: float, inputs: int) -> "Box":
        """The same range for every one of `inputs` coordinates."""
        return cls(np.full(inputs, float(lower)), np.full(inputs, float(upper)))


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A trained network: its graph, the coefficients of its maps, and how it was read.

    Raises:
        InputError: a map without coefficients, or coefficients that do not fit its basis.
    """

    graph: Graph
    coefficients: Mapping[str, Affine]  # by map
    names: Mapping[str, tuple[str, str | None]] = field(
        default_factory=dict[str, tuple[str, str | None]]
    )  # by map: the tensors of weight and bias
    assumed: tuple[str, ...] = ()  # sentences: what had to be assumed to read it

    def __post_init__(self) -> None:
        maps = self.graph.maps
        if set(maps) != set(self.coefficients):
            raise InputError(f"expected coefficients of {', '.join(maps)}; got {', '.join(self.coefficients)}")
        for path, op in maps.items():
            affine = self.coefficients[path]
            if affine.weight.shape != op.coefficients or (affine.bias is not None) != op.bias:
                raise InputError(f"{path}: coefficients {affine.weight.shape} do not fit the map {op.coefficients}")


def _shifted(y: np.ndarray, bias: Bias | None) -> np.ndarray:
    """One number per channel, the axis after the batch."""
    return y if bias is None else y + bias.reshape(-1, *(1 for _ in y.shape[2:]))


def _check_array(array: np.ndarray | None, shape: tuple[int, ...], name: str) -> None:
    if array is None:
        return
    if array.dtype != np.float64 or array.shape != shape:
        raise InputError(f"the {name} must be float64 of shape {shape}, got {array.dtype} of shape {array.shape}")
    if not np.isfinite(array).all():
        raise InputError(f"the {name} holds infinity or NaN")
