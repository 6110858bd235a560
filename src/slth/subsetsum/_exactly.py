"""Some subset of exactly k values within tolerance: memory and limits around the compiled search."""

from functools import partial
from typing import NamedTuple

import numpy as np

from slth._shapes import Targets, ValuesBatch
from slth.subsetsum._records import SubsetSums
from slth.subsetsum._rows import solve_rows
from slth.subsetsum._sized import SUMS_MAX, Side, make_sized_work, sums_per_half

WALK = 1 << 17  # steps of about 1 ns before the exact search, at most: no more than that takes itself, about
WALK_ALONE = 1 << 20  # the same where that is out of reach


class ExactlyWork(NamedTuple):
    """Memory that rows share, allocated once; what it holds from one row to the next never changes an answer."""

    low: Side
    high: Side
    spare: Side
    slots: np.ndarray  # int32, the walk's table, zero at first; entries below `live` belong to earlier rows
    live: np.ndarray  # int64 (1,), one at first
    grown: np.ndarray  # int64 (2, states): by how much a state of either half adds to the sum
    changed: np.ndarray  # uint64 (2, states): the values that it changes


def solve_exactly(
    values: ValuesBatch,
    targets: Targets,
    *,
    size: int,
    tol: float,
    threads: int = 1,
    most_sums: int = SUMS_MAX,
    walk: int = WALK_ALONE,
) -> SubsetSums:
    """Some subset of `size` values within `tol` of each row.

    Args:
        most_sums: a walk that finds none is followed by the exact search where this lists no more sums of a half; else
            such rows are BUDGET_SPENT, if they are not plainly out of reach.
        walk: steps of about 1 ns after which a walk gives up where no exact search follows.
    """
    n = values.shape[1]
    exact = sums_per_half(n, size) <= most_sums
    from slth.subsetsum._exactly_kernels import exactly_rows

    walk = min(WALK, 32 * sums_per_half(n, size)) if exact else walk
    kernel = partial(exactly_rows, values, targets, size, tol, walk, exact)
    return solve_rows(kernel, len(values), n, threads, partial(_make_work, n, size if exact else 0))


def _make_work(n: int, most: int) -> ExactlyWork:
    from slth.subsetsum._swap_kernels import CELLS, STATES

    sides = make_sized_work(n, most)
    slots, live = np.zeros(1 << CELLS, np.int32), np.ones(1, np.int64)
    grown, changed = np.empty((2, STATES), np.int64), np.empty((2, STATES), np.uint64)
    return ExactlyWork(sides.low, sides.high, sides.spare, slots, live, grown, changed)
