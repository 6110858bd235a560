"""Subset sums of plain random numbers: parallel edges, no lift (the experiment of Pensia et al., 2020)."""

from dataclasses import dataclass

from slth.construction.makers.refusals import check_objective, check_source
from slth.construction.needs import Needs
from slth.construction.objectives import OBJECTIVES, Objective
from slth.construction.recipe import Recipe
from slth.construction.width import Width, plan_needs
from slth.graph import Linear
from slth.ticket import Gadget, Plain


@dataclass(frozen=True, slots=True)
class PlainMaker:
    """Any subset; a map of any kind."""

    kind: str = Plain.kind
    method: str = "subset sums of plain random weights (Lueker, 1998; experiment of Pensia et al., 2020)"

    def check(self, recipe: Recipe, op: Linear) -> None:
        """Moves and exact sizes are those of the gadget two-layer."""
        check_source(recipe)
        check_objective(recipe, "has no lift")

    def width(self, needs: Needs, recipe: Recipe) -> Width:
        """By the chances of products: an upper estimate, for fewer of them are small (see `law`: c = 1 < 2 ln 2)."""
        return plan_needs(needs, one_stage=True)

    def gadget(self, op: Linear, width: Width, signed: tuple[tuple[int, int], ...], *, recipe: Recipe) -> Gadget:
        """No lift, so nothing is dead."""
        return Plain(width.candidates, width.constants, signed, width.gain, width.bias_gain)

    def objective(self, recipe: Recipe) -> Objective:
        """That of its name."""
        return OBJECTIVES[recipe.objective]
