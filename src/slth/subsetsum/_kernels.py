r"""Compiled search for one subset sum at a time, row after row. Serial, no GIL, no fast mathematics.

**Fixed point.** Each row is rounded once to integers $q_i = \mathrm{round}(v_i / u)$ with the unit $u = 2^{e-56}$, where
$2^e$ is the power of two just above the largest $|v_i|$. At most 64 such integers sum below $2^{62}$, so every sum, every
comparison and every tie below is exact integer arithmetic in any order: nothing drifts. Values and targets on a grid no
finer than $u$ (multiples of $2^{-46}$ below 1 in size, say) lose nothing; others move by at most $u/2$ each. Whatever
is found is decided again on the float64 sum of the original values (`finish`).

**Sieve** (`closest_bits`). Which sums $a$ of one half and $b$ of the other have $|a + b - z| \le \rho$? Cut the line into
cells at least $2\rho$ wide. Mark the cells of $z - a - \rho$ and $z - a + \rho$ for all $a$; a partner $b$ lies in a marked
cell, so every other $b$ is dropped. Then the other way round, with cells numbered differently, until a handful of both is
left, and these are compared pair by pair. A dropped sum has no partner, hence the closest pair within $\rho$ is never lost.

**Sweep** (`sweep`). Half lists with many equal sums do not thin out. They are merged sorted and without repeats, and
swept with two pointers (Horowitz and Sahni, 1974).

**Walk** (`walk`). To find *some* subset within tolerance: a hash table of $2^s$ sums of the first values, looked up for one
subset of the others after another. If one subset in $D$ is close enough, that takes $2^s$ insertions and about $D/2^s$ look-ups.

Letters: q values, z target, m how many, all in units; a, b sums of two halves; rho radius; c log2 of the cell width.
Indices are unsigned where speed matters (no wrap-around test); signed and unsigned never meet (NumPy would make a float).
"""

import math
from typing import NamedTuple, no_type_check

import numba
import numpy as np

I64, U64 = np.int64, np.uint64
ZERO, ONE = U64(0), U64(1)

WITHIN_TOL, OPTIMAL, BEST_EFFORT, BUDGET_SPENT = 0, 1, 2, 3  # positions in tuple(Status)
UNIT_BITS = 56  # bits of the largest value of a row
FAR = 1 << 62  # more than any difference of sums
HALF_MAX = 20  # log2 of the longest list of sums
EXACT_MAX = 2 * HALF_MAX
MARKS_MAX = 23  # log2 of the largest map of marked cells
ODD = U64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: multiplicative hashing (Knuth, The Art of Computer Programming, 6.4)
PAIRS_WANTED = 6.0  # expected pairs within the first radius (a heuristic: about e^-6 of the rows need a second one)
PAIRS_COMPARED = 4096  # so few pairs are compared one by one
LOADS = 3  # log2 of cells per entry of the walk's table
WALK_MAX = 1 << 22  # most look-ups among more than EXACT_MAX values


class Work(NamedTuple):
    """Memory that rows share. `slots` starts at zero; nothing in it changes an answer."""

    a: np.ndarray  # int64 (2^h,), sums of the first half
    b: np.ndarray  # int64 (2^h',), sums of the second half
    kept_a: np.ndarray  # int32 (2^h + 1,), indices that survive the sieve
    kept_b: np.ndarray  # int32 (2^h' + 1,)
    marks: np.ndarray  # uint8, cells
    slots: np.ndarray  # int32, the walk's table


# ---------------------------------------------------------------------------------------------------------------------
# into fixed point and back


@no_type_check
@numba.njit(cache=True, nogil=True)
def prepare(row, target, pos, q):
    """Round a row to fixed point, leaving out zeros: q[k] from row[pos[k]]. pos, q: int64 (n + 1,).

    Returns (m, z, scale = 1/unit, sum of the positive q, sum of the negative q).
    """
    top = 0.0
    for i in range(row.size):
        top = max(top, abs(row[i]))
    scale = math.ldexp(1.0, min(UNIT_BITS - math.frexp(top)[1], 1000))
    m = 0
    up = I64(0)
    down = I64(0)
    for i in range(row.size):
        k = I64(np.rint(row[i] * scale))
        q[m] = k
        pos[m] = i
        m += k != 0
        up += max(k, 0)
        down += min(k, 0)
    z = min(max(target * scale, -float(FAR)), float(FAR))
    return m, I64(np.rint(z)), scale, up, down


