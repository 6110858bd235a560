"""Graphs as modules: what every op computes on tensors, as `graph.evaluate` means it, and `fold` over them.

A batch stands before the axes that ops count. Linear maps are modules of their own, see `maps`.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from slth._errors import InputError
from slth.graph import (
    Add,
    Attention,
    AxisMap,
    AxisMatrix,
    Concat,
    Constant,
    Embedding,
    Graph,
    Linear,
    LogSoftmax,
    MatMul,
    MaxPool,
    Multiply,
    Node,
    Normalise,
    Pad,
    Permute,
    Pointwise,
    Reshape,
    Scale,
    Slice,
    Softmax,
    Standardise,
    fold,
    most_entries,
)
from slth.layers import aggregate
from slth.network.attention import attention, embedding, looked_up, mat_mul, standardise, table_of

_SMALL = 1 << 20  # entries of a matrix that is kept
Tensors = tuple[Tensor, ...]
Arrays = Mapping[str, Tensor]  # carried, by name


class Network(nn.Module):
    """A network that runs its graph; `maps` hold the numbers, in the order of first use."""

    def __init__(
        self,
        graph: Graph,
        maps: Mapping[str, nn.Module],
        carried: Mapping[str, np.ndarray] | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.graph = graph
        self.paths = list(graph.maps)
        self.maps = nn.ModuleList([maps[path] for path in self.paths])
        self.names = list(carried or {})
        for i, array in enumerate((carried or {}).values()):
            self.register_buffer(f"carried_{i}", torch.tensor(array, dtype=dtype))  # a copy, made once
        _check_numbers(self, dtype)
        self._carried = dict(carried or {})

    def most_entries(self, shape: tuple[int, ...]) -> int:
        """The most numbers that one input of a shape takes at once."""
        return most_entries(self.graph, shape, self._carried)

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of a batch."""
        return self.watched(x, lambda _, value: value)

    def watched(self, x: Tensor, watch: Callable[[Node, Tensor], Tensor]) -> Tensor:
        """The outputs, where every value passes through `watch` on its way."""
        maps = dict(zip(self.paths, self.maps, strict=True))
        carried = {name: self.get_buffer(f"carried_{i}") for i, name in enumerate(self.names)}

        def step(node: Node, inputs: Tensors) -> Tensor:
            if isinstance(node.op, Linear):
                value = maps[node.op.map](*inputs)
            elif isinstance(node.op, Embedding) and node.op.tied:
                head = self.graph.maps[node.op.table]
                value = looked_up(table_of(maps[node.op.table], head.basis.inputs), inputs[0])
            elif isinstance(node.op, Constant):
                value = carried[node.op.value].expand(x.shape[0], *carried[node.op.value].shape)
            else:
                value = BUILD[type(node.op)](node.op, inputs, carried)
            return watch(node, value)

        return fold(self.graph, x, step)


def _check_numbers(network: Network, dtype: torch.dtype) -> None:
    """Everything that a network computes with is finite in its own precision.

    Raises:
        InputError: naming the first that is not.
    """
    most = torch.finfo(dtype).max
    for node in network.graph.nodes:
        for field in (getattr(node.op, name, None) for name in ("alpha", "beta", "gamma", "value", "coefficients")):
            numbers = field if isinstance(field, tuple) else (field,)
            large = [x for x in numbers if isinstance(x, float) and abs(x) > most]
            if large:
                raise InputError(f"{node.name[:200]}: {large[0]:g} overflows {str(dtype)[6:]}; rescale the network")
    for name, tensor in (*network.named_parameters(), *network.named_buffers()):
        if not bool(torch.isfinite(tensor).all()):
            where = name.split(".")
            what = network.paths[int(where[1])] if where[0] == "maps" else network.names[int(name.rpartition("_")[2])]
            raise InputError(f"{what[:200]}: its numbers overflow {str(dtype)[6:]}; rescale the network")


def _along(numbers: Tensor, axis: int, x: Tensor) -> Tensor:
    """One number per index of an axis, shaped so that it broadcasts against a batch of values."""
    return numbers.view(*(-1 if i == axis + 1 else 1 for i in range(x.ndim)))


def _soft(x: Tensor) -> Tensor:
    """ln(1 + eˣ), without overflow and without a threshold, also of its operators one by one."""
    return torch.relu(x) + torch.log1p(torch.exp(-x.abs()))


FUNCTIONS: Mapping[str, Callable[[Tensor, Any], Tensor]] = {
    "Relu": lambda x, _: torch.relu(x),
    "LeakyRelu": lambda x, op: functional.leaky_relu(x, op.alpha),
    "Clip": lambda x, op: x if op.low is op.high is None else torch.clamp(x, op.low, op.high),
    "Sigmoid": lambda x, _: torch.sigmoid(x),
    "HardSigmoid": lambda x, op: torch.clamp(op.alpha * x + op.beta, 0.0, 1.0),
    "Softplus": lambda x, _: _soft(x),
    "LogSigmoid": lambda x, _: -_soft(-x),
    "Elu": lambda x, op: functional.elu(x, op.alpha),
    "Celu": lambda x, op: functional.celu(x, op.alpha),
    "Selu": lambda x, op: op.gamma * functional.elu(x, op.alpha),
    "Tanh": lambda x, _: torch.tanh(x),
    "Softsign": lambda x, _: functional.softsign(x),
    "Swish": lambda x, op: x * torch.sigmoid(op.alpha * x),
    "HardSwish": lambda x, _: functional.hardswish(x),
    "Mish": lambda x, _: functional.mish(x),
    "Gelu": lambda x, _: functional.gelu(x),
    "TanhGelu": lambda x, _: functional.gelu(x, approximate="tanh"),
}


