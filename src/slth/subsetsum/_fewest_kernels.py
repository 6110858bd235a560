r"""Compiled search for the first subset within tolerance: by size, then by mask, row after row.

**Order.** Subsets of k values in the order of their masks, read as binary numbers, are

    for i = k - 1, ..., n - 1:  every subset of k - 1 of the values 0 ... i - 1, in the same order, with value i

so the sums of k values are those of k - 1, the first $\binom{i}{k-1}$ of the list, moved by $v_i$: one run of additions
and comparisons without a branch, of which a vector unit does many at a time. Each sum is formed in ascending order of
index, as `error` is defined.

**Large subsets** (`search_outer`). Of more than four values the upper ones are walked through in this order, and the
three lowest asked for: their sums lie in cells of equal width, each in the order of the list. A look-up takes the
earliest that fits and lies below the upper values; what it finds is decided again on the sum in ascending order.

Letters: v a row, z target, k size of the subset, i its last value, r a place in a list.
"""

import math
from typing import no_type_check

import numpy as np

from slth._kernels import compiled
from slth.subsetsum._fixed_point_kernels import BUDGET_SPENT, I64, ONE, U64, WITHIN_TOL, ZERO

INNER = 3  # values of the longest list
BLOCK = U64(64)  # sums between two looks at whether one was within tolerance
PER_STEP = 4  # sums that take about 1 ns


@no_type_check
@compiled
def scan(sums, start, count, add, z, tol, out):
    """sums[out + r] = sums[start + r] + add; the first r < count with that within tol of z, else count.

    out = start: nothing is written.
    """
    r = ZERO
    while r < count:
        stop = min(r + BLOCK, count)
        hits = 0
        if out == start:
            for k in range(r, stop):
                hits += abs(sums[start + k] + add - z) <= tol
        else:
            for k in range(r, stop):
                s = sums[start + k] + add
                sums[out + k] = s
                hits += abs(s - z) <= tol
        if hits:
            while not abs(sums[start + r] + add - z) <= tol:
                r += ONE
            return r
        r = stop
    return count


@no_type_check
@compiled
def subset_at(r, k):
    """Number r of the masks with k <= 3 bits: those of the largest i with C(i, k) <= r, then of the rest with k - 1."""
    bits = ZERO
    if k == 3:
        i, pairs, triples = ZERO, ZERO, ZERO  # i, C(i, 2), C(i, 3)
        while triples + pairs <= r:
            triples += pairs
            pairs += i
            i += ONE
        bits |= ONE << i
        r -= triples
    if k >= 2:
        i, pairs = ZERO, ZERO
        while pairs + i <= r:
            pairs += i
            i += ONE
        bits |= ONE << i
        r -= pairs
    return bits | (ONE << r)


@no_type_check
@compiled
def total(row, bits):
    """The kept values, added in ascending order."""
    s = 0.0
    i = 0
    while bits != ZERO:
        s += row[i] if bits & ONE else 0.0
        bits >>= ONE
        i += 1
    return s


