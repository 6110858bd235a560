r"""Misses that are expected of a map, as a function of its number of candidates: one for each form of the problem.

By the union bound P(any miss) ≤ Σ_w p(|w|/g, n, τ/g); p is that of the objective, an upper estimate. Under `exactly` no
coefficient is spared: one of 0, too, keeps k = ⌊γ n⌋ ≥ 1 candidates, and where there is no such k, misses are certain.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from slth.construction.objective_chances import exactly_chances, exactly_grid, kept_of, moved_chances
from slth.construction.sizes import Sizes

Misses = Callable[[int], float]  # of a number of candidates


class Expected(Protocol):
    """Expected misses of coefficients under one objective."""

    @property
    def finest(self) -> float:
        """The finest tolerance that such subsets are found at, in gains."""
        ...

    def __call__(self, sizes: Sizes, gain: float, tolerance: float) -> Misses: ...


@dataclass(frozen=True, slots=True)
class ExpectedExactly:
    """Exactly ⌊γ n⌋ of the n candidates of every coefficient."""

    density: float
    finest: float = 2.0**-25  # measured: at 2⁻²⁶ the search for k of some 50 values begins to give up

    def __call__(self, sizes: Sizes, gain: float, tolerance: float) -> Misses:
        """Counted by the table's own |z|, from 0."""
        edges = np.concatenate([[-1.0], exactly_grid()[:-1] * (1 + 1e-12) * gain, [math.inf]])
        counts, t = np.diff(sizes.up_to(edges)), tolerance / gain

        def missed(n: int) -> float:
            k = kept_of(self.density, n)
            return float(counts @ exactly_chances(n, k, t)) if k else math.inf

        return missed


@dataclass(frozen=True, slots=True)
class ExpectedMoved:
    """Any subset, whose v move by at most ε."""

    most_move: float
    finest: float = 2.0**-24  # moves lie on the grid of 2⁻²³

    def __call__(self, sizes: Sizes, gain: float, tolerance: float) -> Misses:
        """By the same |z| as `within`."""
        counts, t = sizes.by_row(gain, tolerance), tolerance / gain
        return lambda n: float(counts @ moved_chances(n, self.most_move, t))
