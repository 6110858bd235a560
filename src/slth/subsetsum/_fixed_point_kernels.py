r"""Rows of float64 values as integers, and answers decided on the values themselves. What all searches share.

**Fixed point** (`prepare`, `spread`). A row is rounded once to integers $q_i = \mathrm{round}(v_i / u)$. The unit is $u
= 2^{e-56}$, where $2^e$ is the power of two just above the largest $|v_i|$. At most 64 of them sum below $2^{62}$:
every sum, comparison and tie is exact integer arithmetic in any order, and nothing drifts. Numbers on a grid no finer
than $u$ (multiples of $2^{-46}$ below 1 in size, say) lose nothing, others move by at most $u/2$. Whatever is found is
decided again on the float64 sum of the original values (`finish`, `decide`).

Kernels are serial, release the GIL and use no fast mathematics. Indices are uint64 where speed matters (no wrap-around
test); signed never meets unsigned (NumPy would make a float). Numba's cache looks at the file of a kernel, not at those
it imports: after a change here, delete the `__pycache__` of this folder.

Letters: q values, m how many, z target, in units u; y move of a kept value.
"""

import math
from typing import no_type_check

import numpy as np

from slth._kernels import compiled

I64, U64 = np.int64, np.uint64
ZERO, ONE = U64(0), U64(1)

WITHIN_TOL, OPTIMAL, BEST_EFFORT, BUDGET_SPENT = 0, 1, 2, 3  # positions in tuple(Status)
UNIT_BITS = 56  # bits of the largest value of a row
FAR = 1 << 62  # more than any distance
HALF_MAX = 20  # log2 of the longest list of sums
EXACT_MAX = 2 * HALF_MAX  # values that are searched exactly


@no_type_check
@compiled
def prepare(row, target, tol, pos, q):
    """Round a row to fixed point, leaving out zeros: q[k] from row[pos[k]]. pos, q: int64 (n + 1,).

    Returns (m, z, tol, sum of the positive q, sum of the negative q, standard deviation of a random subset's sum),
    all in units, tol rounded up.
    """
    top = 0.0
    for i in range(row.size):
        top = max(top, abs(row[i]))
    exponent = UNIT_BITS - math.frexp(top)[1]
    power_1 = math.ldexp(1.0, exponent // 2)  # 1/u in two factors: it may exceed float64
    power_2 = math.ldexp(1.0, exponent - exponent // 2)
    m = 0
    up = I64(0)
    down = I64(0)
    squares = 0.0
    for i in range(row.size):
        k = I64(np.rint(row[i] * power_1 * power_2))
        q[m] = k
        pos[m] = i
        m += k != 0
        up += max(k, 0)
        down += min(k, 0)
        squares += float(k) * float(k)
    z = I64(np.rint(min(max(target * power_1 * power_2, -float(FAR)), float(FAR))))
    rho = I64(min(tol * power_1 * power_2, float(FAR // 2))) + m  # each value may have moved by half a unit
    return m, z, rho, up, down, 0.5 * math.sqrt(squares)


@no_type_check
@compiled
def spread(row, target, tol, pos, q):
    """Round a row to fixed point, zeros included: q[i] from row[i]. Returns (z, what is surely within tol), in units.

    A target beyond all sums is brought to their end: which sum of a given size is closest stays the same.
    """
    m, z, rho, up, down, _ = prepare(row, target, max(tol, 0.0), pos, q)
    for i in range(row.size - 1, -1, -1):
        k = m - 1
        if k >= 0 and pos[k] == i:
            q[i] = q[k]
            m = k
        else:
            q[i] = 0
    return min(max(z, down), up), rho - 2 * row.size - 2


@no_type_check
@compiled
def finish(row, target, pos, bits):
    """Kept positions in q to (packed mask, |float64 sum of the kept values in ascending order - target|)."""
    packed = ZERO
    total = 0.0
    k = 0
    while bits != ZERO:
        bit = bits & ONE
        packed |= bit << U64(pos[k])
        total += row[pos[k]] if bit else 0.0  # adding zero changes nothing, and costs less than a wrong guess
        bits >>= ONE
        k += 1
    return packed, abs(total - target)


@no_type_check
@compiled
def decide(row, target, bits, k, epsilon):
    """(y, |float64 sum of the k kept values, each moved by y, in ascending order - target|), |y| <= epsilon."""
    total = 0.0
    for i in range(row.size):
        total += row[i] if (bits >> U64(i)) & ONE else 0.0
    if k == 0 or epsilon == 0.0:
        return 0.0, abs(total - target)
    y = min(max((target - total) / k, -epsilon), epsilon)
    total = 0.0
    for i in range(row.size):
        total += row[i] + y if (bits >> U64(i)) & ONE else 0.0
    return y, abs(total - target)


@no_type_check
@compiled
def at_an_end(q, m, z, up, down):
    """(True, optimum) if z is at an end of the range of sums or beyond: all positive, or all negative values."""
    bits = ZERO
    if down < z < up:
        return False, bits
    for k in range(m):
        bits |= U64(q[k] > 0 if z >= up else q[k] < 0) << U64(k)
    return True, bits


@no_type_check
@compiled
def list_sums(q, start, stop, out):
    """All subset sums of q[start:stop] by doubling: out[mask]. Returns their number."""
    out[0] = 0
    size = 1
    for i in range(start, stop):
        for j in range(size):
            out[size + j] = out[j] + q[i]
        size *= 2
    return size


@no_type_check
@compiled
def centre(q, start, stop, rest):
    """Keep one value of q[start:stop] after another if that brings rest closer to 0. Returns (bits, new rest)."""
    bits = ZERO
    for k in range(start, stop):
        if abs(rest - q[k]) < abs(rest):
            rest -= q[k]
            bits |= ONE << U64(k)
    return bits, rest


@no_type_check
@compiled
def bit_length(x):
    """A k with x < 2^k: the least one, except where float64 rounds x up to a power of two."""
    return math.frexp(float(x))[1]
