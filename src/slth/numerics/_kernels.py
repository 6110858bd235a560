"""Philox4x32-10 compiled: any rows of a stream, without generating what stands before them.

Letters of Salmon et al. (2011): counter words c0..c3, key words k0, k1, multipliers M0, M1, Weyl steps W0, W1.
"""

from typing import no_type_check

import numpy as np

from slth._kernels import compiled

M0, M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
W0, W1 = np.uint32(0x9E3779B9), np.uint32(0xBB67AE85)
LOW, HIGH = np.uint64(0xFFFFFFFF), np.uint64(32)
MOST = 1 << 12  # words of a line that stays in the fastest cache
_DE_BRUIJN = 0x03F79D71B4CB0A89  # of 64 bits: every number of six bits stands in it once
SEQUENCE = np.uint64(_DE_BRUIJN)
PLACE = np.argsort([(_DE_BRUIJN << i & 2**64 - 1) >> 58 for i in range(64)])


@no_type_check
@compiled(inline="always")
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
@compiled
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
@compiled
def lowest_one(word):
    """The number of the lowest bit of a uint64 that is 1. Its product with a de Bruijn sequence tells it: Leiserson,
    Prokop and Randall (1998).
    """
    return PLACE[((word & (~word + np.uint64(1))) * SEQUENCE) >> np.uint64(58)]


@no_type_check
@compiled
def uniform_of(word):
    """(word >> 8) · 2⁻²³ − 1 in [−1, 1), exact in float32."""
    return np.float32(word >> np.uint32(8)) * np.float32(2.0**-23) - np.float32(1.0)


@no_type_check
@compiled
def fill_line(start, step, key, words, count):
    """words[offset + i] = word start + i · step of the stream, for i < count; returns the offset, at most 3.

    start uint64, key (2,) uint32, words uint32 with room for count + 6. The loop over whole blocks has no branch: it
    runs in vector registers, half a nanosecond for a word.
    """
    if step != 1:
        for i in range(count):
            words[i] = word_at(start + np.uint64(i) * np.uint64(step), key[0], key[1])
        return 0
    k0, k1 = key[0], key[1]
    offset = np.int64(start & np.uint64(3))
    block = start >> np.uint64(2)
    for i in range((offset + count + 3) >> 2):
        at = block + np.uint64(i)
        a, b, c, d = philox(np.uint32(at & LOW), np.uint32(at >> HIGH), k0, k1)
        words[4 * i] = a
        words[4 * i + 1] = b
        words[4 * i + 2] = c
        words[4 * i + 3] = d
    return offset


@no_type_check
@compiled
def fill_words(starts, key, out):
    """out[r, c] = word starts[r] + c; starts (rows,) uint64, out (rows, width) uint32."""
    width = out.shape[1]
    line = np.empty(MOST + 6, np.uint32)
    for r in range(starts.shape[0]):
        for first in range(0, width, MOST):
            count = min(MOST, width - first)
            offset = fill_line(starts[r] + np.uint64(first), 1, key, line, count)
            out[r, first : first + count] = line[offset : offset + count]
