r"""Compiled search for a subset whose values may move, each by a reach of its own: few values first, then chains.

S is within $\eta$ of z if and only if $|z - \Sigma_S| \le \eta + \sum_{i \in S} r_i$. Tried in turn: no value, one,
two, three; then chains, in which the values that help towards z join one after another. The most that any subset
reaches towards z > 0 is $\sum_i \max(x_i + r_i, 0)$: what lies beyond is out of reach for certain.

Letters: x values, r reaches, z target.
"""

from typing import no_type_check

import numpy as np

from slth._kernels import compiled
from slth.subsetsum._fixed_point_kernels import ONE, U64, ZERO

TRIPLES_MOST = 1 << 14  # looked at, at most
FOUND, OPEN, NEVER = 0, 1, 2


@no_type_check
@compiled
def few(x, r, n, z, tol):
    """(found, mask) of at most three values."""
    if abs(z) <= tol:
        return True, ZERO
    for i in range(n):
        if abs(z - x[i]) <= tol + r[i]:
            return True, ONE << U64(i)
    for i in range(n):
        rest, reach = z - x[i], tol + r[i]
        for j in range(i + 1, n):
            if abs(rest - x[j]) <= reach + r[j]:
                return True, (ONE << U64(i)) | (ONE << U64(j))
    if n * n * n // 6 > TRIPLES_MOST:
        return False, ZERO
    for i in range(n):
        for j in range(i + 1, n):
            rest, reach = z - x[i] - x[j], tol + r[i] + r[j]
            for k in range(j + 1, n):
                if abs(rest - x[k]) <= reach + r[k]:
                    return True, (ONE << U64(i)) | (ONE << U64(j)) | (ONE << U64(k))
    return False, ZERO


@no_type_check
@compiled
def chain(x, r, n, z, tol, order):
    """(found, mask): values join in some order, if they help at all, until the sum is near enough."""
    sign = 1.0 if z > 0 else -1.0
    rest, reach, mask = z, tol, ZERO
    for i in order:
        if sign * x[i] + r[i] > 0:
            rest -= x[i]
            reach += r[i]
            mask |= ONE << U64(i)
            if abs(rest) <= reach:
                return True, mask
    return False, mask


@no_type_check
@compiled
def moved_rows(values, reaches, targets, tol, packed, codes):
    """FOUND, OPEN or NEVER for each row, and the mask of what was found."""
    n = values.shape[1]
    for p in range(len(values)):
        x, r, z = values[p], reaches[p], targets[p]
        done, packed[p] = few(x, r, n, z, tol)
        codes[p] = FOUND
        if done:
            continue
        sign = 1.0 if z > 0 else -1.0
        most = tol
        for i in range(n):
            most += max(sign * x[i] + r[i], 0.0)
        if most < abs(z):
            codes[p] = NEVER
            for i in range(n):
                packed[p] |= U64(sign * x[i] + r[i] > 0) << U64(i)
            continue
        rising = np.argsort(sign * x)
        done, packed[p] = chain(x, r, n, z, tol, rising)
        if not done:
            done, packed[p] = chain(x, r, n, z, tol, rising[::-1])
        if not done:
            codes[p], packed[p] = OPEN, ZERO


@no_type_check
@compiled
def hand_out(factors, packed, rests, most, steps):
    """steps[p, i]: by how many steps of 2^-23 the kept values of a row move, |steps| <= most, so that Σ u y ≈ rest.

    All move alike, rounded towards 0; then single steps go round by falling u, each where it brings the rest nearer.
    Rests and u in steps: exact, for u are integers up to 2^23.
    """
    n = factors.shape[1]
    kept = np.empty(n, np.int64)
    for p in range(len(factors)):
        u = factors[p]
        count, total = 0, 0.0
        for i in range(n):
            steps[p, i] = 0
            if (packed[p] >> U64(i)) & ONE:
                at = count
                while at > 0 and u[kept[at - 1]] < u[i]:
                    kept[at] = kept[at - 1]
                    at -= 1
                kept[at] = i
                count += 1
                total += u[i]
        if count == 0:
            continue
        alike = np.trunc(min(max(rests[p] / total, -float(most)), float(most)))
        rest = rests[p] - alike * total
        sign = 1.0 if rest > 0 else -1.0
        free = abs(alike + sign) <= most
        for i in kept[:count]:
            steps[p, i] = np.int32(alike)
            if free and abs(rest - sign * u[i]) < abs(rest):
                steps[p, i] += np.int32(sign)
                rest -= sign * u[i]
