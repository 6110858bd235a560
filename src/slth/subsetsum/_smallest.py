r"""Few values: the smallest subset within tolerance, and the whole curve of size against error.

Sizes 0, 1, 2, ... in turn, each by meet in the middle; only sums of as many values as needed are listed. With 15 values
from U[-1, 1] and a tolerance of 0.01 the smallest subset has 2.3 values on average.
"""

from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from slth.subsetsum._exact import doubted
from slth.subsetsum._inputs import Number, read_batch, read_problem, read_threads, read_tol
from slth.subsetsum._records import SubsetSum, SubsetSums
from slth.subsetsum._rows import solve_rows
from slth.subsetsum._sized import check_sized, make_sized_work, solve_sized


def smallest(values: ArrayLike, target: Number, *, tol: Number) -> SubsetSum:
    r"""Choose a subset with the fewest values, $\min |S|$ such that $|\sum_{i \in S} v_i - z| \le \varepsilon$.

    Args:
        values: $v$, shape (n,), n <= 40. Finite, any order, not modified.
        target: $z$, in the unit of `values`.
        tol: $\varepsilon > 0$, absolute, in the unit of `values`.

    Returns:
        WITHIN_TOL: no smaller subset is; of those of its size the closest, then the one with the lowest mask. Or
        BEST_EFFORT: there is none within `tol`; the closest of all, then the smallest (UNDECIDED as in `first`).
        Where any of that size will do, `fewest` is a hundred times faster.

    Exactness: as in `closest`; the status is decided on `error`.

    Cost: $O(s \binom{n/2}{\le 2s})$ if s values are enough, else $O(n 2^{n/2})$: 0.2 s for n = 40.

    >>> smallest([0.5, 0.25, 0.75, -0.125], 0.75, tol=0.01).kept
    array([False, False,  True, False])
    """
    rows, targets = read_problem(values, target)
    return _solve(rows, targets, read_tol(tol), 1)[0]


def smallest_batch(values: ArrayLike, targets: ArrayLike, *, tol: Number, threads: int = 1) -> SubsetSums:
    """Solve many problems, each exactly as `smallest` does: values (batch, n), targets (batch,).

    The answers do not depend on `threads`, bit for bit. Memory: the answers, and O(2^(n/2)) bytes per thread.

    >>> smallest_batch([[0.5, 0.25, 0.75], [1, 2, 3]], [0.75, 6], tol=0.1).packed
    array([4, 7], dtype=uint64)
    """
    rows, z = read_batch(values, targets)
    return _solve(rows, z, read_tol(tol), read_threads(threads))


def trade_off(values: ArrayLike, target: Number) -> SubsetSums:
    r"""The curve of size against error: $e_k = \min_{|S| = k} |\sum_{i \in S} v_i - z|$ for k = 0, ..., n.

    Args:
        values: $v$, shape (n,), n <= 40. Finite, any order, not modified.
        target: $z$, in the unit of `values`.

    Returns:
        n + 1 answers: number k is `closest(values, target, size=k)`, and `error` is the curve, shape (n + 1,).

    Cost: $O(n 2^{n/2})$; the sums are listed once for all sizes, or once every 30 ms of work.

    >>> trade_off([0.5, 0.25, 0.75, -0.125], 0.625).error
    array([0.625, 0.125, 0.   , 0.   , 0.75 ])
    """
    rows, targets = read_problem(values, target)
    n = rows.shape[1]
    check_sized(n, n)
    from slth.subsetsum._sized_kernels import curve_rows

    kernel = partial(curve_rows, rows[0], targets[0])
    return solve_rows(kernel, n + 1, n, 1, partial(make_sized_work, n, n))


def _solve(values: np.ndarray, targets: np.ndarray, tol: float, threads: int) -> SubsetSums:
    answers = solve_sized(values, targets, sizes=(0, values.shape[1]), tol=tol, threads=threads)[0]
    return doubted(values, targets, tol, answers)