@no_type_check
@compiled
def walk(row, n, z, tol, most, sums):
    """Sizes 1 to `most`, at most INNER + 1. Returns (found, mask, sums looked at)."""
    for i in range(n if most else 0):
        sums[i] = row[i]
        if abs(row[i] - z) <= tol:
            return True, ONE << U64(i), i
    start, out = ZERO, U64(n)  # of the sums of k - 1, and of k
    for k in range(2, most + 1):
        at = out
        pairs, triples = U64((k - 1) * (k - 2) // 2), U64(k == 4)  # C(i, 2), C(i, 3)
        for i in range(U64(k - 1), U64(n)):
            if k == 2:
                count = i
            elif k == 3:
                count = pairs
            else:
                count = triples
            r = scan(sums, start, count, row[i], z, tol, at if k <= INNER else start)
            if r < count:
                return True, subset_at(r, k - 1) | (ONE << i), I64(at + r)
            at += count
            triples += pairs
            pairs += i
        start, out = out, at
    return False, ZERO, I64(out)


@no_type_check
@compiled
def fill_cells(sums, cells, starts, order, which):
    """Sort the places of sums by cells of equal width: those of c are order[starts[c] : starts[c + 1]], ascending.

    Returns (lowest sum, highest sum, cells per unit); 0 per unit, where that is no good number, puts all into cell 0.
    """
    low = high = sums[0]
    for r in range(sums.size):
        low, high = min(low, sums[r]), max(high, sums[r])
    width = high - low
    per_unit = cells / width if 2.0**-900 < width < 2.0**1000 else 0.0
    base = low if per_unit > 0.0 else 0.0
    for r in range(sums.size):
        which[r] = np.int32((sums[r] - base) * per_unit)
    starts[: cells + 2] = 0
    for r in range(sums.size):
        starts[min(which[r], cells - 1) + 2] += 1
    for c in range(cells):
        starts[c + 2] += starts[c + 1]
    for r in range(sums.size):
        c = min(which[r], cells - 1) + 1
        order[starts[c]] = r
        starts[c] += 1
    return low, high, per_unit


@no_type_check
@compiled
def earliest(sums, after, count, rest, near, scale, cells, starts, order):
    """The first place from `after` on and below `count` of a sum within `near` of `rest`, else `count`."""
    low, high, per_unit = scale
    best = count
    if rest + near < low or rest - near > high:
        return best
    base = low if per_unit > 0.0 else 0.0
    start = I64((max(rest - near, low) - base) * per_unit)
    stop = I64((min(rest + near, high) - base) * per_unit) + 1
    for at in range(starts[min(start, cells - 1)], starts[min(stop, cells)]):
        r = order[at]
        if after <= r < best and abs(sums[r] - rest) <= near:
            best = r
    return best


@no_type_check
@compiled
def search_outer(row, n, k, z, tol, slack, scale, cells, triples, work):
    """k > INNER + 1 values: their upper ones in order, the others looked up. Returns (found, mask, questions)."""
    m, upper = k - INNER, work.upper
    for j in range(m):
        upper[j] = INNER + j
    upper[m] = n
    questions = 0
    while True:
        questions += 1
        rest, outer = z, ZERO
        for j in range(m):
            rest -= row[upper[j]]
            outer |= ONE << U64(upper[j])
        i = upper[0]
        count = i * (i - 1) * (i - 2) // 6  # triples below the upper values
        r = earliest(triples, 0, count, rest, tol + slack, scale, cells, work.starts, work.order)
        while r < count:
            bits = subset_at(U64(r), INNER) | outer
            if abs(total(row, bits) - z) <= tol:
                return True, bits, questions
            r = earliest(triples, r + 1, count, rest, tol + slack, scale, cells, work.starts, work.order)
        j = 0
        while j < m and upper[j] + 1 == upper[j + 1]:
            upper[j] = INNER + j
            j += 1
        if j == m:
            return False, ZERO, questions
        upper[j] += 1


@no_type_check
@compiled
def search_large(row, n, z, tol, most, work):
    """Sizes INNER + 2 to `most`, after `walk`. Returns (found, mask, steps)."""
    ascending = np.sort(row)
    size = abs(z)
    for i in range(n):
        size += abs(row[i])
    slack = size * n * 2.0**-51  # more than two orders of addition can differ by
    triples = work.sums[n + n * (n - 1) // 2 :]
    cells = 1 << math.frexp(float(triples.size))[1]
    scale, steps = (0.0, 0.0, 0.0), 0
    for k in range(INNER + 2, most + 1):
        if not ascending[:k].sum() - tol - slack <= z <= ascending[n - k :].sum() + tol + slack:
            continue
        if steps == 0:
            scale = fill_cells(triples, cells, work.starts, work.order, work.which)
            steps += 4 * cells
        found, bits, questions = search_outer(row, n, k, z, tol, slack, scale, cells, triples, work)
        steps += 4 * questions
        if found:
            return True, bits, steps
    return False, ZERO, steps


@no_type_check
@compiled
def fewest_rows(values, targets, tol, most, start, stop, limit, work, packed, error, codes):
    """The first subset within tol, of at most `most` values, of each row from `start` on, for about `limit` steps
    (1 ns each). BUDGET_SPENT where there is none. Returns the next row."""
    n, sums = values.shape[1], work.sums
    for p in range(start, stop):
        if limit < 0:
            return p
        row, z = values[p], targets[p]
        packed[p], error[p], codes[p] = ZERO, abs(z), WITHIN_TOL
        limit -= 32
        if error[p] <= tol:
            continue
        found, bits, looked = walk(row, n, z, tol, min(most, INNER + 1), sums)
        limit -= looked // PER_STEP
        if not found and most > INNER + 1:
            found, bits, steps = search_large(row, n, z, tol, most, work)
            limit -= steps
        if found:
            packed[p], error[p] = bits, abs(total(row, bits) - z)
        else:
            codes[p] = BUDGET_SPENT
    return stop
