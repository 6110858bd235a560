r"""How many subsets are within tolerance.

Numbers on a grid, v multiples of g with $\sum |v_i| \le 2^{53} g$, have exact float64 sums. The test $|\Sigma_S - z|
\le \varepsilon$, rounded as float64 rounds it, then holds for one range of integers $\Sigma_S / g$, and pairs of half
sums in that range are counted by two pointers. Other numbers are counted in fixed point wherever rounding cannot change
the verdict; subsets nearer to the edge than that are summed and decided one by one.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from math import comb

import numpy as np
from numpy.typing import ArrayLike

from slth.subsetsum._exact import DIGITS, grid_of
from slth.subsetsum._inputs import Number, read_problem, read_size, read_tol
from slth.subsetsum._records import Status, SubsetCount
from slth.subsetsum._sized import Size, check_sized, make_sized_work

DECIDED = 1 << 20  # subsets decided one by one; they take about 50 ms
UNIT_BITS = 56  # of the largest value in fixed point

Range = tuple[int, int]
NOTHING: Range = (1, 0)


def count(values: ArrayLike, target: Number, *, tol: Number, size: Size = None) -> SubsetCount:
    r"""Count the subsets with $|\sum_{i \in S} v_i - z| \le \varepsilon$, if asked those with $k \le |S| \le l$.

    Args:
        values: $v$, shape (n,), n <= 40. Finite, any order, not modified. Each subset of indices counts: equal values
            are different, and a zero doubles the count.
        target: $z$, in the unit of `values`.
        tol: $\varepsilon > 0$, absolute, in the unit of `values`.
        size: how many values to keep, as in `closest`.

    Returns:
        The number of subsets whose `error`, as the solvers compute it, is at most `tol`. Status COUNTED: exact. That
        is certain if the values are multiples of a power of two that is at least $2^{-53}$ of the sum of their sizes,
        as stream values and integers are. Of other values up to $2^{20}$ subsets at the edge, about $n^2 2^{-53}$ of
        the largest value wide, are decided one by one; if there are more (decimal fractions with a decimal tolerance),
        the status is UNDECIDED, and `undecided` of them may or may not count.

    Cost: $O(2^{n/2})$ time and memory, whatever the count: 60 ms for n = 40.

    Sources: Horowitz and Sahni (1974).

    >>> count([0.5, -0.25, 0.75, 0.25], 0.5, tol=0.25).count
    8
    >>> count([0.5, -0.25, 0.75, 0.25], 0.5, tol=0.25, size=2).count
    3
    >>> count([0.5, -0.5, 0.75], 0.0, tol=0.1, size=(1, 3)).count  # the empty subset does not count
    1
    """
    rows, targets = read_problem(values, target)
    row, z, limit = rows[0], float(targets[0]), read_tol(tol)
    n = len(row)
    sizes = read_size(size, n)
    fewest, most = (-1, -1) if sizes is None else sizes
    check_sized(n, n if sizes is None else most)
    grid = grid_of(row)
    if grid is None:
        q, sure, doubtful = _edges(row, z, limit)
    else:
        q = np.array([int(Fraction(float(value)) / grid) for value in row], np.int64)
        sure, doubtful = _on_grid(q, grid, z, limit), (NOTHING, NOTHING)
    from slth.subsetsum._bucket_kernels import list_halves
    from slth.subsetsum._count_kernels import count_sums

    work = make_sized_work(n, n if sizes is None else most)
    list_halves(q, n, most, False, work)
    counted, undecided = count_sums(row, z, limit, fewest, most, sure, doubtful, DECIDED, work)
    return SubsetCount(
        count=int(counted),
        undecided=int(undecided),
        subsets=1 << n if sizes is None else sum(comb(n, k) for k in range(fewest, most + 1)),
        status=Status.UNDECIDED if undecided else Status.COUNTED,
    )


def _on_grid(q: np.ndarray, grid: Fraction, z: float, tol: float) -> Range:
    """All integers t with |t · grid - z| <= tol as float64 computes it: a rounded difference is monotone in t."""
    down, up = int(q[q < 0].sum()), int(q[q > 0].sum())

    def least(holds: Callable[[int], bool]) -> int:
        low, high = down, up + 1  # the first t that holds, or up + 1
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if holds(middle) else (middle + 1, high)
        return low

    return (
        least(lambda t: float(t * grid) - z >= -tol),
        least(lambda t: float(t * grid) - z > tol) - 1,
    )


def _edges(row: np.ndarray, z: float, tol: float) -> tuple[np.ndarray, Range, tuple[Range, Range]]:
    """Fixed point, the range of sums surely within tol, and two ranges beside it where rounding may decide."""
    unit = Fraction(2) ** (math.frexp(float(np.abs(row).max()))[1] - UNIT_BITS)
    q = np.array([round(Fraction(float(value)) / unit) for value in row], np.int64)
    down, up, n = int(q[q < 0].sum()), int(q[q > 0].sum()), len(row)
    low, high = (Fraction(z) - Fraction(tol)) / unit, (Fraction(z) + Fraction(tol)) / unit
    # n additions and a subtraction round by 2^-53 each of at most sum|v| and, at the edge, tol; each q by half a unit
    slack = math.ceil(Fraction(n * (up - down) + 2 * n * n, 2**DIGITS) + Fraction(tol) / unit / 2**DIGITS) + n + 2

    def inside(t: int) -> int:
        return min(max(t, down - 1), up + 1)  # of the integers that are sums, or one beyond

    outer = inside(math.floor(low) - slack), inside(math.ceil(high) + slack)
    inner = inside(math.ceil(low) + slack), inside(math.floor(high) - slack)
    if inner[0] > inner[1]:
        return q, NOTHING, (outer, NOTHING)
    return q, inner, ((outer[0], inner[0] - 1), (inner[1] + 1, outer[1]))
