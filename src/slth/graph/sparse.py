r"""Matrices of which most entries are 0, such as the adjacency of a graph, by their entries.

Carried as one array (count, 3), a row (i, l, A[i, l]) for each entry, places ascending and different. Places are exact
in any floating-point type up to `MOST`, so that these arrays are stored as any other numbers that an op reads.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from slth._errors import InputError

MOST = 2**24  # lengths whose places float32 holds


@dataclass(frozen=True, slots=True, eq=False)
class Sparse:
    """A, (rows, columns), by its entries."""

    rows: int
    columns: int
    row: np.ndarray
    column: np.ndarray
    value: np.ndarray

    @classmethod
    def of(cls, entries: np.ndarray, rows: int, columns: int) -> "Sparse":
        """From what is carried.

        Raises:
            InputError: places outside the matrix, that are no integers, out of order or twice.
        """
        check_sizes(entries.shape, rows, columns)
        numbers = entries.astype(np.float64)
        inside = (numbers[:, :2] >= 0) & (numbers[:, :2] < (rows, columns))  # NaN is not, and no integer, either
        places = np.where(inside, numbers[:, :2], 0).astype(np.int64)
        flat = places[:, 0] * columns + places[:, 1]
        if not inside.all() or (places != numbers[:, :2]).any() or (np.diff(flat) <= 0).any():
            raise InputError(
                f"expected the entries of a sparse matrix of {rows} x {columns} as rows (i, l, value), each place once "
                "and inside, in ascending order"
            )
        return cls(rows, columns, places[:, 0], places[:, 1], numbers[:, 2])

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.rows, self.columns

    def each(self, act: Callable[[np.ndarray], np.ndarray]) -> "Sparse":
        """A function that is 0 at 0, of every entry."""
        return replace(self, value=act(self.value))

    def along(self, x: np.ndarray, axis: int) -> np.ndarray:
        """y[..., i, ...] = Σ_l A[i, l] x[..., l, ...], the entries of a row added up in order.

        >>> Sparse.of(np.array([[0, 1, 2.0], [2, 0, 3.0]]), 3, 2).along(np.array([[5.0, 7.0]]), 1)
        array([[14.,  0., 15.]])
        """
        moved = np.moveaxis(x, axis, 0)
        terms = moved[self.column] * self.value.reshape(-1, *(1,) * (x.ndim - 1))
        y = np.zeros((self.rows, *moved.shape[1:]))
        if len(self.row):
            starts = np.flatnonzero(np.diff(self.row, prepend=-1))
            y[self.row[starts]] = np.add.reduceat(terms, starts, axis=0)
        return np.moveaxis(y, 0, axis)

    def sums(self) -> np.ndarray:
        """Of each row."""
        return np.bincount(self.row, self.value, minlength=self.rows)

    def transposed(self) -> "Sparse":
        """Aᵀ."""
        order = np.lexsort((self.row, self.column))
        return Sparse(self.columns, self.rows, self.column[order], self.row[order], self.value[order])

    def dense(self) -> np.ndarray:
        """All entries."""
        whole = np.zeros(self.shape)
        whole[self.row, self.column] = self.value
        return whole


def check_sizes(entries: tuple[int, ...], rows: int, columns: int) -> None:
    """Whether a carried array can hold such a matrix.

    Raises:
        InputError: another shape, or an axis that is too long.
    """
    if len(entries) != 2 or entries[1] != 3:
        raise InputError(f"a sparse matrix is carried as (entries, 3), got shape {entries}")
    if max(rows, columns) > MOST:
        raise InputError(f"expected a sparse matrix of at most {MOST:,} rows and columns, got {rows:,} x {columns:,}")
