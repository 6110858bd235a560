"""A network's values in float64: the reference that every other interpreter is tested against."""

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import numpy as np

from slth._errors import InputError
from slth.graph.axis_maps import apply_along
from slth.graph.functions import FUNCTIONS
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
    Pad,
    Permute,
    Pointwise,
    Reshape,
    Scale,
    Slice,
    Softmax,
    Standardise,
)
from slth.graph.shapes import Carried, visible_keys
from slth.graph.values import Affine, Realised

Values = tuple[np.ndarray, ...]
Maps = Mapping[str, Affine] | Mapping[str, Realised]


def evaluate(graph: Graph, maps: Maps, x: np.ndarray, carried: Carried | None = None) -> np.ndarray:
    """The network's outputs, of a target's coefficients or of realised ones; x (batch, *shape)."""
    arrays = {} if carried is None else carried

    def step(node: Node, values: Values) -> np.ndarray:
        if isinstance(node.op, Linear):
            return maps[node.op.map].apply(node.op.basis, values[0])
        if isinstance(node.op, Embedding) and node.op.tied:
            return looked_up(maps[node.op.table].table, values[0])
        if isinstance(node.op, Constant):
            value = arrays[node.op.value].astype(np.float64)
            return np.broadcast_to(value, (len(x), *value.shape))
        return EVALUATE[type(node.op)](node.op, values, arrays)

    return fold(graph, np.asarray(x, np.float64), step)


def pointwise(op: Pointwise, x: np.ndarray, carried: Carried) -> np.ndarray:
    """σ(x) for values (batch, ...)."""
    if op.function == "PRelu":
        assert op.slope is not None
        assert op.axis is not None
        return np.where(x >= 0, x, along(carried[op.slope], op.axis, x.ndim - 1) * x)
    return FUNCTIONS[op.function].value(x, op)


def along(numbers: np.ndarray, axis: int, axes: int) -> np.ndarray:
    """One number per index of an axis, shaped so that it broadcasts against values of so many axes."""
    return numbers.astype(np.float64).reshape(*(-1 if i == axis else 1 for i in range(axes)))


def max_pool(op: MaxPool, x: np.ndarray) -> np.ndarray:
    """The largest entry of each window of the last axes."""
    axes, fixed = len(op.kernel), x.ndim - len(op.kernel)
    ends = list(zip(op.padding[:axes], op.padding[axes:], strict=True))
    padded = np.pad(x, [(0, 0)] * fixed + ends, constant_values=-np.inf)
    lengths = [
        (padded.shape[fixed + i] - op.dilation[i] * (op.kernel[i] - 1) - 1) // op.stride[i] + 1 for i in range(axes)
    ]
    windows = (
        padded[
            ...,
            *(
                slice(d * p, d * p + s * (n - 1) + 1, s)
                for d, p, s, n in zip(op.dilation, position, op.stride, lengths, strict=True)
            ),
        ]
        for position in product(*map(range, op.kernel))
    )
    found = next(windows)
    for window in windows:
        found = np.maximum(found, window)
    return found


def _axis_map(op: AxisMap, values: Values, carried: Carried) -> np.ndarray:
    (x,) = values
    for axis in op.axes:
        x = apply_along(axis.operator(x.shape[axis.axis + 1], carried), x, axis.axis + 1)
    return x


def _scale(op: Scale, values: Values, carried: Carried) -> np.ndarray:
    (x,) = values
    if op.scale is not None:
        x = x * along(carried[op.scale], op.axis, x.ndim - 1)
    return x if op.shift is None else x + along(carried[op.shift], op.axis, x.ndim - 1)


def square(op: Normalise, carried: Carried) -> np.ndarray:
    """σ² + ε in float64.

    Raises:
        InputError: it is not positive.
    """
    found = carried[op.variance].astype(np.float64) + op.epsilon
    if not (found > 0).all():
        raise InputError(f"{op.variance}: expected variances that are positive with epsilon = {op.epsilon:g} added")
    return found


