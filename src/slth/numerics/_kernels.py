"""Philox4x32-10 compiled: any rows of a stream, without generating what stands before them.

Letters of Salmon et al. (2011): counter words c0..c3, key words k0, k1, multipliers M0, M1, Weyl steps W0, W1.
"""

from typing import no_type_check

import numba
import numpy as np

M0, M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
W0, W1 = np.uint32(0x9E3779B9), np.uint32(0xBB67AE85)
LOW, HIGH = np.uint64(0xFFFFFFFF), np.uint64(32)


@no_type_check
@numba.njit(cache=True, nogil=True, inline="always")
def philox(c0, c1, k0, k1):
    """The four words of block (c0, c1, 0, 0) under key (k0, k1); all uint32."""
    c2 = np.uint32(0)
    c3 = np.uint32(0)
    for _ in range(10):
        p0 = M0 * np.uint64(c0)
        p1 = M1 * np.uint64(c2)
        c0 = np.uint32(p1 >> HIGH) ^ c1 ^ k0
        c2 = np.uint32(p0 >> HIGH) ^ c3 ^ k1
        c1 = np.uint32(p1 & LOW)
        c3 = np.uint32(p0 & LOW)
        k0 = np.uint32(k0 + W0)
        k1 = np.uint32(k1 + W1)
    return c0, c1, c2, c3


@no_type_check
@numba.njit(cache=True, nogil=True)
def word_at(index, k0, k1):
    """Word `index` (uint64) of the stream."""
    block = index >> np.uint64(2)
    a, b, c, d = philox(np.uint32(block & LOW), np.uint32(block >> HIGH), k0, k1)
    lane = index & np.uint64(3)
    if lane == np.uint64(0):
        return a
    if lane == np.uint64(1):
        return b
    if lane == np.uint64(2):
        return c
    return d


@no_type_check
@numba.njit(cache=True, nogil=True)
def uniform_of(word):
    """(word >> 8) · 2⁻²³ − 1 in [−1, 1), exact in float32."""
    return np.float32(word >> np.uint32(8)) * np.float32(2.0**-23) - np.float32(1.0)


@no_type_check
@numba.njit(cache=True, nogil=True)
def fill_words(starts, k0, k1, out):
    """out[r, c] = word starts[r] + c; starts (rows,) uint64, out (rows, width) uint32."""
    four = np.uint64(4)
    for r in range(starts.shape[0]):
        start = starts[r]
        stop = start + np.uint64(out.shape[1])
        line = out[r]
        block = start >> np.uint64(2)
        while block * four < stop:
            a, b, c, d = philox(np.uint32(block & LOW), np.uint32(block >> HIGH), k0, k1)
            first = block * four
            if first >= start and first + four <= stop:
                at = np.int64(first - start)
                line[at] = a
                line[at + 1] = b
                line[at + 2] = c
                line[at + 3] = d
            else:
                for lane in range(4):
                    index = first + np.uint64(lane)
                    if start <= index < stop:
                        word = a if lane == 0 else b if lane == 1 else c if lane == 2 else d
                        line[np.int64(index - start)] = word
            block += np.uint64(1)
