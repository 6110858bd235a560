r"""Compiled search over subsets of a given size, or of every size in turn. Serial, no GIL, no fast mathematics.

**Buckets** (`list_by_size`). The sums of j values of one half, for each j, sorted: when value t arrives, bucket j is
merged with bucket j - 1 moved by $q_t$. All buckets together are $2^{m/2}$ sums, listed in twice as many steps.
A subset of k values has j values in the first half and k - j in the second, for some j.

**Sweep** (`closest_pair`). Two pointers, one from below, one from above (Horowitz and Sahni, 1974): the sum too small,
the first moves up; else the second moves down. Equal sums of a bucket are listed once, with the lowest of their masks;
then the pointers meet *every* pair that is closest, so ties are decided exactly, without another search.

**Outer values.** Only the first `inner` values are listed; each subset of the others is one sweep. With two outer
values half the listing is traded for a few sweeps. For *some* subset within tolerance (`walk_by_size`) far fewer are
listed: so many that a sweep finds one more often than not. A walk that finds none is followed by the exact search.

Fixed point is that of `_kernels`: sums, comparisons and ties are integer arithmetic. Here zeros count as values.

Letters: q values, z target, in units; a, b the buckets of the two halves; k size of the subset; y move of a kept value.
"""

import math
from typing import no_type_check

import numba
import numpy as np

from slth.subsetsum._kernels import BEST_EFFORT, FAR, I64, ONE, OPTIMAL, U64, WITHIN_TOL, ZERO, prepare

SIGN = U64(63)
OUTER = 2  # values not listed by the exact search for one size
WALK_MIN = 4  # outer values that make a walk worth its while


@no_type_check
@numba.njit(cache=True, nogil=True)
def spread(row, target, tol, pos, q):
    """Round a row to fixed point, zeros included: q[i] from row[i]. Returns (z, what is surely within tol), in units.

    A target beyond all sums is brought to their end: which sum of a given size is closest stays the same.
    """
    m, z, rho, up, down, _ = prepare(row, target, max(tol, 0.0), pos, q)
    for i in range(row.size - 1, -1, -1):
        k = m - 1
        if k >= 0 and pos[k] == i:
            q[i] = q[k]
            m = k
        else:
            q[i] = 0
    return min(max(z, down), up), rho - 2 * row.size - 2


@no_type_check
@numba.njit(cache=True, nogil=True)
def merge(sums, masks, i, i_end, j, j_end, add, bit, distinct, out, out_masks, at):
    """Merge sums[i:i_end] with sums[j:j_end] + add into out[at:]; if distinct, equal sums once. Returns the new end."""
    while i < i_end and j < j_end:  # no branch on the data: a wrong guess would cost more than all the rest
        x, y = sums[i], sums[j] + add
        mask_x, mask_y = I64(masks[i]), I64(masks[j] | bit)
        above, below = U64(y - x) >> SIGN, U64(x - y) >> SIGN  # 1 if x > y, if x < y
        out[at] = x ^ ((x ^ y) & -I64(above))
        out_masks[at] = mask_x ^ ((mask_x ^ mask_y) & -I64(above))
        at += ONE
        i += ONE - above
        j += ONE - below if distinct else above
    while i < i_end:
        out[at], out_masks[at] = sums[i], masks[i]
        at += ONE
        i += ONE
    while j < j_end:
        out[at], out_masks[at] = sums[j] + add, masks[j] | bit
        at += ONE
        j += ONE
    return at


@no_type_check
@numba.njit(cache=True, nogil=True)
def list_by_size(q, start, stop, most, distinct, side, spare):
    """Sorted sums of j values of q[start:stop] in side.sums[side.ends[j] : side.ends[j + 1]], for j <= most.

    most < 0: the sums of any number of values, all in bucket 0. Masks: bit 0 is value `start`.
    """
    step = 1 if most >= 0 else 0
    top = max(most, 0)
    source, result = (side, spare) if (stop - start) % 2 == 0 else (spare, side)
    source.sums[0] = 0
    source.masks[0] = 0
    source.ends[0] = 0
    source.ends[1 : top + 2] = 1
    for t in range(start, stop):
        bit = np.uint32(ONE << U64(t - start))
        at = ZERO
        for j in range(top + 1):
            result.ends[j] = at
            i, i_end = U64(source.ends[j]), U64(source.ends[j + 1])
            h, h_end = (U64(source.ends[j - step]), U64(source.ends[j - step + 1])) if j >= step else (ZERO, ZERO)
            at = merge(
                source.sums, source.masks, i, i_end, h, h_end, q[t], bit, distinct, result.sums, result.masks, at
            )
        result.ends[top + 1] = at
        source, result = result, source


@no_type_check
@numba.njit(cache=True, nogil=True)
def closest_pair(low, high, z, enough, best, bits, outer, half, i, i_end, j, j_end):
    """Improve (best, bits) by low.sums[i:i_end] + high.sums[j:j_end]; stop at a distance of `enough` or less."""
    a, b = low.sums, high.sums
    while i < i_end and j < j_end:
        gap = a[i] + b[j_end - ONE] - z
        if abs(gap) <= best:
            mask = U64(low.masks[i]) | (U64(high.masks[j_end - ONE]) << half) | outer
            if abs(gap) < best or mask < bits:
                best, bits = abs(gap), mask
                if best <= enough:
                    break
        short = U64(gap < 0)
        i += short
        j_end -= ONE - short
    return best, bits


