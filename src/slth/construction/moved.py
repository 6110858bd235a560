r"""The objective `moved`: kept random numbers may move a little (Xiong, Liao and Kyrillidis, 2023).

With u, v of a candidate, S kept and |Δ| ≤ ε: S reaches z within η if and only if |z − Σ_S| ≤ η + ε Σ_{h ∈ S} u_h. The
moves go all the way to the target, on the grid of random numbers: the residual is half a step of it where the reach is
not used up. v + Δ may leave [−1, 1].
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from slth._shapes import Targets, ValuesBatch
from slth.construction.objectives import Subsets
from slth.subsetsum import moves_on_grid, solve_moved
from slth.ticket import STEP


@dataclass(frozen=True, slots=True)
class Moved:
    """Some subset whose v, moved by at most ε, bring its sum to the target."""

    most_move: float  # ε

    def __call__(self, rows: ValuesBatch, targets: Targets, *, tol: float) -> Subsets:
        """Answer one problem per row, as if every u were 1."""
        return self.with_factors(np.ones_like(rows), rows, targets, tol=tol)

    def with_factors(
        self, factors: Float64[np.ndarray, "problem n"], rows: ValuesBatch, targets: Targets, *, tol: float
    ) -> Subsets:
        """Answer one problem per row; factors: u of each candidate v u, of either sign: u Δ = |u| (±Δ)."""
        most, sizes = math.floor(self.most_move / STEP), np.abs(factors)
        found = solve_moved(rows, most * STEP * sizes, targets, tol=tol)
        kept = (found.packed[:, None] >> np.arange(rows.shape[1], dtype=np.uint64)) & np.uint64(1)
        sums = (rows * kept).sum(axis=1)
        steps = moves_on_grid(sizes, found.packed, (targets - sums) / STEP, most=most)
        steps = np.where(factors < 0, -steps, steps)
        error = np.abs(sums + (steps * STEP * factors).sum(axis=1) - targets)
        return Subsets(found.packed[:, None], error <= tol, error, steps)
