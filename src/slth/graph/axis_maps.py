"""Matrices along an axis: average and adaptive pools, means, upsampling, one kind each, and any other one carried."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from slth._errors import InputError

KINDS: dict[str, tuple[str, ...]] = {
    "average": ("kernel", "stride", "padding", "length", "count"),
    "mean": ("length",),
    "nearest": ("length",),
    "linear": ("length", "corners"),
    "matrix": ("value",),
}  # and the parameters of each


@dataclass(frozen=True, slots=True)
class AxisMatrix:
    """One matrix A, (rows, L), for an axis of length L; `matrix` builds it.

    average: row i is 1/c in the window i s − b ≤ l < i s − b + k; c counts its integers in [−b, L + e) if `count` is
    "all", in [0, L) if it is "real". mean: 1/c at ⌊iL/n⌋ ≤ l < ⌈(i+1)L/n⌉. nearest: 1 at ⌊iL/n⌋. linear: between two
    neighbours, ends on ends if `corners`. matrix: carried.
    """

    axis: int
    kind: str
    kernel: int | None = None  # k
    stride: int | None = None  # s
    padding: tuple[int, int] | None = None  # b, e
    length: int | None = None  # n, rows
    count: str | None = None
    corners: bool | None = None
    value: str | None = None  # name of the carried matrix

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"expected an axis map, one of {', '.join(KINDS)}; got {self.kind!r}")
        for name in ("kernel", "stride", "padding", "length", "count", "corners", "value"):
            if (getattr(self, name) is not None) != (name in KINDS[self.kind]):
                raise InputError(f"an axis map of kind {self.kind} takes {', '.join(KINDS[self.kind])}; {name} is off")
        if self.count not in (None, "all", "real"):
            raise InputError(f"count: expected all or real, got {self.count!r}")

    def rows(self, length: int, carried: Mapping[str, np.ndarray]) -> int:
        """Length of the axis afterwards."""
        if self.value is not None:
            matrix = carried[self.value]
            if matrix.ndim != 2 or matrix.shape[1] != length:
                raise InputError(f"the matrix of axis {self.axis} has shape {matrix.shape}; the axis is {length} long")
            return matrix.shape[0]
        assert self.length is not None
        return self.length

    def matrix(self, length: int, carried: Mapping[str, np.ndarray]) -> Float64[np.ndarray, "row length"]:
        """A in float64, each entry rounded once.

        >>> AxisMatrix(0, "mean", length=2).matrix(3, {})
        array([[0.5, 0.5, 0. ],
               [0. , 0.5, 0.5]])
        """
        n = self.rows(length, carried)
        if self.value is not None:
            return carried[self.value].astype(np.float64)
        a = np.zeros((n, length))
        for i in range(n):
            if self.kind == "linear":
                self._interpolate(a[i], i, n)
            else:
                start, stop, count = self._window(i, n, length)
                if not 0 <= start < stop <= length:
                    raise InputError(f"row {i} of the {self.kind} along axis {self.axis} reads only padding")
                a[i, start:stop] = 1.0 / count
        return a

    def _window(self, i: int, n: int, length: int) -> tuple[int, int, int]:
        """First index, the one behind the last, and what is divided by."""
        if self.kind == "mean":
            start, stop = i * length // n, -(-(i + 1) * length // n)
            return start, stop, stop - start
        if self.kind == "nearest":
            start = i * length // n
            return start, start + 1, 1
        assert self.kernel is not None
        assert self.stride is not None
        assert self.padding is not None
        before, behind = self.padding
        first, last = i * self.stride - before, i * self.stride - before + self.kernel
        start, stop = max(first, 0), min(last, length)
        counted = (max(first, -before), min(last, length + behind)) if self.count == "all" else (start, stop)
        return start, stop, counted[1] - counted[0]

    def _interpolate(self, row: np.ndarray, i: int, n: int) -> None:
        length = len(row)
        if self.corners:
            p = i * (length - 1) / (n - 1) if n > 1 else 0.0
        else:
            p = min(max((i + 0.5) * length / n - 0.5, 0.0), length - 1.0)
        below = math.floor(p)
        row[below] = 1 - p + below
        if p > below:
            row[below + 1] = p - below


def apply_along(matrix: np.ndarray, x: np.ndarray, axis: int) -> np.ndarray:
    """y[..., i, ...] = Σ_l A[i, l] x[..., l, ...] along an axis of x."""
    return np.moveaxis(np.tensordot(matrix, x, axes=(1, axis)), 0, axis)
