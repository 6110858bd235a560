"""How large a ticket is, counted."""

import math
from dataclasses import replace

import numpy as np

from slth.records import Sizes
from slth.ticket import Ticket, bits_of, stored_mask_bits


def sizes(ticket: Ticket) -> Sizes:
    """The counts of a ticket."""
    bits = {path: 8 * len(mask) for path, mask in ticket.masks.items()}
    bits |= {tensor.path: tensor.size for tensor in ticket.tensors if tensor.path in bits and not ticket.gadgets}
    bits |= bits_of(ticket.gadgets, ticket.maps)
    kept = {path: int(np.bitwise_count(mask).sum(dtype=np.int64)) for path, mask in ticket.masks.items()}
    common = Sizes(
        source_parameters=ticket.size,
        kept=ticket.kept,
        density=ticket.density,
        mask_bits=ticket.mask_bits,
        stored_mask_bits=stored_mask_bits(ticket),
        ideal_bits=math.fsum(count * _entropy(kept[path] / count) for path, count in bits.items()),
        carried=ticket.carried_numbers,
        strong=ticket.strong,
        largest_move=ticket.largest_move,
    )
    return _with_maps(ticket, common) if ticket.gadgets else common


def _with_maps(ticket: Ticket, common: Sizes) -> Sizes:
    return replace(
        common,
        target_parameters=ticket.target_parameters,
        kept_parameters=ticket.kept_parameters(),
        candidates=tuple(gadget.candidates for gadget in ticket.gadgets.values()),
        widths=tuple(gadget.neurons for gadget in ticket.gadgets.values()),
    )


def _entropy(p: float) -> float:
    """H₂(p) in bits."""
    return 0.0 if p in (0.0, 1.0) else -p * math.log2(p) - (1 - p) * math.log2(1 - p)
