r"""Compiled search for *some* subset of exactly k values within tolerance, cheaply: by swaps. Zeros count as values.

Exchanging a kept value for another keeps the size. From k values with a sum near the target all k(n - k) single swaps
are looked at first. If none will do, the best is made, and the values are cut into two halves. A half has *states*:
as it is, after one swap, after two. A state of one and a state of the other make a subset of k values; so a hash table
of $\sqrt D$ states of one half, asked for those of the other, looks at D subsets: enough if one in D will do. Else a
swap at random, other halves, and again.

Letters: q values, n how many, k size, z target, in units; rest = z - the sum of the kept ones.
"""

import math
from typing import no_type_check

import numpy as np

from slth._kernels import compiled
from slth.subsetsum._fixed_point_kernels import FAR, I64, ONE, U64, ZERO, bit_length
from slth.subsetsum._sieve_kernels import ODD, hashed

STATES = 1 << 12  # of a half, at most
CELLS = 14  # log2 of the cells of the table


@no_type_check
@compiled
def start(q, n, k, z, order):
    """order: k kept values first, with a sum not far from z. Returns z - their sum."""
    rest, kept, left = z, 0, n
    for i in range(n):
        wanted = k - kept
        if wanted == n - i or (wanted > 0 and abs(rest - q[i]) < abs(rest)):
            rest -= q[i]
            order[kept] = i
            kept += 1
        else:
            left -= 1
            order[left] = i
    return rest


@no_type_check
@compiled
def best_swap(q, n, k, order, rest, enough):
    """The exchange that brings rest closest to 0, or some one within `enough`: (i, j, distance)."""
    best, at_i, at_j = I64(FAR), 0, 0
    for i in range(k):
        want = rest + q[order[i]]
        for j in range(k, n):
            gap = abs(want - q[order[j]])
            if gap < best:
                best, at_i, at_j = gap, i, j
        if best <= enough:
            break
    return at_i, at_j, best


@no_type_check
@compiled
def list_states(q, n, k, order, half, most, sums, masks):
    """States of every second value of `order`, from number `half` on: how much the sum grows, which values change."""
    sums[0], masks[0] = 0, ZERO
    count = 1
    outside = k + (k + half) % 2  # the halves share kept values and others alike
    for i in range(half, k, 2):
        for j in range(outside, n, 2):
            if count == most:
                return count
            sums[count] = q[order[j]] - q[order[i]]
            masks[count] = (ONE << U64(order[i])) | (ONE << U64(order[j]))
            count += 1
    for i in range(half, k, 2):
        for h in range(i + 2, k, 2):
            out, gone = q[order[i]] + q[order[h]], (ONE << U64(order[i])) | (ONE << U64(order[h]))
            for j in range(outside, n, 2):
                part, new = q[order[j]] - out, gone | (ONE << U64(order[j]))
                for g in range(j + 2, n, 2):
                    if count == most:
                        return count
                    sums[count] = part + q[order[g]]
                    masks[count] = new | (ONE << U64(order[g]))
                    count += 1
    return count


@no_type_check
@compiled
def rarity(q, n, k, z, enough):
    """D: how many subsets of k values there are for one within `enough` of z, if their sums are normal. At least 1."""
    mean = squares = 0.0
    for i in range(n):
        mean += float(q[i]) / n
        squares += float(q[i]) ** 2 / n
    variance = k * (1.0 - k / n) * (squares - mean * mean) + 1.0
    away = min((float(z) - k * mean) ** 2 / (2.0 * variance), 8.0)
    return math.sqrt(math.pi / 2.0 * variance) * math.exp(away) / (float(enough) + 1.0) + 1.0


@no_type_check
@compiled
def walk_by_swaps(q, n, k, z, enough, limit, work):
    """Look for k of n values, 0 < k < n, with a sum within `enough` of z. Returns (found, mask, steps).

    If none is found, the mask is the closest that was met. Gives up after about `limit` steps of 1 ns.
    """
    order = np.empty(n, I64)
    rest = start(q, n, k, z, order)
    steps, nearest, closest, random = 4 * n, I64(FAR) + FAR // 2, ZERO, ODD
    rare, near = rarity(q, n, k, z, enough), I64(0)
    for i in range(n):
        near += abs(q[i]) // (4 * n)
    most = I64(min(max(math.sqrt(rare), 64.0), float(STATES)))
    slots, sums, masks = work.slots, work.grown, work.changed
    shift = U64(64 - min(bit_length(most) + 2, CELLS))
    c = U64(min(bit_length(enough) + 2, 62))  # cells of 4 to 8 radii: a partner in the next cell is missed, rarely
    while True:
        while True:  # the best swap, and again while the rest is more than what a swap or two change
            at_i, at_j, gap = best_swap(q, n, k, order, rest, enough)
            steps += k * (n - k)
            if gap >= abs(rest):
                break
            rest += q[order[at_i]] - q[order[at_j]]
            order[at_i], order[at_j] = order[at_j], order[at_i]
            if gap <= near:
                break
        kept = ZERO
        for i in range(k):
            kept |= ONE << U64(order[i])
        if abs(rest) < nearest:
            nearest, closest = abs(rest), kept
        if nearest <= enough:
            return True, closest, steps
        if steps > limit:
            return False, closest, steps

        count = list_states(q, n, k, order, 0, most, sums[0], masks[0])
        live = work.live[0]
        if live + count >= 1 << 31:
            slots[:] = 0
            live = I64(1)
        work.live[0] = live + count
        for s in range(count):
            slots[hashed(sums[0, s], c, ODD, shift)] = live + s
        asked = I64(min(4.0 * rare / count + 32.0, float(STATES)))
        asked = list_states(q, n, k, order, 1, asked, sums[1], masks[1])
        steps += 4 * (count + asked)
        for t in range(asked):
            want = rest - sums[1, t]
            s = I64(slots[hashed(want, c, ODD, shift)]) - live
            if s >= 0 and abs(sums[0, s] - want) <= enough:
                return True, kept ^ masks[0, s] ^ masks[1, t], steps

        for _ in range(2):  # other values kept, and other halves
            random ^= random << U64(13)
            random ^= random >> U64(7)
            random ^= random << U64(17)
            i, j = I64((random >> U64(8)) % U64(k)), k + I64((random >> U64(32)) % U64(n - k))
            rest += q[order[i]] - q[order[j]]
            order[i], order[j] = order[j], order[i]
        for i in range(n - 1):
            random ^= random << U64(13)
            random ^= random >> U64(7)
            random ^= random << U64(17)
            end = k if i < k else n
            j = i + I64((random >> U64(16)) % U64(end - i))
            order[i], order[j] = order[j], order[i]