@no_type_check
@numba.njit(cache=True, nogil=True)
def sweep_sizes(inner, k, z, enough, best, bits, high_bits, low, high):
    """Improve (best, bits) by the sums of exactly k of the listed values (k < 0: of any number)."""
    half = inner // 2
    least, most = (max(0, k - (inner - half)), min(k, half)) if k >= 0 else (0, 0)
    for j in range(least, most + 1):
        h = k - j if k >= 0 else 0
        i, i_end, g, g_end = U64(low.ends[j]), U64(low.ends[j + 1]), U64(high.ends[h]), U64(high.ends[h + 1])
        best, bits = closest_pair(low, high, z, enough, best, bits, high_bits, U64(half), i, i_end, g, g_end)
        if best <= enough:
            break
    return best, bits


@no_type_check
@numba.njit(cache=True, nogil=True)
def closest_of_size(q, n, inner, k, z, enough, low, high):
    """The closest sum of exactly k of n values (k < 0: of any number; then inner = n). Returns the lowest mask."""
    best, bits = I64(FAR) + FAR // 2, ZERO
    for outer in range(1 << (n - inner)):
        left, rest = k, z
        for i in range(inner, n):
            if (outer >> (i - inner)) & 1:
                left -= 1
                rest -= q[i]
        if k < 0 or 0 <= left <= inner:
            best, bits = sweep_sizes(inner, left, rest, enough, best, bits, U64(outer) << U64(inner), low, high)
            if best <= enough:
                break
    return bits


@no_type_check
@numba.njit(cache=True, nogil=True)
def list_halves(q, inner, most, distinct, work):
    """List the first `inner` values, at most `most` of either half. Returns about how many steps (1 ns) that took."""
    half = inner // 2
    list_by_size(q, 0, half, min(most, half), distinct, work.low, work.spare)
    list_by_size(q, half, inner, min(most, inner - half), distinct, work.high, work.spare)
    return 16 * (work.low.ends[min(most, half) + 1] + work.high.ends[min(most, inner - half) + 1])