@no_type_check
@numba.njit(cache=True, nogil=True)
def finish(row, target, pos, bits):
    """Kept positions in q to (packed mask, |float64 sum of the kept values in ascending order - target|)."""
    packed = ZERO
    total = 0.0
    k = 0
    while bits != ZERO:
        if bits & ONE:
            packed |= ONE << U64(pos[k])
            total += row[pos[k]]
        bits >>= ONE
        k += 1
    return packed, abs(total - target)


@no_type_check
@numba.njit(cache=True, nogil=True)
def signed(q, m, sign):
    """The positions of all values of one sign, +1 or -1."""
    bits = ZERO
    for k in range(m):
        if q[k] * sign > 0:
            bits |= ONE << U64(k)
    return bits


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
def bit_length(x):
    """The least k with x < 2^k, for x >= 0 (one more where a float64 rounds x up to 2^k)."""
    return math.frexp(float(x))[1]


@no_type_check
@numba.njit(cache=True, nogil=True)
def centre(q, start, stop, z, bits):
    """Greedily keep values of q[start:stop] that bring the rest of the target, z, closer to 0. Returns (bits, rest)."""
    for k in range(start, stop):
        rest = z - q[k]
        if abs(rest) < abs(z):
            z = rest
            bits |= ONE << U64(k)
    return bits, z


@no_type_check
@numba.njit(cache=True, nogil=True)
def spread(q, m):
    """(mean, standard deviation) of the sum of a uniformly random subset of q[:m]."""
    total = I64(0)
    squares = 0.0
    for k in range(m):
        total += q[k]
        squares += float(q[k]) * float(q[k])
    return 0.5 * float(total), 0.5 * math.sqrt(squares)


# ---------------------------------------------------------------------------------------------------------------------
# the closest subset


@no_type_check
@numba.njit(cache=True, nogil=True)
def cell(x, c, fold, mask):
    """A cell number: neighbours of width 2^c differ, high bits are folded onto low ones. All but x uint64."""
    k = U64(x) >> c
    return (k ^ (k >> fold)) & mask


@no_type_check
@numba.njit(cache=True, nogil=True)
def hashed(x, c, mul, shift):
    """Another cell number, for the later rounds. All but x uint64."""
    return ((U64(x) >> c) * mul) >> shift


@no_type_check
@numba.njit(cache=True, nogil=True)
def thin(a, kept_a, count_a, b, kept_b, count_b, z, rho, c, mul, marks):
    """Drop those kept b that have no partner among the kept a. Returns how many stay."""
    bits = min(bit_length(count_a) + 4, MARKS_MAX)
    marks[: 1 << bits] = 0
    shift = U64(64 - bits)
    for k in range(count_a):
        x = z - a[kept_a[k]]
        marks[hashed(x - rho, c, mul, shift)] = 1
        marks[hashed(x + rho, c, mul, shift)] = 1
    count = ZERO
    for k in range(count_b):
        j = kept_b[k]
        kept_b[count] = j
        count += U64(marks[hashed(b[j], c, mul, shift)])
    return I64(count)


