r"""Compiled sieve: which sums $a$ of one half and $b$ of the other have $|a + b - z| \le \rho$?

Cut the line into cells at least $2\rho$ wide and mark those of $z - a - \rho$ and $z - a + \rho$ for all $a$. A partner
$b$ lies in a marked cell; every other $b$ is dropped. Then the other way round, with cells numbered differently, until
a handful of both is left, and these are compared pair by pair. What is dropped has no partner: the closest pair is
never lost.

Letters: z target, in units; a, b sums of two halves; rho radius; c log2 of the cell width.
"""

from typing import no_type_check

from slth._kernels import compiled
from slth.subsetsum._fixed_point_kernels import I64, U64, ZERO, bit_length

MARKS_MAX = 23  # log2 of the largest map of marked cells
ODD = U64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, for multiplicative hashing (Knuth, TAOCP 6.4)
PAIRS_COMPARED = 512  # so few pairs are compared one by one


@no_type_check
@compiled
def cell(x, c, mask):
    """The number of the cell, 2^c wide, that holds x; as many bits as the map has. All but x are uint64."""
    return (U64(x) >> c) & mask


@no_type_check
@compiled
def folded(x, c, fold, mask):
    """Another number for it: high bits are folded onto low ones."""
    k = U64(x) >> c
    return (k ^ (k >> fold)) & mask


@no_type_check
@compiled
def hashed(x, c, odd, shift):
    """Yet another number, for each odd factor."""
    return ((U64(x) >> c) * odd) >> shift


@no_type_check
@compiled
def thin(a, kept_a, na, b, kept_b, nb, z, rho, c, odd, marks):
    """Drop those kept b that have no partner among the kept a. Returns how many stay."""
    bits = min(bit_length(na) + 4, MARKS_MAX)
    shift = U64(64 - bits)
    marks[: 1 << bits] = 0
    for k in range(na):
        x = z - a[kept_a[k]]
        marks[hashed(x - rho, c, odd, shift)] = 1
        marks[hashed(x + rho, c, odd, shift)] = 1
    count = ZERO
    for k in range(nb):
        j = kept_b[k]
        kept_b[count] = j
        count += U64(marks[hashed(b[j], c, odd, shift)])
    return I64(count)


@no_type_check
@compiled
def sieve(size_a, size_b, z, rho, work):
    """Which sums of either half may have a partner within rho: ascending indices in work.kept_*. Returns (na, nb)."""
    a, b, kept_a, kept_b, marks, _, _ = work
    c = U64(bit_length(2 * rho))
    bits = min(bit_length(size_a) + 3, MARKS_MAX)
    mask, fold = U64((1 << bits) - 1), U64(bits // 2)
    low, high = z - rho, z + rho

    marks[: 1 << bits] = 0
    for i in range(size_a):
        marks[cell(low - a[i], c, mask)] = 1
        marks[cell(high - a[i], c, mask)] = 1
    count = ZERO
    for j in range(size_b):
        kept_b[count] = j
        count += U64(marks[cell(b[j], c, mask)])
    nb = I64(count)

    marks[: 1 << bits] = 0
    for k in range(nb):
        x = b[kept_b[k]]
        marks[folded(low - x, c, fold, mask)] = 1
        marks[folded(high - x, c, fold, mask)] = 1
    count = ZERO
    for i in range(size_a):
        kept_a[count] = i
        count += U64(marks[folded(a[i], c, fold, mask)])
    na = I64(count)

    odd = ODD
    while na * nb > PAIRS_COMPARED:
        before = na + nb
        nb = thin(a, kept_a, na, b, kept_b, nb, z, rho, c, odd, marks)
        odd *= ODD
        na = thin(b, kept_b, nb, a, kept_a, na, z, rho, c, odd, marks)
        odd *= ODD
        if 4 * (na + nb) > 3 * before:
            break
    return na, nb
