"""Matrices along an axis: average and adaptive pools, means, upsampling, one kind each, and any other one carried."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from slth._errors import InputError
from slth.graph.sparse import Sparse, check_sizes

Window = Int64[np.ndarray, " row"]

KINDS: dict[str, tuple[str, ...]] = {
    "average": ("kernel", "stride", "padding", "length", "count"),
    "mean": ("length",),
    "nearest": ("length",),
    "linear": ("length", "corners"),
    "matrix": ("value",),
    "sparse": ("length", "value"),
}  # and the parameters of each


@dataclass(frozen=True, slots=True)
class AxisMatrix:
    """One matrix A, (rows, L), for an axis of length L; `matrix` builds it.

    average: row i is 1/c in the window i s − b ≤ l < i s − b + k; c counts its integers in [−b, L + e) if `count` is
    "all", in [0, L) if it is "real". mean: 1/c at ⌊iL/n⌋ ≤ l < ⌈(i+1)L/n⌉. nearest: 1 at ⌊iL/n⌋. linear: between two
    neighbours, ends on ends if `corners`. matrix: carried. sparse: its entries are, see `sparse`: a graph.
    """

    axis: int
    kind: str
    kernel: int | None = None  # k
    stride: int | None = None  # s
    padding: tuple[int, int] | None = None  # b, e
    length: int | None = None  # n, rows
    count: str | None = None
    corners: bool | None = None
    value: str | None = None  # name of the carried matrix, or of its entries

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"expected an axis map, one of {', '.join(KINDS)}; got {self.kind!r}")
        for name in ("kernel", "stride", "padding", "length", "count", "corners", "value"):
            if (getattr(self, name) is not None) != (name in KINDS[self.kind]):
                raise InputError(f"an axis map of kind {self.kind} takes {', '.join(KINDS[self.kind])}; {name} is off")
        if self.count not in (None, "all", "real"):
            raise InputError(f"count: expected all or real, got {self.count!r}")
        sizes = [size for size in (self.kernel, self.stride, self.length) if size is not None]
        if min(sizes, default=1) < 1 or min(self.padding or (0,)) < 0:
            raise InputError(f"axis {self.axis}: expected sizes of at least 1 and padding of at least 0; got {self}")

    def rows(self, length: int, carried: Mapping[str, np.ndarray]) -> int:
        """Length of the axis afterwards.

        Raises:
            InputError: a carried matrix of another shape, or a window that reads only padding.
        """
        if self.kind == "sparse":
            assert self.value is not None
            assert self.length is not None
            check_sizes(carried[self.value].shape, self.length, length)
            return self.length
        if self.value is not None:
            matrix = carried[self.value]
            if matrix.ndim != 2 or matrix.shape[1] != length or not len(matrix):
                raise InputError(f"the matrix of axis {self.axis} has shape {matrix.shape}; the axis is {length} long")
            return matrix.shape[0]
        assert self.length is not None
        if self.kind == "average":
            kernel, stride, before, _ = self._steps()
            if kernel <= before or (self.length - 1) * stride - before >= length:
                raise InputError(f"a window of the average along axis {self.axis} reads only padding")
        return self.length

    def operator(self, length: int, carried: Mapping[str, np.ndarray]) -> "Float64[np.ndarray, 'row length'] | Sparse":
        """A as `apply_along` takes it: whole, or by its entries."""
        if self.kind != "sparse":
            return self.matrix(length, carried)
        assert self.value is not None
        return Sparse.of(carried[self.value], self.rows(length, carried), length)

    def matrix(self, length: int, carried: Mapping[str, np.ndarray]) -> Float64[np.ndarray, "row length"]:
        """A in float64, each entry rounded once; of "linear" also the positions are, see `rounding`.

        >>> AxisMatrix(0, "mean", length=2).matrix(3, {})
        array([[0.5, 0.5, 0. ],
               [0. , 0.5, 0.5]])
        """
        if self.kind == "sparse":
            found = self.operator(length, carried)
            return found if isinstance(found, np.ndarray) else found.dense()
        if self.value is not None:
            self.rows(length, carried)
            return carried[self.value].astype(np.float64)
        start, stop = self.windows(length)
        a, rows = np.zeros((len(start), length)), np.arange(len(start))
        if self.kind == "linear":
            p = self._positions(length)
            a[rows, start] = 1 - p + start
            a[rows, stop - 1] = np.where(p > start, p - start, a[rows, stop - 1])
            return a
        inside = (np.arange(length) >= start[:, None]) & (np.arange(length) < stop[:, None])
        return np.divide(inside, self._counts(start, stop, length)[:, None], out=a)

    def rounding(self, length: int) -> float:
        """What a row of `matrix` may be off by, in sum, beside one rounding of each entry.

        The position of an interpolation is off by at most 3u(L + 1), u = 2⁻⁵³, which two entries share.
        """
        return 2.0**-49 * (length + 1) if self.kind == "linear" else 0.0

    def windows(self, length: int) -> tuple[Window, Window]:
        """Where the entries > 0 of each row begin, and the first index behind them; of a matrix that is not carried.

        >>> AxisMatrix(0, "nearest", length=3).windows(2)
        (array([0, 0, 1]), array([1, 1, 2]))
        """
        i, n = np.arange(self.rows(length, {})), self.length
        assert n is not None
        if self.kind == "mean":
            return i * length // n, -(-(i + 1) * length // n)
        if self.kind == "nearest":
            return i * length // n, i * length // n + 1
        if self.kind == "linear":
            p = self._positions(length)
            below = np.floor(p).astype(np.int64)
            return below, below + 1 + (p > below)
        kernel, stride, before, _ = self._steps()
        first = i * stride - before
        return np.maximum(first, 0), np.minimum(first + kernel, length)

    def _steps(self) -> tuple[int, int, int, int]:
        """Of an average: kernel, stride, padding before and behind."""
        assert self.kernel is not None
        assert self.stride is not None
        assert self.padding is not None
        return self.kernel, self.stride, *self.padding

    def _counts(self, start: Window, stop: Window, length: int) -> Window:
        """What the sum of each window is divided by."""
        if self.count != "all":
            return stop - start
        kernel, stride, before, behind = self._steps()
        first = np.arange(len(start)) * stride - before
        return np.minimum(first + kernel, length + behind) - first

    def _positions(self, length: int) -> Float64[np.ndarray, " row"]:
        """Where each row of an interpolation stands on the axis."""
        n = self.length
        assert n is not None
        i = np.arange(n)
        if self.corners:
            return i * (length - 1) / max(n - 1, 1)
        return np.clip((i + 0.5) * length / n - 0.5, 0.0, length - 1.0)


def apply_along(matrix: np.ndarray | Sparse, x: np.ndarray, axis: int) -> np.ndarray:
    """y[..., i, ...] = Σ_l A[i, l] x[..., l, ...] along an axis of x."""
    if isinstance(matrix, Sparse):
        return matrix.along(x, axis)
    return np.moveaxis(np.tensordot(matrix, x, axes=(1, axis)), 0, axis)
