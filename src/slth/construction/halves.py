"""Which weights are two subset-sum problems: those of inputs that can be negative, behind a ReLU."""

from collections.abc import Mapping

import numpy as np

from slth._shapes import Signed
from slth.construction.recipe import Recipe
from slth.graph import Target, signed_inputs
from slth.ticket import Gadget, Inputs


def split_inputs(target: Target, inputs: Inputs, recipe: Recipe) -> dict[str, Signed]:
    """By map, the inputs whose weights are two problems."""
    signed = signed_inputs(target.graph, inputs.shape, inputs.negative, target.carried)
    return {
        path: each if recipe.halved(signed=bool(each.any())) else np.zeros_like(each) for path, each in signed.items()
    }


def linear_maps(gadgets: Mapping[str, Gadget]) -> frozenset[str]:
    """The maps that treat an input alike whatever its sign, of a layout."""
    return frozenset(path for path, gadget in gadgets.items() if gadget.linear)
