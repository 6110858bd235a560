"""What the exported network of a ticket says of itself: order, activation, inputs."""

from slth.graph import INPUT, Dense, Graph, Linear, Pointwise
from slth.network.reading import ACTIVATIONS, Stated
from slth.ticket import Builtin, Inputs, Ticket

_PLAIN = ("mlp", "lenet_300_100")  # architectures that are Linear, ReLU, ..., Linear


def stated_of(ticket: Ticket, view: str) -> Stated:
    """What the exported state dict of a ticket says; `view` as of `state_dict`."""
    inputs = without_range(ticket.inputs)
    network = ticket.network
    if isinstance(network, Builtin):
        weights = [tensor.path for tensor in ticket.tensors if len(tensor.shape) == 2]
        plain = network.name in _PLAIN and all(path.endswith(".weight") for path in weights)
        layers = sorted({_layer(name) for name in (*weights, *ticket.carried)}, key=lambda name: (len(name), name))
        return Stated("mlp", tuple(layers), "relu", inputs) if plain else Stated("graph", inputs=inputs)
    if not isinstance(network, Graph):
        return Stated("unknown", inputs=inputs)
    activation = _activation(network)
    if view == "source":
        layers = [f"{i}.{part}" for i in range(len(ticket.maps)) for part in ("lift", "mixing")]
        plain = activation == "relu" and not ticket.linear_maps  # a ReLU between all of its layers
        return Stated("mlp", tuple(layers), "relu", inputs) if plain else Stated("graph", inputs=inputs)
    weights = [ticket.provenance.names.get(path, ("", None))[0] for path in ticket.maps]
    if activation is None or not all(name.rpartition(".")[2] == "weight" for name in weights):
        return Stated("graph", inputs=inputs)
    return Stated("mlp", tuple(map(_layer, weights)), activation, inputs)


def without_range(inputs: Inputs | None) -> Inputs | None:
    """Shape, mean and std: a range is a claim of the ticket's, and asked for anew."""
    return None if inputs is None else Inputs(inputs.shape, inputs.mean, inputs.std)


def _layer(name: str) -> str:
    return name.rpartition(".")[0]


def _activation(graph: Graph) -> str | None:
    """The one function between the dense maps of a plain MLP; None of any other network."""
    functions: list[Pointwise | None] = []
    before, maps = INPUT, 0
    for node in graph.nodes:
        if node.inputs != (before,):
            return None
        if isinstance(node.op, Linear) and isinstance(node.op.basis, Dense):
            functions += [None] if maps and len(functions) < maps else []
            maps += 1
        elif isinstance(node.op, Pointwise) and len(functions) == maps - 1:
            functions.append(node.op)
        else:
            return None
        before = node.name
    if len(functions) >= maps or len(graph.maps) < maps:  # it ends in a function, or uses a map twice
        return None
    if not functions:
        return "relu"
    known = (name for name, function in ACTIVATIONS.items() if all(function == other for other in functions))
    return next(known, None)
