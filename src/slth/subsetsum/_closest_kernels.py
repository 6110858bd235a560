r"""Compiled search for the closest of all subset sums, row after row: a sieve, or a sweep where sums repeat.

**Sweep** (`sweep`). Half lists with many equal sums do not thin out in the sieve. They are merged sorted and without
repeats, and swept with two pointers (Horowitz and Sahni, 1974).

Letters: q values, m how many, z target, in units; a, b sums of two halves; rho radius.
"""

import math
from typing import no_type_check

import numpy as np

from slth._kernels import compiled
from slth.subsetsum._fixed_point_kernels import FAR, I64, OPTIMAL, U64, at_an_end, finish, list_sums, prepare
from slth.subsetsum._sieve_kernels import PAIRS_COMPARED, sieve

PAIRS_WANTED = 6.0  # expected pairs within the first radius; a heuristic: about one row in e^6 needs a second radius


@no_type_check
@compiled
def merge_sums(q, start, stop):
    """All different subset sums of q[start:stop], sorted, then FAR: each list is merged with its own shift."""
    out = np.empty((1 << (stop - start)) + 1, I64)
    new = np.empty_like(out)
    out[0], out[1] = 0, FAR
    size = 1
    for t in range(start, stop):
        i = j = count = 0
        while i + j < 2 * size:
            x = out[i]
            y = out[j] + q[t] if j < size else I64(FAR)
            new[count] = min(x, y)
            count += 1
            i += x <= y
            j += y <= x
        new[count] = FAR
        size = count
        out, new = new, out
    return out[: size + 1]


@no_type_check
@compiled
def sweep(q, half, m, size_a, size_b, z, work):
    """The closest pair of sums by two pointers; among equals the lowest j, then the lowest i. Returns (i, j)."""
    first, second = merge_sums(q, 0, half), merge_sums(q, half, m)
    best = I64(FAR)
    i, j = 0, second.size - 2
    while i < first.size - 1 and j >= 0:
        gap = first[i] + second[j] - z
        best = min(best, abs(gap))
        if gap < 0:
            i += 1
        else:
            j -= 1
    for j in range(size_b):
        rest = z - work.b[j]
        for x in (rest - best, rest + best):
            if first[np.searchsorted(first, x)] == x:
                for i in range(size_a):
                    if abs(work.a[i] - rest) == best:
                        return i, j
    return 0, 0  # not reached: the best distance is that of some pair


@no_type_check
@compiled
def closest_bits(q, m, z, work):
    """The lowest of the masks whose sum of q[:m] is closest to z; m <= EXACT_MAX. Returns (mask, steps).

    First radius: 2^m · 2 rho · (normal density of the sums at z) = PAIRS_WANTED.
    """
    a, b, kept_a, kept_b, _, _, _ = work
    half = m // 2
    size_a, size_b = list_sums(q, 0, half, a), list_sums(q, half, m, b)
    squares = 0.0
    for k in range(m):
        squares += float(q[k]) ** 2
    away = float(2 * z - a[size_a - 1] - b[size_b - 1]) ** 2 / (2.0 * squares)
    rho = PAIRS_WANTED * math.sqrt(math.pi / 8.0 * squares) * math.exp(min(away, 20.0)) / 2.0**m
    rho = I64(min(rho, 2.0**60)) + m
    steps = 0
    while True:
        steps += 8 * (size_a + size_b)
        na, nb = sieve(size_a, size_b, z, rho, work)
        best, best_i, best_j = I64(FAR), I64(0), I64(0)
        if na * nb > PAIRS_COMPARED + 4 * (size_a + size_b):
            best_i, best_j = sweep(q, half, m, size_a, size_b, z, work)
            return U64(best_i) | (U64(best_j) << U64(half)), 4 * steps
        for j in kept_b[:nb]:
            rest = z - b[j]
            for i in kept_a[:na]:
                if abs(a[i] - rest) < best:
                    best, best_i, best_j = abs(a[i] - rest), I64(i), I64(j)
        if best <= rho:
            return U64(best_i) | (U64(best_j) << U64(half)), steps
        rho = min(best, 64 * rho, I64(1) << 60)  # within `best` there is a pair, so that radius is the last


@no_type_check
@compiled
def closest_rows(values, targets, start, stop, limit, work, packed, error, codes):
    """The closest subset of each row from `start` on, for about `limit` steps (1 ns each). Returns the next row."""
    q = np.empty(values.shape[1] + 1, I64)
    pos = np.empty_like(q)
    for p in range(start, stop):
        m, z, _, up, down, _ = prepare(values[p], targets[p], 0.0, pos, q)
        easy, bits = at_an_end(q, m, z, up, down)
        limit -= 8 * m + 32
        if not easy:
            bits, steps = closest_bits(q, m, z, work)
            limit -= steps
        packed[p], error[p] = finish(values[p], targets[p], pos, bits)
        codes[p] = OPTIMAL
        if limit < 0:
            return p + 1
    return stop
