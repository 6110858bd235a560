"""The source of merged projections: the pruned attention itself, with head sizes n_K and n_V and no further layer.

Of a merged map's two random layers the lift A becomes the query (value) projection and the pruned mixing layer B the
key (output) projection: ⟨A x_t, B y_s⟩ where the realised view computes ⟨Bᵀ A x_t, y_s⟩. Neurons that only fill a head
up to the width of the widest one are pruned: zeros.
"""

from typing import cast

import numpy as np

from slth.graph import HALVES, Affine, Graph, with_projections
from slth.network.sources import source_map
from slth.network.two_layers import SourceMap, SumMap
from slth.ticket import Ticket, TwoLayer


def source_graph(ticket: Ticket) -> Graph:
    """The network of a ticket, each merged map as the two projections that realise it; itself if none is merged.

    A map that a file calls merged and that is part of no attention stays a pair of layers.
    """
    network = cast(Graph, ticket.network)
    if not ticket.merged or ticket.inputs is None:
        return network
    widths = {path: _neurons(ticket, path) for path in ticket.merged}
    return with_projections(network, ticket.merged, widths, shape=ticket.inputs.shape, carried=ticket.carried)


def source_projections(ticket: Ticket, path: str, graph: Graph) -> dict[str, Affine]:
    """The two projections of a merged map in that graph, by path: exact in float32 but for the sums that they form."""
    first, second = (f"{path}/{half}" for half in HALVES[ticket.merged[path].part])
    module = source_map(ticket, path)
    parts = [cast(SourceMap, part) for part in (module.parts if isinstance(module, SumMap) else [module])]
    lift = graph.maps[first]
    width, inputs = lift.coefficients[:2]
    weight, bias, mixed = np.zeros((width, inputs)), np.zeros(width), np.zeros((width, ticket.maps[path].basis.outputs))
    at = 0
    for part in parts:
        own = slice(at, at + len(part.inputs))
        weight[np.arange(own.start, own.stop), part.inputs.numpy()] = part.gain * part.weight.numpy().astype(np.float64)
        bias[own], mixed[own] = part.gain * part.bias.numpy().astype(np.float64), part.mixing.numpy()
        at = own.stop
    if second.endswith("/output"):
        mixed = mixed.T
    return {
        first: Affine(weight[:, :, None], bias if lift.bias else None),
        second: Affine(np.ascontiguousarray(mixed)[:, :, None], None),
    }


def _neurons(ticket: Ticket, path: str) -> int:
    """n_K or n_V of a map: its live neurons, mirrors included."""
    gadget = cast(TwoLayer, ticket.gadgets[path])
    return gadget.cost(ticket.maps[path]).live * (2 if gadget.centred else 1)
