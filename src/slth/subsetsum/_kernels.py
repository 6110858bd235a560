r"""Compiled search for one subset sum at a time, row after row. Serial, no GIL, no fast mathematics.

**Fixed point** (`prepare`). A row is rounded once to integers $q_i = \mathrm{round}(v_i / u)$. The unit is $u =
2^{e-56}$, where $2^e$ is the power of two just above the largest $|v_i|$. At most 64 of them sum below $2^{62}$: every
sum, comparison and tie is exact integer arithmetic in any order, and nothing drifts. Numbers on a grid no finer than
$u$ (multiples of $2^{-46}$ below 1 in size, say) lose nothing, others move by at most $u/2$. Whatever is found is
decided again on the float64 sum of the original values (`finish`).

**Sieve** (`sieve`). Which sums $a$ of one half and $b$ of the other have $|a + b - z| \le \rho$? Cut the line into
cells at least $2\rho$ wide and mark those of $z - a - \rho$ and $z - a + \rho$ for all $a$. A partner $b$ lies in a
marked cell; every other $b$ is dropped. Then the other way round, with cells numbered differently, until a handful of
both is left, and these are compared pair by pair. What is dropped has no partner: the closest pair is never lost.

**Sweep** (`sweep`). Half lists with many equal sums do not thin out. They are merged sorted and without repeats, and
swept with two pointers (Horowitz and Sahni, 1974).

**Walk** (`walk`). For *some* subset within tolerance: a hash table of $2^s$ sums of the first values, asked for one
subset of the others after another. If one subset in $D$ will do: $2^s$ insertions and about $D/2^s$ look-ups.

Letters: q values, m how many, z target, in units u; a, b sums of two halves; rho radius; c log2 of the cell width.
Indices are uint64 where speed matters (no wrap-around test); signed never meets unsigned (NumPy would make a float).
"""

import math
from typing import no_type_check

import numba
import numpy as np

I64, U64 = np.int64, np.uint64
ZERO, ONE = U64(0), U64(1)

WITHIN_TOL, OPTIMAL, BEST_EFFORT, BUDGET_SPENT = 0, 1, 2, 3  # positions in tuple(Status)
UNIT_BITS = 56  # bits of the largest value of a row
FAR = 1 << 62  # more than any distance
HALF_MAX = 20  # log2 of the longest list of sums
EXACT_MAX = 2 * HALF_MAX  # values that are searched exactly
MARKS_MAX = 23  # log2 of the largest map of marked cells
ODD = U64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, for multiplicative hashing (Knuth, TAOCP 6.4)
PAIRS_WANTED = 6.0  # expected pairs within the first radius; a heuristic: about one row in e^6 needs a second radius
PAIRS_COMPARED = 512  # so few pairs are compared one by one
SPARSE = 4  # log2 of cells per entry of the walk's table while that fits a fast cache, one less beyond
WALK_MAX = 1 << 22  # look-ups of a walk over more than EXACT_MAX values


