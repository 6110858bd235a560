r"""Subset sums of vectors, in the largest coordinate (multidimensional random subset sum).

Up to 40 vectors: meet in the middle. The sums of one half lie on a grid, those of the other ask for their nearest
partner (see `_vector_kernels`). That is exact, and fast as long as $2^{n/2}$ points leave most of a small box empty: d
up to about 6.

More vectors: a heuristic. The linear program over $m \in [0, 1]^n$ has a vertex with few fractional entries; it is
rounded (keeping the size within its bounds, if some are given), and then blocks of vectors, drawn from a fixed stream,
are chosen anew, each block optimally given all others, until the time is spent.

Letters: n vectors of d coordinates; half sums a, b; z target.
"""

import logging
import time

import numpy as np
from numpy.typing import ArrayLike

from slth._shapes import Kept, Vector, Vectors
from slth.numerics import Stream, words
from slth.subsetsum._exact import is_doubtful, sum_error
from slth.subsetsum._inputs import EXACT_VALUES, Number, read_size, read_tol
from slth.subsetsum._readers import read_positive, read_vectors
from slth.subsetsum._records import Status, SubsetSum, unpacked
from slth.subsetsum._sized import Size

HALF_FLOATS = 1 << 24  # float64 numbers in a list of half sums, at most: 128 MiB
STEPS = 1 << 23  # of the kernel between two looks at the clock: 10 to 40 ms
BLOCK = 28  # vectors chosen anew together, by the heuristic
SECONDS = 10.0  # unless others are asked for
BLOCK_HIGH = 24  # the same where boxes are no longer small: d > 6

_log = logging.getLogger(__name__)
Sizes = tuple[int, int] | None  # the fewest and the most vectors that may be kept; None: any number


def closest_vector(
    values: ArrayLike, target: ArrayLike, *, size: Size = None, seconds: Number | None = None
) -> SubsetSum:
    r"""Choose the subset S, of `size` vectors if given, that minimises $\max_k |\sum_{i \in S} v_{ik} - z_k|$.

    Args:
        values: $v$, shape (n, d), one vector per row. Finite, any order, not modified.
        target: $z$, shape (d,), in the unit of `values`.
        size: $|S|$, 0 to n, or a pair (lowest, highest), such as (1, n): not the empty set; None for any.
        seconds: when to stop; 10 if None. The heuristic uses all of it, unless the error is 0, and says so if nobody
            chose it.

    Returns:
        OPTIMAL, the lowest mask among equals; or BUDGET_SPENT: the best found, by a heuristic or by an unfinished
        search. n <= 40 ends OPTIMAL given time, if also $d\,2^{n/2} \le 2^{24}$.

    Exactness: the error is that of the float64 sums of the kept vectors in ascending order. Optimal up to rounding by
    $n\,2^{-52}$ of the largest coordinate; exactly, with ties, if all sums are exact, as those of stream values are.

    Cost: $O(2^{n/2})$ memory, about $2^{n/2}$ look-ups for d <= 4, up to $2^n$ comparisons for large d. With d = 3:
    2 ms for n = 24, a second for n = 40.

    Sources: existence, Becchetti et al. (2022); meet in the middle, Horowitz and Sahni (1974).

    >>> closest_vector([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]], [1.5, 0.6]).kept
    array([ True,  True, False])
    >>> closest_vector([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]], [1.5, 0.6], size=1).error
    0.6
    """
    rows, z = read_vectors(values, target)
    return _solve(rows, z, read_size(size, len(rows)), None, seconds)


def first_vector(
    values: ArrayLike, target: ArrayLike, *, tol: Number, size: Size = None, seconds: Number | None = None
) -> SubsetSum:
    r"""Choose some subset S, of `size` vectors if given, with $\max_k |\sum_{i \in S} v_{ik} - z_k| \le \varepsilon$.

    Args:
        values, target, size: as in `closest_vector`.
        tol: $\varepsilon > 0$, absolute, in the unit of `values`.
        seconds: when to stop; 10 if None.

    Returns:
        WITHIN_TOL; BEST_EFFORT: the closest of all, there is none within `tol` (where `closest_vector` is exact;
        UNDECIDED as in `first`); or BUDGET_SPENT: the best found in time. Exactness and cost as in `closest_vector`,
        which it is but for the stop.

    >>> first_vector([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]], [1.5, 0.6], tol=0.2).status.name
    'WITHIN_TOL'
    """
    rows, z = read_vectors(values, target)
    return _solve(rows, z, read_size(size, len(rows)), read_tol(tol), seconds)


