"""Tickets from their parts: masks packed, heads and digests filled in."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from slth._errors import InputError
from slth._shapes import Bits
from slth.certificate import Certificate
from slth.graph import Graph
from slth.ticket.carried import native
from slth.ticket.effective import effective_digest
from slth.ticket.gadgets import Gadget, Moves
from slth.ticket.inputs import Inputs
from slth.ticket.network import Network
from slth.ticket.provenance import Provenance
from slth.ticket.realise import head_digest, pack
from slth.ticket.stored_tensors import check_mask, check_move
from slth.ticket.tensors import RandomTensor
from slth.ticket.ticket import Ticket


def gadget_tensors(
    graph: Graph, gadgets: Mapping[str, Gadget], masks: Mapping[str, Bits], moves: Mapping[str, Moves] | None = None
) -> tuple[RandomTensor, ...]:
    """The random tensors of all maps; what a stored mask keeps is counted."""
    found, moved = list[RandomTensor](), moves or {}
    for path, op in graph.maps.items():
        kept = gadgets[path].entries(path, op, masks) if masks else {}
        found += (
            replace(tensor, kept=kept[tensor.path], moved=tensor.path in moved) if tensor.path in kept else tensor
            for tensor in gadgets[path].tensors(path, op)
        )
    return tuple(found)


def constructed_ticket(
    *,
    seed: int,
    graph: Graph,
    gadgets: Mapping[str, Gadget],
    inputs: Inputs | None,
    masks: Mapping[str, Bits],
    digests: Mapping[str, str],
    claims: Certificate,
    provenance: Provenance,
    carried: Mapping[str, np.ndarray] | None = None,
    assumed: tuple[str, ...] = (),
    moves: Mapping[str, Moves] | None = None,
    move_bound: float | None = None,
) -> Ticket:
    """A ticket whose maps were solved; mappings by map, but `masks`, `moves` by tensor and `carried`, what ops read.

    digests: of what each map realises, see `realised_digest`.
    """
    tensors = gadget_tensors(graph, gadgets, masks, moves)
    return Ticket(
        seed=seed,
        network=graph,
        gadgets=gadgets,
        inputs=inputs,
        tensors=tensors,
        masks=masks,
        heads={tensor.path: head_digest(tensor, seed) for tensor in tensors},
        digests=digests,
        claims=claims,
        provenance=provenance,
        carried={name: native(name, values) for name, values in sorted((carried or {}).items())},
        assumed=assumed,
        moves=dict(moves or {}),
        move_bound=move_bound,
    )


def learned_ticket(
    *,
    seed: int,
    network: Network,
    inputs: Inputs | None,
    tensors: Sequence[RandomTensor],
    kept: Mapping[str, np.ndarray],
    moves: Mapping[str, np.ndarray],
    move_bound: float | None,
    carried: Mapping[str, np.ndarray],
    provenance: Provenance,
) -> Ticket:
    """A ticket whose random tensors are parameters, from boolean masks. O(size).

    Args:
        kept: the mask of every tensor by path, bool of its shape.
        moves: by path, Δ of the kept weights in C order, float32 (kept,); only of tensors that moved.
        carried: arrays of any byte order and layout; copied.

    Raises:
        InputError: what contradicts what, by name; see `Ticket`.
    """
    masks: dict[str, Bits] = {}
    flat = {path: np.array(move, np.float32).reshape(-1) for path, move in moves.items()}
    digests: dict[str, str] = {}
    if set(kept) != {tensor.path for tensor in tensors}:
        wanted, got = (", ".join(paths)[:150] for paths in ([tensor.path for tensor in tensors], kept))
        raise InputError(f"expected a mask of each tensor, {wanted or 'of which there are none'}; got {got or 'none'}")
    for tensor in tensors:
        keep = kept[tensor.path]
        if keep.dtype != np.bool_ or keep.shape != tensor.shape:
            raise InputError(
                f"{tensor.path}: expected a bool mask of shape {tensor.shape}, got {keep.dtype} {keep.shape}"
            )
        if not (tensor.kept == tensor.size and keep.all()):
            masks[tensor.path] = pack(keep)
        mask, move = masks.get(tensor.path), flat.get(tensor.path)
        check_mask(tensor, mask)
        check_move(tensor, move)
        digests[tensor.path] = effective_digest(tensor, seed, mask, move)
    return Ticket(
        seed=seed,
        network=network,
        gadgets={},
        inputs=inputs,
        tensors=tuple(tensors),
        masks=masks,
        heads={tensor.path: head_digest(tensor, seed) for tensor in tensors},
        digests=digests,
        claims=None,
        provenance=provenance,
        moves=flat,
        move_bound=move_bound,
        carried={name: native(name, values) for name, values in sorted(carried.items())},
    )
