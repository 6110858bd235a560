"""What a capable attacker does: after any change, make everything consistent again that needs no secret.

The format is public, so anyone can repeat the scan, generate the heads, hash the coefficients and issue a certificate.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from helpers.tickets import ASKED, any_ticket, misses_of

from slth._shapes import Bits
from slth.certificate import certify
from slth.graph import Target, signed_inputs
from slth.ticket import Inputs, Ticket, TwoLayer, head_digest, realise, realised_digest, rewritten_for, signed_ranges
from slth.ticket.assemble import gadget_tensors

Gadgets = Mapping[str, TwoLayer]
Masks = Mapping[str, Bits]


def forged(ticket: Ticket, *, gadgets: Gadgets | None = None, masks: Masks | None = None, **lies: Any) -> Ticket:
    """A ticket with some other gadgets, masks or fields; its list of random tensors follows, its heads do not."""
    gadgets, masks = {**ticket.gadgets, **(gadgets or {})}, {**ticket.masks, **(masks or {})}
    tensors = gadget_tensors(ticket.network, gadgets, masks)
    return replace(ticket, gadgets=gadgets, masks=masks, tensors=tensors, **lies)


def consistent(ticket: Ticket, *, gadgets: Gadgets | None = None, masks: Masks | None = None, **lies: Any) -> Ticket:
    """As `forged`; widths, sizes of masks, heads and digests follow from seed, inputs, layout and mask."""
    gadgets, masks = {**ticket.gadgets, **(gadgets or {})}, {**ticket.masks, **(masks or {})}
    seed, inputs = lies.get("seed", ticket.seed), lies.get("inputs", ticket.inputs)
    inputs = Inputs((1,)) if inputs is None else inputs  # of maps that are not joined, whose inputs may have any sign
    signed = signed_inputs(ticket.network, inputs.shape, inputs.negative, lies.get("carried", ticket.carried))
    heads, digests = {}, {}
    for path, op in ticket.maps.items():
        mask = f"{path}/mixing"
        gadget = replace(gadgets[path], signed_ranges=signed_ranges(signed[path]))
        gadgets[path] = gadget = gadget.fitted(path, op, seed)
        mask_bits = gadget.cost(op).mask_bits
        masks[mask] = bits = np.resize(masks[mask], -(-mask_bits // 8)).copy()
        if mask_bits % 8:
            bits[-1] &= (1 << mask_bits % 8) - 1
        heads |= {tensor.path: head_digest(tensor, seed) for tensor in gadget.tensors(path, op)}
        digests[path] = realised_digest(realise(gadget, path, op, seed=seed, masks={f"{path}/mixing": bits}))
    return forged(ticket, gadgets=gadgets, masks=masks, heads=heads, digests=digests, **lies)


def certified(ticket: Ticket, target: Target, *, tolerance: float = 0.5) -> Ticket:
    """With a true certificate, and the first misses listed."""
    parts, target = {path: ticket.realised(path) for path in ticket.maps}, rewritten_for(ticket, target)
    provenance = replace(
        ticket.provenance, asked={**ASKED, "tolerance": tolerance}, misses=misses_of(target, parts, tolerance)
    )
    box = None if ticket.inputs is None else ticket.inputs.box
    claims = certify(target, parts.__getitem__, tolerances=dict.fromkeys(parts, tolerance), box=box)
    return replace(ticket, claims=claims, provenance=provenance)


def specimens() -> list[tuple[Ticket, Target]]:
    """Honest tickets of every kind: signed or not, with and without biases, range or scale; sparse; narrow."""
    mixed = Inputs((3,), (0.5,), (0.25,), (-1.0, 0.0, -0.5), (1.0, 2.0, 0.5))
    made = [
        (any_ticket(), None),
        (any_ticket(bias=False, lower=0.0), None),
        (any_ticket((3, 4, 2), seed=10**30), mixed),
        (any_ticket((3, 4, 2)), Inputs((3,))),
        (any_ticket((1, 1)), None),
        (any_ticket((2, 1, 3, 2), seed=0), Inputs((2,), lower=(-0.0,), upper=(0.0,))),
        (any_ticket((3, 5, 2), density=0.03), None),
    ]
    return [
        (certified(consistent(ticket, inputs=ticket.inputs if inputs is None else inputs), target), target)
        for (ticket, target), inputs in made
    ]
