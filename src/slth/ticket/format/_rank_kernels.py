"""Compiled: masks to ranks and back, and the coder of their lengths (see `ranks`).

Letters: w pair (row, tap), s slot, k candidate of a slot; n candidates of a slot; r rank; c its length in bits; i_j the
j-th kept candidate, j = 1, 2, ...
"""

from typing import no_type_check

import numpy as np

from slth._kernels import compiled

THREE, SEVEN = np.int64(3), np.int64(7)
ONE, ZERO = np.uint64(1), np.uint64(0)
FIFTEEN, WORD, LOWEST, LOW = np.uint64(15), np.uint64(32), np.uint64(1 << 32), np.uint64(0xFFFFFFFF)
PART = np.uint64((1 << 15) - 1)


@no_type_check
@compiled
def gather(bits, starts, slot_of, place_of, masks):
    """masks[w, s] gets bit k where the bit of candidate k of subset (w, s) is set; see `BitGroups`.

    slot_of, place_of (2, column): s and k of a column at tap 0, and elsewhere; s = -1 where it is no candidate.
    masks uint64 (pair, slot), zeros at first.
    """
    for w in range(starts.shape[0]):
        far = 1 if starts[w] < 0 else 0
        start = ~starts[w] if far else starts[w]
        at, stop = start, min(start + slot_of.shape[1], 8 * bits.shape[0])
        while at < stop:
            byte = bits[at >> THREE] >> np.uint8(at & SEVEN)
            if byte == 0:
                at += 8 - (at & SEVEN)
                continue
            if byte & np.uint8(1):
                s = slot_of[far, at - start]
                if s >= 0:
                    masks[w, s] |= ONE << np.uint64(place_of[far, at - start])
            at += 1


@no_type_check
@compiled
def scatter(masks, starts, columns, bits):
    """Set the bits of the candidates that masks[w, s] keeps; columns (2, slot, n) as in `BitGroups`."""
    for w in range(starts.shape[0]):
        far = 1 if starts[w] < 0 else 0
        start = ~starts[w] if far else starts[w]
        for s in range(columns.shape[1]):
            mask = masks[w, s]
            k = 0
            while mask != ZERO:
                if mask & ONE:
                    at = start + columns[far, s, k]
                    bits[at >> THREE] |= np.uint8(1) << np.uint8(at & SEVEN)
                mask >>= ONE
                k += 1


@no_type_check
@compiled
def rank_all(masks, binomials, smaller, ranks):
    """ranks[p] = smaller[k] + Σ_j C(i_j, j) of masks[p], whose ones are i_1 < ... < i_k."""
    for p in range(masks.shape[0]):
        mask = masks[p]
        r, i, j = ZERO, 0, 0
        while mask != ZERO:
            if mask & ONE:
                j += 1
                r += binomials[i, j]
            mask >>= ONE
            i += 1
        ranks[p] = r + smaller[j]


@no_type_check
@compiled
def mask_at(r, n, binomials, smaller):
    """The mask of n candidates whose rank is r < 2^n: the largest i_k with C(i_k, k) <= what is left, and so on."""
    k = 0
    while k < n and smaller[k + 1] <= r:
        k += 1
    r -= smaller[k]
    mask, i = ZERO, n
    while k > 0:
        i -= 1
        if binomials[i, k] <= r:
            r -= binomials[i, k]
            mask |= ONE << np.uint64(i)
            k -= 1
    return mask


@no_type_check
@compiled
def unrank_all(ranks, n, binomials, smaller, table, masks):
    """masks[p] of rank ranks[p]; table: memory for the masks of the first ranks, 2^n at most, which come most often."""
    for r in range(table.shape[0]):
        table[r] = mask_at(np.uint64(r), n, binomials, smaller)
    for p in range(ranks.shape[0]):
        r = ranks[p]
        masks[p] = table[np.int64(r)] if r < np.uint64(table.shape[0]) else mask_at(r, n, binomials, smaller)


@no_type_check
@compiled
def lengths(ranks, out):
    """out[p] = how many bits ranks[p] has, 0 for 0. Returns how many stand below the highest one of each."""
    below = 0
    for p in range(ranks.shape[0]):
        r, c = ranks[p], 0
        while r != ZERO:
            r >>= ONE
            c += 1
        out[p] = c
        below += max(c - 1, 0)
    return below


@no_type_check
@compiled
def encode_lengths(classes, f, words):
    """Encode from the last one to the first. words (most,) uint32 is filled in the order of writing.

    Returns (state, words written), or -1 words if there is no room for them.
    """
    start = np.zeros(f.shape[0], np.uint64)
    for c in range(1, f.shape[0]):
        start[c] = start[c - 1] + f[c - 1]
    x, used = LOWEST, 0
    for p in range(classes.shape[0] - 1, -1, -1):
        part = f[classes[p]]
        if x >> np.uint64(49) >= part:
            if used == words.shape[0]:
                return x, -1
            words[used] = np.uint32(x & LOW)
            used += 1
            x >>= WORD
        whole = x // part
        x = (whole << FIFTEEN) + (x - whole * part) + start[classes[p]]
    return x, used


@no_type_check
@compiled
def decode_lengths(x, words, f, classes):
    """Inverse of `encode_lengths`, of as many as `classes` holds. Returns (state, words read), or -1 if too few."""
    owner = np.empty(1 << 15, np.uint8)
    start = np.zeros(f.shape[0], np.uint64)
    at = 0
    for c in range(f.shape[0]):
        start[c] = np.uint64(at)
        owner[at : at + np.int64(f[c])] = c
        at += np.int64(f[c])
    used = 0
    for p in range(classes.shape[0]):
        r = x & PART
        c = owner[np.int64(r)]
        classes[p] = c
        x = f[c] * (x >> FIFTEEN) + r - start[c]
        if x < LOWEST:
            if used == words.shape[0]:
                return x, -1
            x = (x << WORD) + np.uint64(words[used])
            used += 1
    return x, used


@no_type_check
@compiled
def put_rests(ranks, classes, out):
    """What stands below the highest one of each rank, one after the other, lowest bit first. out uint8, zeros."""
    at = 0
    for p in range(ranks.shape[0]):
        r, left = ranks[p], np.int64(classes[p]) - 1
        while left > 0:
            free = 8 - (at & SEVEN)
            take = min(free, left)
            part = np.int64(r & np.uint64((1 << take) - 1))
            out[at >> THREE] |= np.uint8(part << (at & SEVEN))
            r >>= np.uint64(take)
            at += take
            left -= take


@no_type_check
@compiled
def take_rests(rests, classes, ranks):
    """Inverse of `put_rests`: ranks[p] of classes[p] bits, the highest 1."""
    at = 0
    for p in range(classes.shape[0]):
        left, done, r = np.int64(classes[p]) - 1, 0, ZERO
        while left > 0:
            have = 8 - (at & SEVEN)
            take = min(have, left)
            part = (np.int64(rests[at >> THREE]) >> (at & SEVEN)) & ((1 << take) - 1)
            r |= np.uint64(part) << np.uint64(done)
            done += take
            at += take
            left -= take
        ranks[p] = r | (ONE << np.uint64(done)) if classes[p] else ZERO