def _pointwise(op: Pointwise, inputs: Tensors, carried: Arrays) -> Tensor:
    (x,) = inputs
    if op.slope is not None and op.axis is not None:
        return torch.where(x >= 0, x, _along(carried[op.slope], op.axis, x) * x)
    return FUNCTIONS[op.function](x, op)


def _max_pool(op: MaxPool, inputs: Tensors, _: Arrays) -> Tensor:
    (x,) = inputs
    axes = len(op.kernel)
    pool = (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d)[axes - 1]
    before, behind = op.padding[:axes], op.padding[axes:]
    if before != behind or any(2 * p > k for p, k in zip(before, op.kernel, strict=True)):
        x, before = functional.pad(x, torch_padding(op.padding), value=-torch.inf), (0,) * axes
    plain = x if x.ndim == axes + 2 else x.flatten(1, -axes - 1) if x.ndim > axes + 2 else x.unsqueeze(1)
    y = pool(plain, op.kernel, op.stride, before, op.dilation)
    return y if x.ndim == axes + 2 else y.reshape(-1, *x.shape[1 : x.ndim - axes], *y.shape[2:])


def _matrix(axis: AxisMatrix, length: int) -> np.ndarray:
    """Kept for the next batch, unless it is large."""
    return _cached(axis, length) if length * axis.rows(length, {}) <= _SMALL else axis.matrix(length, {})


@lru_cache(maxsize=64)
def _cached(axis: AxisMatrix, length: int) -> np.ndarray:
    return axis.matrix(length, {})


def _axis_map(op: AxisMap, inputs: Tensors, carried: Arrays) -> Tensor:
    (x,) = inputs
    for axis in op.axes:
        if axis.kind == "sparse":
            assert axis.value is not None
            assert axis.length is not None
            x = aggregate(x, carried[axis.value], axis.length, axis.axis + 1)
            continue
        if axis.value is not None:
            matrix = carried[axis.value]
        else:
            matrix = torch.from_numpy(_matrix(axis, x.shape[axis.axis + 1])).to(x)
        x = (x.movedim(axis.axis + 1, -1) @ matrix.T).movedim(-1, axis.axis + 1)
    return x


def _scale(op: Scale, inputs: Tensors, carried: Arrays) -> Tensor:
    (x,) = inputs
    if op.scale is not None:
        x = x * _along(carried[op.scale], op.axis, x)
    return x if op.shift is None else x + _along(carried[op.shift], op.axis, x)


def _normalise(op: Normalise, inputs: Tensors, carried: Arrays) -> Tensor:
    """As the layer computes it, whose channels are axis 1."""
    x = inputs[0].movedim(op.axis + 1, 1)
    scale, shift = (None if name is None else carried[name] for name in (op.scale, op.shift))
    y = functional.batch_norm(x, carried[op.mean], carried[op.variance], scale, shift, False, 0.0, op.epsilon)
    return y.movedim(1, op.axis + 1)


def _add(op: Add, inputs: Tensors, _: Arrays) -> Tensor:
    first, *others = (x if c == 1 else c * x for c, x in zip(op.coefficients, inputs, strict=True))
    for other in others:
        first = first + other
    return first


def _slice(op: Slice, inputs: Tensors, _: Arrays) -> Tensor:
    return inputs[0][(slice(None),) * (op.axis + 1) + (slice(op.start, op.stop, op.step),)]


BUILD: Mapping[type, Callable[[Any, Tensors, Arrays], Tensor]] = {
    Pointwise: _pointwise,
    MaxPool: _max_pool,
    AxisMap: _axis_map,
    Add: _add,
    Multiply: lambda _, inputs, __: inputs[0] * inputs[1],
    Scale: _scale,
    Normalise: _normalise,
    Concat: lambda op, inputs, _: torch.cat(inputs, dim=op.axis + 1),
    Reshape: lambda op, inputs, _: inputs[0].reshape(-1, *op.shape),
    Permute: lambda op, inputs, _: inputs[0].permute(0, *(axis + 1 for axis in op.order)),
    Slice: _slice,
    Pad: lambda op, inputs, _: functional.pad(inputs[0], torch_padding(op.padding), value=op.value),
    Softmax: lambda op, inputs, _: torch.softmax(inputs[0], dim=op.axis + 1),
    LogSoftmax: lambda op, inputs, _: torch.log_softmax(inputs[0], dim=op.axis + 1),
    MatMul: mat_mul,
    Attention: attention,
    Standardise: standardise,
    Embedding: embedding,
}  # what every op computes that reads values and is no linear map


def torch_padding(padding: tuple[int, ...]) -> list[int]:
    """Begins of all axes, then ends, as `functional.pad` takes them: last axis first."""
    axes = len(padding) // 2
    return [end for axis in reversed(range(axes)) for end in (padding[axis], padding[axes + axis])]
