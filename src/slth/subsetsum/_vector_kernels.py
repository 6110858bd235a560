r"""Compiled search for the closest pair of half sums in R^d, largest coordinate. Serial, no GIL, no fast mathematics.

**Grid** (`fill_grid`). The sums $b$ of one half lie in cells of a grid over their first g coordinates, about one sum
per cell, stored cell after cell.

**Search** (`search`). A partner of $a$ within the best distance r so far lies in the box $z - a \pm r$. Its cells are
looked through, and r shrinks with each find. Cell numbers are monotone in the coordinate, computed for sums and boxes
by the same float64 operations, so a partner is never missed.

Letters: d coordinates, g of them on the grid; K cells per coordinate; r radius; x = z - a.
"""

from typing import no_type_check

import numpy as np

from slth._kernels import compiled

CELL_COORDINATES = 4  # coordinates on the grid, at most
STEPS_PER_RANGE = 4  # a run of cells costs about as much as so many comparisons


@no_type_check
@compiled(inline="always")
def cell(x, low, per_unit, cells):
    """The cell of a coordinate, clipped to 0 .. cells - 1; monotone in x."""
    c = (x - low) * per_unit
    if not c > 0.0:
        return 0
    return min(int(c), cells - 1) if c < cells else cells - 1


@no_type_check
@compiled
def fill_grid(sums, low, per_unit, cells, starts, order):
    """Counting sort by cell. starts: int64 (K^g + 1,); order: int64 (m,), stable. All written here."""
    g = low.size
    keys = np.empty(len(sums), np.int64)
    starts[:] = 0
    for p in range(len(sums)):
        key = 0
        for k in range(g):
            key = key * cells + cell(sums[p, k], low[k], per_unit[k], cells)
        keys[p] = key
        starts[key + 1] += 1
    for key in range(starts.size - 1):
        starts[key + 1] += starts[key]
    at = starts[:-1].copy()
    for p in range(len(sums)):
        order[at[keys[p]]] = p
        at[keys[p]] += 1


@no_type_check
@compiled
def search(a, mask_a, b, mask_b, z, grid, start, limit, slack, stop, found):
    """Look for pairs closer than found.distance, from row `start` of a on, for about `limit` steps.

    grid = (low, per_unit, cells, starts). found: float64 (1,) distance, int64 (2,) masks, updated: smaller distance, or
    the same and a smaller (mask_b, mask_a). Boxes are `slack` wider than the radius. Ends once the distance is at most
    `stop`. Returns the next row; len(a) at the end.
    """
    low, per_unit, cells, starts = grid
    distance, masks = found
    d, g = len(z), low.size
    x = np.empty(d)
    first, last, now = np.empty(g, np.int64), np.empty(g, np.int64), np.empty(g, np.int64)
    for i in range(start, len(a)):
        limit -= STEPS_PER_RANGE
        r = distance[0]
        for k in range(d):
            x[k] = z[k] - a[i, k]
        for k in range(g):
            first[k] = cell(x[k] - r - slack, low[k], per_unit[k], cells)
            last[k] = cell(x[k] + r + slack, low[k], per_unit[k], cells)
            now[k] = first[k]
        while True:
            base = 0
            for k in range(g - 1):
                base = (base + now[k]) * cells
            p, end = starts[base + first[g - 1]], starts[base + last[g - 1] + 1]
            limit -= STEPS_PER_RANGE + end - p
            while p < end:
                far = 0.0
                for k in range(d):
                    far = max(far, abs(b[p, k] - x[k]))
                    if far > distance[0]:
                        break
                if far < distance[0] or (
                    far == distance[0] and (mask_b[p] < masks[1] or (mask_b[p] == masks[1] and mask_a[i] < masks[0]))
                ):
                    distance[0], masks[0], masks[1] = far, mask_a[i], mask_b[p]
                    if far <= stop:
                        return len(a)
                p += 1
            k = g - 2
            while k >= 0 and now[k] == last[k]:
                now[k] = first[k]
                k -= 1
            if k < 0:
                break
            now[k] += 1
        if limit < 0:
            return i + 1
    return len(a)
