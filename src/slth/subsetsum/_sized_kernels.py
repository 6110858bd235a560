r"""Compiled search over subsets of a given size, or of every size in turn, row after row. Zeros count as values.

**Outer values.** Only the first `inner` values are listed; each subset of the others is one sweep. With two outer
values half the listing is traded for a few sweeps. For *some* subset of a given size see `_exactly_kernels`.

Letters: q values, z target, in units; k size of the subset; y move of a kept value.
"""

from typing import no_type_check

import numpy as np

from slth._kernels import compiled
from slth.subsetsum._bucket_kernels import closest_of_size, list_halves
from slth.subsetsum._fixed_point_kernels import (
    BEST_EFFORT,
    FAR,
    I64,
    ONE,
    OPTIMAL,
    U64,
    WITHIN_TOL,
    decide,
    spread,
)

OUTER = 2  # values not listed by the exact search for one size


@no_type_check
@compiled
def distance(q, n, z, bits):
    """|sum of the kept values - z|, in units."""
    total = -z
    for i in range(n):
        if (bits >> U64(i)) & ONE:
            total += q[i]
    return abs(total)


@no_type_check
@compiled
def sized_rows(
    values, targets, least, most, tol, epsilon, by_move, moves, start, stop, limit, work, packed, error, codes
):
    """The best subset of `least` to `most` values of each row from `start` on. Returns the next row, or the same again.

    tol < 0: the closest, then the lowest mask. Else among those within tol, each kept value moved by up to epsilon: the
    first size that has one, and its closest; by_move: the one that moves least. If there is none within tol, the one
    with the smallest error, then the smallest size.
    """
    n = values.shape[1]
    inner = n - OUTER if least == most and n > 4 * OUTER else n
    q, pos = np.empty(n + 1, I64), np.empty(n + 1, I64)
    resume = work.resume
    resumed = resume[0] == start
    for p in range(start, stop):
        row, target = values[p], targets[p]
        z, _ = spread(row, target, tol, pos, q)
        limit -= 8 * n + 32
        smallest, listed, found = (resume[1], resume[2], resume[3] == 1) if resumed else (least, I64(-1), False)
        nearest = resume[4] if resumed else I64(FAR) + FAR // 2
        if not resumed:
            error[p] = np.inf
        resumed, steps = False, 32 * work.low.sums.size
        for k in range(smallest, most + 1 if by_move or not found else 0):
            if k > listed:  # small subsets are found without listing large ones
                listed = most if by_move else min(most, 2 * k)
                steps = list_halves(q, inner, listed, True, work)
                limit -= steps
            bits = closest_of_size(q, n, inner, k, z, I64(-1), work.low, work.high)
            y, gap = decide(row, target, bits, k, epsilon)
            limit -= steps // 8
            fits = gap <= tol
            if tol < 0.0:  # distances of different sizes are compared before float64 rounds them
                far = distance(q, n, z, bits)
                if far < nearest or (far == nearest and bits < packed[p]):
                    packed[p], error[p], nearest = bits, gap, far
            elif (fits and not found) or (fits == found and (abs(y) < abs(moves[p]) if found else gap < error[p])):
                packed[p], error[p], moves[p] = bits, gap, y
            found |= fits
            if found and not by_move:
                break
            if limit < 0 and k < most:  # the next call goes on from here
                resume[0], resume[1], resume[2], resume[3], resume[4] = p, k + 1, listed, found, nearest
                return p
        codes[p] = OPTIMAL if tol < 0 else WITHIN_TOL if found else BEST_EFFORT
        resume[0] = -1
        if limit < 0:
            return p + 1
    return stop


@no_type_check
@compiled
def curve_rows(row, target, start, stop, limit, work, packed, error, codes):
    """Row k of the answer: the closest subset of k values. All of one problem. Returns the next size."""
    n = row.size
    q, pos = np.empty(n + 1, I64), np.empty(n + 1, I64)
    z, _ = spread(row, target, 0.0, pos, q)
    steps = 32 * work.low.sums.size
    if work.resume[0] != start:  # else the sums are still there
        limit -= list_halves(q, n, stop - 1, True, work)
    for k in range(start, stop):
        packed[k] = closest_of_size(q, n, n, k, z, I64(-1), work.low, work.high)
        error[k] = decide(row, target, packed[k], k, 0.0)[1]
        codes[k] = OPTIMAL
        limit -= steps // 8
        if limit < 0:
            work.resume[0] = k + 1
            return k + 1
    return stop
