"""Tickets as plain state dicts, for other tools."""

from typing import Any, cast

import numpy as np

from slth._errors import InputError
from slth.graph import Graph
from slth.network.maps import SourceMap
from slth.network.states import source_of, state_of
from slth.network.views import MOST_BYTES, source
from slth.ticket import Ticket


def state_dict(ticket: Ticket, view: str) -> dict[str, np.ndarray]:
    """Tensors of a ticket for export, float32.

    `realised`: a plain state dict of the target's shape and names; exists only where inputs are never negative.
    `source`: an MLP of twice the depth, `{i}.lift.weight`, `{i}.lift.bias` and `{i}.mixing.weight`, dead neurons left
    out and the gains multiplied in (powers of two: exact), to be read as Linear, ReLU, Linear, ReLU, ...

    Where the random tensors are the parameters: the network's own state, pruned, or with all of its random weights.

    Raises:
        InputError: a view that does not exist for this ticket, or does not fit.
    """
    if view not in ("realised", "source"):
        raise InputError(f"a view is realised or source, got {view!r}")
    if not isinstance(ticket.network, Graph):
        return state_of(ticket) if view == "realised" else source_of(ticket)
    return _realised(ticket) if view == "realised" else _source(ticket)


def _realised(ticket: Ticket) -> dict[str, np.ndarray]:
    tensors: dict[str, np.ndarray] = {}
    for path, (weight, bias) in ticket.provenance.names.items():
        part = ticket.realised(path)
        if part.negative is not None:
            raise InputError(
                "no plain state dict computes this ticket: its inputs can be negative, and it treats x⁺ and x⁻ by "
                "different weights; export --view source, or construct with an input range that starts at 0"
            )
        tensors[weight] = part.positive[:, :, 0].astype(np.float32)
        if bias is not None and part.bias is not None:
            tensors[bias] = part.bias.astype(np.float32)
    return tensors


def _source(ticket: Ticket) -> dict[str, np.ndarray]:
    size = sum(
        4 * gadget.lift_spec(op).live * (op.basis.inputs + op.basis.outputs + 1)
        for path, op in ticket.maps.items()
        for gadget in [cast(Any, ticket.gadgets[path])]
    )
    if size > MOST_BYTES:
        raise InputError(f"the source as dense tensors needs {size / 2**30:.2f} GiB, more than 2 GiB")
    tensors: dict[str, np.ndarray] = {}
    for i, (part, op) in enumerate(zip(source(ticket).maps, ticket.maps.values(), strict=True)):
        part = cast(SourceMap, part)
        live = len(part.inputs)
        lift = np.zeros((live, op.basis.inputs), np.float32)
        lift[np.arange(live), part.inputs.numpy()] = part.weight.numpy()
        tensors[f"{i}.lift.weight"] = lift
        if op.bias:
            tensors[f"{i}.lift.bias"] = part.bias.numpy()
        tensors[f"{i}.mixing.weight"] = np.ascontiguousarray(part.gain * part.mixing.numpy().T)
    return tensors
