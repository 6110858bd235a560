r"""Compiled merging for whole intervals of targets. Serial, no GIL, no fast mathematics.

All $2^n$ sums in order cost $O(2^n)$: with one more value $v$ the sorted list $s$ is merged with $s + v$, which is
sorted too, since float64 addition is monotone. Every sum is thus the float64 sum of its values in ascending order of
index.

Kernels stop after about `limit` steps and go on where their `state` says.
"""

from typing import no_type_check

import numpy as np

from slth._kernels import compiled

U64 = np.uint64
ONE = U64(1)  # indices are unsigned: no wrap-around test


@no_type_check
@compiled
def merge_shifted(s, v, out, state, limit):
    """out = s merged with s + v, from state = (i, j) on: i sums of s and j of s + v are there. True when done."""
    size, i, j = U64(s.size), U64(state[0]), U64(state[1])
    stop = min(i + j + U64(limit), size + size)
    while i + j < stop and i < size and j < size:
        x, y = s[i], s[j] + v
        out[i + j] = min(x, y)
        take = U64(x <= y)
        i += take
        j += ONE - take
    while i + j < stop and j < size:
        out[i + j] = s[j] + v
        j += ONE
    while i + j < stop and i < size:
        out[i + j] = s[i]
        i += ONE
    state[0], state[1] = i, j
    return i + j == size + size


@no_type_check
@compiled
def merge_shifted_masks(s, m, v, bit, out, out_m, state, limit):
    """As `merge_shifted`, with the mask of each sum: equal sums stand in ascending order of their masks."""
    size, i, j = U64(s.size), U64(state[0]), U64(state[1])
    stop = min(i + j + U64(limit), size + size)
    while i + j < stop:
        x = s[i] if i < size else np.inf
        y = s[j] + v if j < size else np.inf
        take = U64(x <= y)
        out[i + j] = min(x, y)
        out_m[i + j] = m[take * i + (ONE - take) * j] | np.uint32((ONE - take) * U64(bit))
        i += take
        j += ONE - take
    state[0], state[1] = i, j
    return i + j == size + size


@no_type_check
@compiled
def widest_gap(s, v, low, high, state, gap, limit):
    """Walk s merged with s + v, unstored, up to the first sum above high. True when done.

    state: the two positions; gap: the sum before, the widest gap so far and its target. A gap between two sums counts
    by the target in it, within [low, high], that is farthest from both: at most half its width.
    """
    size, i, j = U64(s.size), U64(state[0]), U64(state[1])
    before, worst, at = gap
    stop = min(i + j + U64(limit), size + size)
    while i + j < stop and before <= high:
        x = s[i] if i < size else np.inf
        y = s[j] + v if j < size else np.inf
        take = U64(x <= y)
        i += take
        j += ONE - take
        x = min(x, y)
        if x >= low and x - before > 2.0 * worst:
            z = min(max(before / 2 + x / 2, low), high)
            far = min(abs(z - before), abs(x - z))
            if far > worst:
                worst, at = far, z
        before = x
    state[0], state[1] = i, j
    gap[0], gap[1], gap[2] = before, worst, at
    return i + j == size + size or before > high


@no_type_check
@compiled
def unite(pieces, v, low, high, out):
    """(pieces united with pieces + v), cut to [low, high], as sorted pieces that do not touch. Returns their number.

    pieces: float64 (p, 2), sorted, apart from each other; out: float64 (2p, 2).
    """
    i = j = count = 0
    size = len(pieces)
    while i + j < 2 * size:
        if j == size or (i < size and pieces[i, 0] <= pieces[j, 0] + v):
            left, right = pieces[i, 0], pieces[i, 1]
            i += 1
        else:
            left, right = pieces[j, 0] + v, pieces[j, 1] + v
            j += 1
        left, right = max(left, low), min(right, high)
        if left >= right:
            continue
        if count and left <= out[count - 1, 1]:
            out[count - 1, 1] = max(out[count - 1, 1], right)
        else:
            out[count, 0], out[count, 1] = left, right
            count += 1
    return count
