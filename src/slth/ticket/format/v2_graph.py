"""Version 2: a network as JSON. A table for each op, function, basis and axis matrix, both directions from one table.

What a network costs is known from integers alone, and bounded before anything is allocated: `check_network`.
"""

import math
from collections.abc import Mapping, Set
from functools import partial
from typing import Any

import numpy as np

from slth._errors import InputError
from slth.graph import (
    FUNCTIONS,
    INPUT,
    Add,
    Attention,
    AxisMap,
    AxisMatrix,
    Concat,
    Constant,
    Conv,
    ConvTranspose,
    Dense,
    Embedding,
    Graph,
    Linear,
    LogSoftmax,
    MatMul,
    MaxPool,
    Multiply,
    Node,
    Normalise,
    OneHot,
    Pad,
    Permutation,
    Permute,
    Pointwise,
    Reshape,
    Scale,
    Shape,
    Slice,
    Softmax,
    Standardise,
    Steerable,
    carried_names,
    fold,
    formed,
    shape_at,
)
from slth.ticket.format.fields import TicketError, check_list
from slth.ticket.format.runs import CarriedTypes
from slth.ticket.format.schema import (
    FLAG,
    NAME,
    SIZE,
    Choice,
    Kind,
    Record,
    integer,
    name_of,
    number,
    optional,
    row_of,
    tuple_of,
)

MOST_NODES = 10_000
MOST_AXES = 8
MOST_EDGES = 100_000  # inputs of all nodes
MOST_ENTRIES = 2**28  # of one value, or of what an op forms beside: see `formed`
MOST_WORK = 2**32  # of all these together, of MaxPool times its window, of Add times its inputs
CARRIED_TYPES = ("F16", "F32", "F64")  # what ops can read

_TOGETHER = 64  # terms of a product of matrices
_STEP = integer(1, 2**20)  # of kernels, strides, dilations
_WIDTH = integer(0, 2**20)  # of padding
_AXIS = integer(0, MOST_AXES - 1)
_LENGTH = integer(1, SIZE)
_STEPS, _WIDTHS = tuple_of(_STEP, 3), tuple_of(_WIDTH, 2 * MOST_AXES)


