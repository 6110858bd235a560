"""Gadgets: which random numbers may be added up for a coefficient. One file per theorem, one line here."""

from slth.ticket.gadgets.bit_groups import BitGroups, bit_groups
from slth.ticket.gadgets.gadget import Cost, Gadget, bits_of, empty_masks, masks_in
from slth.ticket.gadgets.lift import MOST_CANDIDATES, THRESHOLD, Lift, LiftSpec, scan, signed_ranges
from slth.ticket.gadgets.neurons import MOST_COORDINATES, Neurons
from slth.ticket.gadgets.problems import Packed, Problems
from slth.ticket.gadgets.two_layer import Stage, TwoLayer, stage_path

GADGETS: dict[str, type[Gadget]] = {gadget.kind: gadget for gadget in (TwoLayer, Neurons)}

__all__ = [
    "GADGETS",
    "MOST_CANDIDATES",
    "MOST_COORDINATES",
    "THRESHOLD",
    "BitGroups",
    "Cost",
    "Gadget",
    "Lift",
    "LiftSpec",
    "Neurons",
    "Packed",
    "Problems",
    "Stage",
    "TwoLayer",
    "bit_groups",
    "bits_of",
    "empty_masks",
    "masks_in",
    "scan",
    "signed_ranges",
    "stage_path",
]
