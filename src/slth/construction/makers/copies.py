"""One random layer for each map, and a lift for the first (Burkholz, 2022)."""

from dataclasses import dataclass

from slth._errors import InputError
from slth.construction.makers.refusals import check_closest
from slth.construction.needs import Needs
from slth.construction.objectives import OBJECTIVES, Objective
from slth.construction.recipe import Recipe
from slth.construction.width import Width, plan_needs
from slth.graph import Linear
from slth.ticket import Copies, Gadget

_WHY = {
    "within": "keeps about half of the copies, whose errors add up through the layers; it bounds next to nothing",
    "exactly": "is a theorem of two layers (Natale et al., 2024)",
    "moved": "is a theorem of two layers (Xiong et al., 2023)",
}


@dataclass(frozen=True, slots=True)
class CopiesMaker:
    """The subset that keeps fewest, or the closest. Widths depend on each other: `slth.construction.copied`."""

    kind: str = Copies.kind
    method: str = "copies of every channel, one random layer per target layer and one more (Burkholz, 2022)"

    def check(self, recipe: Recipe, op: Linear) -> None:
        """Other objectives are refused."""
        if recipe.law != "uniform" or recipe.centred:
            raise InputError("copies are planned for independent uniform numbers only; leave --law and --centred out")
        if recipe.objective in _WHY:
            raise InputError(
                f"with copies the objective is fewest or closest: {recipe.objective} {_WHY[recipe.objective]}"
            )

    def width(self, needs: Needs, recipe: Recipe) -> Width:
        """By measured chances of products u v, u ≥ ½, which miss a little more often than plain weights do."""
        found = plan_needs(needs)
        check_closest(recipe, found)
        return found

    def gadget(self, op: Linear, width: Width, signed: tuple[tuple[int, int], ...], *, recipe: Recipe) -> Gadget:
        """Of a map by itself nothing is known of the maps behind it."""
        raise InputError(
            "the copies that a map makes depend on the maps behind it: give a trained network, not a shape, or take "
            "another gadget"
        )

    def objective(self, recipe: Recipe) -> Objective:
        """That of its name."""
        return OBJECTIVES[recipe.objective]
