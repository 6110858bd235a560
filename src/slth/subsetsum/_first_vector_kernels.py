r"""Compiled search for *some* subset of vectors within tolerance in every coordinate, row after row.

**Walk** (`walk`). One subset in D is within $\rho$ of the target, $1/D = \prod_k 2\rho\,\mathcal N(z_k)$. A hash table
of $2^s \approx \sqrt D$ sums of a few vectors, in cells about as wide as one sum needs, is asked for one subset of the
others after another, starting from one that leaves a central rest. A partner in the next cell is missed; that only
costs another question.

**Meet in the middle** (`meet`). Where the walk ends without an answer all $2^{m/2}$ sums of one half go on a grid (see
`_vector_kernels`), and those of the other ask for partners within $\rho$: nothing is missed. Where there is none the
same grid gives the closest pair.

What is found is decided on the float64 sum of the vectors as they came: a pair that rounding brought within $\rho$ is
passed over, and $\rho$ is wide enough that rounding never hides one.

Letters: q vectors (d, m), scaled by a power of two; m how many, z target; a, b sums of two parts (d, ...); rho radius.
"""

import math
from typing import no_type_check

import numpy as np

from slth._kernels import compiled
from slth.subsetsum._fixed_point_kernels import BEST_EFFORT, BUDGET_SPENT, I64, ONE, U64, WITHIN_TOL, ZERO
from slth.subsetsum._vector_kernels import CELL_COORDINATES, cell, fill_grid, search

ODD = U64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, for multiplicative hashing (Knuth, TAOCP 6.4)
WALK_MAX = 1 << 23  # questions of a walk, at most
CLOSEST_MAX = 1 << 27  # steps of the search for the closest pair, where nothing is within tolerance


