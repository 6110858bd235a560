r"""The errors of one linear map: $E^+ = P - W$, $E^- = N + W$, $\Delta b = \hat b - b$, rounded once.

Target $z = W x + b$, realised $\hat z = P \hat x^+ + N \hat x^- + \hat b$, where $x^+ = \max(x, 0)$ and
$x^- = \max(-x, 0)$. So

$$\hat z - z = \underbrace{E^+x^+ + E^-x^- + \Delta b}_{\text{fresh}}
+ \underbrace{P(\hat x^+ - x^+) + N(\hat x^- - x^-)}_{\text{propagated}}.$$

All are arrays of coefficients (row, inp, tap) of one basis, see `slth.graph.bases`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np

from slth._errors import InputError
from slth._shapes import Bias, Coefficient, Signed
from slth.graph import Affine, Basis, Linear, Realised, Target
from slth.numerics import above

_MADE_FOR = "is it the network that the ticket was made for?"


class Norms:
    """Bounds on operator norms, each found once: many certificates of one target ask for the same ones."""

    def __init__(self) -> None:
        self._known: dict[bytes, float] = {}  # by digest of basis and coefficients

    def of(self, basis: Basis, coefficients: Coefficient) -> float:
        """`basis.norm(coefficients)`."""
        key = sha256(f"{basis} {coefficients.shape}".encode() + coefficients.tobytes()).digest()
        if key not in self._known:
            self._known[key] = basis.norm(coefficients)
        return self._known[key]


@dataclass(frozen=True, eq=False)  # without slots: norms are computed once, when they are asked for
class MapErrors:
    """One map of both networks, with its errors. Made by `map_errors`."""

    basis: Basis
    weight: Coefficient  # W
    bias: Bias  # b
    positive: Coefficient  # P
    negative: Coefficient | None  # N
    signed: Signed
    error: Coefficient  # E⁺ = P - W
    negative_error: Coefficient | None  # E⁻ = N + W, 0 where unsigned
    bias_error: Bias  # Δb = b̂ - b
    realised_bias: Bias  # b̂
    norms: Norms

    def all(self) -> Coefficient:
        """[E⁺ E⁻], (row, inp, tap) or (row, 2 inp, tap): beside each other inside each group."""
        if self.negative_error is None:
            return self.error
        rows, inputs, taps = self.error.shape
        groups = self.basis.groups
        halves = [half.reshape(rows, groups, -1, taps) for half in (self.error, self.negative_error)]
        return np.concatenate(halves, axis=2).reshape(rows, 2 * inputs, taps)

    @property
    def slopes(self) -> Coefficient:
        """|P|, and max(|P|, |N|) where an input can be negative: ẑ moves by at most slopes · |x̂ - x|, term by term.

        |P| alone is unsound there: with P = 1 and N = -3, an x that falls from 0 to -1 raises ẑ by 3.
        """
        size = np.abs(self.positive)
        return size if self.negative is None else np.maximum(size, np.abs(self.negative))

    @cached_property
    def eta(self) -> float:
        """η, a bound on ‖[E⁺ E⁻]‖₂."""
        return self.norms.of(self.basis, self.all())

    @cached_property
    def size(self) -> float:
        """A bound on ‖W‖₂."""
        return self.norms.of(self.basis, self.weight)

    @cached_property
    def _positive_size(self) -> float:
        return self.norms.of(self.basis, self.positive)

    def norm(self, eta: float) -> float:
        """A bound on how ‖x̂ - x‖₂ reaches ẑ beyond the fresh error: ‖P‖₂, or ‖W‖₂ + η where an input can be negative.

        With a negative half f̂(x̂) - f(x) = W(x̂ - x) + [E⁺ E⁻](x̂⁺, x̂⁻) + Δb, and ‖(x̂⁺, x̂⁻)‖₂ = ‖x̂‖₂ ≤ ‖x‖₂ + ‖x̂ - x‖₂.
        It is also a Lipschitz constant of x̂ ↦ ẑ, for (x⁺, x⁻) moves no further than x.
        """
        return self._positive_size if self.negative is None else above(self.size + eta, 1)

    def misses(self, tolerance: float) -> int:
        """How many of P - W, N + W and b̂ - b exceed the tolerance in size, decided exactly."""
        missed = int(_further_apart(self.positive, self.weight, tolerance).sum())
        missed += int(_further_apart(self.realised_bias, self.bias, tolerance).sum())
        if self.negative is not None:
            missed += int(_further_apart(self.negative, -self.weight, tolerance)[:, self.signed].sum())
        return missed


def errors_of(target: Target, realised: Mapping[str, Realised], norms: Norms | None = None) -> dict[str, MapErrors]:
    """The errors of every map, once it is clear that both speak of the same ones; `norms` are those known already."""
    maps = target.graph.maps
    if set(maps) != set(realised):
        raise InputError(f"expected a realisation of {', '.join(maps)}; got one of {', '.join(realised)}")
    known = Norms() if norms is None else norms
    return {
        path: map_errors(path, op, target.coefficients[path], realised[path], norms=known) for path, op in maps.items()
    }


def map_errors(path: str, op: Linear, wanted: Affine, found: Realised, *, norms: Norms | None = None) -> MapErrors:
    """The errors of one map, once it is clear that both have its shape; `norms` are those known already."""
    w, p, n = wanted.weight, found.positive, found.negative
    if p.shape != w.shape:
        raise InputError(f"{path}: the target has shape {w.shape}, its realisation {p.shape}; {_MADE_FOR}")
    none = np.zeros(op.basis.outputs)
    b, b_hat = (none if bias is None else bias for bias in (wanted.bias, found.bias))
    if b_hat.shape != b.shape:
        raise InputError(f"{path}: the target has {b.size} biases, its realisation {b_hat.size}; {_MADE_FOR}")
    e_minus = None if n is None else np.where(found.signed[:, None], n + w, 0.0)
    return MapErrors(op.basis, w, b, p, n, found.signed, p - w, e_minus, b_hat - b, b_hat, norms or Norms())


def _further_apart(left: np.ndarray, right: np.ndarray, tolerance: float) -> np.ndarray:
    """|left - right| > tolerance, exactly: rounding is monotone, so only a tie needs what the difference rounded off.

    Source: Knuth's TwoSum (Higham 2002, §4.3).
    """
    difference = left - right
    part = difference - left
    rest = (left - (difference - part)) - (right + part)
    return (np.abs(difference) > tolerance) | ((np.abs(difference) == tolerance) & (np.sign(difference) * rest > 0))
