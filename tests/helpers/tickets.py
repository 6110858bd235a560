"""A small ticket made without a solver: any mask is a ticket, and its certificate says how bad it is."""

import itertools

import numpy as np

from helpers.gadgets import one_stage
from slth.certificate import certify
from slth.graph import Affine, Target, chain, signed_inputs
from slth.ticket import (
    MOST_MISSES,
    Inputs,
    Miss,
    Provenance,
    Ticket,
    constructed_ticket,
    pack,
    realise,
    realised_digest,
    signed_ranges,
    target_digest,
)

ASKED = {"tolerance": 0.5, "epsilon": None, "failure_probability": None, "candidates": None}


def any_ticket(widths=(3, 4, 2), *, seed=5, bias=True, lower=-1.0, density=0.5, rng_seed=0) -> tuple[Ticket, Target]:
    """Random masks of a given density, five candidates for each half, six for a bias."""
    rng = np.random.default_rng(rng_seed)
    inputs = Inputs((widths[0],), lower=(lower,), upper=(1.0,))
    target = chain(
        [
            Affine(rng.normal(size=(out, inp, 1)), rng.normal(size=out) if bias else None)
            for inp, out in itertools.pairwise(widths)
        ],
        names=[(f"{i}.weight", f"{i}.bias" if bias else None) for i in range(len(widths) - 1)],
    )
    signed = signed_inputs(target.graph, inputs.shape, inputs.negative, {})
    gadgets, masks, realised = {}, {}, {}
    for path, op in target.graph.maps.items():
        gadget = one_stage(5, 6 if bias else 0, 0, signed_ranges(signed[path]), 0.5, 2.0).fitted(path, op, seed)
        mask = rng.random((op.basis.outputs, gadget.lift_spec(op).live)) < density
        gadgets[path], masks[f"{path}/mixing"] = gadget, pack(mask)
        realised[path] = realise(gadget, path, op, seed=seed, masks={f"{path}/mixing": pack(mask)})
    ticket = constructed_ticket(
        seed=seed,
        graph=target.graph,
        gadgets=gadgets,
        inputs=inputs,
        masks=masks,
        digests={path: realised_digest(part) for path, part in realised.items()},
        claims=certify(target, realised.__getitem__, tolerances=dict.fromkeys(gadgets, 0.5), box=inputs.box),
        provenance=Provenance(
            version="0.0.test",
            method="coin flips",
            asked=ASKED,
            target=target_digest(target.coefficients),
            names=target.names,
            misses=misses_of(target, realised, 0.5),
        ),
    )
    return ticket, target


def misses_of(target: Target, parts, tolerances) -> tuple[Miss, ...]:
    """The first misses, as a ticket lists them; one tolerance, or one for each map."""
    misses: list[Miss] = []
    for path, wanted in target.coefficients.items():
        part, tolerance = parts[path], tolerances[path] if isinstance(tolerances, dict) else tolerances
        halves = [("positive", part.positive - wanted.weight)]
        if part.negative is not None:
            halves.append(("negative", np.where(part.signed[None, :, None], part.negative + wanted.weight, 0.0)))
        for half, error in halves:
            groups, (rows, inputs, _) = target.graph.maps[path].basis.groups, error.shape
            for r, j, tap in np.argwhere(np.abs(error) > tolerance):
                o = int(r) + int(j) * groups // inputs * rows
                misses.append(Miss(path, o, int(j), half, float(abs(error[r, j, tap])), int(tap)))
        if part.bias is not None and wanted.bias is not None:
            error = np.abs(part.bias - wanted.bias)
            misses += [Miss(path, int(o), -1, "bias", float(error[o])) for o in np.flatnonzero(error > tolerance)]
    return tuple(misses[:MOST_MISSES])
