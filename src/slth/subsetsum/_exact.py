"""What float64 makes of a sum: the error that every answer states, and where rounding, not the values, would decide."""

import math
from fractions import Fraction

import numpy as np

from slth._shapes import Kept, Values, Vector, Vectors
from slth.subsetsum._records import Status, SubsetSums

DIGITS = 53  # of a float64


def sum_error(values: Values | Vectors, target: float | Vector, kept: Kept) -> float:
    """|float64 sum of the kept values in ascending order of index - target|; of vectors the largest coordinate."""
    total = np.cumsum(values[kept], axis=0)[-1] if kept.any() else 0.0  # cumsum adds one by one
    return float(np.abs(total - target).max())


def grid_of(row: Values) -> Fraction | None:
    """The largest power of two that divides all values, if their float64 sums are exact on it."""
    exact = [Fraction(float(value)) for value in row if value]
    if not exact:
        return Fraction(1)
    fine = max(value.denominator for value in exact)  # powers of two
    whole = math.gcd(*(int(value * fine) for value in exact))
    grid = Fraction(whole & -whole, fine)
    return grid if sum(map(abs, exact)) <= grid * 2**DIGITS else None


def doubted(
    values: np.ndarray, targets: np.ndarray, tol: float, answers: SubsetSums, *, most_move: float = 0.0
) -> SubsetSums:
    """UNDECIDED where BEST_EFFORT rests on sums that float64 rounds: no farther from `tol` than they may be off.

    The target does not matter: rounding a difference never reverses the order of two distances. Values that may move
    lie on no grid.
    """
    statuses = tuple(Status)
    n = values.shape[1]
    rows = np.flatnonzero(answers.codes == statuses.index(Status.BEST_EFFORT))
    for row in rows[answers.error[rows] <= tol + _off(n, values[rows], targets[rows], most_move)]:
        if most_move or grid_of(values[row]) is None:
            answers.codes[row] = statuses.index(Status.UNDECIDED)
    return answers


def is_doubtful(vectors: Vectors, target: Vector, tol: float, error: float) -> bool:
    """The same of vectors, whose error is that of one coordinate."""
    off = _off(len(vectors), vectors.T, target, 0.0)
    return any(grid_of(vectors[:, k]) is None for k in np.flatnonzero(error <= tol + off))


def _off(n: int, values: np.ndarray, targets: np.ndarray, most_move: float) -> np.ndarray:
    """How far float64 sums of a row, and their distances from its target, may be off."""
    return (n + 1) * 2.0**-52 * (np.abs(values).sum(axis=1) + np.abs(targets) + n * most_move)
