r"""The errors of one linear map: $E^+ = P - W$, $E^- = N + W$, $\Delta b = \hat b - b$, rounded once.

Target $z = W x + b$, realised $\hat z = P \hat x^+ + N \hat x^- + \hat b$, where $x^+ = \max(x, 0)$ and
$x^- = \max(-x, 0)$. So

$$\hat z - z = \underbrace{E^+x^+ + E^-x^- + \Delta b}_{\text{fresh}}
+ \underbrace{P(\hat x^+ - x^+) + N(\hat x^- - x^-)}_{\text{propagated}}.$$

All are arrays of coefficients (row, inp, tap) of one basis, see `slth.graph.bases`. Of a large map they are never
whole: E is formed where it is read, for some rows or some inputs at a time.

Where the target has equal copies x_jk of each channel, of which it reads one, fresh is $\sum_j (\sum_k P_{jk} - W_j)
x_j$: W, E and the basis are those of channels. What is propagated are the errors of the copies, each its own, so that
nothing cancels there: $\sum_{jk} |P_{jk}| e_{jk}$. Source: Burkholz (2022).

A linear realisation has no N: with N = −P what is fresh is $E^+ x + \Delta b$, as if no input could be negative.

Coefficients of several stages are real numbers, of which P is the nearest float64 one, off by at most $u|P|$,
$u = 2^{-53}$. A bound in which P stands as a factor has room for that (see `numerics.bounds`), a difference P - W has
not: what a bound on E must allow beside it is called lost here, u times a bound on P, and 0 for exact coefficients.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import Any, cast

import numpy as np

from slth._errors import InputError
from slth._shapes import Bias, Coefficient, Signed
from slth.graph import Affine, Basis, Linear, Realised, of_channels
from slth.numerics import SPECTRAL, Parts, above, is_further, norm_bound

CHUNK = 2**17  # coefficients that are looked at together: a megabyte, for a dozen arrays of it stay in the cache
_WHOLE = 2**20  # a map of at most so many coefficients is no large one
_U = 2.0**-53  # of a number that is rounded once
_MADE_FOR = "is it the network that the ticket was made for?"


class Norms:
    """Bounds on operator norms, each found once: many certificates of one target ask for the same ones."""

    def __init__(self) -> None:
        self._known: dict[bytes, float] = {}  # by digest of basis and coefficients

    def of(self, basis: Basis, by: str, coefficients: Coefficient, *, find: Callable[[], float]) -> float:
        """What `find` finds, or has found for the same coefficients by the same rule."""
        digest = sha256(f"{basis} {by} {coefficients.shape}".encode())
        digest.update(np.ascontiguousarray(coefficients).data)
        key = digest.digest()
        if key not in self._known:
            self._known[key] = find()
        return self._known[key]


@dataclass(frozen=True, slots=True)
class Sizes:
    """What `MapClaim` says of single coefficients: the largest errors, and how many exceed the tolerance."""

    weight_error: float
    bias_error: float
    misses: int


@dataclass(frozen=True, eq=False)  # without slots: norms are computed once, when they are asked for
class MapErrors:
    """One map of both networks, with its errors. Made by `map_errors`."""

    basis: Basis
    wanted: np.ndarray  # W, in float64 or, as `Affine` keeps it, in float32
    bias: Bias  # b
    positive: Coefficient  # P
    negative: Coefficient | None  # N
    signed: Signed
    bias_error: Bias  # Δb = b̂ - b
    realised_bias: Bias  # b̂
    known: Norms | None = None
    by: str | None = None  # the rule of its norms; None: that of the basis
    rounded: bool = False  # P, N and b̂ are real numbers, rounded once
    copies: int = 1  # equal ones of each channel that the target reads; all above speaks of channels
    of_copies: np.ndarray | None = None  # P of each copy, (row, inp · copies, tap), if there are several

    @property
    def weight(self) -> Coefficient:
        """W. Cost: of many coefficients a copy; of a part none."""
        return self.wanted.astype(np.float64, copy=False)

    @property
    def error(self) -> Coefficient:
        """E⁺ = P - W."""
        return self.positive - self.weight

    @property
    def negative_error(self) -> Coefficient | None:
        """E⁻ = N + W, 0 where unsigned; None if inputs are not negative or the map is linear."""
        return None if self.negative is None else np.where(self.signed[:, None], self.negative + self.weight, 0.0)

    def all(self) -> Coefficient:
        """[E⁺ E⁻], (row, inp, tap) or (row, 2 inp, tap): beside each other inside each group."""
        if (negative_error := self.negative_error) is None:
            return self.error
        rows, inputs, taps = negative_error.shape
        groups = self.basis.groups
        halves = [half.reshape(rows, groups, -1, taps) for half in (self.error, negative_error)]
        return np.concatenate(halves, axis=2).reshape(rows, 2 * inputs, taps)

    @property
    def slopes(self) -> Coefficient:
        """|P|, and max(|P|, |N|) where there is an N: ẑ moves by at most slopes · |x̂ - x|, term by term.

        |P| alone is unsound there: with P = 1 and N = -3, an x that falls from 0 to -1 raises ẑ by 3. Of copies, for
        which N = -P, one entry for each of them.
        """
        if self.of_copies is not None:
            return np.abs(self.of_copies)
        size = np.abs(self.positive)
        return size if self.negative is None else np.maximum(size, np.abs(self.negative))

    @property
    def bias_lost(self) -> np.ndarray:
        """What rounding hides of Δb, (out,)."""
        return np.abs(self.realised_bias) * (_U if self.rounded else 0.0)

    @cached_property
    def norm_lost(self) -> float:
        """What rounding hides of ‖[E⁺ E⁻]‖₂ and of ‖P‖₂: √taps ‖·‖_F times ‖B_t‖₂ bounds the norm of any array."""
        if not self.rounded:
            return 0.0
        halves = (half for _, part in self.chunks() for half in (part.positive, part.negative) if half is not None)
        sizes = np.array([float(norm_bound(half.reshape(-1))) for half in halves])
        return float(above(_U * math.sqrt(self.basis.taps) * self.basis.tap_bounds.norm * norm_bound(sizes), 4))

    def part(self, rows: slice, inputs: slice = slice(None)) -> "MapErrors":
        """The coefficients of some rows and inputs, where they lie; biases are those of all."""
        of_copies = None if self.of_copies is None else self.of_copies[rows]
        wanted, positive = self.wanted[rows, inputs].astype(np.float64, copy=False), self.positive[rows, inputs]
        negative = None if self.negative is None else self.negative[rows, inputs]
        return replace(
            self, wanted=wanted, positive=positive, negative=negative, signed=self.signed[inputs], of_copies=of_copies
        )

    def chunks(self) -> Iterator[tuple[slice, "MapErrors"]]:
        """All rows, about `CHUNK` coefficients at a time."""
        rows, inputs, taps = self.wanted.shape
        step = max(1, CHUNK // (self.copies * inputs * taps))
        for start in range(0, rows, step):
            part = slice(start, min(start + step, rows))
            yield part, self.part(part)

    @cached_property
    def eta(self) -> float:
        """η, a bound on ‖[E⁺ E⁻]‖₂."""
        if self._whole:
            return self._with_lost(self._norm(self.all()))
        rows, inputs, taps = self.wanted.shape
        errors = Parts((rows, inputs * (1 if self.negative is None else 2), taps), self._errors)
        return self._with_lost(self._norm(errors))

    @cached_property
    def size(self) -> float:
        """A bound on ‖W‖₂."""
        if self._whole or self.wanted.dtype == np.float64:
            return self._norm(self.weight)
        shape: tuple[int, int, int] = self.positive.shape
        return self._norm(Parts(shape, lambda rows, inputs: self.part(rows, inputs).weight))

    @property
    def _whole(self) -> bool:
        """Whether norms are given arrays that are whole: small ones, known ones, those of groups."""
        return self.wanted.size <= _WHOLE or self.known is not None or self.basis.groups > 1

    @cached_property
    def _positive_size(self) -> float:
        return self._with_lost(self._norm(self.positive))

    def _with_lost(self, norm: float) -> float:
        return above(norm + self.norm_lost, 1) if self.rounded else norm

    def norm(self, eta: float) -> float:
        """A bound on how ‖x̂ - x‖₂ reaches ẑ beyond the fresh error: ‖P‖₂, or ‖W‖₂ + η where there is an N.

        With a negative half f̂(x̂) - f(x) = W(x̂ - x) + [E⁺ E⁻](x̂⁺, x̂⁻) + Δb, and ‖(x̂⁺, x̂⁻)‖₂ = ‖x̂‖₂ ≤ ‖x‖₂ + ‖x̂ - x‖₂.
        It is also a Lipschitz constant of x̂ ↦ ẑ, for (x⁺, x⁻) moves no further than x.

        ‖P‖₂ ≤ ‖W‖₂ + η, too: where norms are dear, in all rules but the first, and η is small, that will do.
        From η = ‖W‖₂/4 to ‖W‖₂/2 the sum gives way to ‖P‖₂ by degrees: a step, at which two machines could decide
        differently, would change the bound by more than claims are rounded up.
        """
        if self.of_copies is not None:  # copies err apart: ‖W‖₂ + η says nothing of them
            return math.inf
        together = above(self.size + eta, 1)
        if self.negative is not None:
            return together
        if self.norms == SPECTRAL:
            return self._positive_size
        share = min(max(2.0 - 4.0 * eta / self.size, 0.0), 1.0) if self.size > 0 else 0.0  # of the sum
        return together if share == 1.0 else min(together, max(self._positive_size, share * together))

    @property
    def norms(self) -> str:
        """The rule that norms follow, one of `slth.numerics.NORMS`."""
        return self.basis.norms if self.by is None else self.by

    def sizes(self, tolerance: float) -> Sizes:
        """The largest errors; how many of P - W, N + W and b̂ - b exceed the tolerance in size, decided exactly.

        The errors are bounds for the real P, N and b̂; what is counted are these numbers as they are rounded here.
        """
        bias_error, missed = _further_apart(self.realised_bias, self.bias, tolerance)
        errors, largest = list[float](), 0.0
        for _, part in self.chunks():
            if self.rounded:
                largest = max(largest, float(part.slopes.max()))
            found = [_further_apart(part.positive, part.weight, tolerance)]
            if part.negative is not None and self.signed.any() and self.copies == 1:  # of copies it is the same sum
                signed = slice(None) if self.signed.all() else self.signed
                found.append(_further_apart(part.negative[:, signed], -part.weight[:, signed], tolerance))
            errors += [error for error, _ in found]
            missed += sum(count for _, count in found)
        bias_error += float(self.bias_lost.max(initial=0.0))
        return Sizes(above(float(np.max(errors)) + largest * _U, 1), above(bias_error, 1), missed)

    def _errors(self, rows: slice, columns: slice) -> Coefficient:
        """Some rows and columns of [E⁺ E⁻] of one group."""
        inputs = self.wanted.shape[1]
        start, stop, _ = columns.indices(inputs if self.negative is None else 2 * inputs)
        halves: list[Coefficient] = []
        if start < inputs:
            halves.append(self.part(rows, slice(start, min(stop, inputs))).error)
        if stop > inputs:
            half = self.part(rows, slice(max(start - inputs, 0), stop - inputs)).negative_error
            assert half is not None
            halves.append(half)
        return halves[0] if len(halves) == 1 else np.concatenate(halves, axis=1)

    def _norm(self, coefficients: Coefficient | Parts) -> float:
        # A rule of its own is passed on only where there is one.
        def find() -> float:
            return self.basis.norm(coefficients) if self.by is None else self.basis.norm(coefficients, self.by)

        if self.known is None or isinstance(coefficients, Parts):
            return find()
        return self.known.of(self.basis, self.norms, coefficients, find=find)


def map_errors(
    path: str,
    op: Linear,
    wanted: Affine,
    found: Realised,
    *,
    norms: Norms | None = None,
    by: str | None = None,
    copies: int = 1,
) -> MapErrors:
    """The errors of one map, once it is clear that both have its shape.

    Args:
        norms: those known already.
        by: the rule that norms follow, where it is not the map's own.
        copies: of each channel that the target reads, if they are equal; the realisation is linear then, N = -P, and
            sums of P over copies are exact in float64.
    """
    w, p, n = wanted.kept, found.positive, found.negative
    if p.shape != w.shape:
        raise InputError(f"{path}: the target has shape {w.shape}, its realisation {p.shape}; {_MADE_FOR}")
    none = np.zeros(op.basis.outputs)
    b, b_hat = (none if bias is None else bias for bias in (wanted.bias, found.bias))
    if b_hat.shape != b.shape:
        raise InputError(f"{path}: the target has {b.size} biases, its realisation {b_hat.size}; {_MADE_FOR}")
    if copies == 1:
        rule = None if by == op.basis.norms else by
        return MapErrors(op.basis, w, b, p, n, found.signed, b_hat - b, b_hat, norms, rule, found.rounded)
    if n is not None and not np.array_equal(n, np.where(found.signed[:, None], -p, 0.0)):
        raise InputError(f"{path}: copies are read by plain weights, which treat x⁺ and x⁻ alike; {_MADE_FOR}")
    basis = cast(Basis, replace(cast(Any, op.basis), inputs=op.basis.inputs // copies))
    signed = np.asarray(found.signed.reshape(-1, copies).any(axis=1))
    whole = of_channels(p, copies)
    negative = np.where(signed[:, None], -whole, 0.0) if signed.any() else None
    channels = of_channels(wanted.weight, copies)  # W reads one copy: nothing is rounded
    rule = None if by == basis.norms else by
    return MapErrors(
        basis, channels, b, whole, negative, signed, b_hat - b, b_hat, norms, rule, copies=copies, of_copies=p
    )


def _further_apart(left: np.ndarray, right: np.ndarray, tolerance: float) -> tuple[float, int]:
    """The largest |left - right|, rounded once, and how many exceed the tolerance, exactly."""
    largest = float(np.abs(left - right).max(initial=0.0))
    return largest, int(np.count_nonzero(is_further(left, right, tolerance))) if largest >= tolerance else 0