@no_type_check
@numba.njit(cache=True, nogil=True)
def sieve(size_a, size_b, z, rho, work):
    """Indices of the sums of both halves that may have a partner within rho. Returns (how many a, how many b)."""
    a, b, kept_a, kept_b, marks, _ = work
    c = U64(bit_length(2 * rho))
    bits = min(bit_length(size_a) + 3, MARKS_MAX)
    mask = U64((1 << bits) - 1)
    fold = U64(63)

    marks[: 1 << bits] = 0
    low, high = z - rho, z + rho
    for i in range(size_a):
        marks[(U64(low - a[i]) >> c) & mask] = 1
        marks[(U64(high - a[i]) >> c) & mask] = 1
    count_b = ZERO
    for j in range(size_b):
        kept_b[count_b] = j
        count_b += U64(marks[(U64(b[j]) >> c) & mask])

    marks[: 1 << bits] = 0
    fold = U64(bits // 2)
    for k in range(I64(count_b)):
        x = b[kept_b[k]]
        marks[cell(low - x, c, fold, mask)] = 1
        marks[cell(high - x, c, fold, mask)] = 1
    count_a = ZERO
    for i in range(size_a):
        kept_a[count_a] = i
        count_a += U64(marks[cell(a[i], c, fold, mask)])

    na, nb = I64(count_a), I64(count_b)
    mul = ODD
    while na * nb > PAIRS_COMPARED:
        before = na + nb
        nb = thin(a, kept_a, na, b, kept_b, nb, z, rho, c, mul, marks)
        mul *= ODD
        na = thin(b, kept_b, nb, a, kept_a, na, z, rho, c, mul, marks)
        mul *= ODD
        if 4 * (na + nb) > 3 * before:
            break
    return na, nb


@no_type_check
@numba.njit(cache=True, nogil=True)
def compare(na, nb, z, work):
    """The closest pair of survivors, the lowest j, then the lowest i among equals: (distance, i, j)."""
    a, b, kept_a, kept_b, _, _ = work
    best, best_i, best_j = I64(FAR), 0, 0
    for l in range(nb):
        j = kept_b[l]
        rest = z - b[j]
        for k in range(na):
            distance = abs(a[kept_a[k]] - rest)
            if distance < best:
                best, best_i, best_j = distance, kept_a[k], j
    return best, best_i, best_j


@no_type_check
@numba.njit(cache=True, nogil=True)
def merge_sums(q, start, stop):
    """All different subset sums of q[start:stop], sorted, then FAR: merge each list with its own shift."""
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
    """The closest pair of sums with two pointers, ties as in `compare`: (distance, i, j)."""
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
                        return best, i, j
    return best, 0, 0  # not reached: some pair has the best distance


@no_type_check
@numba.njit(cache=True, nogil=True)
def closest_bits(q, m, z, work):
    """The lowest of the masks of q[:m], m <= EXACT_MAX, whose sum is closest to z. Returns (mask, cost in steps)."""
    half = m // 2
    size_a = list_sums(q, 0, half, work.a)
    size_b = list_sums(q, half, m, work.b)
    mean, deviation = spread(q, m)
    # expected pairs within rho: 2^m · 2 rho · normal density at z
    away = min(0.5 * ((z - mean) / deviation) ** 2, 20.0)
    rho = PAIRS_WANTED * math.sqrt(math.pi / 2.0) * deviation * math.exp(away) / 2.0**m
    rho = I64(min(rho, 2.0**60)) + m
    cost = 0
    while True:
        cost += 8 * (size_a + size_b)
        na, nb = sieve(size_a, size_b, z, rho, work)
        if na * nb > PAIRS_COMPARED + 4 * (size_a + size_b):
            best, i, j = sweep(q, half, m, size_a, size_b, z, work)
            return U64(i) | (U64(j) << U64(half)), 4 * cost
        best, i, j = compare(na, nb, z, work)
        if best <= rho:
            return U64(i) | (U64(j) << U64(half)), cost
        rho = min(best, 64 * rho, I64(1) << 60)  # best: a pair that close exists, so the next round is the last


# ---------------------------------------------------------------------------------------------------------------------
# some subset within tolerance


@no_type_check
@numba.njit(cache=True, nogil=True)
def walk(row, target, tol, pos, q, m, z, scale, live, work):
    """Look for a subset within tol, cheaply; missing one is allowed.

    live: entries below it belong to earlier rows. Returns (found, packed, error, next live, cost).
    """
    a, b, _, _, _, slots = work
    _, deviation = spread(q, m)
    rho = I64(tol * scale) + m
    rarity = math.sqrt(math.pi / 2.0) * deviation / float(rho)  # D: subsets per solution, near the mean
    budget = 4 << ((m + 1) // 2) if m <= EXACT_MAX else WALK_MAX
    s = min(max((bit_length(rarity) + 1) // 2, 0), m // 2, HALF_MAX)
    if rarity > float(budget) * 2.0**s:
        return False, ZERO, 0.0, live, 0
    t = min(s, m - s)
    size_a = list_sums(q, 0, s, a)
    size_b = list_sums(q, s, s + t, b)

    c = U64(bit_length(rho) + 3)  # cells of 8 to 16 radii: a partner in the next cell is missed, rarely
    mask = U64((1 << (s + LOADS)) - 1)
    if live + size_a >= 1 << 31:
        slots[:] = 0
        live = 1
    for i in range(size_a):
        slots[(U64(a[i]) >> c) & mask] = live + i

    middle = (a[size_a - 1] + b[size_b - 1]) // 2  # half the sum of all listed values
    outer, rest = centre(q, s + t, m, z - middle, ZERO)
    rest += middle
    steps = min(1 << min(m - s - t, 40), (budget >> t) + 1)
    last = U64(size_a - 1)
    for step in range(1, steps + 1):
        for j in range(size_b):
            want = rest - b[j]
            slot = I64(slots[(U64(want) >> c) & mask])
            i = U64(slot - live) & last
            if abs(a[i] - want) <= rho and slot >= live:
                bits = i | (U64(j) << U64(s)) | (outer << U64(0))
                packed, error = finish(row, target, pos, bits)
                if error <= tol:
                    return True, packed, error, live + size_a, size_a + step * size_b
        if step < steps:  # Gray code: flip the lowest set bit of step
            k = U64(s + t)
            rank = step
            while rank & 1 == 0:
                rank >>= 1
                k += ONE
            outer ^= ONE << k
            rest += -q[k] if outer & (ONE << k) else q[k]
    return False, ZERO, 0.0, live + size_a, size_a + steps * size_b


# ---------------------------------------------------------------------------------------------------------------------
# rows


@no_type_check
@numba.njit(cache=True, nogil=True)
def closest_rows(values, targets, start, stop, limit, work, packed, error, codes):
    """The closest subset of each row from `start` on, for about `limit` steps. Returns the next row to do."""
    q = np.empty(values.shape[1] + 1, I64)
    pos = np.empty_like(q)
    cost = 0
    for p in range(start, stop):
        m, z, _, up, down = prepare(values[p], targets[p], pos, q)
        if z >= up:
            bits = signed(q, m, 1)
        elif z <= down:
            bits = signed(q, m, -1)
        else:
            bits, steps = closest_bits(q, m, z, work)
            cost += steps
        packed[p], error[p] = finish(values[p], targets[p], pos, bits)
        codes[p] = OPTIMAL
        cost += 8 * values.shape[1] + 16
        if cost > limit:
            return p + 1
    return stop


@no_type_check
@numba.njit(cache=True, nogil=True)
def first_rows(values, targets, tol, start, stop, limit, work, packed, error, codes):
    """Some subset within tol of each row from `start` on, for about `limit` steps. Returns the next row to do."""
    q = np.empty(values.shape[1] + 1, I64)
    pos = np.empty_like(q)
    live = I64(1)
    work.slots[:] = 0
    cost = 0
    for p in range(start, stop):
        cost += 8 * values.shape[1] + 16
        if cost > limit and p > start:
            return p
        row, target = values[p], targets[p]
        packed[p], error[p], codes[p] = ZERO, abs(target), WITHIN_TOL
        if error[p] <= tol:
            continue
        miss = BEST_EFFORT
        m, z, scale, up, down = prepare(row, target, pos, q)
        if z >= up:
            bits = signed(q, m, 1)
        elif z <= down:
            bits = signed(q, m, -1)
        else:
            found, packed[p], error[p], live, steps = walk(row, target, tol, pos, q, m, z, scale, live, work)
            cost += steps
            if found:
                continue
            searched = min(m, EXACT_MAX)
            middle = I64(0)
            for k in range(searched):
                middle += q[k]
            middle //= 2
            bits, rest = centre(q, searched, m, z - middle, ZERO)
            low, steps = closest_bits(q, searched, rest + middle, work)
            bits |= low
            cost += steps
            if m > EXACT_MAX:
                miss = BUDGET_SPENT
        packed[p], error[p] = finish(row, target, pos, bits)
        if error[p] > tol:
            codes[p] = miss
    return stop
