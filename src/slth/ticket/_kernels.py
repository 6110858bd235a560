"""Compiled loops: the lift scan (see `lift.py` for the rule) and the coder of sparse masks (see `rans.py`)."""

from typing import no_type_check

import numba
import numpy as np

from slth.numerics import uniform_of, word_at

THREE, SEVEN, SIXTEEN, WORD = np.int64(3), np.int64(7), np.uint64(16), np.uint64(32)
PART, PARTS, LOWEST, LOW = np.uint64(0xFFFF), np.uint64(1 << 16), np.uint64(1 << 32), np.uint64(0xFFFFFFFF)


@no_type_check
@numba.njit(cache=True, nogil=True)
def scan(inputs, signed, need, most, lift_key, bias_key, neuron, slot, value):
    """Serve slots by neurons 0, 1, ... until every need is met or `most` neurons were scanned.

    Slots: inputs positive ones, len(signed) negative ones, the constant. need (slots,) int64 is counted down.
    neuron, slot, value (live,): filled in order of the neurons. Returns (live neurons, neurons scanned).
    """
    slots = need.shape[0]
    left = need.sum()
    live = 0
    h = 0
    at = 0  # the slot after the last one served
    half = np.float32(0.5)
    while left > 0 and h < most:
        base = np.uint64(h) * np.uint64(inputs)
        for step in range(slots):
            s = at + step
            if s >= slots:
                s -= slots
            if need[s] == 0:
                continue
            if s < inputs:
                x = uniform_of(word_at(base + np.uint64(s), lift_key[0], lift_key[1]))
            elif s < inputs + signed.shape[0]:
                x = -uniform_of(word_at(base + np.uint64(signed[s - inputs]), lift_key[0], lift_key[1]))
            else:
                x = uniform_of(word_at(np.uint64(h), bias_key[0], bias_key[1]))
            if x >= half:
                neuron[live] = h
                slot[live] = s
                value[live] = x
                live += 1
                need[s] -= 1
                left -= 1
                at = s + 1 if s + 1 < slots else 0
                break
        h += 1
    return live, h


@no_type_check
@numba.njit(cache=True, nogil=True)
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
@numba.njit(cache=True, nogil=True)
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
