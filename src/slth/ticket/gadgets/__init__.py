"""Gadgets: which random numbers may be added up for a coefficient. One file per theorem, one line here."""

from slth.graph import Linear
from slth.ticket.gadgets.bit_groups import BitGroups, bit_groups
from slth.ticket.gadgets.copies import Copies
from slth.ticket.gadgets.counts import Counts
from slth.ticket.gadgets.doubling import MOST_ENTRIES, Doubling
from slth.ticket.gadgets.gadget import Cost, Gadget, bits_of, empty_masks, masks_in
from slth.ticket.gadgets.grid import MOST_SIZE_OF_GRID, Grid
from slth.ticket.gadgets.levels import MOST_COPIES, MOST_DIGITS, matrix
from slth.ticket.gadgets.lift import MOST_CANDIDATES, THRESHOLD, Lift, LiftSpec, scan, signed_ranges
from slth.ticket.gadgets.lifted import MOST_LONG, Lifted
from slth.ticket.gadgets.merged import Merged
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
from slth.ticket.gadgets.plain import Edges, Plain, SinglePlain
from slth.ticket.gadgets.problems import Packed, Problems
from slth.ticket.gadgets.single import Single
from slth.ticket.gadgets.two_layer import Stage, TwoLayer, exactly_kept, exactly_words, stage_path

GADGETS: dict[str, type[Gadget]] = {  # by their kind in a file
    gadget.kind: gadget
    for gadget in (TwoLayer, Merged, Copies, Neurons, Single, SinglePlain, Plain, Counts, Doubling, Grid)
}
MOST_OF = dict.fromkeys((Single.kind, SinglePlain.kind, Counts.kind), MOST_LONG)  # candidates; others: 64


def split_count(gadget: Gadget, op: Linear) -> int:
    """Inputs of which each weight is two subset sums, one for x⁺ and one for x⁻."""
    whole = gadget.linear or isinstance(gadget, Edges | Copies)  # one subset for both signs
    return 0 if whole else int(gadget.signed(op).sum())


__all__ = [
    "GADGETS",
    "MOST_CANDIDATES",
    "MOST_COORDINATES",
    "MOST_COPIES",
    "MOST_DIGITS",
    "MOST_ENTRIES",
    "MOST_LONG",
    "MOST_MOVE",
    "MOST_OF",
    "MOST_SIZE_OF_GRID",
    "STEP",
    "THRESHOLD",
    "BitGroups",
    "CollectedMoves",
    "Copies",
    "Cost",
    "Counts",
    "Doubling",
    "Edges",
    "Gadget",
    "Grid",
    "Lift",
    "LiftSpec",
    "Lifted",
    "Merged",
    "Moves",
    "MovesOfBits",
    "Neurons",
    "Packed",
    "Plain",
    "Problems",
    "Single",
    "SinglePlain",
    "Stage",
    "TwoLayer",
    "bit_groups",
    "bits_of",
    "check_grid",
    "empty_masks",
    "exactly_kept",
    "exactly_words",
    "masks_in",
    "matrix",
    "moved_sums",
    "moves_of_bits",
    "moves_of_block",
    "scan",
    "signed_ranges",
    "split_count",
    "stage_path",
]
