"""Makers: how a construction makes the maps of a target with gadgets of one kind. One file each, one line here."""

from collections.abc import Mapping

from slth.construction.makers.copies import CopiesMaker
from slth.construction.makers.maker import Maker
from slth.construction.makers.neurons import NeuronsMaker
from slth.construction.makers.two_layer import TwoLayerMaker, kept_exactly

MAKERS: Mapping[str, Maker] = {maker.kind: maker for maker in (TwoLayerMaker(), CopiesMaker(), NeuronsMaker())}

__all__ = ["MAKERS", "Maker", "kept_exactly"]
