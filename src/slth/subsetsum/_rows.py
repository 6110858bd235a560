"""Rows of problems to rows of answers: memory, blocks and threads around the compiled kernels.

A kernel works on a range of rows for about 30 ms, says how far it came, and lets go: that is when Ctrl-C is heard.
Every row is solved by itself, so neither blocks nor threads can change a bit of the result.
"""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from threading import Event
from typing import Any, NamedTuple

import numpy as np

from slth.subsetsum._records import SubsetSums

STEPS = 1 << 25  # of about 1 ns; one row of forty values takes no more
ALONE = 1 << 21  # what takes no more is not worth a thread
MOST_THREADS = 64  # that are started, whatever is asked for
PARTS = 8  # ranges per thread, so that nobody waits long for the last one


class Work(NamedTuple):
    """Memory that rows share, allocated once; what it holds from one row to the next never changes an answer."""

    a: np.ndarray  # int64, sums of the first half
    b: np.ndarray  # int64, sums of the second half
    kept_a: np.ndarray  # int32, one longer than a: indices that survive the sieve
    kept_b: np.ndarray  # int32, one longer than b
    marks: np.ndarray  # uint8, cells
    slots: np.ndarray  # int32, the walk's table, zero at first; entries below `live` belong to earlier rows
    live: np.ndarray  # int64 (1,), one at first


Kernel = Callable[[int, int, int, Any, np.ndarray, np.ndarray, np.ndarray], int]
"""(start, stop, steps, work, packed, error, codes) -> the first row not done."""


def solve_rows(kernel: Kernel, batch: int, n: int, threads: int, make: Callable[[], Any] | None = None) -> SubsetSums:
    """Answer all rows. Memory: the answers, and per thread what `make` allocates, else O(2^(n/2)) bytes."""
    make = make or partial(make_work, n)
    packed, error, codes = np.zeros(batch, np.uint64), np.zeros(batch), np.zeros(batch, np.uint8)
    work, stopped = make(), Event()

    def solve(start: int, stop: int, work: Any = None) -> None:
        work = work or make()
        while start < stop and not stopped.is_set():
            start = kernel(start, stop, STEPS, work, packed, error, codes)

    done = kernel(0, batch, STEPS if threads == 1 else ALONE, work, packed, error, codes)
    if threads == 1 or done == batch:
        solve(done, batch, work)
    else:
        from joblib import Parallel, delayed

        threads = min(threads, batch - done, MOST_THREADS)
        parts = PARTS * threads
        ends = [done + (batch - done) * part // parts for part in range(parts + 1)]
        ranges = [(start, stop) for start, stop in pairwise(ends) if start < stop]
        try:
            Parallel(n_jobs=threads, backend="threading")(delayed(solve)(*ends) for ends in ranges)
        finally:
            stopped.set()  # after Ctrl-C, threads let go at the end of their block
    return SubsetSums(packed, n, error, codes)


def make_work(n: int) -> Work:
    """Memory for rows of n values, touched by the kernels only as far as they need it."""
    from slth.subsetsum._first_kernels import SPARSE
    from slth.subsetsum._fixed_point_kernels import HALF_MAX
    from slth.subsetsum._sieve_kernels import MARKS_MAX

    low, high = min(n // 2, HALF_MAX), min((n + 1) // 2, HALF_MAX)
    return Work(
        a=np.empty(1 << low, np.int64),
        b=np.empty(1 << high, np.int64),
        kept_a=np.empty((1 << low) + 1, np.int32),
        kept_b=np.empty((1 << high) + 1, np.int32),
        marks=np.empty(1 << min(high + 5, MARKS_MAX), np.uint8),
        slots=np.zeros(1 << (low + SPARSE), np.int32),
        live=np.ones(1, np.int64),
    )