def _normalise(op: Normalise, values: Values, carried: Carried) -> np.ndarray:
    """μ is taken off first and β added last: nothing cancels but what the op itself takes away."""
    (x,) = values
    axes = x.ndim - 1
    gain = 1 / np.sqrt(square(op, carried))
    gain = gain if op.scale is None else carried[op.scale] * gain
    y = (x - along(carried[op.mean], op.axis, axes)) * along(gain, op.axis, axes)
    return y if op.shift is None else y + along(carried[op.shift], op.axis, axes)


def _add(op: Add, values: Values, _: Carried) -> np.ndarray:
    return sum((c * x for c, x in zip(op.coefficients, values, strict=True)), np.zeros(()))


def _slice(op: Slice, values: Values, _: Carried) -> np.ndarray:
    return values[0][(slice(None),) * (op.axis + 1) + (slice(op.start, op.stop, op.step),)]


def _pad(op: Pad, values: Values, _: Carried) -> np.ndarray:
    axes = len(op.padding) // 2
    ends = [(0, 0), *zip(op.padding[:axes], op.padding[axes:], strict=True)]
    return np.pad(values[0], ends, constant_values=op.value)


def log_softmax(x: np.ndarray, axis: int) -> np.ndarray:
    """x − ln Σ eˣ along an axis of x, without overflow."""
    shifted = x - x.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def looked_up(table: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """Row x of a table for every token x.

    Raises:
        InputError: a token that is none of the table's.
    """
    rows = tokens.astype(np.int64)
    if tokens.size and not (rows.min() >= 0 and rows.max() < len(table) and (rows == tokens).all()):
        raise InputError(f"expected tokens, integers from 0 to {len(table) - 1}; got one outside")
    return table[rows].astype(np.float64)


def standardised(op: Standardise, x: np.ndarray) -> np.ndarray:
    """(x − μ) / √(σ² + ε) for values (batch, ...); the mean is taken off first."""
    axes = tuple(axis + 1 for axis in op.axes)
    own = x - x.mean(axis=axes, keepdims=True) if op.centred else x
    return own / np.sqrt((own * own).mean(axis=axes, keepdims=True) + op.epsilon)


def attended(op: Attention, values: Values, carried: Carried) -> np.ndarray:
    """Softmax of the logits, times the values."""
    heads = values[0].shape[-3] // values[1].shape[-3] if values[0].ndim > 3 else 1
    queries, keys, read = values[0], *(x.repeat(heads, axis=-3) if heads > 1 else x for x in values[1:])
    logits = op.scale * (queries @ keys.swapaxes(-1, -2))
    logits = logits if op.bias is None else logits + carried[op.bias]
    seen = visible_keys(op, logits.shape[-2:], carried)
    if seen is not None:
        logits = np.where(seen, logits, -np.inf)
    return np.exp(log_softmax(logits, logits.ndim - 1)) @ read


EVALUATE: Mapping[type, Callable[[Any, Values, Carried], np.ndarray]] = {  # what each op computes
    Pointwise: lambda op, values, carried: pointwise(op, values[0], carried),
    MaxPool: lambda op, values, _: max_pool(op, values[0]),
    AxisMap: _axis_map,
    Add: _add,
    Multiply: lambda _, values, __: values[0] * values[1],
    Scale: _scale,
    Normalise: _normalise,
    Concat: lambda op, values, _: np.concatenate(values, axis=op.axis + 1),
    Reshape: lambda op, values, _: values[0].reshape(len(values[0]), *op.shape),
    Permute: lambda op, values, _: values[0].transpose(0, *(axis + 1 for axis in op.order)),
    Slice: _slice,
    Pad: _pad,
    Softmax: lambda op, values, _: np.exp(log_softmax(values[0], op.axis + 1)),
    LogSoftmax: lambda op, values, _: log_softmax(values[0], op.axis + 1),
    MatMul: lambda _, values, __: values[0] @ values[1],
    Attention: attended,
    Standardise: lambda op, values, _: standardised(op, values[0]),
    Embedding: lambda op, values, carried: looked_up(carried[op.table], values[0]),
}
