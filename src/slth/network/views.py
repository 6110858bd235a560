"""Two views of a ticket as modules: the function it computes, and the pruned random network itself.

`realised`: for each map P x⁺ + N x⁻ + b̂, the coefficients rounded once to float32. As many operations as the target,
twice where inputs can be negative. A map that is the target's, bit for bit, is W x + b: so that its values are, too.

`source`: the random network with its masks. The lift keeps one weight per neuron, so it is stored as index and value
(a sparse matrix with one entry per row); the mixing matrix keeps about half of its weights and is stored dense, masked.
Of merged projections it is the attention that they are, see `merged`.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from slth._errors import InputError
from slth.graph import Graph, Realised, Target, carried_names, most_entries
from slth.network.build import Network
from slth.network.maps import RealisedMap, TargetMap
from slth.network.merged import source_graph, source_projections
from slth.network.sources import source_bytes, source_map
from slth.network.states import module_of
from slth.ticket import Ticket, own_affine

MOST_BYTES = 2 << 30  # of a source view
MOST_ENTRIES = MOST_BYTES // 4  # numbers that one input may take on its way through a network


def realised(ticket: Ticket) -> nn.Module:
    """The function a ticket computes, float32, in evaluation mode; regenerates the random weights once.

    Raises:
        InputError: a ticket that is bound to a model of the user's; values or numbers that are too large.
    """
    if not isinstance(ticket.network, Graph) or not ticket.joined:
        return module_of(ticket)
    return realised_from(ticket, ticket.realised)


def realised_from(ticket: Ticket, parts: Callable[[str], Realised]) -> Network:
    """The same, of coefficients that `parts` gives; each map is asked for once, in order, and dropped."""
    graph = _graph(ticket)
    _check_values(ticket, graph)
    exact = None if ticket.claims is None else ticket.claims.exact
    maps: dict[str, nn.Module] = {}
    for path, op in graph.maps.items():
        part = parts(path)
        if exact is None or exact.maps[path].differ:
            maps[path] = RealisedMap(op.basis, part)
        else:
            maps[path] = TargetMap(op.basis, own_affine(op, part, exact.maps[path], ticket.carried))
    return Network(graph, maps, read_by_ops(ticket))


def source(ticket: Ticket, *, most_bytes: int = MOST_BYTES) -> Network:
    """The pruned random network, float32.

    Raises:
        InputError: it would take more than `most_bytes` of memory, or its values too much; or the ticket has no maps.
    """
    _graph(ticket)
    graph = source_graph(ticket)
    _check_values(ticket, graph)
    size = sum(source_bytes(ticket, path) for path in ticket.maps)
    if size > most_bytes:
        raise InputError(
            f"the source network needs {size / 2**30:.2f} GiB, more than the limit of {most_bytes / 2**30:.2f} GiB; "
            "the realised view computes the same function"
        )
    maps: dict[str, nn.Module] = {}
    for path in ticket.maps:
        if path in graph.maps:
            maps[path] = source_map(ticket, path)
            continue
        projections = source_projections(ticket, path, graph)
        maps |= {own: TargetMap(graph.maps[own].basis, affine) for own, affine in projections.items()}
    return Network(graph, maps, read_by_ops(ticket))


def target_module(target: Target, dtype: torch.dtype = torch.float32) -> Network:
    """The target itself, as its graph computes it."""
    graph = target.graph
    maps = {path: TargetMap(op.basis, target.coefficients[path], dtype) for path, op in graph.maps.items()}
    read = {name for node in graph.nodes for name in carried_names(node.op)}
    return Network(graph, maps, {name: target.carried[name] for name in target.carried if name in read}, dtype)


def read_by_ops(ticket: Ticket) -> dict[str, np.ndarray]:
    """What a ticket carries that its network computes with."""
    names = {name for node in _graph(ticket).nodes for name in carried_names(node.op)}
    return {name: array for name, array in ticket.carried.items() if name in names}


def _check_values(ticket: Ticket, graph: Graph) -> None:
    """A file of a few bytes may speak of values that no memory holds: refused before one is made."""
    if ticket.inputs is not None:
        entries = most_entries(graph, ticket.inputs.shape, ticket.carried)
        if entries > MOST_ENTRIES:
            raise InputError(
                f"one input would take {entries / 2**28:,.1f} GiB on its way through this network, more than the limit "
                f"of {MOST_ENTRIES / 2**28:g} GiB; it cannot be run here"
            )


def _graph(ticket: Ticket) -> Graph:
    if not isinstance(ticket.network, Graph):
        raise InputError("the random tensors of this ticket are the parameters themselves: slth.realised(ticket)")
    if not ticket.joined:
        raise InputError(
            "this ticket is layers of a model of your own, which no file can rebuild: make the model and load them "
            "into it: slth.apply(ticket, model)"
        )
    return ticket.network
