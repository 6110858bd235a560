"""Compiled: the one value of a row that is taken, the values of ±1 that are counted, the bits that are copied.

Letters: row values v, z target, tol; c how many are wanted. Masks are packed: bit k of word k // 64.
"""

from typing import no_type_check

import numpy as np

from slth._kernels import compiled

ONE, SIX = np.uint64(1), np.uint64(63)


@no_type_check
@compiled
def single_rows(values, targets, tol, closest, index, error):
    """index[p]: the first value of row p within tol, or the closest one; −1 where nothing is kept."""
    for p in range(values.shape[0]):
        z = targets[p]
        at, best = -1, abs(z)
        if best > tol or closest:
            for k in range(values.shape[1]):
                off = abs(values[p, k] - z)
                if off < best:
                    at, best = k, off
                    if best <= tol and not closest:
                        break
        index[p], error[p] = at, best


@no_type_check
@compiled
def sign_rows(values, targets, tol, closest, packed, error):
    """The first c values of row p that have the sign of z; c the nearest count to |z|, or the least within tol."""
    for p in range(values.shape[0]):
        z = abs(targets[p])
        wanted = 1.0 if targets[p] >= 0 else -1.0
        c = np.ceil(z - 0.5)  # of two equally near counts the smaller one
        if not closest:
            least = max(np.ceil(z - tol), 0.0)
            while least > 0 and abs(z - (least - 1)) <= tol:  # the ceiling is of a rounded difference
                least -= 1
            if abs(z - least) <= tol:
                c = least
        left = c
        for k in range(values.shape[1]):
            if left <= 0:
                break
            if values[p, k] == wanted:
                packed[p, k >> 6] |= ONE << (np.uint64(k) & SIX)
                left -= 1
        error[p] = abs(z - (c - max(left, 0.0)))


@no_type_check
@compiled
def bit_rows(values, targets, packed, error):
    """For every binary digit of |z|, rounded to units of the least |v|, the first such value with the sign of z."""
    for p in range(values.shape[0]):
        z = abs(targets[p])
        wanted = 1.0 if targets[p] >= 0 else -1.0
        unit = np.inf
        for k in range(values.shape[1]):
            unit = min(unit, abs(values[p, k]))
        left = np.int64(min(np.ceil(z / unit - 0.5), 2.0**62))
        total = 0.0
        for k in range(values.shape[1]):
            if left == 0:
                break
            bit = np.int64(abs(values[p, k]) / unit)
            if values[p, k] * wanted > 0 and (left & bit) != 0:
                packed[p, k >> 6] |= ONE << (np.uint64(k) & SIX)
                left -= bit
                total += bit * unit
        error[p] = abs(z - total)
