r"""Compiled search for *some* subset of exactly k values within tolerance, row after row: a walk, then the closest.

A walk (see `_swap_kernels`) that finds none says little. If not even the k largest values, or the k smallest, reach the
target, nothing does; else the exact search decides, where it is affordable (see `_bucket_kernels`).

Letters: q values, n how many, k size, z target, in units.
"""

from typing import no_type_check

import numpy as np

from slth._kernels import compiled
from slth.subsetsum._bucket_kernels import closest_of_size, list_halves
from slth.subsetsum._fixed_point_kernels import (
    BEST_EFFORT,
    BUDGET_SPENT,
    I64,
    ONE,
    U64,
    WITHIN_TOL,
    ZERO,
    decide,
    spread,
)
from slth.subsetsum._sized_kernels import OUTER
from slth.subsetsum._swap_kernels import walk_by_swaps

WALK_MIN = 7  # of fewer values the exact search is as fast


@no_type_check
@compiled
def at_the_end(q, n, k, z):
    """(True, mask) if z is at an end of the sums of k values or beyond: the k smallest, or the k largest, are closest.

    Among equal values the first ones, so that the mask is the lowest.
    """
    ascending = np.sort(q[:n])
    for sign in (1, -1):
        beyond = -sign * z
        for i in range(k):
            beyond += sign * ascending[i if sign > 0 else n - 1 - i]
        if beyond >= 0:
            edge = sign * ascending[k - 1 if sign > 0 else n - k] if k else I64(0)
            bits, left = ZERO, k
            for i in range(n):
                if left and sign * q[i] < edge:
                    bits |= ONE << U64(i)
                    left -= 1
            for i in range(n):
                if left and sign * q[i] == edge:
                    bits |= ONE << U64(i)
                    left -= 1
            return True, bits
    return False, ZERO


@no_type_check
@compiled
def exactly_rows(values, targets, k, tol, walk, exact, start, stop, limit, work, packed, error, codes):
    """Some subset of k values within tol of each row from `start` on, for about `limit` steps. Returns the next row.

    walk: steps of 1 ns after which a walk gives up. exact: whether the exact search may follow; without it a row beyond
    the reach of all is BEST_EFFORT, too, and any other BUDGET_SPENT.
    """
    n = values.shape[1]
    inner = n - OUTER if n > 4 * OUTER else n
    q, pos = np.empty(n + 1, I64), np.empty(n + 1, I64)
    for p in range(start, stop):
        row, target = values[p], targets[p]
        z, sure = spread(row, target, tol, pos, q)
        limit -= 8 * n + 32
        codes[p], done = WITHIN_TOL, False
        if 0 < k < n and (n >= WALK_MIN or not exact):
            done, packed[p], steps = walk_by_swaps(q, n, k, z, max(sure, 0), walk, work)
            limit -= steps
            error[p] = decide(row, target, packed[p], k, 0.0)[1]
            done = error[p] <= tol
        if not done:
            done, bits = at_the_end(q, n, k, z)
            codes[p] = BEST_EFFORT
            if done:
                packed[p] = bits
            elif exact:
                limit -= list_halves(q, inner, k, True, work) + 4 * work.low.sums.size
                packed[p] = closest_of_size(q, n, inner, k, z, I64(-1), work.low, work.high)
            else:
                codes[p] = BUDGET_SPENT
            error[p] = decide(row, target, packed[p], k, 0.0)[1]
            if error[p] <= tol:
                codes[p] = WITHIN_TOL
        if limit < 0:
            return p + 1
    return stop
