"""Shapes: the algebra in which a network is checked before anything is computed."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from slth._errors import InputError
from slth.graph.bases import Shape
from slth.graph.nodes import INPUT, Graph, Node, fold
from slth.graph.ops import (
    Add,
    Attention,
    AxisMap,
    Concat,
    Constant,
    Embedding,
    Linear,
    LogSoftmax,
    MatMul,
    MaxPool,
    Multiply,
    Normalise,
    Pad,
    Permute,
    Pointwise,
    Reshape,
    Scale,
    Slice,
    Softmax,
    Standardise,
    carried_names,
)

Carried = Mapping[str, np.ndarray]  # numbers that are no coefficients, by name
Shapes = tuple[Shape, ...]


def shapes(graph: Graph, inputs: Shape, carried: Carried) -> dict[str, Shape]:
    """The shape of the input and of every node's value, without the batch.

    Raises:
        InputError: values that do not fit an op, by the name of the node.
    """
    found: dict[str, Shape] = {INPUT: inputs}

    def step(node: Node, values: Shapes) -> Shape:
        try:
            found[node.name] = shape_at(node, graph, values, carried)
        except InputError as error:
            raise InputError(f"{node.name}: {error}") from error
        return found[node.name]

    fold(graph, inputs, step)
    return found


def shape_at(node: Node, graph: Graph, values: Shapes, carried: Carried) -> Shape:
    """The shape of one node's value: that of its op, or as wide as the map of the graph that it is tied to."""
    if isinstance(node.op, Embedding) and node.op.tied:
        if len(values) != 1:
            raise InputError(f"Embedding reads 1 values, got {len(values)}")
        return (*values[0], graph.maps[node.op.table].basis.inputs)
    return shape_of(node.op, values, carried)


def shape_of(op: Any, values: Shapes, carried: Carried) -> Shape:
    """The shape of one op's value, from those of its inputs.

    Raises:
        InputError: they do not fit.
    """
    counts = {
        Constant: 0,
        Multiply: 2,
        MatMul: 2,
        Attention: 3,
        Add: len(op.coefficients) if isinstance(op, Add) else 0,
        Concat: len(values),
    }
    wanted = counts.get(type(op), 1)
    if len(values) != wanted or (isinstance(op, Add | Concat) and not values):
        raise InputError(f"{type(op).__name__} reads {wanted or 'some'} values, got {len(values)}")
    return SHAPES[type(op)](op, values, carried)


def _linear(op: Linear, values: Shapes, _: Carried) -> Shape:
    return op.basis.shape(values[0])


def _same(op: Pointwise | Scale | Normalise | Softmax | LogSoftmax, values: Shapes, carried: Carried) -> Shape:
    """As the input; an axis that is named exists, and what is carried for it has its length."""
    axis = op.axis
    if axis is None:
        return values[0]
    if not 0 <= axis < len(values[0]):
        raise InputError(f"axis {axis} of values of shape {values[0]}")
    for name in carried_names(op):
        if carried[name].shape != (values[0][axis],):
            raise InputError(f"{name} has shape {carried[name].shape}, axis {axis} is {values[0][axis]} long")
    return values[0]


def _max_pool(op: MaxPool, values: Shapes, _: Carried) -> Shape:
    axes = len(op.kernel)
    if axes > len(values[0]):
        raise InputError(f"a window of {axes} axes over values of shape {values[0]}")
    lengths: list[int] = []
    for i, length in enumerate(values[0][-axes:]):
        k, s, d, a, e = op.kernel[i], op.stride[i], op.dilation[i], op.padding[i], op.padding[axes + i]
        count = (length + a + e - d * (k - 1) - 1) // s + 1
        # steps of at most the length never jump over it: only the first window and the last can miss it
        if count < 1 or ((a or e) and k > 1 and d > length) or d * (k - 1) < a or (count - 1) * s - a >= length:
            raise InputError(f"a window of {k} along an axis of {length} reads nothing, or only padding")
        lengths.append(count)
    return (*values[0][:-axes], *lengths)


def _axis_map(op: AxisMap, values: Shapes, carried: Carried) -> Shape:
    shape = list(values[0])
    for axis in op.axes:
        if not 0 <= axis.axis < len(shape):
            raise InputError(f"axis {axis.axis} of values of shape {values[0]}")
        shape[axis.axis] = axis.rows(shape[axis.axis], carried)
    return tuple(shape)


def _broadcast(_: Any, values: Shapes, __: Carried) -> Shape:
    if len({len(shape) for shape in values}) != 1:
        raise InputError(f"values of {', '.join(map(str, values))} have other numbers of axes")
    shape = tuple(max(lengths) for lengths in zip(*values, strict=True))
    if any(length not in (1, most) for one in values for length, most in zip(one, shape, strict=True)):
        raise InputError(f"values of {', '.join(map(str, values))} do not fit together")
    return shape


def _concat(op: Concat, values: Shapes, _: Carried) -> Shape:
    first = values[0]
    if not 0 <= op.axis < len(first):
        raise InputError(f"axis {op.axis} of values of shape {first}")
    rest = {(*shape[: op.axis], *shape[op.axis + 1 :]) for shape in values}
    if len(rest) != 1 or len({len(shape) for shape in values}) != 1:
        raise InputError(f"values of {', '.join(map(str, values))} do not fit side by side along axis {op.axis}")
    return (*first[: op.axis], sum(shape[op.axis] for shape in values), *first[op.axis + 1 :])


