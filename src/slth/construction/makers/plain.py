"""Subset sums of plain random numbers: parallel edges, no lift (the experiment of Pensia et al., 2020)."""

from dataclasses import dataclass

from slth._errors import InputError
from slth.construction.makers.refusals import check_closest, check_objective, check_source, instead
from slth.construction.needs import Needs
from slth.construction.objectives import OBJECTIVES, Objective
from slth.construction.recipe import Recipe
from slth.construction.sizes import Sizes
from slth.construction.width import Width, gain_of, plan_needs
from slth.graph import Linear
from slth.ticket import Gadget, Plain

_FINEST = 2.0**-24  # gains: half a step of the grid on which the sums lie


@dataclass(frozen=True, slots=True)
class PlainMaker:
    """Any subset; a map of any kind."""

    kind: str = Plain.kind
    method: str = "subset sums of plain random weights (Lueker, 1998; experiment of Pensia et al., 2020)"

    def check(self, recipe: Recipe, op: Linear) -> None:
        """Moves and exact sizes are those of the gadget two-layer."""
        check_source(recipe, op)
        check_objective(recipe, op, "has no lift")

    def width(self, needs: Needs, recipe: Recipe) -> Width:
        """By the chances of products: an upper estimate, for fewer of them are small (see `law`: c = 1 < 2 ln 2)."""
        finest = finest_of_plain(needs.weights, needs.bias)
        if needs.candidates is None and needs.tolerance < finest:
            raise InputError(
                f"{needs.op.map}: sums of plain random numbers are multiples of 2^-23 gains, so that {finest:.2g} is "
                f"the finest tolerance that they meet but by chance, got {needs.tolerance:.2g}; ask for that, or "
                f"{instead(needs.op)}"
            )
        found = plan_needs(needs, one_stage=True)
        check_closest(recipe, found)
        return found

    def gadget(self, op: Linear, width: Width, signed: tuple[tuple[int, int], ...], *, recipe: Recipe) -> Gadget:
        """No lift, so nothing is dead."""
        return Plain(width.candidates, width.constants, signed, width.gain, width.bias_gain)

    def objective(self, recipe: Recipe) -> Objective:
        """That of its name."""
        return OBJECTIVES[recipe.objective]


def finest_of_plain(weights: Sizes, bias: Sizes | None) -> float:
    """The finest tolerance that sums of plain random numbers meet but by chance."""
    return max(gain_of(sizes.largest) for sizes in (weights, bias) if sizes is not None) * _FINEST
