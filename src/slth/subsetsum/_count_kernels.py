"""Compiled counting of subset sums in ranges of integers, from sorted half sums.

Letters: a, b the buckets of the two halves; j, h how many values of either are kept.
"""

from typing import no_type_check

from slth._kernels import compiled
from slth.subsetsum._fixed_point_kernels import U64, decide


@no_type_check
@compiled
def pairs_up_to(a, b, x):
    """How many pairs of the sorted lists a, b have a sum of at most x."""
    count, j = 0, b.size
    for i in range(a.size):
        while j > 0 and a[i] + b[j - 1] > x:
            j -= 1
        count += j
    return count


@no_type_check
@compiled
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
@compiled
def count_sums(row, target, tol, fewest, most, sure, doubtful, left, work):
    """Listed sums of some numbers of values (less than 0: of any) that are in `sure`, or in `doubtful` and within tol.

    sure: one range (low, high); doubtful: two ranges. Returns (counted, not decided).
    """
    n = row.size
    half = n // 2
    counted = undecided = 0
    any_size = most < 0
    for j in range(1 if any_size else min(most, half) + 1):
        few, many = (0, 0) if any_size else (max(fewest - j, 0), min(most - j, n - half))
        part = slice(work.low.ends[j], work.low.ends[j + 1])
        for h in range(few, many + 1):
            rest = slice(work.high.ends[h], work.high.ends[h + 1])
            a, b = work.low.sums[part], work.high.sums[rest]
            a_masks, b_masks = work.low.masks[part], work.high.masks[rest]
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
