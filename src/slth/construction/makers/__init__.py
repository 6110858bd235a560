"""Makers: how a construction makes the maps of a target with gadgets of one kind. One file each, one line here."""

from collections.abc import Mapping

from slth.construction.makers.copies import CopiesMaker
from slth.construction.makers.counts import CountsMaker
from slth.construction.makers.doubling import DoublingMaker
from slth.construction.makers.grid import GridMaker, check_grids
from slth.construction.makers.maker import Maker
from slth.construction.makers.merged import MERGED, as_merged
from slth.construction.makers.neurons import NeuronsMaker
from slth.construction.makers.plain import PlainMaker, finest_of_plain
from slth.construction.makers.refusals import check_closest
from slth.construction.makers.single import SINGLE, SINGLE_PLAIN
from slth.construction.makers.two_layer import TwoLayerMaker, kept_exactly
from slth.construction.recipe import Recipe
from slth.graph import Dense, Linear

_ALL: tuple[Maker, ...] = (
    TwoLayerMaker(),
    MERGED,
    CopiesMaker(),
    NeuronsMaker(),
    SINGLE,
    SINGLE_PLAIN,
    PlainMaker(),
    CountsMaker(),
    DoublingMaker(),
    GridMaker(),
)
MAKERS: Mapping[str, Maker] = {maker.kind: maker for maker in _ALL}
_PLAINEST = Linear("every map", Dense(1, 1), True)  # every gadget makes such


def check_recipe(recipe: Recipe) -> None:
    """Refuse, before any network is known, what its gadget makes of no map.

    Raises:
        InputError: that.
    """
    MAKERS[recipe.gadget].check(recipe, _PLAINEST)


__all__ = [
    "MAKERS",
    "Maker",
    "as_merged",
    "check_closest",
    "check_grids",
    "check_recipe",
    "finest_of_plain",
    "kept_exactly",
]
