r"""What a certificate is about: a target network, its realisation and the inputs they read.

Target, layers i = 1..L:  $z_i = W_i x_{i-1} + b_i$,  $x_i = \max(z_i, 0)$ for i < L; the output is $z_L$.
Realised:  $\hat z_i = P_i \hat x_{i-1}^+ + N_i \hat x_{i-1}^- + \hat b_i$,  where $x^+ = \max(x, 0)$,
$x^- = \max(-x, 0)$ and $\hat x_0 = x_0$. Ideal is P = W, N = -W, b̂ = b. All entries are float64 and taken as exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from slth._errors import InputError
from slth._shapes import Bias, Coefficient, Input, Matrix, Signed


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """One layer of the target: coefficients over fixed basis maps, W (out, inp, tap), and b (out,) or None for 0."""

    weight: Coefficient
    bias: Bias | None

    def __post_init__(self) -> None:
        if self.weight.ndim != 3 or self.weight.size == 0:
            raise InputError(f"a weight has shape (out, inp, tap), none of them 0, got {self.weight.shape}")
        _check_array(self.weight, self.weight.shape, "weight")
        _check_array(self.bias, self.weight.shape[:1], "bias")


@dataclass(frozen=True, slots=True, eq=False)
class Realised:
    """What the pruned random network computes in place of one layer.

    positive: P, negative: N, both (out, inp, tap); bias: b̂ (out,) or None for 0. signed: (inp,), the coordinates that
    can be negative. N is None if there are none; its columns are 0, and claim nothing, where `signed` is False.
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
class Pair:
    """One dense layer of both networks as plain matrices, its errors rounded once. Made by `pair_up`."""

    weight: Matrix  # W
    bias: Bias  # b
    positive: Matrix  # P
    negative: Matrix | None  # N
    signed: Signed
    error: Matrix  # E⁺ = P - W
    negative_error: Matrix | None  # E⁻ = N + W, 0 where unsigned
    bias_error: Bias  # Δb = b̂ - b
    realised_bias: Bias  # b̂

    def errors(self) -> np.ndarray:
        """[E⁺ E⁻], (out, inp) or (out, 2 inp)."""
        return self.error if self.negative_error is None else np.hstack([self.error, self.negative_error])

    def misses(self, tolerance: float) -> int:
        """How many of P - W, N + W and b̂ - b exceed the tolerance in size, decided exactly."""
        missed = int(_further_apart(self.positive, self.weight, tolerance).sum())
        missed += int(_further_apart(self.realised_bias, self.bias, tolerance).sum())
        if self.negative is not None:
            missed += int(_further_apart(self.negative, -self.weight, tolerance)[:, self.signed].sum())
        return missed


def pair_up(target: Sequence[Affine], realised: Sequence[Realised]) -> list[Pair]:
    """Check that the two describe one chain of dense layers, and form the errors of each."""
    if len(target) != len(realised) or not target:
        raise InputError(f"expected as many realised layers as the target has, got {len(realised)} for {len(target)}")
    pairs: list[Pair] = []
    for layer, (wanted, found) in enumerate(zip(target, realised, strict=True)):
        shape = wanted.weight.shape
        if found.positive.shape != shape:
            raise InputError(f"layer {layer}: the target has shape {shape}, its realisation {found.positive.shape}")
        if shape[2] != 1:
            raise InputError(f"layer {layer}: a dense layer has one tap, got {shape[2]}")
        if pairs and shape[1] != pairs[-1].weight.shape[0]:
            raise InputError(f"layer {layer} reads {shape[1]} inputs, the layer before has {pairs[-1].weight.shape[0]}")
        w, p = wanted.weight[:, :, 0], found.positive[:, :, 0]
        n = None if found.negative is None else found.negative[:, :, 0]
        b, b_hat = (np.zeros(shape[0]) if bias is None else bias for bias in (wanted.bias, found.bias))
        e_minus = None if n is None else np.where(found.signed, n + w, 0.0)
        pairs.append(Pair(w, b, p, n, found.signed, p - w, e_minus, b_hat - b, b_hat))
    return pairs


def check_signs(lower: np.ndarray, signed: Signed) -> None:
    """Refuse inputs that a realisation has no negative half for: its two views would differ there."""
    outside = np.flatnonzero((lower < 0) & ~signed)
    if outside.size:
        raise InputError(
            f"input {outside[0]} can be {lower[outside[0]]:g}, but its realisation has no negative half: "
            "state a non-negative range, or construct the ticket with this input signed"
        )


def _further_apart(left: np.ndarray, right: np.ndarray, tolerance: float) -> np.ndarray:
    """|left - right| > tolerance, exactly: rounding is monotone, so only a tie needs what the difference rounded off.

    Source: Knuth's TwoSum (Higham 2002, §4.3).
    """
    difference = left - right
    part = difference - left
    rest = (left - (difference - part)) - (right + part)
    return (np.abs(difference) > tolerance) | ((np.abs(difference) == tolerance) & (np.sign(difference) * rest > 0))


def _check_array(array: np.ndarray | None, shape: tuple[int, ...], name: str) -> None:
    if array is None:
        return
    if array.dtype != np.float64 or array.shape != shape:
        raise InputError(f"the {name} must be float64 of shape {shape}, got {array.dtype} of shape {array.shape}")
    if not np.isfinite(array).all():
        raise InputError(f"the {name} holds infinity or NaN")