_PARAMETERS: Mapping[str, Kind] = {
    "alpha": number(),
    "beta": number(),
    "gamma": number(),
    "low": optional(number()),
    "high": optional(number()),
    "slope": NAME,
    "axis": _AXIS,
}
POINTWISE = Choice(
    "function",
    {
        name: Record(partial(Pointwise, name), **{key: _PARAMETERS[key] for key in function.parameters})
        for name, function in FUNCTIONS.items()
    },
    kind_of=lambda op: op.function,
)
_CONV = {
    "inputs": _LENGTH,
    "outputs": _LENGTH,
    "kernel": _STEPS,
    "stride": _STEPS,
    "padding": _WIDTHS,
    "dilation": _STEPS,
    "groups": _LENGTH,
}
BASIS = Choice(
    "kind",
    {
        "Dense": Record(Dense, inputs=_LENGTH, outputs=_LENGTH),
        "OneHot": Record(OneHot, inputs=_LENGTH, outputs=_LENGTH),
        "Conv": Record(Conv, **_CONV),
        "ConvTranspose": Record(ConvTranspose, **_CONV, output_padding=tuple_of(_WIDTH, 3)),
        "Steerable": Record(
            Steerable,
            inputs=_LENGTH,
            outputs=_LENGTH,
            group=name_of("C4", "D4"),
            kernel=_STEP,
            stride=_STEP,
            padding=_WIDTH,
            lifting=FLAG,
        ),
        "Permutation": Record(
            Permutation,
            inputs=_LENGTH,
            outputs=_LENGTH,
            reads=integer(1, 2),
            writes=integer(0, 2),
            members=_LENGTH,
        ),
    },
    kind_of=lambda basis: type(basis).__name__,
)
_MATRIX = {
    "average": {
        "kernel": _STEP,
        "stride": _STEP,
        "padding": row_of(_WIDTH, _WIDTH, expected="[before, behind]"),
        "length": _LENGTH,
        "count": name_of("all", "real"),
    },
    "mean": {"length": _LENGTH},
    "nearest": {"length": _LENGTH},
    "linear": {"length": _LENGTH, "corners": FLAG},
    "matrix": {"value": NAME},
    "sparse": {"length": _LENGTH, "value": NAME},
}
AXIS_MATRIX = Choice(
    "kind",
    {kind: Record(partial(AxisMatrix, kind=kind), axis=_AXIS, **members) for kind, members in _MATRIX.items()},
    kind_of=lambda matrix: matrix.kind,
)
OP = Choice(
    "kind",
    {
        "Linear": Record(Linear, map=NAME, basis=Kind(BASIS.read, BASIS.write), bias=FLAG),
        "Pointwise": POINTWISE,
        "MaxPool": Record(MaxPool, kernel=_STEPS, stride=_STEPS, padding=_WIDTHS, dilation=_STEPS),
        "AxisMap": Record(AxisMap, axes=tuple_of(Kind(AXIS_MATRIX.read, AXIS_MATRIX.write), MOST_AXES)),
        "Add": Record(Add, coefficients=tuple_of(number(), MOST_NODES)),
        "Multiply": Record(Multiply),
        "Scale": Record(Scale, axis=_AXIS, scale=optional(NAME), shift=optional(NAME)),
        "Normalise": Record(
            Normalise,
            axis=_AXIS,
            mean=NAME,
            variance=NAME,
            scale=optional(NAME),
            shift=optional(NAME),
            epsilon=number(0.0),
        ),
        "Concat": Record(Concat, axis=_AXIS),
        "Reshape": Record(Reshape, shape=tuple_of(_LENGTH, MOST_AXES)),
        "Permute": Record(Permute, order=tuple_of(_AXIS, MOST_AXES)),
        "Slice": Record(Slice, axis=_AXIS, start=integer(0, SIZE), stop=_LENGTH, step=_LENGTH),
        "Pad": Record(Pad, padding=_WIDTHS, value=number()),
        "Constant": Record(Constant, value=NAME),
        "Softmax": Record(Softmax, axis=_AXIS),
        "LogSoftmax": Record(LogSoftmax, axis=_AXIS),
        "MatMul": Record(MatMul),
        "Attention": Record(Attention, scale=number(), causal=FLAG, visible=optional(NAME), bias=optional(NAME)),
        "Standardise": Record(Standardise, axes=tuple_of(_AXIS, MOST_AXES), epsilon=number(0.0), centred=FLAG),
        "Embedding": Record(Embedding, table=NAME, tied=FLAG),
    },
    kind_of=lambda op: type(op).__name__,
)
NODE = Record(Node, name=NAME, op=Kind(OP.read, OP.write), inputs=tuple_of(NAME, MOST_NODES))


def _read_nodes(data: Any, where: str) -> tuple[Node, ...]:
    entries = check_list(data, where, MOST_NODES)
    listed = (entry.get("inputs") for entry in entries if isinstance(entry, dict))
    edges = sum(len(inputs) for inputs in listed if isinstance(inputs, list))
    if edges > MOST_EDGES:
        raise TicketError(f"{where}: expected at most {MOST_EDGES:,} inputs of all nodes; got {edges:,}")
    return tuple(NODE.read(entry, f"{where}.{i}") for i, entry in enumerate(entries))


def _read_maps(data: Any, where: str) -> tuple[Linear, ...]:
    entries = check_list(data, where, MOST_NODES)
    return tuple(_MAP.read(entry, f"{where}.{i}") for i, entry in enumerate(entries))


GRAPH = Record(Graph, nodes=Kind(_read_nodes, lambda nodes: [NODE.write(node) for node in nodes]))
_MAP = Record(Linear, map=NAME, basis=Kind(BASIS.read, BASIS.write), bias=FLAG)
LAYERS = Record(
    Graph.unjoined,
    maps=Kind(_read_maps, lambda maps: [_MAP.write(op) for op in maps.values()]),
    transposed=tuple_of(NAME, MOST_NODES),
)


