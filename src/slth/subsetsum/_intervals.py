r"""Whole intervals of targets: the worst error, many targets at once, and how the reachable set grows.

Everything here rests on sums in sorted order. One value at a time, the sorted list s becomes s merged with s + v:
$O(2^n)$ for all sums. The reachable set is a list of disjoint pieces instead and grows in the same way.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from slth._errors import InputError
from slth._shapes import Pieces, Values
from slth.subsetsum._inputs import Number, read_tol
from slth.subsetsum._readers import check_count, read_interval, read_targets, read_values
from slth.subsetsum._records import Status, SubsetSums

WORST_VALUES = 26  # 1.5 · 2^25 sums in memory: 400 MB
MANY_VALUES = 24  # 1.5 · 2^24 sums and masks: 300 MB
PIECES = 1 << 22  # disjoint pieces of a reachable set
STEPS = 1 << 22  # of a kernel between two chances for Ctrl-C: 20 to 40 ms


@dataclass(frozen=True, slots=True)
class WorstError:
    """The target of an interval that all subset sums miss by most."""

    error: float  # R: its distance to the closest sum
    target: float  # where; the lowest, if there are more


@dataclass(frozen=True, slots=True, eq=False)  # arrays do not compare to one bool
class Reach:
    """How the set within tolerance of a subset sum grows, value by value."""

    covered: Values  # fraction of [low, high] after 0 ... n values, shape (n + 1,)
    pieces: Pieces  # what is covered after all of them: sorted, disjoint


def worst_error(values: ArrayLike, *, low: Number = -1.0, high: Number = 1.0) -> WorstError:
    r"""The worst-case error $R = \max_{z \in [low, high]} \min_S |z - \sum_{i \in S} v_i|$: half the widest gap.

    Args:
        values: $v$, shape (n,), n <= 26. Finite, any order, not modified.
        low, high: the interval of targets, in the unit of `values`.

    Exactness: the gaps are those of the float64 sums in ascending order of index, rounded once or twice.

    Cost: $O(2^n)$ time, $0.75 \cdot 2^n$ numbers: 0.3 s for n = 24, 1.5 s and 400 MB for n = 26.

    Sources: the quantity of Lueker (1998) and da Cunha et al. (2022).

    >>> worst_error([0.5, -0.5, 1.0], low=-1, high=1)
    WorstError(error=0.5, target=-1.0)
    """
    row = read_values(values)
    ends = read_interval(low, high)
    check_count(len(row), WORST_VALUES, "worst_error", "leave some out: the error of a part is an upper bound")
    from slth.subsetsum._interval_kernels import merge_shifted, widest_gap

    s = np.zeros(1)
    for v in row[:-1]:
        out, state = np.empty(2 * s.size), np.zeros(2, np.int64)
        while not merge_shifted(s, v, out, state, STEPS):
            pass
        s = out
    state, gap = np.zeros(2, np.int64), np.array([-np.inf, -1.0, ends[0]])
    while not widest_gap(s, row[-1], *ends, state, gap, STEPS):
        pass
    top = float(gap[0])
    if top < ends[1] and ends[1] - top > gap[1]:
        return WorstError(ends[1] - top, ends[1])
    return WorstError(float(gap[1]), float(gap[2]))


def closest_many(values: ArrayLike, targets: ArrayLike) -> SubsetSums:
    r"""The closest subset for each of many targets and the same values: $\min_S |z_t - \sum_{i \in S} v_i|$.

    Args:
        values: $v$, shape (n,), n <= 24. Finite, any order, not modified.
        targets: $z$, shape (batch,), in the unit of `values`, any order.

    Returns:
        The answers in the order of the targets, all OPTIMAL. Among equal sums the lowest mask; of a sum below and one
        above at the same float64 distance, the one with the lower mask.

    Exactness: optimal to the last bit for the float64 sums in ascending order of index, whatever the values.

    Cost: $O(2^n)$ once, for 18 bytes each, then half a microsecond per target; `closest_batch` takes $O(2^{n/2})$ for
    each and is faster for fewer than about $2^{n/2}$ targets.

    >>> closest_many([0.5, -0.25, 0.75], [0.3, 0.6]).packed
    array([3, 1], dtype=uint64)
    """
    row, z = read_values(values), read_targets(targets)
    check_count(len(row), MANY_VALUES, "closest_many", "use closest_batch, up to 40")
    sums, masks = _sorted_sums(row)
    order = np.argsort(z, kind="stable")
    wanted = z[order]
    above = np.searchsorted(sums, wanted).clip(0, len(sums) - 1)
    below = np.searchsorted(sums, sums[np.maximum(above - 1, 0)])  # the first of equal sums has the lowest mask
    gap_above, gap_below = np.abs(sums[above] - wanted), np.abs(sums[below] - wanted)
    lower = (gap_below < gap_above) | ((gap_below == gap_above) & (masks[below] < masks[above]))
    packed, error = np.empty(len(z), np.uint64), np.empty(len(z))
    packed[order] = np.where(lower, masks[below], masks[above])
    error[order] = np.minimum(gap_below, gap_above)
    return SubsetSums(packed, len(row), error, np.full(len(z), tuple(Status).index(Status.OPTIMAL), np.uint8))


def reach(values: ArrayLike, *, tol: Number, low: Number = -1.0, high: Number = 1.0, clipped: bool = False) -> Reach:
    r"""The targets of an interval within tolerance of a subset sum of the first t values, for all t.

    With clipped=True the function $f_t$ of the proof of Lueker's theorem, as the set where it is 1: $f_0(z) = 1$ for
    $|z| \le \varepsilon$, $f_{t+1}(z) = f_t(z) + (1 - f_t(z)) f_t(z - v_{t+1})$ on [low, high] and 0 outside. Then
    `covered` is $v_t$, the mean of $f_t$. Sums that leave the interval on the way are lost, so this is a lower bound on
    what is reachable, and depends on the order of the values.

    Args:
        values: $v$, shape (n,). Finite, not modified.
        tol: $\varepsilon > 0$, in the unit of `values`; the paper's function has twice its own $\varepsilon$ here.
        low, high: the interval of targets.
        clipped: follow the recursion of the proof.

    Raises:
        InputError: also if the set falls into more than $2^{22}$ pieces on the way.

    Cost: O(pieces) per value; at most $\min(2^n, \text{range} / 2\varepsilon)$ pieces. A set is exact up to rounding of
    its ends.

    Sources: Lueker (1998); da Cunha et al. (2022).

    >>> reach([0.75, 0.75, -1.0], tol=0.125).covered
    array([0.125 , 0.25  , 0.25  , 0.5625])
    >>> reach([0.75, 0.75, -1.0], tol=0.125, clipped=True).covered
    array([0.125 , 0.25  , 0.25  , 0.4375])
    """
    row, radius = read_values(values), read_tol(tol)
    ends = read_interval(low, high)
    from slth.subsetsum._interval_kernels import unite

    down, up = _still_to_come(row)
    pieces = np.array([[-radius, radius]])
    covered = [_fraction(pieces, ends)]
    for t, v in enumerate(row):
        # unclipped, keep what later values can bring back into the interval
        window = ends if clipped else (ends[0] - up[t + 1], ends[1] + down[t + 1])
        out = np.empty((2 * len(pieces), 2))
        pieces = out[: unite(pieces, v, *window, out)].copy()
        if len(pieces) > PIECES:
            raise InputError(
                f"after {t + 1} values the set is in {len(pieces)} pieces, tol {radius:g}; try a larger tol, or fewer "
                f"values: at most {PIECES} pieces fit"
            )
        covered.append(_fraction(pieces, ends))
    inside = np.clip(pieces, *ends)
    return Reach(np.array(covered), inside[inside[:, 0] < inside[:, 1]])


def _sorted_sums(row: Values) -> tuple[np.ndarray, np.ndarray]:
    """All sums in order, and their masks, ascending among equals."""
    from slth.subsetsum._interval_kernels import merge_shifted_masks

    s, m = np.zeros(1), np.zeros(1, np.uint32)
    for t, v in enumerate(row):
        out, out_m, state = np.empty(2 * s.size), np.empty(2 * s.size, np.uint32), np.zeros(2, np.int64)
        while not merge_shifted_masks(s, m, v, np.uint32(1 << t), out, out_m, state, STEPS):
            pass
        s, m = out, out_m
    return s, m


def _still_to_come(row: Values) -> tuple[np.ndarray, np.ndarray]:
    """For t = 0 ... n: minus the sum of the negative values after the first t, and the sum of the positive ones."""
    after = np.zeros((2, len(row) + 1))
    after[0, :-1] = np.cumsum(np.maximum(-row, 0)[::-1])[::-1]
    after[1, :-1] = np.cumsum(np.maximum(row, 0)[::-1])[::-1]
    return after[0], after[1]


def _fraction(pieces: Pieces, ends: tuple[float, float]) -> float:
    inside = np.clip(pieces, *ends)
    return float((inside[:, 1] - inside[:, 0]).sum() / (ends[1] - ends[0]))
