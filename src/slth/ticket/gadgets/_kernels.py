"""Compiled: the lift scan (see `lift` for the rule)."""

from typing import no_type_check

import numba
import numpy as np

from slth.numerics import uniform_of, word_at


@no_type_check
@numba.njit(cache=True, nogil=True)
def scan(inputs, signed, need, most, lift_key, bias_key, neuron, slot, value):
    """Serve slots by neurons 0, 1, ... until every need is met or `most` neurons were scanned.

    Slots: inputs positive ones, len(signed) negative ones, constants. need (slots,) int64 is counted down.
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
