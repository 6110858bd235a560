"""Weights as counts of ±1 (Diffenderfer and Kailkhura, 2021)."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from slth._errors import InputError
from slth._shapes import Targets, ValuesBatch
from slth.construction.makers.refusals import check_objective, check_source
from slth.construction.needs import Needs
from slth.construction.objectives import Objective, Subsets
from slth.construction.recipe import Recipe
from slth.construction.sizes import Sizes
from slth.construction.tails import count_misses, fewest
from slth.construction.width import Width
from slth.graph import Linear
from slth.subsetsum import sign_batch
from slth.ticket import MOST_LONG, Counts, Gadget

_RANGE = 2.0**100  # of a gain


@dataclass(frozen=True, slots=True)
class CountsMaker:
    """The gain is twice the tolerance: counts are that far apart. A map of any kind."""

    kind: str = Counts.kind
    method: str = "weights as counts of random signs (Diffenderfer and Kailkhura, 2021)"

    def check(self, recipe: Recipe, op: Linear) -> None:
        """Which paths are kept is a matter of their number alone."""
        check_source(recipe, op, "sign")
        check_objective(recipe, op, "counts its candidates")

    def width(self, needs: Needs, recipe: Recipe) -> Width:
        """By `tails.count_misses`, exact: about twice the largest count, and what it takes to be sure of that many."""
        step = step_of(needs.tolerance)
        n, missed = _fewest(needs.weights, step, needs)
        if needs.bias is None:
            return Width(needs.tolerance, step, 1.0, n, 0, missed, missed)
        n_c, beside = _fewest(needs.bias, step, needs)
        return Width(needs.tolerance, step, step, n, n_c, missed + beside, missed + beside)

    def gadget(self, op: Linear, width: Width, signed: tuple[tuple[int, int], ...], *, recipe: Recipe) -> Gadget:
        """As narrow as it can be."""
        found = Counts(width.candidates, width.constants, 0, signed, width.gain, width.bias_gain)
        return found.narrowest(op)

    def objective(self, recipe: Recipe) -> Objective:
        """The least count within the tolerance, or the nearest."""
        return partial(_counted, closest=recipe.objective == "closest")


def step_of(tolerance: float) -> float:
    """α, the largest float32 that is at most twice the tolerance: no weight is further than α/2 from a count.

    >>> step_of(0.125), step_of(0.05) <= 0.1
    (0.25, True)
    """
    found = np.float32(min(2 * tolerance, _RANGE))
    if float(found) > 2 * tolerance:
        found = np.nextafter(found, np.float32(0))
    if float(found) < 1 / _RANGE:
        raise InputError(f"a tolerance of {tolerance:g} is too fine to count with; ask for at least {1 / _RANGE:.2g}")
    return float(found)


def _fewest(sizes: Sizes, step: float, needs: Needs) -> tuple[int, float]:
    n = needs.candidates
    if sizes.largest / step < MOST_LONG:
        missed = count_misses(sizes, step)
        n = fewest(missed, needs.share, MOST_LONG) if n is None else n
        if n is not None:
            n = min(n + needs.extra, MOST_LONG)
            return n, missed(n)
    finest = sizes.largest / MOST_LONG
    raise InputError(
        f"a tolerance of {step / 2:.2g} needs more than {MOST_LONG:,} random signs to count a weight of "
        f"{sizes.largest:.3g}; ask for a larger tolerance, such as {2 * finest:.2g}, or for the gadget two-layer, "
        "whose width grows like its logarithm"
    )


def _counted(rows: ValuesBatch, targets: Targets, *, tol: float, closest: bool) -> Subsets:
    found = sign_batch(rows, targets, tol=tol, closest=closest)
    return Subsets(found.packed, found.error <= tol, found.error)