@no_type_check
@numba.njit(cache=True, nogil=True)
def prepare(row, target, tol, pos, q):
    """Round a row to fixed point, leaving out zeros: q[k] from row[pos[k]]. pos, q: int64 (n + 1,).

    Returns (m, z, tol, sum of the positive q, sum of the negative q, standard deviation of a random subset's sum),
    all in units, tol rounded up.
    """
    top = 0.0
    for i in range(row.size):
        top = max(top, abs(row[i]))
    exponent = UNIT_BITS - math.frexp(top)[1]
    power_1 = math.ldexp(1.0, exponent // 2)  # 1/u in two factors: it may exceed float64
    power_2 = math.ldexp(1.0, exponent - exponent // 2)
    m = 0
    up = I64(0)
    down = I64(0)
    squares = 0.0
    for i in range(row.size):
        k = I64(np.rint(row[i] * power_1 * power_2))
        q[m] = k
        pos[m] = i
        m += k != 0
        up += max(k, 0)
        down += min(k, 0)
        squares += float(k) * float(k)
    z = I64(np.rint(min(max(target * power_1 * power_2, -float(FAR)), float(FAR))))
    rho = I64(min(tol * power_1 * power_2, float(FAR // 2))) + m  # each value may have moved by half a unit
    return m, z, rho, up, down, 0.5 * math.sqrt(squares)


@no_type_check
@numba.njit(cache=True, nogil=True)
def finish(row, target, pos, bits):
    """Kept positions in q to (packed mask, |float64 sum of the kept values in ascending order - target|)."""
    packed = ZERO
    total = 0.0
    k = 0
    while bits != ZERO:
        bit = bits & ONE
        packed |= bit << U64(pos[k])
        total += row[pos[k]] if bit else 0.0  # adding zero changes nothing, and costs less than a wrong guess
        bits >>= ONE
        k += 1
    return packed, abs(total - target)


@no_type_check
@numba.njit(cache=True, nogil=True)
def at_an_end(q, m, z, up, down):
    """(True, optimum) if z is at an end of the range of sums or beyond: all positive, or all negative values."""
    bits = ZERO
    if down < z < up:
        return False, bits
    for k in range(m):
        bits |= U64(q[k] > 0 if z >= up else q[k] < 0) << U64(k)
    return True, bits


@no_type_check
@numba.njit(cache=True, nogil=True)
def list_sums(q, start, stop, out):
    """All subset sums of q[start:stop] by doubling: out[mask]. Returns their number."""
    out[0] = 0
    size = 1
    for i in range(start, stop):
        for j in range(size):
            out[size + j] = out[j] + q[i]
        size *= 2
    return size


@no_type_check
@numba.njit(cache=True, nogil=True)
def centre(q, start, stop, rest):
    """Keep one value of q[start:stop] after another if that brings rest closer to 0. Returns (bits, new rest)."""
    bits = ZERO
    for k in range(start, stop):
        if abs(rest - q[k]) < abs(rest):
            rest -= q[k]
            bits |= ONE << U64(k)
    return bits, rest


@no_type_check
@numba.njit(cache=True, nogil=True)
def bit_length(x):
    """A k with x < 2^k: the least one, except where float64 rounds x up to a power of two."""
    return math.frexp(float(x))[1]


@no_type_check
@numba.njit(cache=True, nogil=True)
def cell(x, c, mask):
    """The number of the cell, 2^c wide, that holds x; as many bits as the map has. All but x are uint64."""
    return (U64(x) >> c) & mask


@no_type_check
@numba.njit(cache=True, nogil=True)
def folded(x, c, fold, mask):
    """Another number for it: high bits are folded onto low ones."""
    k = U64(x) >> c
    return (k ^ (k >> fold)) & mask


@no_type_check
@numba.njit(cache=True, nogil=True)
def hashed(x, c, odd, shift):
    """Yet another number, for each odd factor."""
    return ((U64(x) >> c) * odd) >> shift


@no_type_check
@numba.njit(cache=True, nogil=True)
def thin(a, kept_a, na, b, kept_b, nb, z, rho, c, odd, marks):
    """Drop those kept b that have no partner among the kept a. Returns how many stay."""
    bits = min(bit_length(na) + 4, MARKS_MAX)
    shift = U64(64 - bits)
    marks[: 1 << bits] = 0
    for k in range(na):
        x = z - a[kept_a[k]]
        marks[hashed(x - rho, c, odd, shift)] = 1
        marks[hashed(x + rho, c, odd, shift)] = 1
    count = ZERO
    for k in range(nb):
        j = kept_b[k]
        kept_b[count] = j
        count += U64(marks[hashed(b[j], c, odd, shift)])
    return I64(count)


@no_type_check
@numba.njit(cache=True, nogil=True)
def sieve(size_a, size_b, z, rho, work):
    """Which sums of either half may have a partner within rho: ascending indices in work.kept_*. Returns (na, nb)."""
    a, b, kept_a, kept_b, marks, _, _ = work
    c = U64(bit_length(2 * rho))
    bits = min(bit_length(size_a) + 3, MARKS_MAX)
    mask, fold = U64((1 << bits) - 1), U64(bits // 2)
    low, high = z - rho, z + rho

    marks[: 1 << bits] = 0
    for i in range(size_a):
        marks[cell(low - a[i], c, mask)] = 1
        marks[cell(high - a[i], c, mask)] = 1
    count = ZERO
    for j in range(size_b):
        kept_b[count] = j
        count += U64(marks[cell(b[j], c, mask)])
    nb = I64(count)

    marks[: 1 << bits] = 0
    for k in range(nb):
        x = b[kept_b[k]]
        marks[folded(low - x, c, fold, mask)] = 1
        marks[folded(high - x, c, fold, mask)] = 1
    count = ZERO
    for i in range(size_a):
        kept_a[count] = i
        count += U64(marks[folded(a[i], c, fold, mask)])
    na = I64(count)

    odd = ODD
    while na * nb > PAIRS_COMPARED:
        before = na + nb
        nb = thin(a, kept_a, na, b, kept_b, nb, z, rho, c, odd, marks)
        odd *= ODD
        na = thin(b, kept_b, nb, a, kept_a, na, z, rho, c, odd, marks)
        odd *= ODD
        if 4 * (na + nb) > 3 * before:
            break
    return na, nb


@no_type_check
@numba.njit(cache=True, nogil=True)
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
@numba.njit(cache=True, nogil=True)
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
@numba.njit(cache=True, nogil=True)
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
@numba.njit(cache=True, nogil=True)
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
@numba.njit(cache=True, nogil=True)
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


@no_type_check
@numba.njit(cache=True, nogil=True)
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
