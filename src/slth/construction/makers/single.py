"""One random number or product for each weight, or none (Malach et al., 2020); and the naive way, without a lift."""

from collections.abc import Callable
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
from slth.construction.tails import Chances, fewest, plain_hit, product_hit, single_misses
from slth.construction.width import Width, gain_of
from slth.graph import Linear
from slth.subsetsum import single_batch
from slth.ticket import MOST_LONG, Gadget, Single, SinglePlain

Hit = Callable[[np.ndarray, float], Chances]


@dataclass(frozen=True, slots=True)
class SingleMaker:
    """As many candidates as hit every weight with the chance asked for, in closed form; a map of any kind."""

    kind: str
    method: str
    hit: Hit

    def check(self, recipe: Recipe, op: Linear) -> None:
        """A subset is one candidate at most."""
        check_source(recipe, op)
        check_objective(recipe, op, "keeps at most one candidate of a weight")

    def width(self, needs: Needs, recipe: Recipe) -> Width:
        """By `tails.single_misses`: n ~ ln(N/δ) / t."""
        g, n, missed = self._fewest(needs.weights, needs)
        if needs.bias is None:
            return Width(needs.tolerance, g, 1.0, n, 0, missed, missed)
        g_b, n_c, beside = self._fewest(needs.bias, needs)
        return Width(needs.tolerance, g, g_b, n, n_c, missed + beside, missed + beside)

    def gadget(self, op: Linear, width: Width, signed: tuple[tuple[int, int], ...], *, recipe: Recipe) -> Gadget:
        """As narrow as it can be."""
        if self.kind == Single.kind:
            found = Single(width.candidates, width.constants, 0, signed, width.gain, width.bias_gain)
            return found.narrowest(op)
        return SinglePlain(width.candidates, width.constants, signed, width.gain, width.bias_gain)

    def objective(self, recipe: Recipe) -> Objective:
        """The first within the tolerance, or the closest."""
        return partial(_single, closest=recipe.objective == "closest")

    def _fewest(self, sizes: Sizes, needs: Needs) -> tuple[float, int, float]:
        g = gain_of(sizes.largest)
        missed = single_misses(sizes, g, needs.tolerance, hit=self.hit)
        n = fewest(missed, needs.share, MOST_LONG) if needs.candidates is None else needs.candidates
        if n is None:
            raise InputError(
                f"a tolerance of {needs.tolerance / g:.2g} gains needs more than {MOST_LONG:,} single candidates for "
                f"an expected {needs.share:.2g} misses, for their number grows like one over the tolerance; ask for a "
                "larger tolerance, or for subset sums, --gadget two-layer, whose number grows like its logarithm"
            )
        n = min(n + needs.extra, MOST_LONG)
        return g, n, missed(n)


def _single(rows: ValuesBatch, targets: Targets, *, tol: float, closest: bool) -> Subsets:
    found = single_batch(rows, targets, tol=tol, closest=closest)
    return Subsets(found.packed, found.error <= tol, found.error)


SINGLE = SingleMaker(Single.kind, "one product of two random numbers per weight (Malach et al., 2020)", hit=product_hit)
SINGLE_PLAIN = SingleMaker(SinglePlain.kind, "one plain random number per weight", hit=plain_hit)
