"""What all searches by size share: limits, memory, and the way from rows to answers."""

from functools import partial
from math import comb
from typing import NamedTuple

import numpy as np

from slth._errors import InputError
from slth._shapes import Errors, Targets, ValuesBatch
from slth.subsetsum._inputs import EXACT_VALUES
from slth.subsetsum._records import SubsetSums
from slth.subsetsum._rows import solve_rows

# how many values to keep: so many, from so many to so many, or any number
Size = int | np.integer | tuple[int | np.integer, int | np.integer] | None

SUMS_MAX = 1 << 20  # sums listed per half of the values


class Side(NamedTuple):
    """Sums of one half of the values: bucket j, of j values, is sums[ends[j] : ends[j + 1]], sorted."""

    sums: np.ndarray  # int64
    masks: np.ndarray  # uint32, the values of the half that make the sum
    ends: np.ndarray  # int64


class SizedWork(NamedTuple):
    """Memory that rows share, allocated once."""

    low: Side
    high: Side
    spare: Side
    resume: np.ndarray  # int64 (5,): a row that is not finished (-1: none), its next size, sums listed, found or not,
    # and how far the closest so far is


def sums_per_half(n: int, most: int) -> int:
    """Sums of at most `most` values of the longer half."""
    half = (n + 1) // 2
    return sum(comb(half, j) for j in range(min(most, half) + 1))


def check_sized(n: int, most: int) -> None:
    """Refuse what meet in the middle by size cannot finish. Here zeros count: they can be kept."""
    if sums_per_half(n, most) > SUMS_MAX:
        advice = "leave some out" if most == n else "leave some out, or keep fewer"
        raise InputError(
            f"expected at most {EXACT_VALUES} values, or fewer than {SUMS_MAX:,} subsets of at most `size` values of "
            f"one half, got {n} values of which up to {most} are kept (time and memory grow like these); {advice}"
        )


def make_sized_work(n: int, most: int) -> SizedWork:
    """Memory for subsets of at most `most` of n values, touched by the kernels only as far as they need it."""
    count, sizes = sums_per_half(n, most), (n + 1) // 2 + 3

    def side() -> Side:
        return Side(np.empty(count, np.int64), np.empty(count, np.uint32), np.zeros(sizes, np.int64))

    return SizedWork(side(), side(), side(), np.array([-1, 0, 0, 0, 0], np.int64))


def solve_sized(
    values: ValuesBatch,
    targets: Targets,
    *,
    sizes: tuple[int, int],
    tol: float | None,
    threads: int,
    most_move: float = 0.0,
    by_move: bool = False,
) -> tuple[SubsetSums, Errors]:
    """Answers and moves; the best subset of sizes[0] to sizes[1] values as the kernel `sized_rows` defines it."""
    n = values.shape[1]
    check_sized(n, sizes[1])
    from slth.subsetsum._sized_kernels import sized_rows

    moves = np.zeros(len(values))
    asked = (-1.0 if tol is None else tol, most_move, by_move)
    kernel = partial(sized_rows, values, targets, *sizes, *asked, moves)
    return solve_rows(kernel, len(values), n, threads, partial(make_sized_work, n, sizes[1])), moves
