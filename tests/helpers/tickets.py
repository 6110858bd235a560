"""A small ticket made without a solver: any mask is a ticket, and its certificate says how bad it is."""

import itertools

import numpy as np

from slth.certificate import Affine, certify
from slth.ticket import (
    Asked,
    Domain,
    LayerSpec,
    LiftSpec,
    Provenance,
    Ticket,
    head_digest,
    pack,
    realise,
    realised_digest,
    scan,
    signed_ranges,
    target_digest,
)


def any_ticket(widths=(3, 4, 2), *, seed=5, bias=True, lower=-1.0, density=0.5, rng_seed=0):
    rng = np.random.default_rng(rng_seed)
    domain = Domain((lower,), (1.0,))
    target = [
        Affine(rng.normal(size=(out, inp, 1)), rng.normal(size=out) if bias else None)
        for inp, out in itertools.pairwise(widths)
    ]
    layers, masks, parts = [], [], []
    for i, (inp, out) in enumerate(itertools.pairwise(widths)):
        signed = domain.signed(inp) if i == 0 else np.zeros(inp, np.bool_)
        lift_spec = LiftSpec(inp, 5, 6 if bias else 0, signed_ranges(signed))
        lift = scan(lift_spec, seed, f"layers/{i}")
        layer = LayerSpec(f"layers/{i}", out, 1, lift_spec, lift.neurons, 0.5, 2.0)
        mask = rng.random((out, lift_spec.live)) < density
        layers.append(layer)
        masks.append(pack(mask))
        parts.append(realise(layer, lift, seed, mask))
    ticket = Ticket(
        seed=seed,
        network="relu_mlp",
        domain=domain,
        layers=tuple(layers),
        masks=tuple(masks),
        heads=tuple(head_digest(tensor, seed) for layer in layers for tensor in layer.tensors),
        digests=tuple(realised_digest(part) for part in parts),
        certificate=certify(target, parts, tolerances=[0.5] * len(parts), box=domain.box(widths[0])),
        provenance=Provenance(
            version="0.0.test",
            method="coin flips",
            asked=Asked(tolerance=0.5),
            attempts=1,
            target=target_digest(target),
            names=tuple((f"{i}.weight", f"{i}.bias" if bias else None) for i in range(len(layers))),
            misses=(),
        ),
    )
    return ticket, target
