"""Which values can be negative: from ops, the input's range and carried numbers, never from coefficients.

If a realisation gave x̂ < 0 where x ≥ 0, its lift would give 0 and its coefficients P x̂: both must agree on every input.
"""

import math
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

from slth._errors import InputError
from slth._shapes import Signed
from slth.graph import spread
from slth.graph.axis_maps import apply_along
from slth.graph.bases import OneHot, Shape
from slth.graph.evaluation import along, max_pool, square
from slth.graph.functions import FUNCTIONS
from slth.graph.memory import formed
from slth.graph.nodes import Graph, Node, fold
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
    Op,
    Pad,
    Permute,
    Pointwise,
    Reshape,
    Scale,
    Slice,
    Softmax,
    Standardise,
)
from slth.graph.shapes import Carried, shapes
from slth.graph.sparse import Sparse

Negative = np.ndarray  # bool: size 1 along every axis whose entries share it, see `spread`
Inputs = tuple[Negative, ...]
Shapes = tuple[Shape, ...]
MOST_WORK = 2**26  # entries that the signs of a network may take to find; those of channels take next to none


def signed_inputs(graph: Graph, inputs: Shape, negative: Negative, carried: Carried) -> dict[str, Signed]:
    """The input channels of each map that can be negative, (inp,), at any of its nodes.

    Args:
        inputs: the shape of the network's input.
        negative: where that can be negative; broadcasts against `inputs`.

    Raises:
        InputError: signs that differ from entry to entry over more than `MOST_WORK` entries.
    """
    if not graph.joined:  # nothing is known of what enters a map
        return {path: np.ones(op.basis.inputs, np.bool_) for path, op in graph.maps.items()}
    known = shapes(graph, inputs, carried)
    found: dict[str, Signed] = {}
    work = 0

    def looked_at(node: Node, entries: int) -> None:
        nonlocal work
        work += entries
        if work > MOST_WORK:
            raise InputError(
                f"{node.name}: signs differ from entry to entry over more than {MOST_WORK:,} entries; "
                "give one input range for each channel"
            )

    def step(node: Node, values: Inputs) -> Negative:
        own = tuple(known[name] for name in node.inputs)
        looked_at(node, _work(node.op, values, own, carried))
        negative = through(node, values, own)
        looked_at(node, negative.size)
        return negative

    def through(node: Node, values: Inputs, own: Shapes) -> Negative:
        if isinstance(node.op, Linear):
            if isinstance(node.op.basis, OneHot):
                found[node.op.map] = np.zeros(node.op.basis.inputs, np.bool_)
                return np.ones((1,) * len(known[node.name]), np.bool_)
            channel = node.op.basis.channel_axis % len(own[0])
            others = tuple(axis for axis in range(len(own[0])) if axis != channel)
            per_channel = np.broadcast_to(values[0].any(axis=others), (own[0][channel],))
            found[node.op.map] = np.asarray(found.get(node.op.map, False) | per_channel, np.bool_)
            return np.ones((1,) * len(known[node.name]), np.bool_)
        if isinstance(node.op, Embedding) and node.op.tied:  # of coefficients
            return np.ones((1,) * len(known[node.name]), np.bool_)
        return SIGNS[type(node.op)](node.op, values, own, known[node.name], carried)

    fold(graph, np.asarray(negative, np.bool_), step)
    return found


def _work(op: Op, values: Inputs, own: Shapes, carried: Carried) -> int:
    """Entries that an op looks at, beside those that come of it."""
    if isinstance(op, Add):
        return len(values) * math.prod(max(sizes) for sizes in zip(*(value.shape for value in values), strict=True))
    if not isinstance(op, MaxPool | AxisMap):
        return 0
    sizes, total = list(values[0].shape), 0
    if isinstance(op, MaxPool):
        fixed = len(sizes) - len(op.kernel)
        shared = all(size == 1 for size in sizes[fixed:])
        (padded,) = formed(op, own, own[0], carried)
        return 0 if shared else math.prod([*sizes[:fixed], *padded[fixed:]]) * math.prod(op.kernel)
    for axis in op.axes:
        if axis.value is not None or sizes[axis.axis] > 1:
            sizes[axis.axis] = own[0][axis.axis]
            rows = axis.rows(own[0][axis.axis], carried)
            total += math.prod(sizes) * (1 if axis.value is None or axis.kind == "sparse" else rows)
            if axis.kind == "sparse" and axis.value is not None:  # a term for each entry
                total += math.prod(sizes) // sizes[axis.axis] * len(carried[axis.value])
            sizes[axis.axis] = rows
            total += math.prod(sizes) + 8 * rows  # the ends of windows are large integers
    return total


def _pointwise(op: Pointwise, values: Inputs, _: Shapes, __: Shape, ___: Carried) -> Negative:
    match FUNCTIONS[op.function].signs(op):
        case "never":
            return np.zeros((1,) * values[0].ndim, np.bool_)
        case "everywhere":
            return np.ones((1,) * values[0].ndim, np.bool_)
        case _:
            return values[0]


def _max_pool(op: MaxPool, values: Inputs, own: Shapes, _: Shape, __: Carried) -> Negative:
    """Only the pooled axes are told apart; the others stay as they are."""
    fixed = values[0].ndim - len(op.kernel)
    if all(size == 1 for size in values[0].shape[fixed:]):
        return values[0]
    pooled = np.broadcast_to(values[0], (*values[0].shape[:fixed], *own[0][fixed:]))
    return max_pool(op, pooled.astype(np.float32)) > 0


