"""The least width at which no weight misses: what the figures of `densities.py` and `moves.py` measure.

Seed 0. Widths are tried from few candidates on; one that misses is left at the first miss, so that only the last costs
a whole layer.
"""

from collections.abc import Callable, Iterable

import numpy as np

from slth.construction import MAKERS, Recipe
from slth.construction.moved import Moved
from slth.construction.width import Width, gain
from slth.graph import Affine, Realised, Target
from slth.network import read_target


def layers_of(path: str | None) -> Target:
    """A trained network, or without one Gaussian numbers of its shape: 784-500-10, standard deviation 1/√inputs."""
    if path is not None:
        return read_target(path)
    from slth.graph import chain

    rng = np.random.default_rng(0)
    shapes = ((500, 784), (10, 500))
    return chain([Affine(rng.normal(size=(*shape, 1)) / np.sqrt(shape[1]), None) for shape in shapes])


def misses(affine: Affine, recipe: Recipe, op, n: int, tolerance: float, *, stop: int = 1) -> int:
    """How many weights of a layer miss a tolerance in gains, counted up to `stop`; inputs are never negative."""
    maker, path, g = MAKERS[recipe.gadget], op.map, gain(affine.weight)
    width = Width(tolerance * g, g, 1.0, n, 0, 0.0, None)
    gadget = maker.gadget(op, width, (), recipe=recipe).fitted(path, op, 0)
    objective, wanted, found = maker.objective(recipe), Realised.of(affine, gadget.signed(op)), 0
    for block in gadget.problems(path, op, 0):
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


def least(widths: Iterable[int], missed: Callable[[int], int]) -> int | None:
    """The first width without a miss."""
    return next((n for n in widths if missed(n) == 0), None)
