"""Compiled: masks to ranks and back, and the coder of their lengths (see `ranks`).

Letters: w pair (row, tap), s slot, k candidate of a slot; n candidates of a slot; r rank; c its length in bits; i_j the
j-th kept candidate, j = 1, 2, ...
"""

from typing import no_type_check

import numpy as np

from slth._kernels import compiled
from slth.numerics import lowest_one

THREE, SEVEN, SIX, SIXTY_THREE = np.int64(3), np.int64(7), np.int64(6), np.int64(63)
ONE, ZERO, ALL = np.uint64(1), np.uint64(0), np.uint64(2**64 - 1)
FIFTEEN, WORD, LOWEST, LOW = np.uint64(15), np.uint64(32), np.uint64(1 << 32), np.uint64(0xFFFFFFFF)
PART = np.uint64((1 << 15) - 1)
BESIDE = 64  # ranks that are worked on together


@no_type_check
@compiled
def gather(bits, starts, place, masks):
    """masks[w, s] gets bit k where the bit of candidate k of subset (w, s) is set; see `BitGroups`.

    place (2, column): 64 s + k of a column at tap 0, and elsewhere; -1 where it is no candidate.
    masks uint64 (pair, slot), zeros at first.
    """
    for w in range(starts.shape[0]):
        far = 1 if starts[w] < 0 else 0
        start = ~starts[w] if far else starts[w]
        stop = min(start + place.shape[1], 8 * bits.shape[0])
        at = start & ~SEVEN
        while at < stop:
            word = word_of(bits, at >> THREE)
            if at < start:
                word &= ALL << np.uint64(start - at)
            if stop - at < 64:
                word &= ~(ALL << np.uint64(stop - at))
            while word != ZERO:
                own = place[far, at + lowest_one(word) - start]
                if own >= 0:
                    masks[w, own >> SIX] |= ONE << np.uint64(own & SIXTY_THREE)
                word &= word - ONE
            at += 64


@no_type_check
@compiled
def scatter(masks, starts, columns, bits):
    """Set the bits of the candidates that masks[w, s] keeps; columns (2, slot, n) as in `BitGroups`."""
    for w in range(starts.shape[0]):
        far = 1 if starts[w] < 0 else 0
        start = ~starts[w] if far else starts[w]
        for s in range(columns.shape[1]):
            mask = masks[w, s]
            while mask != ZERO:
                at = start + columns[far, s, lowest_one(mask)]
                bits[at >> THREE] |= np.uint8(1) << np.uint8(at & SEVEN)
                mask &= mask - ONE


@no_type_check
@compiled
def word_of(data, at):
    """The 64 bits from byte `at` on; 0 behind the end."""
    word = ZERO
    if at + 8 <= data.shape[0]:
        for i in range(8):
            word |= np.uint64(data[at + i]) << np.uint64(8 * i)
    else:
        for i in range(data.shape[0] - at):
            word |= np.uint64(data[at + i]) << np.uint64(8 * i)
    return word


@no_type_check
@compiled
def rank_all(masks, binomials, smaller, ranks):
    """ranks[p] = smaller[k] + Σ_j C(i_j, j) of masks[p], whose ones are i_1 < ... < i_k."""
    for p in range(masks.shape[0]):
        mask = masks[p]
        r, j = ZERO, 0
        while mask != ZERO:
            j += 1
            r += binomials[lowest_one(mask), j]
            mask &= mask - ONE
        ranks[p] = r + smaller[j]


@no_type_check
@compiled
def unrank(left, count, binomials, smaller, kept, found):
    """found[p] = the mask of rank left[p] < 2^n: the largest i_k with C(i_k, k) <= what is left, and so on.

    Without a branch, `count` of them beside each other: as C(i, 0) = 1 and C(i, k) = 0 for i < k, candidates from the
    last one on are kept if what they count is at most what is left. kept uint64: memory; left is used up.
    """
    n, most, k = binomials.shape[0], ZERO, 1
    for p in range(count):
        most = max(most, left[p])
        kept[p] = ZERO
        found[p] = ZERO
    while k < smaller.shape[0] and smaller[k] <= most:
        for p in range(count):
            kept[p] += np.uint64(smaller[k] <= left[p])
        k += 1
    for p in range(count):
        left[p] -= smaller[kept[p]]
    for i in range(n - 1, -1, -1):
        for p in range(count):
            own = binomials[i, kept[p]]
            taken = own <= left[p]
            left[p] -= own if taken else ZERO
            found[p] |= np.uint64(taken) << np.uint64(i)
            kept[p] -= np.uint64(taken)


@no_type_check
@compiled
def unrank_all(ranks, table, binomials, smaller, masks):
    """masks[p] of rank ranks[p]; table: the masks of the first ranks, which may come most often."""
    at, kept = np.empty(BESIDE, np.int64), np.empty(BESIDE, np.uint64)
    left, found = np.empty(BESIDE, np.uint64), np.empty(BESIDE, np.uint64)
    count = 0
    for p in range(ranks.shape[0]):
        r = ranks[p]
        if r < np.uint64(table.shape[0]):
            masks[p] = table[np.int64(r)]
            continue
        at[count], left[count] = p, r
        count += 1
        if count == BESIDE:
            unrank(left, count, binomials, smaller, kept, found)
            for i in range(count):
                masks[at[i]] = found[i]
            count = 0
    unrank(left, count, binomials, smaller, kept, found)
    for i in range(count):
        masks[at[i]] = found[i]


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
def decode_lengths(x, data, f, classes):
    """Inverse of `encode_lengths`, of as many as `classes` holds; data uint8, the words and what stands behind them.

    Returns (state, words read), or -1 if there are too few.
    """
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
            if 4 * used + 4 > data.shape[0]:
                return x, -1
            x <<= WORD
            for i in range(4):
                x |= np.uint64(data[4 * used + i]) << np.uint64(8 * i)
            used += 1
    return x, used


@no_type_check
@compiled
def count_all(classes, counts):
    """counts[c] becomes how many of the classes are c."""
    for p in range(classes.shape[0]):
        counts[np.int64(classes[p])] += 1


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
def append(some, at, out):
    """The bits of `some` from bit `at` of `out` on, which are zeros; padding may end behind it."""
    first, shift = at >> THREE, at & SEVEN
    for i in range(some.shape[0]):
        both = np.int64(some[i]) << shift
        if first + i < out.shape[0]:
            out[first + i] |= np.uint8(both & 255)
        if first + i + 1 < out.shape[0]:
            out[first + i + 1] |= np.uint8(both >> 8)


@no_type_check
@compiled
def take_rests(rests, at, classes, ranks):
    """Inverse of `put_rests` from bit `at` on: ranks[p] of classes[p] bits, the highest 1."""
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