def _solve(values: Vectors, target: Vector, size: Sizes, tol: float | None, seconds: Number | None) -> SubsetSum:
    budget = SECONDS if seconds is None else read_positive(seconds, "seconds", "seconds")
    deadline = time.monotonic() + budget
    n, d = values.shape
    _, exponent = np.frexp(max(np.abs(values).max(), np.abs(target).max()))
    v, z = np.ldexp(values, -exponent), np.ldexp(target, -exponent)  # so that no tolerance in here has a unit
    stop = -1.0 if tol is None else float(np.ldexp(tol, -exponent))
    if n <= EXACT_VALUES and d << (n + 1) // 2 <= HALF_FLOATS:
        kept, done = _meet(v, z, size, stop, deadline)
        error = sum_error(values, target, kept)
        if tol is not None and done and tol < error <= tol + _slack(values):
            kept, done = _meet(v, z, size, -1.0, deadline)  # stopped by a sum that rounding took across the tolerance
            error = sum_error(values, target, kept)
    else:
        if seconds is None:
            _log.warning("%d vectors of %d coordinates: a heuristic takes up to %g s (seconds)", n, d, budget)
        kept = _descend(v, z, size, stop, deadline)
        error = sum_error(values, target, kept)
        done = size in ((0, 0), (n, n)) or not error  # the only one, or nothing is closer
    if tol is not None and error <= tol:
        return SubsetSum(kept, error, Status.WITHIN_TOL)
    if not done:
        return SubsetSum(kept, error, Status.BUDGET_SPENT)
    if tol is None:
        return SubsetSum(kept, error, Status.OPTIMAL)
    doubt = is_doubtful(values, target, tol, error)
    return SubsetSum(kept, error, Status.UNDECIDED if doubt else Status.BEST_EFFORT)


def _slack(values: Vectors) -> float:
    return float(len(values) * 2.0**-51 * np.abs(values).max())


def _meet(v: Vectors, z: Vector, size: Sizes, stop: float, deadline: float) -> tuple[Kept, bool]:
    """The closest subset by meet in the middle, or some within `stop`, and whether the search came to its end."""
    from slth.subsetsum._vector_kernels import search

    n = len(v)
    half = n // 2
    spread = np.argsort(-np.abs(v).sum(axis=0), kind="stable")  # coordinates that tell sums apart best come first
    v, z = np.ascontiguousarray(v[:, spread]), z[spread]
    (a, kept_a), (b, kept_b) = _half_sums(v[:half]), _half_sums(v[half:])
    slack = _slack(v) + float(n * 2.0**-50 * np.abs(z).max())
    found = np.array([np.inf]), np.zeros(2, np.int64)
    fewest, most = (0, n) if size is None else size
    for j in [None] if size is None else range(max(0, fewest - (n - half)), min(most, half) + 1):
        mask_a = np.flatnonzero(kept_a == j) if j is not None else np.arange(len(a))
        mask_b = np.arange(len(b))
        if j is not None:
            mask_b = np.flatnonzero((kept_b >= fewest - j) & (kept_b <= most - j))
        first, (second, order, grid) = a[mask_a], _on_grid(b[mask_b])
        row = 0
        while row < len(first):
            if time.monotonic() > deadline and np.isfinite(found[0][0]):
                return _mask(found[1], half, n), False
            row = search(first, mask_a, second, mask_b[order], z, grid, row, STEPS, slack, stop, found)
        if found[0][0] <= stop:
            break
    return _mask(found[1], half, n), True


