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


def doubted(values: np.ndarray, targets: np.ndarray, tol: float, answers: SubsetSums) -> SubsetSums:
    """UNDECIDED where BEST_EFFORT rests on sums that float64 rounds: no farther from `tol` than they may be off.

    The target does not matter: rounding a difference never reverses the order of two distances.
    """
    statuses = tuple(Status)
    rows = np.flatnonzero(answers.codes == statuses.index(Status.BEST_EFFORT))
    off = (values.shape[1] + 1) * 2.0**-52 * (np.abs(values[rows]).sum(axis=1) + np.abs(targets[rows]))
    for row in rows[answers.error[rows] <= tol + off]:
        if grid_of(values[row]) is None:
            answers.codes[row] = statuses.index(Status.UNDECIDED)
    return answers
