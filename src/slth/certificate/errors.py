r"""The errors of one linear map: $E^+ = P - W$, $E^- = N + W$, $\Delta b = \hat b - b$, rounded once.

Target $z = W x + b$, realised $\hat z = P \hat x^+ + N \hat x^- + \hat b$, where $x^+ = \max(x, 0)$ and
$x^- = \max(-x, 0)$. So

$$\hat z - z = \underbrace{E^+x^+ + E^-x^- + \Delta b}_{\text{fresh}}
+ \underbrace{P(\hat x^+ - x^+) + N(\hat x^- - x^-)}_{\text{propagated}}.$$
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from slth._errors import InputError
from slth._shapes import Bias, Matrix, Signed
from slth.graph import Affine, Dense, Linear, Realised, Target
from slth.numerics import above, spectral_norm_bound


@dataclass(frozen=True, slots=True, eq=False)
class MapErrors:
    """One dense map of both networks as plain matrices, with its errors. Made by `errors_of`."""

    weight: Matrix  # W
    bias: Bias  # b
    positive: Matrix  # P
    negative: Matrix | None  # N
    signed: Signed
    error: Matrix  # E⁺ = P - W
    negative_error: Matrix | None  # E⁻ = N + W, 0 where unsigned
    bias_error: Bias  # Δb = b̂ - b
    realised_bias: Bias  # b̂

    def all(self) -> Matrix:
        """[E⁺ E⁻], (out, inp) or (out, 2 inp)."""
        return self.error if self.negative_error is None else np.hstack([self.error, self.negative_error])

    @property
    def slopes(self) -> Matrix:
        """|P|, and max(|P|, |N|) where an input can be negative: ẑ_o moves by at most slopes[o, j] · |x̂_j - x_j|.

        |P| alone is unsound there: with P = 1 and N = -3, an x that falls from 0 to -1 raises ẑ by 3.
        """
        size = np.abs(self.positive)
        return size if self.negative is None else np.maximum(size, np.abs(self.negative))

    def norm(self, eta: float) -> float:
        """A bound on how ‖x̂ - x‖₂ reaches ẑ beyond the fresh error: ‖P‖₂, or ‖W‖₂ + η where an input can be negative.

        With a negative half f̂(x̂) - f(x) = W(x̂ - x) + [E⁺ E⁻](x̂⁺, x̂⁻) + Δb, and ‖(x̂⁺, x̂⁻)‖₂ = ‖x̂‖₂ ≤ ‖x‖₂ + ‖x̂ - x‖₂.
        """
        if self.negative is None:
            return spectral_norm_bound(self.positive)
        return above(spectral_norm_bound(self.weight) + eta, 1)

    def misses(self, tolerance: float) -> int:
        """How many of P - W, N + W and b̂ - b exceed the tolerance in size, decided exactly."""
        missed = int(_further_apart(self.positive, self.weight, tolerance).sum())
        missed += int(_further_apart(self.realised_bias, self.bias, tolerance).sum())
        if self.negative is not None:
            missed += int(_further_apart(self.negative, -self.weight, tolerance)[:, self.signed].sum())
        return missed


def errors_of(target: Target, realised: Mapping[str, Realised]) -> dict[str, MapErrors]:
    """The errors of every map, once it is clear that both speak of the same ones."""
    maps = target.graph.maps
    if set(maps) != set(realised):
        raise InputError(f"expected a realisation of {', '.join(maps)}; got one of {', '.join(realised)}")
    return {path: _errors(path, op, target.coefficients[path], realised[path]) for path, op in maps.items()}


def _errors(path: str, op: Linear, wanted: Affine, found: Realised) -> MapErrors:
    if found.positive.shape != wanted.weight.shape:
        raise InputError(f"{path}: the target has shape {wanted.weight.shape}, its realisation {found.positive.shape}")
    if not isinstance(op.basis, Dense):
        raise InputError(f"{path}: no bound is known for a {type(op.basis).__name__} map")
    w, p = wanted.weight[:, :, 0], found.positive[:, :, 0]
    n = None if found.negative is None else found.negative[:, :, 0]
    b, b_hat = (np.zeros(len(w)) if bias is None else bias for bias in (wanted.bias, found.bias))
    e_minus = None if n is None else np.where(found.signed, n + w, 0.0)
    return MapErrors(w, b, p, n, found.signed, p - w, e_minus, b_hat - b, b_hat)


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
