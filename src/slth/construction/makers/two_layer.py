"""Two random layers for each map (Pensia et al., 2020)."""

import math
from dataclasses import dataclass

from slth._errors import InputError
from slth.construction.centred import OfPairs
from slth.construction.expected import Expected, ExpectedExactly, ExpectedMoved
from slth.construction.moved import Moved
from slth.construction.needs import Needs
from slth.construction.objective_chances import kept_of
from slth.construction.objectives import OBJECTIVES, Exactly, Objective
from slth.construction.recipe import Recipe
from slth.construction.single_stage import plan_single_stage
from slth.construction.width import Width, plan_needs
from slth.graph import Linear
from slth.numerics import source_law
from slth.subsetsum import EXACT_VALUES
from slth.ticket import Gadget, Stage, TwoLayer


@dataclass(frozen=True, slots=True)
class TwoLayerMaker:
    """Every map, objective and law; but of mirrored pairs exactly one is kept, and no objective chooses how many."""

    kind: str = TwoLayer.kind
    method: str = "two random layers per target layer (Pensia et al., 2020)"

    def check(self, recipe: Recipe, op: Linear) -> None:
        if source_law(recipe.law).name == "sign":
            raise InputError("sums of signs are whole gains and come near no weight; take another law, such as uniform")
        if recipe.centred and recipe.law != "uniform":
            raise InputError(f"mirrored pairs are of the law uniform, got {recipe.law}; leave --law or --centred out")
        if recipe.centred and recipe.objective not in ("within", "closest"):
            raise InputError(
                f"of mirrored pairs exactly one is kept, so there is nothing to choose for {recipe.objective}; take "
                "the objective within or closest, or leave --centred out"
            )
        if recipe.objective in ("exactly", "moved") and recipe.source != "uniform":
            raise InputError(
                f"chances of a miss were measured for {recipe.objective} with uniform numbers only, not with "
                f"{recipe.source}; leave --law out, or take the objective within"
            )

    def width(self, needs: Needs, recipe: Recipe) -> Width:
        """By measured chances of a miss."""
        if needs.candidates is not None:
            kept_exactly(recipe, needs.candidates, 0)
        expected: Expected | None = None
        if recipe.density is not None:
            expected = ExpectedExactly(recipe.density)
        elif recipe.most_move is not None:
            expected = ExpectedMoved(recipe.most_move)
        if expected is not None:
            return plan_single_stage(needs, expected)
        found = plan_needs(needs, source=recipe.source)
        widest = max(max(stage.candidates, stage.constants) for stage in found.stages)
        if recipe.objective == "closest" and widest > EXACT_VALUES:
            raise InputError(
                f"the closest subset is found of up to {EXACT_VALUES} candidates, and this takes {widest}; ask for a "
                "larger tolerance, fewer candidates, or the objective within"
            )
        return found

    def gadget(self, op: Linear, width: Width, signed: tuple[tuple[int, int], ...], *, recipe: Recipe) -> Gadget:
        """As narrow as it can be."""
        stages = tuple(
            Stage(s.candidates, s.constants, 0, s.gain, s.bias_gain, kept_exactly(recipe, s.candidates, s.constants))
            for s in width.stages
        )
        linear = recipe.linear(signed=bool(signed))
        return TwoLayer(stages, signed, recipe.law, recipe.centred, linear).narrowest(op)

    def objective(self, recipe: Recipe) -> Objective:
        """That of its name."""
        if recipe.density is not None:
            return Exactly(recipe.density)
        if recipe.most_move is not None:
            return Moved(recipe.most_move)
        objective = OBJECTIVES[recipe.objective]
        return OfPairs(objective, 2 * source_law(recipe.law).bits) if recipe.centred else objective


def kept_exactly(recipe: Recipe, candidates: int, constants: int) -> tuple[int, int] | None:
    """How many candidates each weight and each bias keeps; None if that is free.

    Raises:
        InputError: none.
    """
    if recipe.density is None:
        return None
    found = kept_of(recipe.density, candidates), kept_of(recipe.density, constants)
    for n, k in zip((candidates, constants), found, strict=True):
        if n and not k:
            raise InputError(
                f"a density of {recipe.density:g} keeps none of {n} candidates; give more candidates, at least "
                f"{math.ceil(1 / recipe.density)}, or a larger density"
            )
    return found
