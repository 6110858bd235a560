"""Compiled: the lift scan (see `lift`), and the products, sums and mask bits of a block of problems (see `gadget`).

Letters of blocks: s slot, k candidate of a slot, w pair (row, tap); u factor; v mixing value, for pair w of neuron h
value h · width + first + w · step of the stream.
"""

from typing import no_type_check

import numpy as np

from slth._kernels import compiled
from slth.numerics import fill_line, lowest_one, uniform_of, word_at

LAST = np.uint32(255)


@no_type_check
@compiled
def scan(inputs, signed, either, need, most, lift_key, bias_key, serving, coin, neuron, slot, word):
    """Serve slots by neurons 0, 1, ... until every need is met or `most` neurons were scanned.

    Slots: inputs positive ones, len(signed) negative ones, constants. need (slots,) int64 is counted down.
    either: words of both sides serve every slot; there are no negative ones then.
    serving uint32 (part, side, 2): which words serve, see `SourceLaw.serving`; part 0 if the last byte of the word is
    below coin, side 1 for negative slots.
    neuron, slot, word (live,): filled in order of the neurons. Returns (live neurons, neurons scanned).
    """
    slots = need.shape[0]
    left = need.sum()
    live = 0
    h = 0
    at = 0  # the slot after the last one served
    while left > 0 and h < most:
        base = np.uint64(h) * np.uint64(inputs)
        for step in range(slots):
            s = at + step
            if s >= slots:
                s -= slots
            if need[s] == 0:
                continue
            side = 0
            if s < inputs:
                x = word_at(base + np.uint64(s), lift_key[0], lift_key[1])
            elif s < inputs + signed.shape[0]:
                x = word_at(base + np.uint64(signed[s - inputs]), lift_key[0], lift_key[1])
                side = 1
            else:
                x = word_at(np.uint64(h), bias_key[0], bias_key[1])
            part = 0 if (x & LAST) < coin else 1
            serves = serving[part, side, 0] <= x <= serving[part, side, 1]
            if either and not serves:
                serves = serving[part, 1, 0] <= x <= serving[part, 1, 1]
            if serves:
                neuron[live] = h
                slot[live] = s
                word[live] = x
                live += 1
                need[s] -= 1
                left -= 1
                at = s + 1 if s + 1 < slots else 0
                break
        h += 1
    return live, h


SEVEN, BYTE = np.int64(7), np.int64(3)
SIX = np.int64(6)


@no_type_check
@compiled
def fill_products(neurons, factors, width, first, step, key, out):
    """out[s, w, k] = u v, exact; neurons int64 and factors float64 (slot, n), out float64 (slot, pair, n)."""
    slots, pairs, n = out.shape
    words = np.empty(pairs + 8, np.uint32)
    for s in range(slots):
        for k in range(n):
            start = np.uint64(neurons[s, k]) * np.uint64(width) + np.uint64(first)
            offset = fill_line(start, step, key, words, pairs)
            u = factors[s, k]
            for w in range(pairs):
                out[s, w, k] = np.float64(uniform_of(words[offset + w])) * u


@no_type_check
@compiled
def fill_mixing(neurons, width, first, step, key, out):
    """out[s, w, k] = the word of v; the others as in `fill_products`, out uint32."""
    slots, pairs, n = out.shape
    words = np.empty(pairs + 8, np.uint32)
    for s in range(slots):
        for k in range(n):
            start = np.uint64(neurons[s, k]) * np.uint64(width) + np.uint64(first)
            offset = fill_line(start, step, key, words, pairs)
            for w in range(pairs):
                out[s, w, k] = words[offset + w]


