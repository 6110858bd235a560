r"""Compiled lists of half sums by the number of values in them, and the closest pair of a given number.

**Buckets** (`list_by_size`). The sums of j values of one half, for each j, sorted: when value t arrives, bucket j is
merged with bucket j - 1 moved by $q_t$. All buckets together are $2^{m/2}$ sums, listed in twice as many steps.
A subset of k values has j values in the first half and k - j in the second, for some j.

**Sweep** (`closest_pair`). Two pointers, one from below, one from above (Horowitz and Sahni, 1974): the sum too small,
the first moves up; else the second moves down. Equal sums of a bucket are listed once, with the lowest of their masks;
then the pointers meet *every* pair that is closest, so ties are decided exactly, without another search.

Letters: q values, zeros included, z target, in units; a, b the buckets of the two halves; k size of the subset.
"""

from typing import no_type_check

import numpy as np

from slth._kernels import compiled
from slth.subsetsum._fixed_point_kernels import FAR, I64, ONE, U64, ZERO

SIGN = U64(63)


@no_type_check
@compiled
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
@compiled
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
@compiled
def list_halves(q, inner, most, distinct, work):
    """List the first `inner` values, at most `most` of either half. Returns about how many steps (1 ns) that took."""
    half = inner // 2
    list_by_size(q, 0, half, min(most, half), distinct, work.low, work.spare)
    list_by_size(q, half, inner, min(most, inner - half), distinct, work.high, work.spare)
    return 16 * (work.low.ends[min(most, half) + 1] + work.high.ends[min(most, inner - half) + 1])


@no_type_check
@compiled
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
@compiled
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
@compiled
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
