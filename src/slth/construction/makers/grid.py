r"""Weights of finite precision, hit exactly by random numbers of finite precision (Kumar and Natale, 2025).

Chance of a miss: a target on the grid of the products is hit where the nearest sum is less than half a step away, so
that of products of real numbers at this tolerance is taken (`chances`), for two candidates fewer: zeros and coarse
grids cost some. A heuristic.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from slth._errors import InputError
from slth._shapes import Targets, ValuesBatch
from slth.construction.makers.refusals import check_objective, check_source
from slth.construction.needs import Needs
from slth.construction.objectives import OBJECTIVES, Objective, Subsets
from slth.construction.recipe import Recipe
from slth.construction.sizes import Sizes
from slth.construction.width import Width, gain_of, plan_needs
from slth.graph import Linear, Target
from slth.ticket import MOST_SIZE_OF_GRID, Gadget, Grid

_FINEST = 2 * MOST_SIZE_OF_GRID  # bits of the products
_COARSEST = 4  # K; of coarser grids too many numbers are zero, or alike


@dataclass(frozen=True, slots=True)
class GridMaker:
    """The coarsest grid on which the map's weights lie, times its gain; a map of any kind."""

    kind: str = Grid.kind
    method: str = "exact subset sums of numbers on a grid (Kumar and Natale, 2025)"

    def check(self, recipe: Recipe, op: Linear) -> None:
        """Its grid follows from the weights."""
        check_source(recipe, op, "grid/K that its weights need")
        check_objective(recipe, op, "hits weights exactly", known=("within", "fewest"))

    def width(self, needs: Needs, recipe: Recipe) -> Width:
        """As many as hit every weight with the chance asked for; the gains are those of real numbers."""
        size = grid_size(needs.weights, needs.bias)
        half = gain_of(needs.weights.largest) * 2.0 ** (-2 * size - 1)
        more = needs.extra + 2 * (needs.candidates is None)
        found = plan_needs(replace(needs, tolerance=half, extra=more), one_stage=True)
        return replace(found, tolerance=0.0, size=size)

    def gadget(self, op: Linear, width: Width, signed: tuple[tuple[int, int], ...], *, recipe: Recipe) -> Gadget:
        """As narrow as it can be."""
        found = Grid(width.candidates, width.constants, 0, signed, width.gain, width.bias_gain, width.size)
        return found.narrowest(op)

    def objective(self, recipe: Recipe) -> Objective:
        """That of its name, for less than half a step of the products."""
        chosen = OBJECTIVES[recipe.objective]

        def exact(rows: ValuesBatch, targets: Targets, *, tol: float) -> Subsets:
            found = chosen(rows, targets, tol=2.0 ** (-_FINEST - 1))
            return Subsets(found.packed, found.error == 0.0, found.error)

        return exact


def check_grids(target: Target) -> None:
    """Every number of a target lies on a grid that a gadget can have.

    Raises:
        InputError: naming the first that does not.
    """
    for path, affine in target.coefficients.items():
        for what, numbers in (("weight", affine.weight), ("bias", affine.bias)):
            if numbers is None or not numbers.any():
                continue
            step = gain_of(float(np.abs(numbers).max())) * 2.0**-_FINEST
            outside = np.flatnonzero(np.remainder(numbers.reshape(-1), step))
            if len(outside):
                value = float(numbers.reshape(-1)[outside[0]])
                raise InputError(
                    f"{path}: {what} number {outside[0]} is {value!r}, which is no multiple of {step:.3g}, the finest "
                    "grid on which weights are hit exactly; round the target, or take the gadget two-layer with a "
                    "tolerance"
                )


def grid_size(weights: Sizes, bias: Sizes | None) -> int:
    """K, the least for which all numbers are multiples of their gain times 2⁻²ᴷ.

    Raises:
        InputError: nothing but sizes is known; or no K is fine enough.
    """
    found = _COARSEST
    for sizes in (weights, bias):
        if sizes is None or sizes.largest == 0.0:
            continue
        if sizes.step is None:
            raise InputError("a network without numbers lies on no grid; give a target, or take the gadget two-layer")
        bits = math.log2(gain_of(sizes.largest) / sizes.step())
        found = max(found, math.ceil(bits / 2))
    if found > MOST_SIZE_OF_GRID:
        raise InputError(
            f"the weights lie on a grid of 2^-{2 * found} gains, the finest is 2^-{_FINEST}; round the target, or take "
            "the gadget two-layer with a tolerance"
        )
    return found
