"""Compiled: the coder of sparse masks (see `rans`)."""

from typing import no_type_check

import numpy as np

from slth._kernels import compiled

THREE, SEVEN, SIXTEEN, WORD = np.int64(3), np.int64(7), np.uint64(16), np.uint64(32)
PART, PARTS, LOWEST, LOW = np.uint64(0xFFFF), np.uint64(1 << 16), np.uint64(1 << 32), np.uint64(0xFFFFFFFF)


@no_type_check
@compiled
def rans_encode(bits, count, f, words):
    """Encode the first `count` packed bits, last one first. words (most,) uint32 is filled in the order of writing.

    Returns (state, words written), or −1 words if there is no room for them. All arithmetic is uint64.
    """
    g = PARTS - f
    x = LOWEST
    used = 0
    for i in range(count - 1, -1, -1):
        one = (bits[i >> THREE] >> np.uint8(i & SEVEN)) & np.uint8(1)
        part = f if one else g
        start = np.uint64(0) if one else f
        if x >> np.uint64(48) >= part:
            if used == words.shape[0]:
                return x, -1
            words[used] = np.uint32(x & LOW)
            used += 1
            x >>= WORD
        whole = x // part
        x = (whole << SIXTEEN) + (x - whole * part) + start
    return x, used


@no_type_check
@compiled
def rans_decode(x, words, f, count, bits):
    """Decode `count` bits into packed zeros. Returns (state, words read), or −1 words if there are too few."""
    g = PARTS - f
    used = 0
    for i in range(count):
        r = x & PART
        if r < f:
            bits[i >> THREE] |= np.uint8(1 << (i & SEVEN))
            x = f * (x >> SIXTEEN) + r
        else:
            x = g * (x >> SIXTEEN) + r - f
        if x < LOWEST:
            if used == words.shape[0]:
                return x, -1
            x = (x << WORD) + np.uint64(words[used])
            used += 1
    return x, used
