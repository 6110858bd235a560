r"""Copies: the same network, every hidden channel of which stands there several times.

A network in which each map makes its outputs in $\rho$ copies computes the same function if a map reads one copy of
each channel. As a graph: channel (j, k), copy k of channel j, has index $j \rho + k$ along the axis of channels, so
pools, functions of single numbers, sums, slices and padding stay as they are; where a reshape merges that axis with
others, the copies are moved behind them. A *pruned* network may read other copies of a channel, and all of them: this
is what `slth.ticket.gadgets.copies` makes use of.

Source: Burkholz (2022), 2205.02321 and 2205.02343.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain as chained
from typing import Any, cast

import numpy as np

from slth._errors import InputError
from slth._shapes import Coefficient
from slth.graph.bases import Shape
from slth.graph.nodes import INPUT, Graph, Node, fold
from slth.graph.ops import (
    Add,
    AxisMap,
    Concat,
    Embedding,
    Linear,
    MaxPool,
    Op,
    Pad,
    Permute,
    Pointwise,
    Reshape,
    Slice,
)
from slth.graph.shapes import Carried, shapes
from slth.graph.values import Affine, Target

_INSTEAD = "the gadget two-layer takes any network"


@dataclass(frozen=True, slots=True)
class _Value:
    """A value of the network with copies, by the node that makes it."""

    node: str
    shape: Shape  # of the value without copies
    axis: int = 0  # of the channels
    copies: int = 1


def read_together(graph: Graph) -> tuple[tuple[str, ...], ...]:
    """Maps that read the same number of copies, for they read copies of one map; each in the order of the maps.

    Maps that read the network's input alone are in none of them: there are no copies of it.

    Raises:
        InputError: a map that reads both the input and a map's outputs, or values that are carried.
    """
    groups: list[tuple[set[str], set[str]]] = []  # readers, and the maps whose copies they read
    for path, made in _origins(graph).items():
        if not made:
            continue
        readers, makers = {path}, set(made)
        apart = [group for group in groups if not group[1] & makers]
        for other in groups:
            if other[1] & makers:
                readers |= other[0]
                makers |= other[1]
        groups = [*apart, (readers, makers)]
    found = [tuple(path for path in graph.maps if path in readers) for readers, _ in groups]
    return tuple(sorted(found, key=lambda group: list(graph.maps).index(group[0])))


def copies_made(graph: Graph, reads: Mapping[str, int]) -> dict[str, int]:
    """By map, how many copies of its outputs there are: as many as are read, and one that no map reads.

    Raises:
        InputError: two maps read other numbers of copies of a third one.
    """
    made: dict[str, int] = {}
    for path, makers in _origins(graph).items():
        for maker in makers:
            if made.setdefault(maker, reads.get(path, 1)) != reads.get(path, 1):
                raise InputError(
                    f"{path} reads {reads.get(path, 1)} copies of what {maker} makes, another map {made[maker]}; "
                    "expected the same number"
                )
    return {path: made.get(path, 1) for path in graph.maps}


def check_copies(graph: Graph, reads: Mapping[str, int]) -> None:
    """Can the maps of a graph with copies read as many of each channel?

    Raises:
        InputError: two maps that read other numbers of copies of a third one, or more than there are channels.
    """
    made = copies_made(graph, reads)
    for path, op in graph.maps.items():
        groups, read = op.basis.groups, reads.get(path, 1)
        if op.basis.inputs // groups % read or op.basis.outputs // groups % made[path]:
            raise InputError(f"{path}: {read} copies of its inputs and {made[path]} of its outputs do not divide them")


def with_copies(target: Target, reads: Mapping[str, int], *, shape: Shape = ()) -> Target:
    """A target that computes the same function, every channel in copies; a map reads copy 0 of each channel.

    Args:
        reads: by map, how many copies of each channel it reads; 1 where that is not said.
        shape: of the network's input; (): that of the target.

    Raises:
        InputError: an op over whose values the construction says nothing, by its node.

    >>> from slth.graph import chain
    >>> target = chain([Affine(np.array([[[2.0]]]), None), Affine(np.array([[[3.0]]]), None)])
    >>> with_copies(target, {"layers/1": 3}).coefficients["layers/1"].weight
    array([[[3.],
            [0.],
            [0.]]])
    """
    graph = graph_with_copies(target.graph, reads, shape=shape or target.input_shape, carried=target.carried)
    made = copies_made(target.graph, reads)
    coefficients = {
        path: _repeated(affine, made[path], reads.get(path, 1)) for path, affine in target.coefficients.items()
    }
    return replace(target, graph=graph, coefficients=coefficients, copies=dict(reads), original=target)


def of_channels(coefficients: np.ndarray, copies: int) -> Coefficient:
    """The sum over all copies that are read, of coefficients (row, inp, tap): what they give where copies are equal."""
    rows, inputs, taps = coefficients.shape
    return coefficients.reshape(rows, inputs // copies, copies, taps).sum(axis=2)


def graph_with_copies(graph: Graph, reads: Mapping[str, int], *, shape: Shape, carried: Carried) -> Graph:
    """The graph of `with_copies`; arguments as there."""
    known, made = shapes(graph, shape, carried), copies_made(graph, reads)
    nodes: list[Node] = []

    def step(node: Node, values: tuple[_Value, ...]) -> _Value:
        here = known[node.name]
        if isinstance(node.op, Linear):
            value = _read(node, values[0], reads.get(node.op.map, 1))
            basis = node.op.basis
            wide = replace(
                cast(Any, basis), inputs=basis.inputs * value.copies, outputs=basis.outputs * made[node.op.map]
            )
            nodes.append(Node(node.name, replace(node.op, basis=wide), (value.node,)))
            return _Value(node.name, here, basis.channel_axis % len(here), made[node.op.map])
        if all(value.copies == 1 for value in values):
            nodes.append(Node(node.name, node.op, tuple(value.node for value in values)))
            return _Value(node.name, here)
        op, axis = _through(node, values)
        if isinstance(op, Reshape):
            return _reshaped(nodes, node.name, values[0], here)
        nodes.append(Node(node.name, op, tuple(value.node for value in values)))
        return _Value(node.name, here, axis, values[0].copies)

    tied = next((node for node in graph.nodes if isinstance(node.op, Embedding) and node.op.tied), None)
    if tied is not None:
        raise InputError(f"{tied.name} looks up rows of a map, which has no copies of its own. {_INSTEAD}")
    end = fold(graph, _Value(INPUT, shape), step)
    if end.copies > 1:
        raise InputError(
            f"{end.node} is the output and is read by a map, too: of the output there is one copy. {_INSTEAD}"
        )
    return Graph(tuple(nodes))


def _origins(graph: Graph) -> dict[str, tuple[str, ...]]:
    """By map, the maps that it reads with no other one between; () of those that read the input alone."""
    found: dict[str, set[str]] = {}

    def step(node: Node, values: tuple[frozenset[str], ...]) -> frozenset[str]:
        read = frozenset(chained.from_iterable(values))
        if not isinstance(node.op, Linear):
            return read or frozenset({INPUT})  # what is carried has no copies, either
        found.setdefault(node.op.map, set()).update(read)
        return frozenset({node.op.map})

    fold(graph, frozenset({INPUT}), step)
    for path, read in found.items():
        if INPUT in read and len(read) > 1:
            other = min(read - {INPUT})
            raise InputError(
                f"{path} reads the network's input or a constant together with outputs of {other}, of which there are "
                f"copies; copies join copies alone. {_INSTEAD}"
            )
    return {path: tuple(sorted(read - {INPUT})) for path, read in found.items()}


def _repeated(affine: Affine, made: int, read: int) -> Affine:
    """Row (r, k) is row r, and reads (j, 0) where that reads j."""
    rows, inputs, taps = affine.shape
    weight = np.zeros((rows, made, inputs, read, taps))
    weight[:, :, :, 0] = affine.weight[:, None]
    bias = None if affine.bias is None else np.repeat(affine.bias, made)
    return Affine(weight.reshape(rows * made, inputs * read, taps), bias)


def _read(node: Node, value: _Value, wanted: int) -> _Value:
    """What a map reads: its channels in copies, along the axis along which the map reads them."""
    assert isinstance(node.op, Linear)
    axis = node.op.basis.channel_axis % len(value.shape)
    if value.copies != wanted:
        raise InputError(f"{node.name} reads {value.copies} copies of each channel, not {wanted}")
    if value.copies > 1 and axis != value.axis:
        raise InputError(
            f"{node.name} reads channels along axis {axis}, of which axis {value.axis} has copies. {_INSTEAD}"
        )
    return value


def _through(node: Node, values: tuple[_Value, ...]) -> tuple[Op, int]:
    """The op that does to every copy what this one does, and the axis of the channels afterwards.

    Raises:
        InputError: there is none, or the theorem says nothing of it.
    """
    op, first = node.op, values[0]
    axis, copies, axes = first.axis, first.copies, len(first.shape)
    if any((value.axis, value.copies) != (axis, copies) for value in values):
        raise InputError(
            f"{node.name} ({type(op).__name__}) joins values with copies and values without, or along another axis; "
            f"expected the same copies of both. {_INSTEAD}"
        )
    match op:
        case Pointwise():
            _check_function(node.name, op)
            return op, axis
        case Add() if len({value.shape[axis] for value in values}) == 1:
            return op, axis
        case MaxPool() if axis < axes - len(op.kernel):
            return op, axis
        case AxisMap() if all(one.axis != axis for one in op.axes):
            return op, axis
        case Concat():
            return op, axis
        case Reshape() if op.shape:
            return op, axis
        case Permute():
            return op, op.order.index(axis)
        case Slice() if op.axis != axis:
            return op, axis
        case Slice(step=1):
            return replace(op, start=op.start * copies, stop=op.stop * copies), axis
        case Pad():
            wide = list(op.padding)
            wide[axis] *= copies
            wide[axes + axis] *= copies
            return replace(op, padding=tuple(wide)), axis
        case _:
            raise InputError(
                f"{node.name}: {type(op).__name__} over copies of channels is not covered by the theorem; it speaks of "
                f"dense and convolutional maps, pools, sums and flattening. {_INSTEAD}"
            )


def _check_function(name: str, op: Pointwise) -> None:
    """Linear on both sides of 0, where it leaves the constants of a layer, from ½ to 1, as they are."""
    match op:
        case Pointwise(function="Relu" | "LeakyRelu"):
            return
        case Pointwise(function="Clip", low=low, high=high) if (low is None or low <= 0) and (
            high is None or high >= 1
        ):
            return
        case _:
            raise InputError(
                f"{name}: {op.function} is not linear on both sides of 0, so copies cannot replace a layer; expected "
                f"Relu, LeakyRelu, or Clip from at most 0 to at least 1, such as ReLU6. {_INSTEAD}"
            )


def _reshaped(nodes: list[Node], name: str, value: _Value, shape: Shape) -> _Value:
    """Copies first move behind all entries, of which the reshape speaks; then behind the first axis of its result."""
    at, copies = value.axis, value.copies
    axes = len(value.shape)
    split = (*value.shape[: at + 1], copies, *value.shape[at + 1 :])
    last = (*range(at + 1), *range(at + 2, axes + 1), at + 1)
    ops: list[Op] = [Reshape(split), Permute(last), Reshape((*shape, copies))]
    first, *rest = shape
    if rest:
        ops.append(Permute((0, len(shape), *range(1, len(shape)))))
    ops.append(Reshape((first * copies, *rest)))
    before = value.node
    for i, op in enumerate(ops[:-1]):
        nodes.append(Node(f"{name}/copies/{i}", op, (before,)))
        before = nodes[-1].name
    nodes.append(Node(name, ops[-1], (before,)))
    return _Value(name, shape, 0, copies)
