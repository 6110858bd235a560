"""What a capable attacker does: after any change, make everything consistent again that needs no secret.

The format is public, so anyone can repeat the scan, generate the heads, hash the coefficients and issue a certificate.
"""

from dataclasses import replace

import numpy as np
from helpers.tickets import any_ticket

from slth.certificate import Affine, certify
from slth.ticket import (
    Asked,
    Domain,
    Miss,
    Ticket,
    head_digest,
    realise,
    realised_digest,
    scan,
    signed_ranges,
    unpack,
)

Target = list[Affine]


def consistent(ticket: Ticket) -> Ticket:
    """Widths, masks of the right size, heads and digests that follow from seed, domain, layout and mask."""
    layers, masks, digests = [], [], []
    for i, (layer, bits) in enumerate(zip(ticket.layers, ticket.masks, strict=True)):
        if i == 0:
            lift = replace(layer.lift, signed=signed_ranges(ticket.domain.signed(layer.lift.inputs)))
            layer = replace(layer, lift=lift)
        lift = scan(layer.lift, ticket.seed, layer.path)
        layer = replace(layer, neurons=lift.neurons)
        bits = np.resize(bits, layer.mask_bytes).copy()
        if layer.mask_bits % 8:
            bits[-1] &= (1 << layer.mask_bits % 8) - 1
        layers.append(layer)
        masks.append(bits)
        digests.append(realised_digest(realise(layer, lift, ticket.seed, unpack(layer, bits))))
    heads = tuple(head_digest(tensor, ticket.seed) for layer in layers for tensor in layer.tensors)
    return replace(ticket, layers=tuple(layers), masks=tuple(masks), heads=heads, digests=tuple(digests))


def certified(ticket: Ticket, target: Target, *, tolerance: float = 0.5) -> Ticket:
    """With a true certificate, and the first misses listed."""
    parts = [ticket.realised(i) for i in range(len(ticket.layers))]
    box = ticket.domain.box(ticket.widths[0])
    misses: list[Miss] = []
    for i, (part, wanted) in enumerate(zip(parts, target, strict=True)):
        halves = [("positive", part.positive - wanted.weight)]
        if part.negative is not None:
            halves.append(("negative", np.where(part.signed[None, :, None], part.negative + wanted.weight, 0.0)))
        for half, error in halves:
            for o, j in np.argwhere(np.abs(error[:, :, 0]) > tolerance):
                misses.append(Miss(i, int(o), int(j), half, float(abs(error[o, j, 0]))))
        if part.bias is not None and wanted.bias is not None:
            error = np.abs(part.bias - wanted.bias)
            misses += [Miss(i, int(o), -1, "bias", float(error[o])) for o in np.flatnonzero(error > tolerance)]
    provenance = replace(ticket.provenance, asked=Asked(tolerance), misses=tuple(misses[:256]))
    certificate = certify(target, parts, tolerances=[tolerance] * len(parts), box=box)
    return replace(ticket, certificate=certificate, provenance=provenance)


def specimens() -> list[tuple[Ticket, Target]]:
    """Honest tickets of every kind: signed or not, with and without biases, range or scale; sparse; narrow."""
    mixed = Domain((-1.0, 0.0, -0.5), (1.0, 2.0, 0.5), (0.5, 0.25))
    made = [
        (any_ticket(), None),
        (any_ticket(bias=False, lower=0.0), None),
        (any_ticket((3, 4, 2), seed=10**30), mixed),
        (any_ticket((3, 4, 2)), Domain()),
        (any_ticket((1, 1)), None),
        (any_ticket((2, 1, 3, 2), seed=0), Domain((-0.0,), (0.0,))),
        (any_ticket((3, 5, 2), density=0.03), None),
    ]
    return [
        (certified(consistent(ticket if domain is None else replace(ticket, domain=domain)), target), target)
        for (ticket, target), domain in made
    ]
