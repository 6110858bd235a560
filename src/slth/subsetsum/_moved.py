r"""Subset sums whose kept values may move, each by a reach of its own, as in ε-perturbed tickets (Xiong et al., 2023).

Moves $|y_i| \le r_i$ of the values in S reach exactly the sums in $\Sigma_S \pm \sum_{i \in S} r_i$. In a ticket a
value is a product v u of which v moves by at most ε: $r_i = \varepsilon u_i$. `perturbed` is the case of equal reaches,
searched to the end; here some subset is wanted, soon.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int32

from slth._shapes import Errors, PackedRows, Targets, ValuesBatch
from slth.subsetsum._first import first_batch
from slth.subsetsum._inputs import EXACT_VALUES
from slth.subsetsum._perturbed import perturbed_batch


class Moved(NamedTuple):
    """Subsets for rows of values that may move."""

    packed: PackedRows
    reached: np.ndarray  # bool: some moves bring the sum within the tolerance
    gap: Errors  # by how much the sum stays away from the target with the best moves, beyond the tolerance or not


def solve_moved(
    values: ValuesBatch, reaches: ValuesBatch, targets: Targets, *, tol: float, thorough: bool = True
) -> Moved:
    r"""For each row some S with $|z - \Sigma_S| \le \eta + \sum_{i \in S} r_i$.

    A heuristic that is exact at both ends: what it finds is checked, and what it proves out of reach is. Between, it
    looks at all subsets of up to three values, at chains of those that help, at subsets within $\eta$ plus the least
    reach (up to 64 values), at last at all subsets with every reach as short as the least (up to 40 values).

    Args:
        values: x, shape (batch, n), n <= 64.
        reaches: $r \ge 0$, the same shape.
        tol: $\eta > 0$.
        thorough: whether the last of these is tried.
    """
    from slth.subsetsum._moved_kernels import OPEN, moved_rows

    packed, codes = np.zeros(len(values), np.uint64), np.zeros(len(values), np.uint8)
    moved_rows(values, reaches, targets, tol, packed, codes)
    reached = codes < OPEN
    rows = np.flatnonzero(codes == OPEN)
    least = float(reaches[rows].min()) if len(rows) and reaches.shape[1] else 0.0
    if len(rows):
        answers = first_batch(values[rows], targets[rows], tol=tol + least)
        packed[rows] = answers.packed
        reached[rows] = _gaps(values[rows], reaches[rows], targets[rows], answers.packed) <= tol
        rows = rows[~reached[rows]]
    if thorough and len(rows) and values.shape[1] <= EXACT_VALUES:
        found = perturbed_batch(values[rows], targets[rows], tol=tol, most_move=least)
        packed[rows] = found.subsets.packed
    gap = _gaps(values, reaches, targets, packed)
    return Moved(packed, gap <= tol, gap)


def moves_on_grid(
    factors: ValuesBatch, packed: PackedRows, rests: Targets, *, most: int
) -> Int32[np.ndarray, "problem n"]:
    r"""By how many steps each kept value moves, so that $\sum_{i \in S} u_i y_i$ comes near what is left.

    All move alike, rounded towards 0; then single steps go round by falling u, each where it brings the rest nearer.

    Args:
        factors: u of each value, shape (batch, n), from ½ to 1.
        packed: the subsets.
        rests: what is left, in steps times u.
        most: steps of one value at most.
    """
    from slth.subsetsum._moved_kernels import hand_out

    steps = np.empty(factors.shape, np.int32)
    hand_out(factors, packed, rests, most, steps)
    return steps


def _gaps(values: ValuesBatch, reaches: ValuesBatch, targets: Targets, packed: PackedRows) -> Errors:
    """How far the target stays from what a subset reaches with its moves."""
    kept = (packed[:, None] >> np.arange(values.shape[1], dtype=np.uint64)) & np.uint64(1)
    return np.maximum(np.abs((values * kept).sum(axis=1) - targets) - (reaches * kept).sum(axis=1), 0.0)