@no_type_check
@compiled
def add_kept(neurons, factors, width, first, step, key, bits, starts, columns, out):
    """out[s, w] = Σ_k u v over the candidates whose bit, starts[w] + columns[kind of w, s, k], is set; exact.

    bits uint8, packed; starts int64 (pair,); columns int64 (2, slot, n): for pairs of tap 0, for all others.
    out float64 (slot, pair), set here. A pair of tap 0 has starts[w] ≥ 0, any other ~starts[w].
    """
    slots, pairs = out.shape
    n = neurons.shape[1]
    words = np.empty(pairs + 8, np.uint32)
    for s in range(slots):
        for w in range(pairs):
            out[s, w] = 0.0
        for k in range(n):
            start = np.uint64(neurons[s, k]) * np.uint64(width) + np.uint64(first)
            offset = fill_line(start, step, key, words, pairs)
            u = factors[s, k]
            near, far = columns[0, s, k], columns[1, s, k]
            for w in range(pairs):
                at = starts[w] + near if starts[w] >= 0 else ~starts[w] + far
                kept = np.float64((bits[at >> BYTE] >> np.uint8(at & SEVEN)) & np.uint8(1))
                out[s, w] += kept * (np.float64(uniform_of(words[offset + w])) * u)


@no_type_check
@compiled
def add_chosen(rows, packed, out):
    """out[i] = Σ_k rows[i, k] over the bits k of packed[i], 64 to a word; exact for products of a gadget."""
    for i in range(rows.shape[0]):
        total = 0.0
        for word in range(packed.shape[1]):
            mask, first = packed[i, word], np.int64(word) << SIX
            while mask != np.uint64(0):
                total += rows[i, first + lowest_one(mask)]
                mask &= mask - np.uint64(1)
        out[i] = total


@no_type_check
@compiled
def set_bits(packed, starts, columns, bits):
    """Set the bits of the kept candidates; packed uint64 (slot, pair, word), the others as in `add_kept`."""
    slots, pairs, words = packed.shape
    for w in range(pairs):
        far = 1 if starts[w] < 0 else 0
        start = ~starts[w] if far else starts[w]
        for s in range(slots):
            for word in range(words):
                mask, first = packed[s, w, word], np.int64(word) << SIX
                while mask != np.uint64(0):
                    at = start + columns[far, s, first + lowest_one(mask)]
                    bits[at >> BYTE] |= np.uint8(1) << np.uint8(at & SEVEN)
                    mask &= mask - np.uint64(1)


@no_type_check
@compiled
def read_bits(bits, starts, columns, out):
    """out[s, w, k] = whether candidate k of (s, w) is kept; the others as in `add_kept`."""
    slots, pairs, n = out.shape
    for s in range(slots):
        for w in range(pairs):
            for k in range(n):
                at = starts[w] + columns[0, s, k] if starts[w] >= 0 else ~starts[w] + columns[1, s, k]
                out[s, w, k] = (bits[at >> BYTE] >> np.uint8(at & SEVEN)) & np.uint8(1)


@no_type_check
@compiled
def rank(bits, before, at):
    """How many bits are 1 before number `at`."""
    byte = np.uint8(bits[at >> BYTE]) & np.uint8((1 << (at & SEVEN)) - 1)
    count = before[at >> BYTE]
    while byte:
        count += np.int64(byte & np.uint8(1))
        byte >>= np.uint8(1)
    return count


@no_type_check
@compiled
def read_moves(bits, starts, columns, before, values, out):
    """out[s, w, k] = the move of candidate k, 0 if it is not kept; values stand in the order of the bits that are 1."""
    slots, pairs, n = out.shape
    for s in range(slots):
        for w in range(pairs):
            for k in range(n):
                at = starts[w] + columns[0, s, k] if starts[w] >= 0 else ~starts[w] + columns[1, s, k]
                out[s, w, k] = 0.0
                if (bits[at >> BYTE] >> np.uint8(at & SEVEN)) & np.uint8(1):
                    out[s, w, k] = np.float64(values[rank(bits, before, at)])


@no_type_check
@compiled
def write_moves(bits, starts, columns, before, moves, values):
    """The inverse of `read_moves`, of the candidates that are kept."""
    slots, pairs, n = moves.shape
    for s in range(slots):
        for w in range(pairs):
            for k in range(n):
                at = starts[w] + columns[0, s, k] if starts[w] >= 0 else ~starts[w] + columns[1, s, k]
                if (bits[at >> BYTE] >> np.uint8(at & SEVEN)) & np.uint8(1):
                    values[rank(bits, before, at)] = np.float32(moves[s, w, k])
