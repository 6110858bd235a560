"""Gadgets: which random numbers may be added up for a coefficient. One file per theorem, one line here."""

from slth.ticket.gadgets.bit_groups import BitGroups, bit_groups
from slth.ticket.gadgets.copies import Copies
from slth.ticket.gadgets.gadget import Cost, Gadget, bits_of, empty_masks, masks_in
from slth.ticket.gadgets.lift import MOST_CANDIDATES, THRESHOLD, Lift, LiftSpec, scan, signed_ranges
from slth.ticket.gadgets.moves import (
    MOST_MOVE,
    STEP,
    CollectedMoves,
    Moves,
    MovesOfBits,
    check_grid,
    moved_sums,
    moves_of_bits,
    moves_of_block,
)
from slth.ticket.gadgets.neurons import MOST_COORDINATES, Neurons
from slth.ticket.gadgets.problems import Packed, Problems
from slth.ticket.gadgets.two_layer import Stage, TwoLayer, exactly_kept, exactly_words, stage_path

GADGETS: dict[str, type[Gadget]] = {gadget.kind: gadget for gadget in (TwoLayer, Copies, Neurons)}

__all__ = [
    "GADGETS",
    "MOST_CANDIDATES",
    "MOST_COORDINATES",
    "MOST_MOVE",
    "STEP",
    "THRESHOLD",
    "BitGroups",
    "CollectedMoves",
    "Copies",
    "Cost",
    "Gadget",
    "Lift",
    "LiftSpec",
    "Moves",
    "MovesOfBits",
    "Neurons",
    "Packed",
    "Problems",
    "Stage",
    "TwoLayer",
    "bit_groups",
    "bits_of",
    "check_grid",
    "empty_masks",
    "exactly_kept",
    "exactly_words",
    "masks_in",
    "moved_sums",
    "moves_of_bits",
    "moves_of_block",
    "scan",
    "signed_ranges",
    "stage_path",
]