@no_type_check
@compiled
def prepare(rows, target, tol, pos, q, z, up, down, deviation):
    """Leave out zero vectors and scale by a power of two: q[k, i] from rows[pos[i], k]. Returns (m, rho)."""
    n, d = rows.shape
    top = 0.0
    for k in range(d):
        top = max(top, abs(target[k]))
        up[k] = 0.0
        down[k] = 0.0
        deviation[k] = 0.0
        for i in range(n):
            top = max(top, abs(rows[i, k]))
    power = -math.frexp(top)[1]
    one, two = math.ldexp(1.0, power // 2), math.ldexp(1.0, power - power // 2)  # their product may exceed float64
    m = 0
    for i in range(n):
        some = False
        for k in range(d):
            x = rows[i, k] * one * two
            some |= x != 0.0
            q[k, m] = x
        if some:
            for k in range(d):
                x = q[k, m]
                up[k] += max(x, 0.0)
                down[k] += min(x, 0.0)
                deviation[k] += x * x
            pos[m] = i
            m += 1
    for k in range(d):
        deviation[k] = 0.5 * math.sqrt(deviation[k])
        z[k] = target[k] * one * two
    return m, tol * one * two + (n + 2) * (n + 2) * 2.0**-52  # every sum is at most n


@no_type_check
@compiled
def finish(rows, target, pos, bits):
    """Kept positions in q to (packed mask, largest |float64 sum in ascending order - target|)."""
    packed = ZERO
    k = 0
    left = bits
    while left != ZERO:
        packed |= (left & ONE) << U64(pos[k])
        left >>= ONE
        k += 1
    worst = 0.0
    for c in range(rows.shape[1]):
        total = 0.0
        for i in range(rows.shape[0]):
            total += rows[i, c] if (packed >> U64(i)) & ONE else 0.0
        worst = max(worst, abs(total - target[c]))
    return packed, worst


@no_type_check
@compiled
def list_sums(q, start, stop, out):
    """All sums of q[:, start:stop] by doubling: out[k, mask]. Returns their number."""
    for k in range(q.shape[0]):
        row = out[k]
        row[0] = 0.0
        size = 1
        for i in range(start, stop):
            x = q[k, i]
            for j in range(size):
                row[size + j] = row[j] + x
            size *= 2
    return 1 << (stop - start)


@no_type_check
@compiled
def centre(q, start, stop, rest):
    """Keep one vector of q[:, start:stop] after another if that brings rest (d,) closer to 0. Returns the bits."""
    bits = ZERO
    for i in range(start, stop):
        gain = 0.0
        for k in range(q.shape[0]):
            gain += q[k, i] * (2.0 * rest[k] - q[k, i])  # |rest|^2 - |rest - q|^2
        if gain > 0.0:
            bits |= ONE << U64(i)
            for k in range(q.shape[0]):
                rest[k] -= q[k, i]
    return bits


@no_type_check
@compiled
def walk(rows, target, tol, pos, q, m, z, rho, deviation, work):
    """Look for a subset within tol, cheaply; missing one is allowed. Returns (found, packed, error, steps)."""
    d = q.shape[0]
    a, b, keys_a, keys_b, heads, nexts = work.a, work.b, work.keys_a, work.keys_b, work.heads, work.nexts
    half = work.half
    rarity = 0.0  # log2 of D, near the mean of the sums
    for k in range(d):
        rarity += max(math.log2(math.sqrt(math.pi / 2.0) * deviation[k] / rho + 2.0**-40), 0.0)
    s = min(int(0.5 * rarity + 2.0), m // 2, half)
    t = min(s, m - s)
    size_a, size_b = list_sums(q, 0, s, a), list_sums(q, s, s + t, b)
    table = min(s + 2, half + 1)
    shift = U64(64 - table)
    rest, inverse = np.empty(d), np.empty(d)
    for k in range(d):
        squares = 0.0
        rest[k] = z[k]
        for i in range(s):
            squares += q[k, i] * q[k, i]
        wide = 2.5 * math.sqrt(squares) / size_a ** (1.0 / d)  # about one sum in a cell
        inverse[k] = 1.0 / max(wide, 2.0 * rho)
        middle = 0.0
        for i in range(s + t):
            middle += 0.5 * q[k, i]
        rest[k] -= middle
    outer = centre(q, s + t, m, rest)
    for k in range(d):
        for i in range(s + t):
            rest[k] += 0.5 * q[k, i]

    heads[: 1 << table] = -1
    keys_a[:size_a] = ZERO
    odd = ODD
    for k in range(d):
        row, f = a[k], inverse[k]
        for i in range(size_a):
            keys_a[i] += U64(I64(np.floor(row[i] * f))) * odd
        odd *= ODD
    for i in range(size_a):
        at = I64(keys_a[i] >> shift)
        nexts[i] = heads[at]
        heads[at] = i

    budget = min(8 << ((m + 1) // 2), WALK_MAX) if m <= 2 * half else WALK_MAX
    rounds = min(1 << min(m - s - t, 40), (budget >> t) + 1)
    for r in range(1, rounds + 1):
        keys_b[:size_b] = ZERO
        odd = ODD
        for k in range(d):
            row, f, x = b[k], inverse[k], rest[k]
            for j in range(size_b):
                keys_b[j] += U64(I64(np.floor((x - row[j]) * f))) * odd
            odd *= ODD
        for j in range(size_b):
            i = I64(heads[I64(keys_b[j] >> shift)])
            while i >= 0:
                near = True
                for k in range(d):
                    if abs(rest[k] - b[k, j] - a[k, i]) > rho:
                        near = False
                        break
                if near:
                    packed, error = finish(rows, target, pos, U64(i) | (U64(j) << U64(s)) | outer)
                    if error <= tol:
                        return True, packed, error, 4 * size_a + 4 * r * size_b
                i = I64(nexts[i])
        if r < rounds:  # Gray code: flip the outer vector numbered by the trailing zeros of r
            low = r & -r
            v = s + t
            while low > 1:
                low >>= 1
                v += 1
            outer ^= ONE << U64(v)
            sign = -1.0 if (outer >> U64(v)) & ONE else 1.0
            for k in range(d):
                rest[k] += sign * q[k, v]
    return False, ZERO, 0.0, 4 * size_a + 4 * rounds * size_b


@no_type_check
@compiled
def list_rows(q, start, stop, spare, out):
    """All sums of q[:, start:stop], one in each row of out. Returns their number."""
    size = list_sums(q, start, stop, spare)
    for k in range(q.shape[0]):
        for p in range(size):
            out[p, k] = spare[k, p]
    return size


@no_type_check
@compiled
def hit(rows, target, tol, pos, z, rho, outer, half, size_a, a, b, masks, grid):
    """Some pair of sums within tol, exactly: a (size_a, d) against b on its grid. Returns (found, packed, error)."""
    low, per_unit, cells, starts = grid
    d, g = z.size, low.size
    x = np.empty(d)
    first, last, now = np.empty(g, np.int64), np.empty(g, np.int64), np.empty(g, np.int64)
    for i in range(size_a):
        for k in range(d):
            x[k] = z[k] - a[i, k]
        for k in range(g):
            first[k] = cell(x[k] - rho, low[k], per_unit[k], cells)
            last[k] = cell(x[k] + rho, low[k], per_unit[k], cells)
            now[k] = first[k]
        while True:
            base = 0
            for k in range(g - 1):
                base = (base + now[k]) * cells
            for p in range(starts[base + first[g - 1]], starts[base + last[g - 1] + 1]):
                near = True
                for k in range(d):
                    if abs(x[k] - b[p, k]) > rho:
                        near = False
                        break
                if near:
                    packed, error = finish(rows, target, pos, U64(i) | (U64(masks[p]) << U64(half)) | outer)
                    if error <= tol:
                        return True, packed, error
            k = g - 2
            while k >= 0 and now[k] == last[k]:
                now[k] = first[k]
                k -= 1
            if k < 0:
                break
            now[k] += 1
    return False, ZERO, 0.0


@no_type_check
@compiled
def meet(rows, target, tol, pos, q, m, z, rho, feasible, closest, work):
    """Some subset within tol or, where there is none, the closest if asked. Returns (packed, error, code, steps)."""
    d = q.shape[0]
    known = min(m, 2 * work.half)
    rest = z.copy()
    for k in range(d):
        for i in range(known):
            rest[k] -= 0.5 * q[k, i]
    outer = centre(q, known, m, rest)
    for k in range(d):
        for i in range(known):
            rest[k] += 0.5 * q[k, i]
    left = rest.copy()
    greedy = centre(q, 0, known, left)

    half = known // 2
    size_a = list_rows(q, 0, half, work.a, work.rows_a)
    size_b = list_rows(q, half, known, work.a, work.rows_b)
    g = min(d, CELL_COORDINATES)
    cells = max(1, int(size_b ** (1.0 / g)))
    low, per_unit = np.empty(g), np.empty(g)
    for k in range(g):
        low[k] = 0.0
        high = 0.0
        for i in range(half, known):
            low[k] += min(q[k, i], 0.0)
            high += max(q[k, i], 0.0)
        per_unit[k] = cells / (high - low[k]) if high - low[k] > 2.0**-900 else 0.0
    starts, order = np.empty(cells**g + 1, np.int64), work.order[:size_b]
    fill_grid(work.rows_b[:size_b], low, per_unit, cells, starts, order)
    a, b = work.rows_a[:size_a], work.spare[:size_b]
    for p in range(size_b):
        for k in range(d):
            b[p, k] = work.rows_b[order[p], k]
    grid = (low, per_unit, cells, starts)
    steps = 16 * (size_a + size_b)
    if feasible:
        steps += 16 * size_a
        found, packed, error = hit(rows, target, tol, pos, rest, rho, outer, half, size_a, a, b, order, grid)
        if found:
            return packed, error, WITHIN_TOL, steps

    distance, masks = np.zeros(1), np.zeros(2, np.int64)
    for k in range(d):
        distance[0] = max(distance[0], abs(left[k]))
    masks[0], masks[1] = I64(greedy & U64(size_a - 1)), I64(greedy >> U64(half))
    row = size_a
    if closest:
        steps += CLOSEST_MAX
        row = search(a, np.arange(size_a), b, order, rest, grid, 0, I64(CLOSEST_MAX), 0.0, -1.0, (distance, masks))
    packed, error = finish(rows, target, pos, U64(masks[0]) | (U64(masks[1]) << U64(half)) | outer)
    return packed, error, BEST_EFFORT if known == m and row == size_a else BUDGET_SPENT, steps


@no_type_check
@compiled
def first_vectors(values, targets, tol, closest, start, stop, limit, work, packed, error, codes):
    """Some subset within tol of each problem from `start` on, for about `limit` steps (1 ns each). Returns the next.

    closest: of a problem without one the closest subset, else any.
    """
    _, n, d = values.shape
    q, pos = np.empty((d, n + 1)), np.empty(n + 1, I64)
    z, up, down, deviation = np.empty(d), np.empty(d), np.empty(d), np.empty(d)
    for p in range(start, stop):
        if limit < 0:
            return p
        rows, target = values[p], targets[p]
        worst = 0.0
        for k in range(d):
            worst = max(worst, abs(target[k]))
        packed[p], error[p], codes[p] = ZERO, worst, WITHIN_TOL
        limit -= 8 * n * d + 32
        if worst <= tol:
            continue
        m, rho = prepare(rows, target, tol, pos, q, z, up, down, deviation)
        feasible = m > 0
        for k in range(d):
            feasible &= down[k] - rho <= z[k] <= up[k] + rho
        done = False
        if feasible:
            done, bits, far, steps = walk(rows, target, tol, pos, q, m, z, rho, deviation, work)
            limit -= steps
            if done:
                packed[p], error[p] = bits, far
        if not done:
            packed[p], error[p], codes[p], steps = meet(rows, target, tol, pos, q, m, z, rho, feasible, closest, work)
            limit -= steps
    return stop
