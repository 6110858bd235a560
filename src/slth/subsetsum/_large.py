r"""Some subset within tolerance of 41 to a million values, where solutions abound.

Forty values have $2^{40}$ sums, so forty of the smallest values, a *block*, resolve what all others leave over. The
others are kept or not, from the largest down, so that the target stays amid the sums of all that are still to come;
then the block is solved exactly (see `first`). If it has no subset within tolerance, sixteen others are flipped in
Gray-code order, one per trial, and the block is solved again: every trial sees $2^{40}$ new sums. Other blocks get
their turn, too, of the next smallest values and of values from everywhere: the smallest may be too small to reach the
rest, or all alike. A heuristic.
"""

import math
import time
from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import ArrayLike

from slth._errors import InputError
from slth._shapes import Kept, Values
from slth.subsetsum._exact import sum_error
from slth.subsetsum._first import first
from slth.subsetsum._inputs import EXACT_VALUES, Number, read_tol
from slth.subsetsum._readers import read_numbers, read_positive
from slth.subsetsum._records import Status, SubsetSum

BYTES_PER_SUM = 128  # of meet in the middle, per sum of half a block
LEAST_MEMORY = 1 << 20  # blocks of 26 values
SHIFT = 20  # values between the starts of two blocks
FLIPPED = 16  # values that change from trial to trial


def first_large(
    values: ArrayLike, target: Number, *, tol: Number, seconds: Number = 1.0, memory: int = 1 << 27
) -> SubsetSum:
    r"""Choose some subset S of many values with $|\sum_{i \in S} v_i - z| \le \varepsilon$.

    Args:
        values: $v$, shape (n,), any n. Finite, any order, not modified. Zeros are never kept.
        target: $z$, in the unit of `values`.
        tol: $\varepsilon > 0$, absolute, in the unit of `values`.
        seconds: when to stop; looked at between trials of about 50 ms (half a second for 10^6 values).
        memory: bytes for lists of sums, at least 2^20, besides 100 bytes per value. Less than 2^27 means smaller
            blocks; forty values or fewer take what `first` takes.

    Returns:
        WITHIN_TOL; BEST_EFFORT, if all sums lie on one side of the target, or if at most forty values are not 0: there
        is no such subset; or BUDGET_SPENT with the best found. The same input gives the same trials; only how many
        depends on the machine.

    Exactness: the error is |float64 sum of the kept values in ascending order of index - target|. That sum itself is
    rounded by up to $n\,2^{-53}$ of its largest part, so smaller tolerances are reached by luck only.

    Cost: $O(n \log n)$, then trials of at most 20 ms. n = 10^4 to 1e-9: 10 ms.

    Source of the idea: few solutions are hard to find, many are not; Horowitz and Sahni (1974) for the blocks.

    >>> first_large([0.5 + k / 1024 for k in range(500)], 123.4567, tol=1e-9).status.name
    'BUDGET_SPENT'
    >>> first_large([(k * k % 1009) / 1009 for k in range(1, 500)], 123.4567, tol=1e-3).status.name
    'WITHIN_TOL'
    """
    (v, z), epsilon = read_numbers(values, target), read_tol(tol)
    budget, bytes_for_lists = read_positive(seconds, "seconds", "seconds"), read_positive(memory, "memory", "bytes")
    if bytes_for_lists < LEAST_MEMORY:
        raise InputError(f"memory must be at least {LEAST_MEMORY} bytes, got {memory!r}; leave it out for 2^27")
    deadline = time.monotonic() + budget
    live = np.flatnonzero(v)
    if len(live) <= EXACT_VALUES:
        answer = first(v[live], z, tol=epsilon)
        kept = np.zeros(len(v), np.bool_)
        kept[live] = answer.kept
        return SubsetSum(kept, answer.error, answer.status)
    end = _at_an_end(v, z)
    if end is not None:
        error, rounding = sum_error(v, z, end), len(v) * 2.0**-52 * float(np.abs(v).sum())
        if error <= epsilon or error > epsilon + rounding:
            return SubsetSum(end, error, Status.WITHIN_TOL if error <= epsilon else Status.BEST_EFFORT)
    size = min(EXACT_VALUES, 2 * int(math.log2(bytes_for_lists / BYTES_PER_SUM)))
    best = SubsetSum(np.zeros(len(v), np.bool_), abs(z), Status.BUDGET_SPENT)
    for kept in _trials(v, z, epsilon, size):
        error = sum_error(v, z, kept)
        if error < best.error:
            best = SubsetSum(kept.copy(), error, Status.BUDGET_SPENT)
        if error <= epsilon or time.monotonic() > deadline:
            break
    return SubsetSum(best.kept, best.error, Status.WITHIN_TOL) if best.error <= epsilon else best


def _at_an_end(v: Values, z: float) -> Kept | None:
    """The closest subset if every sum lies on one side of the target."""
    if z >= math.fsum(v[v > 0]):
        return v > 0
    return v < 0 if z <= math.fsum(v[v < 0]) else None


def _trials(v: Values, z: float, tol: float, size: int) -> Iterator[Kept]:
    """Rounds: a trial of the first block; of the first and the second; of the first three; ..."""
    order = np.argsort(np.abs(v), kind="stable")
    order = order[np.count_nonzero(v == 0) :]
    waiting = (_block_trials(v, z, tol, order, block) for block in _blocks(len(order), min(size, len(order))))
    running: list[Iterator[Kept]] = []
    while True:
        running += islice(waiting, 1)
        alive: list[Iterator[Kept]] = []
        for block in running:
            for kept in islice(block, 1):
                alive.append(block)
                yield kept
        if not alive:
            return
        running = alive


def _blocks(n: int, size: int) -> Iterator[np.ndarray]:
    """Positions in order of size: the smallest values, some from everywhere, the next smallest, others, ..."""
    spread = np.arange(size) * n // size
    for turn in range(-(-(n - size) // SHIFT) + 1):
        yield np.arange(size) + min(turn * SHIFT, n - size)
        if n > size:
            yield np.sort((spread + turn) % n)


def _block_trials(v: Values, z: float, tol: float, order: np.ndarray, positions: np.ndarray) -> Iterator[Kept]:
    """A block of values, solved once for each way to flip some others."""
    block, others = np.sort(order[positions]), np.delete(order, positions)
    kept = _fill(v, z - float(v.sum()) / 2, others[::-1])
    together = positions[-1] - positions[0] < len(positions)
    near = np.roll(others, -positions[0]) if together else others[:: max(len(others) // FLIPPED, 1)]
    flipped = near[:FLIPPED]
    for trial in range(1, (1 << len(flipped)) + 1):
        kept[block] = False
        rest = math.fsum([z, *(-v[kept])])
        kept[block] = first(v[block], rest, tol=tol).kept
        yield kept
        if trial < 1 << len(flipped):
            kept[flipped[(trial & -trial).bit_length() - 1]] ^= True


def _fill(v: Values, rest: float, descending: np.ndarray) -> Kept:
    """Keep or leave one value after another. rest: target - half of all values; each adds or takes off half of it."""
    kept: list[bool] = []
    for half in (v[descending] / 2).tolist():
        keep = (rest > 0) == (half > 0)
        rest += -half if keep else half
        kept.append(keep)
    mask = np.zeros(len(v), np.bool_)
    mask[descending] = kept
    return mask