def check_network(graph: Graph, inputs: Shape, carried: CarriedTypes, beside: Set[str] = frozenset()) -> Shape:
    """The shape of the outputs of a network of anyone's, decided in integers.

    Args:
        inputs: shape of the network's input.
        carried: type and shape of every carried array.
        beside: names of carried arrays that claims speak of.

    Raises:
        TicketError: a node that nothing reads, values that do not fit, carried arrays that are not those of the ops,
            or a network that takes more than a reader allows.
    """
    read = {name for node in graph.nodes for name in node.inputs}
    unread = next((name for name in (INPUT, *(node.name for node in graph.nodes[:-1])) if name not in read), None)
    if unread is not None:
        raise TicketError(f"network: {unread[:200]!r} is read by no later node; expected that each value is used")
    _check_carried(graph, carried, beside)
    arrays = {name: np.broadcast_to(np.ones(()), shape) for name, (_, shape) in carried.items()}  # no memory
    work = _checked(INPUT, inputs, 1)

    def step(node: Node, values: tuple[Shape, ...]) -> Shape:
        nonlocal work
        try:
            shape = shape_at(node, graph, values, arrays)
        except InputError as error:
            raise TicketError(f"node {node.name[:200]!r}: {error}") from error
        work += _checked(node.name, shape, _looks(node, values))
        _check_axes(node)
        looks = -(-values[0][-1] // _TOGETHER) if isinstance(node.op, Attention) else 1
        work += sum(_checked(node.name, beside, looks) for beside in formed(node.op, values, shape, arrays))
        if work > MOST_WORK:
            raise TicketError(f"network: its values have more than {MOST_WORK:,} entries; it was not written by slth")
        return shape

    return fold(graph, inputs, step)


def _checked(name: str, shape: Shape, looks: int) -> int:
    """The entries of a value, or of what forms on the way to it, if it is not too large; times so many."""
    if not 1 <= len(shape) <= MOST_AXES or not 1 <= math.prod(shape) <= MOST_ENTRIES:
        raise TicketError(
            f"node {name[:200]!r}: expected a value of 1 to {MOST_AXES} axes and at most {MOST_ENTRIES:,} entries; "
            f"got shape {str(shape)[:100]}"
        )
    return math.prod(shape) * looks


def _looks(node: Node, values: tuple[Shape, ...]) -> int:
    """How many entries an op looks at for each of its value; of products, which are quick, `_TOGETHER` count as one."""
    if isinstance(node.op, MaxPool):
        return math.prod(node.op.kernel)
    if isinstance(node.op, MatMul | Attention):
        return -(-values[-1][-2] // _TOGETHER)
    return len(node.inputs) if isinstance(node.op, Add) else 1


def _check_axes(node: Node) -> None:
    """Matrices stand along different axes, in order."""
    axes = [matrix.axis for matrix in node.op.axes] if isinstance(node.op, AxisMap) else [0]
    if not axes or sorted(set(axes)) != axes:
        raise TicketError(f"node {node.name[:200]!r}: expected axes in ascending order, at least one; got {axes}")


def _check_carried(graph: Graph, carried: CarriedTypes, beside: Set[str]) -> None:
    """Carried are exactly the arrays that ops read, floating-point and not empty, and those that claims speak of."""
    read = {name for node in graph.nodes for name in carried_names(node.op)}
    wanted = read | beside
    if wanted != set(carried):
        name = min(wanted ^ set(carried))
        what = "is read, but not carried" if name in wanted else "is carried, but no op reads it"
        raise TicketError(f"carried: {name[:200]!r} {what}")
    for name, (dtype, shape) in ((name, carried[name]) for name in carried if name in read):
        if dtype not in CARRIED_TYPES or 0 in shape:
            raise TicketError(
                f"carried.{name[:100]}: expected numbers of type {', '.join(CARRIED_TYPES)} for an op to read; got "
                f"{dtype} of shape {shape}"
            )
