"""Two random layers for each map (Pensia et al., 2020)."""

import math
from dataclasses import dataclass

from slth._errors import InputError
from slth.construction.expected import Expected, ExpectedExactly, ExpectedMoved, within
from slth.construction.moved import Moved
from slth.construction.objective_chances import kept_of
from slth.construction.objectives import OBJECTIVES, Exactly, Objective
from slth.construction.recipe import Recipe
from slth.construction.sizes import Sizes
from slth.construction.width import Width, plan_sizes
from slth.graph import Linear
from slth.ticket import Gadget, Stage, TwoLayer


@dataclass(frozen=True, slots=True)
class TwoLayerMaker:
    """Every objective, every map."""

    kind: str = TwoLayer.kind
    method: str = "two random layers per target layer (Pensia et al., 2020)"

    def check(self, recipe: Recipe, op: Linear) -> None:
        """Nothing is refused."""

    def width(
        self,
        weights: Sizes,
        bias: Sizes | None,
        tolerance: float,
        *,
        recipe: Recipe,
        failure: float,
        candidates: int | None = None,
        extra: int = 0,
    ) -> Width:
        """By measured chances of a miss."""
        if candidates is not None and recipe.density is not None and not kept_of(recipe.density, candidates):
            raise InputError(
                f"a density of {recipe.density:g} keeps none of {candidates} candidates; give more candidates, at "
                f"least {math.ceil(1 / recipe.density)}, or a larger density"
            )
        expected: Expected = within
        if recipe.density is not None:
            expected = ExpectedExactly(recipe.density)
        elif recipe.most_move is not None:
            expected = ExpectedMoved(recipe.most_move)
        return plan_sizes(
            weights, bias, tolerance, failure=failure, candidates=candidates, extra=extra, expected=expected
        )

    def gadget(self, op: Linear, width: Width, signed: tuple[tuple[int, int], ...], *, recipe: Recipe) -> Gadget:
        """As narrow as it can be."""
        n, n_c, density = width.candidates, width.constants, recipe.density
        kept = None if density is None else (kept_of(density, n), kept_of(density, n_c))
        stage = Stage(n, n_c, 0, width.gain, width.bias_gain, kept)
        return TwoLayer((stage,), signed).narrowest(op)

    def objective(self, recipe: Recipe) -> Objective:
        """That of its name."""
        if recipe.density is not None:
            return Exactly(recipe.density)
        if recipe.most_move is not None:
            return Moved(recipe.most_move)
        return OBJECTIVES[recipe.objective]
