"""Merged projections of attention, without a further layer; two random layers for every other map.

What a map merges is not seen from the map: `slth.construction.layout` says it of those of the target. They are planned
as linear lifts are, by the same chances: a product v u has the same law whatever the sign of u.
"""

from slth.construction.makers.maker import Maker
from slth.construction.makers.two_layer import TwoLayerMaker
from slth.graph import Product
from slth.ticket import Gadget, Merged, TwoLayer

MERGED: Maker = TwoLayerMaker(Merged.kind, "merged projections of attention (Otsuka et al., 2025)")


def as_merged(gadget: Gadget, product: Product) -> Merged:
    """The two layers of a map as those of a merged one."""
    assert isinstance(gadget, TwoLayer)
    layers = gadget.stages, gadget.signed_ranges, gadget.law, gadget.centred
    return Merged(*layers, linear=True, part=product.part, weights=product.weights)
