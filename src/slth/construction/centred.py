r"""Mirrored pairs as subset sums: exactly one number of each pair ±x is taken.

With S the pairs of which +x is taken,

$$\sum_k \pm x_k = z \iff \sum_{k \in S} 2 x_k = z + \sum_k x_k,$$

number partitioning with a target (Borgs, Chayes and Pittel, 2001). The offset Σx/2 of subset sums, as wide as their
spread, is gone, and with it nearly all misses. Candidates are multiples of h = 2⁻²ᵏ (`numerics.source_law`), so 2x and
Σx are exact in float64. A target z is none: it is rounded to the nearest multiple z₀, so that z₀ + Σx is exact too, and
the tolerance shrinks by h/2 ≥ |z − z₀|. What is within it is within the tolerance asked for.
"""

from dataclasses import dataclass

import numpy as np

from slth._shapes import Targets, ValuesBatch
from slth.construction.objectives import Objective, Subsets


@dataclass(frozen=True, slots=True)
class OfPairs:
    """An objective for subset sums, asked for signs: a bit that is 1 takes +x, else −x."""

    objective: Objective
    bits: int  # candidates are multiples of 2^-bits

    def __call__(self, rows: ValuesBatch, targets: Targets, *, tol: float) -> Subsets:
        doubled, shifted, tolerance = as_subset_sums(rows, targets, tol=tol, bits=self.bits)
        return self.objective(doubled, shifted, tol=tolerance)


def as_subset_sums(rows: ValuesBatch, targets: Targets, *, tol: float, bits: int) -> tuple[ValuesBatch, Targets, float]:
    """The problems Σ ±x = z as subset sums: their candidates, targets and tolerance.

    Args:
        rows: x, multiples of 2^-bits of size at most 2^(46 − bits), up to 64 to a row.
        targets: z, |z| ≤ 1.
        tol: at least 2^-bits; finer ones are halved, and promise nothing.

    >>> as_subset_sums(np.array([[0.5, -0.25]]), np.array([0.75]), tol=0.5, bits=2)
    (array([[ 1. , -0.5]]), array([1.]), 0.375)
    """
    step = 2.0**-bits
    return 2.0 * rows, np.rint(targets / step) * step + rows.sum(axis=1), max(tol - step / 2, tol / 2)