def _reshape(op: Reshape, values: Shapes, _: Carried) -> Shape:
    if math.prod(op.shape) != math.prod(values[0]):
        raise InputError(f"values of shape {values[0]} cannot have shape {op.shape}")
    return op.shape


def _permute(op: Permute, values: Shapes, _: Carried) -> Shape:
    if sorted(op.order) != list(range(len(values[0]))):
        raise InputError(f"{op.order} is no order of the axes of {values[0]}")
    return tuple(values[0][axis] for axis in op.order)


def _slice(op: Slice, values: Shapes, _: Carried) -> Shape:
    shape = values[0]
    if not 0 <= op.axis < len(shape) or not 0 <= op.start < op.stop <= shape[op.axis] or op.step < 1:
        raise InputError(f"no slice {op.start}:{op.stop}:{op.step} along axis {op.axis} of values of shape {shape}")
    return (*shape[: op.axis], len(range(op.start, op.stop, op.step)), *shape[op.axis + 1 :])


def _pad(op: Pad, values: Shapes, _: Carried) -> Shape:
    axes = len(values[0])
    if len(op.padding) != 2 * axes or min(op.padding) < 0:
        raise InputError(f"padding {op.padding} of values of shape {values[0]}")
    ends = zip(values[0], op.padding[:axes], op.padding[axes:], strict=True)
    return tuple(length + before + behind for length, before, behind in ends)


def _constant(op: Constant, _: Shapes, carried: Carried) -> Shape:
    return carried[op.value].shape


def _mat_mul(_: MatMul, values: Shapes, __: Carried) -> Shape:
    left, right = values
    if min(map(len, values)) < 2 or len(left) != len(right) or left[-1] != right[-2]:
        raise InputError(f"matrices of shape {left} and {right} have no product")
    return (*_broadcast(None, (left[:-2], right[:-2]), {}), left[-2], right[-1])


def _attention(op: Attention, values: Shapes, carried: Carried) -> Shape:
    """No row of the logits is hidden as a whole: its softmax would be 0/0."""
    queries, keys, read = values
    axes = len(queries)
    if axes < 2 or {len(keys), len(read)} != {axes} or keys[:-1] != read[:-1] or queries[-1] != keys[-1]:
        raise InputError(f"attention of queries {queries}, keys {keys} and values {read}, which do not fit together")
    heads, groups = (queries[-3], keys[-3]) if axes > 2 else (1, 1)
    if queries[:-3] != keys[:-3] or heads % groups:
        raise InputError(f"attention of {heads} heads of queries and {groups} of keys; these must divide those")
    logits = queries[-2], keys[-2]
    for name in carried_names(op):
        if carried[name].shape not in (logits, (heads, *logits)):
            raise InputError(f"{name} has shape {carried[name].shape}, logits have {logits} in each of {heads} heads")
    if op.visible is not None and logits[1]:
        _check_rows(op, carried[op.visible])
    return (*queries[:-1], read[-1])


def _check_rows(op: Attention, visible: np.ndarray) -> None:
    """Each row shows a key, no later than itself if the op is causal. Axes that share their entries stay short."""
    small = visible[tuple(slice(0, 1) if stride == 0 else slice(None) for stride in visible.strides)] != 0
    first = np.where(small.any(axis=-1), small.argmax(axis=-1), visible.shape[-1])
    last = np.arange(small.shape[-2]) if op.causal else np.full(1, visible.shape[-1] - 1)
    hidden = np.argwhere(first > last)
    if hidden.size:
        row = int(hidden[0][-1])
        raise InputError(f"a mask hides every key of row {row}; expected at least one visible key in each row")


def visible_keys(op: Attention, logits: Shape, carried: Carried) -> np.ndarray | None:
    """Where a key is visible, (T, S) or (H, T, S) booleans; None: everywhere."""
    seen = None if op.visible is None else carried[op.visible] != 0
    if op.causal:
        below = np.tri(*logits, dtype=np.bool_)
        seen = below if seen is None else seen & below
    return seen


def _standardise(op: Standardise, values: Shapes, _: Carried) -> Shape:
    if op.axes[0] < 0 or op.axes[-1] >= len(values[0]):
        raise InputError(f"axes {op.axes} of values of shape {values[0]}")
    return values[0]


def _embedding(op: Embedding, values: Shapes, carried: Carried) -> Shape:
    """Of a tied one the width is that of its map: `Graph` knows it, see `shapes`."""
    table = carried[op.table]
    if table.ndim != 2:
        raise InputError(f"{op.table}: expected a table (tokens, width), got shape {table.shape}")
    return (*values[0], table.shape[1])


SHAPES: Mapping[type, Callable[[Any, Shapes, Carried], Shape]] = {
    Linear: _linear,
    Pointwise: _same,
    MaxPool: _max_pool,
    AxisMap: _axis_map,
    Add: _broadcast,
    Multiply: _broadcast,
    Scale: _same,
    Normalise: _same,
    Concat: _concat,
    Reshape: _reshape,
    Permute: _permute,
    Slice: _slice,
    Pad: _pad,
    Constant: _constant,
    Softmax: _same,
    LogSoftmax: _same,
    MatMul: _mat_mul,
    Attention: _attention,
    Standardise: _standardise,
    Embedding: _embedding,
}
