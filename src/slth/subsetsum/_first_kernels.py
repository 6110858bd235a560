r"""Compiled search for *some* subset within tolerance, row after row: a walk first, then the closest of all.

**Walk** (`walk`). A hash table of $2^s$ sums of the first values, asked for one subset of the others after another. If
one subset in $D$ will do: $2^s$ insertions and about $D/2^s$ look-ups.

Letters: q values, m how many, z target, in units; a, b sums of two halves; rho radius; c log2 of the cell width.
"""

import math
from typing import no_type_check

import numpy as np

from slth._kernels import compiled
from slth.subsetsum._closest_kernels import closest_bits
from slth.subsetsum._fixed_point_kernels import (
    BEST_EFFORT,
    BUDGET_SPENT,
    EXACT_MAX,
    HALF_MAX,
    I64,
    ONE,
    U64,
    WITHIN_TOL,
    ZERO,
    at_an_end,
    bit_length,
    centre,
    finish,
    list_sums,
    prepare,
)
from slth.subsetsum._sieve_kernels import cell

SPARSE = 4  # log2 of cells per entry of the walk's table while that fits a fast cache, one less beyond
WALK_MAX = 1 << 22  # look-ups of a walk over more than EXACT_MAX values


@no_type_check
@compiled
def walk(row, target, tol, pos, q, m, z, rho, deviation, work):
    """Look for a subset within tol, cheaply; missing one is allowed. Returns (found, packed, error, steps)."""
    a, b, _, _, _, slots, _ = work
    rarity = math.sqrt(math.pi / 2.0) * deviation / float(rho)  # D: subsets per solution, near the mean of the sums
    budget = 4 << ((m + 1) // 2) if m <= EXACT_MAX else WALK_MAX
    s = min(max((bit_length(rarity) + 2) // 2, 0), m // 2, HALF_MAX)
    t = min(s, m - s)
    if rarity > float(budget) * 2.0**s:
        return False, ZERO, 0.0, 0
    size_a, size_b = list_sums(q, 0, s, a), list_sums(q, s, s + t, b)

    c = U64(min(bit_length(rho) + 2, 63))  # cells of 4 to 8 radii: a partner in the next cell is missed, rarely
    mask, last = U64((1 << (s + SPARSE - (s > 10))) - 1), U64(size_a - 1)
    live = work.live[0]
    if live + size_a >= 1 << 31:
        slots[:] = 0
        live = I64(1)
    work.live[0] = live + size_a
    for i in range(size_a):
        slots[cell(a[i], c, mask)] = live + i

    middle = (a[size_a - 1] + b[size_b - 1]) // 2  # half the sum of all listed values
    outer, rest = centre(q, s + t, m, z - middle)  # start where most sums are
    rest += middle
    rounds = min(1 << min(m - s - t, 40), (budget >> t) + 1)
    for r in range(1, rounds + 1):
        for j in range(size_b):
            want = rest - b[j]
            slot = I64(slots[cell(want, c, mask)])
            i = U64(slot - live) & last
            if abs(a[i] - want) <= rho and slot >= live:
                packed, error = finish(row, target, pos, i | (U64(j) << U64(s)) | outer)
                if error <= tol:
                    return True, packed, error, size_a + r * size_b
        if r < rounds:  # Gray code: flip the outer value numbered by the trailing zeros of r
            k = bit_length(r & -r) - 1 + s + t
            outer ^= ONE << U64(k)
            rest += -q[k] if (outer >> U64(k)) & ONE else q[k]
    return False, ZERO, 0.0, size_a + rounds * size_b


@no_type_check
@compiled
def first_rows(values, targets, tol, start, stop, limit, work, packed, error, codes):
    """Some subset within tol of each row from `start` on, for about `limit` steps (1 ns each). Returns the next row."""
    q = np.empty(values.shape[1] + 1, I64)
    pos = np.empty_like(q)
    for p in range(start, stop):
        if limit < 0:
            return p
        row, target = values[p], targets[p]
        packed[p], error[p], codes[p] = ZERO, abs(target), WITHIN_TOL
        if error[p] <= tol:
            limit -= 8
            continue
        m, z, rho, up, down, deviation = prepare(row, target, tol, pos, q)
        limit -= 8 * m + 32
        done, bits = at_an_end(q, m, z, up, down)
        if not done:
            done, packed[p], error[p], steps = walk(row, target, tol, pos, q, m, z, rho, deviation, work)
            limit -= steps
            if done:
                continue
            known = min(m, EXACT_MAX)  # the others are fixed so that the target lies amid the sums of these
            middle = q[:known].sum() // 2
            outer, rest = centre(q, known, m, z - middle)
            bits, steps = closest_bits(q, known, rest + middle, work)
            bits |= outer
            limit -= steps
        packed[p], error[p] = finish(row, target, pos, bits)
        if error[p] > tol:
            codes[p] = BEST_EFFORT if m <= EXACT_MAX or done else BUDGET_SPENT
    return stop