@no_type_check
@numba.njit(cache=True, nogil=True)
def walk_by_size(q, n, k, z, enough, work):
    """Look for k values with a sum within `enough`, cheaply; missing one is allowed. Returns (found, bits, steps)."""
    if n <= WALK_MIN + 2:
        return False, ZERO, 0
    mean = squares = 0.0
    for i in range(n):
        mean += float(q[i]) / n
    for i in range(n):
        squares += (float(q[i]) - mean) ** 2 / n
    variance = k * (1.0 - k / n) * squares + 1.0
    away = min((float(z) - k * mean) ** 2 / (2.0 * variance), 40.0)
    wanted = 4.0 * math.sqrt(math.pi / 2.0 * variance) * math.exp(away) / (float(enough) + 1.0)  # sums per sweep
    inner, sums = 2, 1.0
    while sums < wanted and inner <= n - WALK_MIN:
        inner += 2
        sums = 1.0
        kept = (k * inner + n // 2) // n
        for i in range(kept):
            sums *= (inner - i) / (i + 1.0)
    if inner > n - WALK_MIN:
        return False, ZERO, 0
    steps = list_halves(q, inner, k, True, work)
    per_sweep = steps // 8 + 16

    part = k - (k * inner + n // 2) // n  # outer values to keep: those that leave an average rest of the target
    listed = 0.0
    for i in range(inner):
        listed += float(q[i])
    middle = I64((k - part) * listed / inner)
    outer, rest, left = ZERO, z - middle, part
    for i in range(inner, n):
        if left > 0 and (abs(rest - q[i]) < abs(rest) or n - i == left):
            outer |= ONE << U64(i)
            rest -= q[i]
            left -= 1
    rest, left = rest + middle, k - (part - left)
    rounds = min(1 << min(n - inner, 20), (8 << (n // 2)) // per_sweep + 1)
    for r in range(1, rounds + 1):
        if 0 <= left <= inner:
            best, bits = sweep_sizes(inner, left, rest, enough, I64(FAR) + FAR // 2, ZERO, outer, work.low, work.high)
            steps += per_sweep
            if best <= enough:
                return True, bits, steps
        i = U64(inner - 1 + math.frexp(float(r & -r))[1])  # Gray code
        if r < rounds:
            outer ^= ONE << i
            kept = I64((outer >> i) & ONE)
            rest += (1 - 2 * kept) * q[i]
            left += 1 - 2 * kept
    return False, ZERO, steps


@no_type_check
@numba.njit(cache=True, nogil=True)
def decide(row, target, bits, k, epsilon):
    """(y, |float64 sum of the k kept values, each moved by y, in ascending order - target|), |y| <= epsilon."""
    total = 0.0
    for i in range(row.size):
        total += row[i] if (bits >> U64(i)) & ONE else 0.0
    if k == 0 or epsilon == 0.0:
        return 0.0, abs(total - target)
    y = min(max((target - total) / k, -epsilon), epsilon)
    total = 0.0
    for i in range(row.size):
        total += row[i] + y if (bits >> U64(i)) & ONE else 0.0
    return y, abs(total - target)


@no_type_check
@numba.njit(cache=True, nogil=True)
def sized_rows(
    values, targets, least, most, tol, epsilon, by_move, moves, start, stop, limit, work, packed, error, codes
):
    """The best subset of `least` to `most` values of each row from `start` on. Returns the next row, or the same again.

    tol < 0: the closest. least = most: some subset within tol, if there is one. Else among those within tol, each kept
    value moved by up to epsilon: the first size that has one, and its closest; by_move: the one that moves least.
    If there is none within tol, the one with the smallest error, then the smallest size.
    """
    n = values.shape[1]
    inner = n - OUTER if least == most and n > 4 * OUTER else n
    q, pos = np.empty(n + 1, I64), np.empty(n + 1, I64)
    resume = work.resume
    resumed = resume[0] == start
    for p in range(start, stop):
        row, target = values[p], targets[p]
        z, sure = spread(row, target, tol, pos, q)
        limit -= 8 * n + 32
        smallest, listed, found = (resume[1], resume[2], resume[3] == 1) if resumed else (least, I64(-1), False)
        if not resumed:
            error[p] = np.inf
            if least == most and tol >= 0 and sure >= 0:
                near, bits, steps = walk_by_size(q, n, most, z, sure, work)
                limit -= steps
                if near:
                    error[p] = decide(row, target, bits, most, 0.0)[1]
                    packed[p], found = bits, error[p] <= tol
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
            if (fits and not found) or (fits == found and (abs(y) < abs(moves[p]) if found else gap < error[p])):
                packed[p], error[p], moves[p] = bits, gap, y
            found |= fits
            if found and not by_move:
                break
            if limit < 0 and k < most:  # the next call goes on from here
                resume[0], resume[1], resume[2], resume[3] = p, k + 1, listed, found
                return p
        codes[p] = OPTIMAL if tol < 0 else WITHIN_TOL if found else BEST_EFFORT
        resume[0] = -1
        if limit < 0:
            return p + 1
    return stop


@no_type_check
@numba.njit(cache=True, nogil=True)
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


@no_type_check
@numba.njit(cache=True, nogil=True)
def integer_bits(q, z, k, work):
    """The lowest mask among the closest sums of k integers (k < 0: of any number)."""
    list_halves(q, q.size, k, True, work)
    return closest_of_size(q, q.size, q.size, k, z, I64(-1), work.low, work.high)


@no_type_check
@numba.njit(cache=True, nogil=True)
def pairs_up_to(a, b, x):
    """How many pairs of the sorted lists a, b have a sum of at most x."""
    count, j = 0, b.size
    for i in range(a.size):
        while j > 0 and a[i] + b[j - 1] > x:
            j -= 1
        count += j
    return count


@no_type_check
@numba.njit(cache=True, nogil=True)
def pairs_decided(row, target, tol, half, a, a_masks, b, b_masks, low, high, left):
    """Pairs with low <= sum <= high, `left` of them decided one by one. Returns (within tol, not decided, left)."""
    within, undecided, first, last = 0, 0, b.size, b.size
    for i in range(a.size):
        while first > 0 and a[i] + b[first - 1] >= low:
            first -= 1
        while last > 0 and a[i] + b[last - 1] > high:
            last -= 1
        for j in range(first, last):
            if left == 0:
                undecided += last - j
                break
            left -= 1
            bits = U64(a_masks[i]) | (U64(b_masks[j]) << half)
            within += decide(row, target, bits, 0, 0.0)[1] <= tol
    return within, undecided, left


@no_type_check
@numba.njit(cache=True, nogil=True)
def count_sums(row, target, tol, k, sure, doubtful, left, work):
    """Listed sums of k values (k < 0: of any number) that are in `sure`, or in `doubtful` and within tol.

    sure: one range (low, high); doubtful: two ranges. Returns (counted, not decided).
    """
    n = row.size
    half = n // 2
    counted = undecided = 0
    least, most = (max(0, k - (n - half)), min(k, half)) if k >= 0 else (0, 0)
    for j in range(least, most + 1):
        h = k - j if k >= 0 else 0
        part, rest = slice(work.low.ends[j], work.low.ends[j + 1]), slice(work.high.ends[h], work.high.ends[h + 1])
        a, b, a_masks, b_masks = work.low.sums[part], work.high.sums[rest], work.low.masks[part], work.high.masks[rest]
        if sure[0] <= sure[1]:
            counted += pairs_up_to(a, b, sure[1]) - pairs_up_to(a, b, sure[0] - 1)
        for low, high in doubtful:
            if low <= high:
                within, open_, left = pairs_decided(
                    row, target, tol, U64(half), a, a_masks, b, b_masks, low, high, left
                )
                counted += within
                undecided += open_
    return counted, undecided
