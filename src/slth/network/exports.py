"""Tickets as plain state dicts, for other tools."""

from typing import cast

import numpy as np
from torch import nn

from slth._errors import InputError
from slth.graph import AxisMap, Conv, Dense, Graph, Op, carried_names, chain_of, stored_weight
from slth.network.sources import source_map, source_neurons
from slth.network.states import source_of, state_of
from slth.network.two_layers import SourceMap
from slth.network.views import MOST_BYTES
from slth.ticket import Ticket, with_steps


def state_dict(ticket: Ticket, view: str) -> dict[str, np.ndarray]:
    """Tensors of a ticket for export, float32.

    `realised`: a plain state dict of the target's shape and names; exists only where no weight has two halves.
    `source`: two layers for each map, `{i}.lift.weight`, `{i}.lift.bias` and `{i}.mixing.weight`, dead neurons left out
    and the gains multiplied in (powers of two: exact). Of a chain: Linear, ReLU, Linear, ReLU, ... Of another
    network `{i}` is the path of the map, and a convolution is: pad, a convolution by `lift` with a kernel of
    one entry, ReLU, a convolution by `mixing`, both in the groups of the map. Behind a linear lift stands no ReLU.

    Where the random tensors are the parameters: the network's own state, pruned, or with all of its random weights.

    Raises:
        InputError: a view that does not exist for this ticket, or does not fit.
    """
    if view not in ("realised", "source"):
        raise InputError(f"a view is realised or source, got {view!r}")
    if not ticket.joined and view == "realised":
        return state_of(ticket)
    if not isinstance(ticket.network, Graph):
        return state_of(ticket) if view == "realised" else source_of(ticket)
    return _realised(ticket) if view == "realised" else _source(ticket)


def _realised(ticket: Ticket) -> dict[str, np.ndarray]:
    if ticket.copies:
        raise InputError(
            "no state dict of the target computes this ticket: its channels are there in copies, so its layers are "
            "wider; use slth.realised(ticket), or export to .onnx"
        )
    if ticket.merged:
        raise InputError(
            "no state dict of the target computes this ticket: its projections are merged, and their products are no "
            "tensors of the target; use slth.realised(ticket), export to .onnx, or export --view source"
        )
    if set(ticket.provenance.names) != set(ticket.maps):
        steps, maps = ticket.provenance.folded, [path for path in ticket.maps if path not in ticket.provenance.names]
        folded = [with_steps(path, steps.get(path, ())) for path in maps]
        raise InputError(
            "no plain state dict computes this ticket: layers of the target are transposed in, or were folded into its "
            f"maps {_listed(folded)}, so that the maps are no tensors of the target; use slth.realised(ticket), export "
            "--view source, or of a Hugging Face model --out FOLDER --target FOLDER"
        )
    own = [name for node in cast(Graph, ticket.network).nodes for name in _numbers(node.op)]
    if own:
        raise InputError(
            "no plain state dict computes this ticket: beside its maps it carries numbers of the target, "
            f"{_listed(own)}, whose tensors have other names there; use slth.realised(ticket), or export --view source"
        )
    named = [name for pair in ticket.provenance.names.values() for name in pair if name is not None]
    if len(set(named)) < len(named):
        raise InputError(
            "no plain state dict computes this ticket: two of its maps stand for one tensor of the target; "
            "use slth.realised(ticket), or export --view source"
        )
    tensors: dict[str, np.ndarray] = {}
    for path, (weight, bias) in ticket.provenance.names.items():
        part = ticket.realised(path)
        if part.negative is not None:
            raise InputError(
                "no plain state dict computes this ticket: its inputs can be negative, and it treats x⁺ and x⁻ by "
                "different weights; export --view source, or construct with linear lifts, the default of the gadget "
                "two-layer, or with an input range that starts at 0"
            )
        tensors[weight] = stored_weight(ticket.maps[path].basis, part.positive).astype(np.float32)
        if bias is not None and part.bias is not None:
            tensors[bias] = part.bias.astype(np.float32)
    return tensors


def _numbers(op: Op) -> tuple[str, ...]:
    """Carried arrays that were parameters or buffers; the matrices of pools and upsampling follow from the network."""
    return () if isinstance(op, AxisMap) else carried_names(op)


def _listed(names: list[str]) -> str:
    """The first three of some names."""
    return ", ".join(names[:3])[:300] + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _source(ticket: Ticket) -> dict[str, np.ndarray]:
    lives = [(source_neurons(ticket, path), op.basis) for path, op in ticket.maps.items()]
    size = sum(4 * live * (basis.inputs + basis.outputs * basis.taps + 1) for live, basis in lives)
    if size > MOST_BYTES:
        raise InputError(f"the source as dense tensors needs {size / 2**30:.2f} GiB, more than 2 GiB")
    chained = chain_of(cast(Graph, ticket.network)) is not None
    tensors: dict[str, np.ndarray] = {}
    for i, path in enumerate(ticket.maps):
        name = str(i) if chained else path
        tensors |= {f"{name}.{tensor}": values for tensor, values in _layers(source_map(ticket, path), path).items()}
    return tensors


def _layers(part: nn.Module, path: str) -> dict[str, np.ndarray]:
    """The two random layers of a map: dense ones, or a convolution with a kernel of one entry and the map's own."""
    if not isinstance(part, SourceMap):
        raise InputError(f"{path}: its source is no pair of layers; use slth.source(ticket)")
    basis = part.basis
    if not isinstance(basis, Dense | Conv):
        raise InputError(
            f"{path}: the source of a {type(basis).__name__} map is no pair of layers; use slth.source(ticket)"
        )
    live, inputs = len(part.inputs), basis.inputs // basis.groups
    lift = np.zeros((live, inputs), np.float32)
    lift[np.arange(live), part.inputs.numpy() % inputs] = part.weight.numpy()
    mixing = part.gain * part.mixing.numpy()
    dense = isinstance(basis, Dense)
    tensors = {
        "lift.weight": lift if dense else lift.reshape(live, inputs, *(1 for _ in basis.kernel)),
        "mixing.weight": np.ascontiguousarray(mixing.T if dense else mixing),
    }
    return tensors if part.biased is False else {**tensors, "lift.bias": part.bias.numpy()}
