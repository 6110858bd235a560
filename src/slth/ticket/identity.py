"""One digest of what a ticket computes: by it a record names its ticket, whatever the file is called."""

import hashlib
from collections.abc import Iterable

from slth.graph import Graph, chain_of
from slth.ticket.buffers import buffer_of
from slth.ticket.format.fields import canonical
from slth.ticket.format.v2_graph import OP
from slth.ticket.network import Builtin
from slth.ticket.ticket import Ticket


def computed_digest(ticket: Ticket, digests: Iterable[str] | None = None) -> str:
    """SHA-256 of the digests of all maps or tensors, in their order, then of the network, then of what is carried.

    Neither claims nor provenance count: a ticket that is given a further claim computes what it did.

    Args:
        digests: as they were regenerated; None: as the ticket states them, which `verify` checks.
    """
    network, paths = ticket.network, ticket.maps if ticket.gadgets else [tensor.path for tensor in ticket.tensors]
    stated = (ticket.digests[path] for path in paths)
    found = hashlib.sha256("".join(stated if digests is None else digests).encode())
    if isinstance(network, Graph) and chain_of(network) is None:
        found.update(canonical([[node.name, OP.write(node.op), node.inputs] for node in network.nodes]).encode())
    elif isinstance(network, Builtin):
        found.update(canonical([network.name, network.arguments]).encode())
    for name, values in sorted(ticket.carried.items()):
        found.update(canonical([name, str(values.dtype), values.shape]).encode())
        found.update(buffer_of(values))
    return found.hexdigest()
