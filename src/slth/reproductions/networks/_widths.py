"""The least width at which no weight misses. `seed` is that of the random numbers.

Widths are tried from few candidates on; one that misses is left at the first miss, so that only the last costs a whole
layer.
"""

from collections.abc import Callable, Iterable

import numpy as np

from slth.construction import MAKERS, Moved, Recipe, Width, gain
from slth.graph import Affine, Linear, Realised, Target
from slth.ticket import MOST_CANDIDATES


def least_width(
    target: Target,
    recipe: Recipe,
    *,
    tolerance: float,
    seed: int,
    start: int,
    fits: Callable[[int], bool] | None = None,
) -> int | None:
    """The least n, from `start` on, for which no coefficient misses a tolerance in gains. `fits`: widths to look at.

    The largest map is asked first; its width has to do for the others, too.
    """
    ops = sorted(target.graph.maps.values(), key=lambda op: -op.weights)

    def missed(n: int) -> bool:
        parts = ((target.coefficients[op.map], op) for op in ops)
        return any(misses(affine, recipe, op, n=n, tolerance=tolerance, seed=seed) for affine, op in parts)

    widths = range(start, MOST_CANDIDATES + 1)
    return least((n for n in widths if fits is None or fits(n)), missed)


def misses(
    affine: Affine, recipe: Recipe, op: Linear, *, n: int, tolerance: float, seed: int = 0, stop: int = 1
) -> int:
    """How many weights of a layer miss a tolerance in gains, counted up to `stop`; inputs are never negative."""
    maker, path, g = MAKERS[recipe.gadget], op.map, gain(affine.weight)
    width = Width(tolerance * g, g, 1.0, n, 0, 0.0, None)
    gadget = maker.gadget(op, width, (), recipe=recipe).fitted(path, op, seed)
    objective, wanted, found = maker.objective(recipe), Realised.of(affine, gadget.signed(op)), 0
    for block in gadget.problems(path, op, seed):
        rows, targets = block.candidates().reshape(-1, n), block.targets(wanted).reshape(-1)
        if isinstance(objective, Moved):
            factors = np.repeat(block.factors, len(block.pairs), axis=0)
            answers = objective.with_factors(factors, rows, targets, tol=tolerance)
        else:
            answers = objective(rows, targets, tol=tolerance)
        found += int(np.count_nonzero(~answers.reached))
        if found >= stop:
            break
    return found


def least(widths: Iterable[int], missed: Callable[[int], bool]) -> int | None:
    """The first width without a miss."""
    return next((n for n in widths if not missed(n)), None)
