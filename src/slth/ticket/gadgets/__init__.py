"""Gadgets: which random numbers may be added up for a coefficient. One file per theorem, one line here."""

from slth.ticket.gadgets.gadget import Cost, Gadget
from slth.ticket.gadgets.lift import MOST_CANDIDATES, THRESHOLD, Lift, LiftSpec, scan, signed_ranges
from slth.ticket.gadgets.problems import Problems
from slth.ticket.gadgets.two_layer import TwoLayer

GADGETS: dict[str, type[Gadget]] = {"two-layer": TwoLayer}

__all__ = [
    "GADGETS",
    "MOST_CANDIDATES",
    "THRESHOLD",
    "Cost",
    "Gadget",
    "Lift",
    "LiftSpec",
    "Problems",
    "TwoLayer",
    "scan",
    "signed_ranges",
]
