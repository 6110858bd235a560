"""Rows of problems to rows of answers: memory, blocks and threads around the compiled kernels.

A kernel works on a range of rows for about 30 ms, says how far it came, and lets go: that is where Ctrl-C is heard.
Every row is solved by itself, so neither blocks nor threads can change a bit of the result.
"""

import threading
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from slth._shapes import PackedRows, Targets, ValuesBatch
from slth.subsetsum._records import SubsetSums

STEPS = 1 << 25  # about 1 ns each; one row of forty values takes at most about as long
PARTS = 8  # ranges per thread, so that an unlucky thread does not keep the others waiting

Kernel = Callable[..., int]


class Work(NamedTuple):
    """Memory that rows share, allocated once; what it holds from one row to the next never changes an answer."""

    a: np.ndarray  # int64, sums of the first half
    b: np.ndarray  # int64, sums of the second half
    kept_a: np.ndarray  # int32, one longer than a: indices that survive the sieve
    kept_b: np.ndarray  # int32, one longer than b
    marks: np.ndarray  # uint8, cells
    slots: np.ndarray  # int32, the walk's table, zero at first; entries below `live` belong to earlier rows
    live: np.ndarray  # int64 (1,), one at first


def make_work(n: int) -> Work:
    """Memory for rows of n values: O(2^(n/2)) bytes, touched only as far as they are used."""
    from slth.subsetsum._kernels import HALF_MAX, MARKS_MAX, SPARSE

    h = min((n + 1) // 2, HALF_MAX)
    a, b = np.empty(1 << h, np.int64), np.empty(1 << h, np.int64)
    kept_a, kept_b = np.empty((1 << h) + 1, np.int32), np.empty((1 << h) + 1, np.int32)
    marks = np.empty(1 << min(h + 5, MARKS_MAX), np.uint8)
    return Work(a, b, kept_a, kept_b, marks, np.zeros(1 << (h + SPARSE), np.int32), np.ones(1, np.int64))
