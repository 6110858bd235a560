"""Compiled loops of the masks: exact selection by a warm threshold, and the fused products.

Scores are compared as integers: the bits of |s|, a float32 without its sign, grow with |s|. NaN lies above everything.
"""

from typing import no_type_check

import numpy as np

from slth._kernels import compiled

_MAGNITUDE = np.int32(0x7FFFFFFF)
_CHUNK = 64


@compiled
@no_type_check
def keep_top(bits, weight, kept, low, high, out, magnitudes, indices):
    """out = weight at the `kept` largest |s|, ties by index, else 0.

    Returns (magnitude of the last one kept, how many were sorted).

    bits: int32 view of s. low, high: a window [low, high) that may hold the threshold; if it does not, another is
    looked for. magnitudes, indices: room for those in the window.
    """
    above, inside = _gather(bits, low, high, magnitudes, indices)
    if not above < kept <= above + inside:
        low, high = _window(bits, kept)
        above, inside = _gather(bits, low, high, magnitudes, indices)
        if inside > len(magnitudes):
            magnitudes, indices = np.empty(inside, np.int32), np.empty(inside, np.int32)
            above, inside = _gather(bits, low, high, magnitudes, indices)
    elif inside > len(magnitudes):
        magnitudes, indices = np.empty(inside, np.int32), np.empty(inside, np.int32)
        above, inside = _gather(bits, low, high, magnitudes, indices)
    ascending = np.sort(magnitudes[:inside])
    last = ascending[inside - (kept - above)]
    for i in range(len(bits)):
        out[i] = weight[i] if (bits[i] & _MAGNITUDE) > last else np.float32(0)
    ties = kept - above - (inside - np.searchsorted(ascending, last, side="right"))
    for j in range(inside):
        if magnitudes[j] == last and ties > 0:
            out[indices[j]] = weight[indices[j]]
            ties -= 1
    return last, inside


@compiled
@no_type_check
def _gather(bits, low, high, magnitudes, indices):
    """How many magnitudes are at least `high`, and how many in [low, high); these with their indices, in order."""
    above, inside, count = 0, 0, len(bits)
    start = 0
    while start < count:
        stop = min(start + _CHUNK, count)
        over, under = np.int32(0), np.int32(0)
        for i in range(start, stop):
            magnitude = np.int64(bits[i] & _MAGNITUDE)
            over += np.int32(magnitude >= high)
            under += np.int32(magnitude >= low)
        above += over
        if under != over:
            for i in range(start, stop):
                magnitude = np.int64(bits[i] & _MAGNITUDE)
                if low <= magnitude < high:
                    if inside < len(magnitudes):
                        magnitudes[inside], indices[inside] = magnitude, i
                    inside += 1
        start = stop
    return above, inside


@compiled
@no_type_check
def _window(bits, kept):
    """The narrowest window [low, high) on 16 leading bits that holds the kept-th largest magnitude."""
    counts = np.zeros(1 << 16, np.int64)
    for i in range(len(bits)):
        counts[(bits[i] & _MAGNITUDE) >> 15] += 1
    above, row = 0, (1 << 16) - 1
    while above + counts[row] < kept:
        above += counts[row]
        row -= 1
    return np.int64(row) << 15, (np.int64(row) + 1) << 15


@compiled
@no_type_check
def score_gradient(grad, weight, scores, out):
    """out = ∂L/∂s = sign(s) · ∂L/∂(masked weight) · weight."""
    for i in range(len(out)):
        g = grad[i] * weight[i]
        out[i] = g if scores[i] > 0 else (-g if scores[i] < 0 else np.float32(0))