def _half_sums(v: Vectors) -> tuple[np.ndarray, np.ndarray]:
    """All sums, (2^h, d), row m that of the mask m, added in ascending order; and how many vectors each keeps."""
    sums, sizes = np.zeros((1, v.shape[1])), np.zeros(1, np.int64)
    for row in v:
        sums, sizes = np.concatenate([sums, sums + row]), np.concatenate([sizes, sizes + 1])
    return sums, sizes


def _on_grid(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray, int, np.ndarray]]:
    """Sums reordered cell after cell, where each stood, and the grid: (low, cells per unit, cells, starts)."""
    from slth.subsetsum._vector_kernels import CELL_COORDINATES, fill_grid

    g = min(sums.shape[1], CELL_COORDINATES)
    cells = max(1, int(len(sums) ** (1 / g)))
    low = sums[:, :g].min(axis=0)
    width = sums[:, :g].max(axis=0) - low
    per_unit = np.divide(cells, width, out=np.zeros(g), where=width > 2.0**-900)
    starts, order = np.empty(cells**g + 1, np.int64), np.empty(len(sums), np.int64)
    fill_grid(sums, low, per_unit, cells, starts, order)
    return sums[order], order, (low, per_unit, cells, starts)


def _mask(masks: np.ndarray, half: int, n: int) -> Kept:
    return unpacked(int(masks[0]) | int(masks[1]) << half, n)


def _descend(v: Vectors, z: Vector, size: Sizes, stop: float, deadline: float) -> Kept:
    """A rounded vertex of the linear program, then blocks chosen anew until within `stop` or out of time."""
    n, d = v.shape
    if size in ((0, 0), (n, n)):
        return np.full(n, size == (n, n))
    kept = _rounded_vertex(v, z, size, deadline)
    error = sum_error(v, z, kept)
    block = min(n, BLOCK if d <= 6 else BLOCK_HIGH)
    stream, epoch = Stream(0, "subsetsum/vectors/blocks"), 0
    while error > max(stop, 0.0):
        order = np.argsort(words(stream, epoch * n, n), kind="stable")
        for start in range(0, n - block + 1, block):
            if time.monotonic() > deadline:
                return kept
            chosen = np.sort(order[start : start + block])
            trial = kept.copy()
            trial[chosen] = False
            rest = z - v[trial].sum(axis=0)
            trial[chosen], _ = _meet(v[chosen], rest, _left(size, int(trial.sum()), block), stop, deadline)
            new = sum_error(v, z, trial)
            if new < error:
                kept, error = trial, new
            if error <= max(stop, 0.0):
                break
        epoch += 1
    return kept


def _left(size: Sizes, kept: int, block: int) -> Sizes:
    """How many of a block may be kept beside those that are."""
    return None if size is None else (max(size[0] - kept, 0), min(size[1] - kept, block))


def _rounded_vertex(v: Vectors, z: Vector, size: Sizes, deadline: float) -> Kept:
    """Minimise t over |sum of m_i v_i - z| <= t and 0 <= m <= 1, and round; any vectors if HiGHS gives up."""
    from scipy.optimize import linprog

    n, d = v.shape
    ones, fewest, most = np.ones((d, 1)), *((0, n) if size is None else size)
    count = np.append(np.ones(n), 0.0)[None]
    fixed, apart = fewest == most, size is not None and fewest < most
    answer = linprog(
        np.append(np.zeros(n), 1.0),
        A_ub=np.block([[v.T, -ones], [-v.T, -ones], *([[count], [-count]] if apart else [])]),
        b_ub=np.concatenate([z, -z, [most, -fewest] if apart else []]),
        A_eq=count if fixed else None,
        b_eq=[most] if fixed else None,
        bounds=[(0, 1)] * n + [(0, None)],
        method="highs-ds",
        options={"time_limit": max(deadline - time.monotonic(), 0.0) / 2},
    )
    m = np.zeros(n) if answer.x is None else np.asarray(answer.x)[:n]
    if size is None:
        return m > 0.5
    kept = np.zeros(n, np.bool_)
    kept[np.argsort(-m, kind="stable")[: min(max(int((m > 0.5).sum()), fewest), most)]] = True
    return kept