def _axis_map(op: AxisMap, values: Inputs, own: Shapes, _: Shape, carried: Carried) -> Negative:
    """Entry i can be negative if some A[i, l] < 0, or if A[i, l] > 0 where x[l] can."""
    (negative,), shape = values, list(own[0])
    for axis in op.axes:
        length, shape[axis.axis] = shape[axis.axis], axis.rows(shape[axis.axis], carried)
        full = np.broadcast_to(negative, (*negative.shape[: axis.axis], length, *negative.shape[axis.axis + 1 :]))
        if axis.value is not None:
            matrix = axis.operator(length, carried)
            if isinstance(matrix, Sparse):
                positive, below = matrix.each(_positive), matrix.each(_negative).sums() > 0
            else:
                positive, below = _positive(matrix), np.asarray((matrix < 0).any(axis=1))
            inherited = apply_along(positive, full.astype(np.float64), axis.axis) > 0
            own_signs = along(below, axis.axis, negative.ndim)
            negative = inherited | own_signs.astype(np.bool_)
        elif negative.shape[axis.axis] > 1:
            negative = _in_windows(full, *axis.windows(length), axis=axis.axis)
    return negative


def _positive(a: np.ndarray) -> np.ndarray:
    return (a > 0).astype(np.float64)


def _negative(a: np.ndarray) -> np.ndarray:
    return (a < 0).astype(np.float64)


def _in_windows(negative: Negative, start: np.ndarray, stop: np.ndarray, *, axis: int) -> Negative:
    """Can an entry of each window along the axis be negative? Counted up to both ends: O(entries)."""
    before = np.zeros((*negative.shape[:axis], 1, *negative.shape[axis + 1 :]), np.int32)
    count = np.concatenate([before, negative.cumsum(axis=axis, dtype=np.int32)], axis=axis)
    return count.take(stop, axis=axis) > count.take(start, axis=axis)


def _add(op: Add, values: Inputs, _: Shapes, __: Shape, ___: Carried) -> Negative:
    if min(op.coefficients) < 0:
        return np.ones((1,) * values[0].ndim, np.bool_)
    return reduce(np.logical_or, values)  # one by one: stacked, they would take as much as all together


def _scale(op: Scale, values: Inputs, own: Shapes, _: Shape, carried: Carried) -> Negative:
    length = own[0][op.axis]
    gain = np.ones(length) if op.scale is None else carried[op.scale]
    shift = np.zeros(length) if op.shift is None else carried[op.shift]
    always = (shift < 0) | (gain < 0)
    axes = values[0].ndim
    found = along(always, op.axis, axes) > 0
    return spread.smallest(found | (values[0] & (along(gain > 0, op.axis, axes) > 0)))


def _normalise(op: Normalise, values: Inputs, _: Shapes, __: Shape, carried: Carried) -> Negative:
    """Everywhere: where the shift of g x + t is negative is a matter of rounding."""
    square(op, carried)
    return np.ones((1,) * values[0].ndim, np.bool_)


def _pad(op: Pad, values: Inputs, own: Shapes, _: Shape, __: Carried) -> Negative:
    if values[0].all() == values[0].any() == (op.value < 0):
        return np.full((1,) * values[0].ndim, op.value < 0)
    return spread.surround(values[0], own[0], op.padding, op.value < 0)


def _constant(op: Constant, _: Inputs, __: Shapes, ___: Shape, carried: Carried) -> Negative:
    return spread.smallest(carried[op.value] < 0)


def _mat_mul(_: MatMul, values: Inputs, __: Shapes, ___: Shape, ____: Carried) -> Negative:
    rows, columns = values[0].any(axis=-1, keepdims=True), values[1].any(axis=-2, keepdims=True)
    return np.asarray(np.logical_or(rows, columns))


def _attention(_: Attention, values: Inputs, own: Shapes, __: Shape, ___: Carried) -> Negative:
    """A mean of values, of each key head for the query heads that read it."""
    read = np.asarray(values[2].any(axis=-2, keepdims=True))
    return read.repeat(own[0][-3] // own[2][-3], axis=-3) if read.ndim > 2 and read.shape[-3] > 1 else read


def _embedding(op: Embedding, values: Inputs, _: Shapes, __: Shape, carried: Carried) -> Negative:
    columns = spread.smallest(np.asarray(carried[op.table].min(axis=0) < 0))
    return columns.reshape(*(1 for _ in range(values[0].ndim)), -1)


SIGNS: Mapping[type, Callable[[Any, Inputs, Shapes, Shape, Carried], Negative]] = {
    Pointwise: _pointwise,
    MaxPool: _max_pool,
    AxisMap: _axis_map,
    Add: _add,
    Multiply: lambda _, values, __, ___, ____: np.logical_or(*values),
    Scale: _scale,
    Normalise: _normalise,
    Concat: lambda op, values, own, _, __: spread.smallest(spread.join(values, own, op.axis)),
    Reshape: lambda op, values, own, _, __: spread.reshape(values[0], own[0], op.shape),
    Permute: lambda op, values, _, __, ___: spread.permute(values[0], op.order),
    Slice: lambda op, values, _, __, ___: spread.take(values[0], op.axis, slice(op.start, op.stop, op.step)),
    Pad: _pad,
    Constant: _constant,
    Softmax: lambda _, values, __, ___, ____: np.zeros((1,) * values[0].ndim, np.bool_),
    LogSoftmax: lambda _, values, __, ___, ____: np.ones((1,) * values[0].ndim, np.bool_),
    MatMul: _mat_mul,
    Attention: _attention,
    Standardise: lambda op, values, _, __, ___: np.ones((1,) * values[0].ndim, np.bool_) if op.centred else values[0],
    Embedding: _embedding,
}
