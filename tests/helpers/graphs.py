"""Random small networks of every op, what was realised of them, and their values node by node."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from slth.graph import (
    EVALUATE,
    INPUT,
    Add,
    Affine,
    AxisMap,
    AxisMatrix,
    Box,
    Concat,
    Constant,
    Conv,
    ConvTranspose,
    Dense,
    Embedding,
    Graph,
    Linear,
    LogSoftmax,
    MaxPool,
    Multiply,
    Node,
    Pad,
    Permute,
    Pointwise,
    Realised,
    Reshape,
    Scale,
    Slice,
    Softmax,
    Target,
    shape_of,
    signed_inputs,
)

FUNCTIONS = [
    Pointwise("Relu"),
    Pointwise("Relu"),
    Pointwise("LeakyRelu", alpha=0.1),
    Pointwise("Sigmoid"),
    Pointwise("Tanh"),
    Pointwise("Swish", alpha=1.0),
    Pointwise("Gelu"),
    Pointwise("Clip", low=0.0, high=1.0),
    Pointwise("HardSwish"),
]
KINDS = ("plain", "residual", "concat", "pools", "gates", "transposed", "dense", "softmax")


class Case(NamedTuple):
    """A target, what was realised of it, the inputs that are spoken of, and the kind of network."""

    target: Target
    realised: Mapping[str, Realised]
    box: Box
    kind: str


class Draft:
    """A network that grows at its end."""

    def __init__(self, rng, shape):
        self.rng, self.nodes, self.carried = rng, [], {}
        self.shapes, self.end = {INPUT: shape}, INPUT

    @property
    def shape(self):
        return self.shapes[self.end]

    def add(self, op, *inputs):
        inputs = inputs if inputs or isinstance(op, Constant) else (self.end,)
        self.end = f"{len(self.nodes)}"
        self.shapes[self.end] = shape_of(op, tuple(self.shapes[name] for name in inputs), self.carried)
        self.nodes.append(Node(self.end, op, inputs))
        return self.end

    def conv(self, outputs=None, *, same=False):
        rng, channels, axes = self.rng, self.shape[0], len(self.shape) - 1
        groups = 2 if channels % 2 == 0 and rng.random() < 0.3 else 1
        outputs = outputs or groups * int(rng.integers(1, 3))
        groups = groups if outputs % groups == 0 else 1
        kernel = (3,) * axes if same else tuple(rng.integers(1, 4, axes).tolist())
        stride = 1 if same or min(self.shape[1:]) < 4 else int(rng.integers(1, 3))
        padding = (1,) * (2 * axes) if same else tuple(rng.integers(0, 2, 2 * axes).tolist())
        padding = tuple(max(p, 1) for p in padding) if min(self.shape[1:]) < 3 else padding
        basis = Conv(channels, outputs, kernel, (stride,) * axes, padding, (1,) * axes, groups)
        return self.add(Linear(f"map{len(self.nodes)}", basis, bool(rng.random() < 0.7)))

    def transposed(self):
        axes = len(self.shape) - 1
        kernel = tuple(self.rng.integers(1, 4, axes).tolist())
        basis = ConvTranspose(self.shape[0], 2, kernel, (2,) * axes, (0,) * (2 * axes), (1,) * axes, 1, (0,) * axes)
        return self.add(Linear(f"map{len(self.nodes)}", basis, True))

    def dense(self, outputs):
        basis = Dense(self.shape[-1], outputs)
        return self.add(Linear(f"map{len(self.nodes)}", basis, bool(self.rng.random() < 0.7)))

    def function(self):
        return self.add(FUNCTIONS[self.rng.integers(len(FUNCTIONS))])

    def scale(self):
        name = f"numbers{len(self.nodes)}"
        self.carried |= {name + part: self.rng.normal(size=self.shape[0]) for part in "gt"}
        return self.add(Scale(0, name + "g", name + "t"))


def _block(draft: Draft, kind: str) -> None:
    rng, start = draft.rng, draft.end
    axes = len(draft.shape) - 1
    if kind == "residual":
        draft.conv(draft.shape[0], same=True)
        branch = draft.function()
        draft.add(Add((1.0, float(rng.choice([1.0, 0.5, -1.0])))), branch, start)
        return
    if kind == "concat":
        left = draft.conv(2, same=True)
        draft.end = start
        draft.function()
        right = draft.scale()
        draft.add(Concat(0), left, right)
        return
    if kind == "gates":
        draft.conv(draft.shape[0], same=True)
        gate = draft.add(Pointwise("Sigmoid"))
        draft.add(Multiply(), start, gate)
        mean = draft.add(AxisMap(tuple(AxisMatrix(i + 1, "mean", length=1) for i in range(axes))))
        draft.add(Multiply(), mean, gate)
        return
    if kind == "pools" and min(draft.shape[1:]) > 2:
        draft.add(
            MaxPool((2,) * axes, (1,) * axes, (0, 1) * axes, (1,) * axes)
            if rng.random() < 0.5
            else AxisMap(
                tuple(
                    AxisMatrix(i, "average", kernel=3, stride=1, padding=(1, 1), length=n, count="real")
                    for i, n in enumerate(draft.shape)
                    if i
                )
            )
        )
        return
    if kind == "transposed":
        draft.transposed()
        draft.add(Slice(1, 0, min(draft.shape[1], 4)))
        if axes > 1:
            draft.add(Permute((0, 2, 1)))
        return
    draft.conv()
    draft.function()
    if rng.random() < 0.3:
        draft.add(Pad((0,) * (axes + 1) + (1,) * (axes + 1), float(rng.choice([0.0, 0.5]))))


def random_case(seed: int, kind: str | None = None, *, noise: float | None = None, linear: bool = False) -> Case:
    """Two to four blocks of a kind on 2 channels of a line or an image, then a dense map; errors of 1e-4 to 0.3.

    linear: its maps are realised without a sign split.
    """
    rng = np.random.default_rng([seed, 26])
    kind = kind or KINDS[seed % len(KINDS)]
    shape = (4,) if kind == "dense" else (2, 5) if rng.random() < 0.4 else (2, 4, 4)
    draft = Draft(rng, shape)
    for _ in range(int(rng.integers(1, 4))):
        if kind == "dense":
            draft.dense(4)
            draft.function()
        else:
            _block(draft, kind if rng.random() < 0.7 else "plain")
    draft.add(Reshape((math.prod(draft.shape),)))
    draft.dense(3)
    if kind == "softmax":
        draft.add((Softmax if rng.random() < 0.5 else LogSoftmax)(0))
    low = float(rng.choice([0.0, -1.0, 0.3]))
    graph = Graph(tuple(draft.nodes))
    box = Box(np.full((1,) * len(shape), low), np.full((1,) * len(shape), 1.0), shape)
    target, realised = _numbers(graph, draft.carried, box, rng, noise)
    if linear:
        realised = {path: replace(part, negative=None, linear=True) for path, part in realised.items()}
    return Case(target, realised, box, kind)


def _numbers(graph, carried, box, rng, noise):
    scale = 10.0 ** rng.uniform(-4, -0.5) if noise is None else noise
    coefficients, realised = {}, {}
    for path, signed in signed_inputs(graph, box.shape, box.lower < 0, carried).items():
        op = graph.maps[path]
        weight = rng.normal(size=op.coefficients) / math.sqrt(op.basis.inputs * op.basis.taps / op.basis.groups)
        bias = rng.normal(size=op.basis.outputs) if op.bias else None

        def near(numbers):
            return numbers + scale * rng.uniform(-1, 1, numbers.shape)

        negative = np.where(signed[:, None], near(-weight), 0.0) if signed.any() else None
        coefficients[path] = Affine(weight, bias)
        realised[path] = Realised(near(weight), negative, None if bias is None else near(bias), signed)
    return Target(graph, coefficients, carried=carried), realised


def values(target: Target, maps, x) -> dict[str, np.ndarray]:
    """The value of every node for a batch of inputs, in float64."""
    found = {INPUT: x}
    for node in target.graph.nodes:
        read = tuple(found[name] for name in node.inputs)
        if isinstance(node.op, Linear):
            found[node.name] = maps[node.op.map].apply(node.op.basis, read[0])
        elif isinstance(node.op, Constant):
            value = target.carried[node.op.value].astype(np.float64)
            found[node.name] = np.broadcast_to(value, (len(x), *value.shape))
        elif isinstance(node.op, Embedding) and node.op.tied:
            found[node.name] = maps[node.op.table].table[read[0].astype(np.int64)]
        else:
            found[node.name] = EVALUATE[type(node.op)](node.op, read, target.carried)
    return found


def in_long_doubles(target: Target, maps, x) -> np.ndarray:
    """The output with 64 bits of precision."""
    found = {INPUT: x.astype(np.longdouble)}
    for node in target.graph.nodes:
        read = tuple(found[name] for name in node.inputs)
        if isinstance(node.op, Linear):
            found[node.name] = map_in_long_doubles(maps[node.op.map], node.op.basis, read[0])
        else:
            found[node.name] = EVALUATE[type(node.op)](node.op, read, target.carried)
    return found[target.graph.output]


def map_in_long_doubles(numbers: Affine | Realised, basis, x) -> np.ndarray:
    """One map as a dense matrix of its coefficients, each alone in its entry; of several if taps meet."""
    shape, size = x.shape[1:], math.prod(x.shape[1:])
    y = np.zeros((len(x), *basis.shape(shape)), np.longdouble)
    halves = [(numbers.weight, x)] if isinstance(numbers, Affine) else []
    if isinstance(numbers, Realised):
        halves = [(numbers.positive, np.maximum(x, 0)), (numbers.negative, np.maximum(-x, 0))]
        halves = [(numbers.positive, x)] if numbers.linear else halves
    for half, part in halves:
        if half is not None:
            alone = basis.tap_bounds.row_norm == 1
            for taps in [slice(None)] if alone else [slice(t, t + 1) for t in range(basis.taps)]:
                own = np.zeros_like(half)
                own[:, :, taps] = half[:, :, taps]
                matrix = basis.apply(own, np.eye(size).reshape(size, *shape)).reshape(size, -1).astype(np.longdouble)
                y += (part.reshape(len(x), size) @ matrix).reshape(y.shape)
    if numbers.bias is not None:
        axes = y.ndim - 1
        channel = basis.channel_axis % axes
        y += numbers.bias.reshape(tuple(-1 if axis == channel else 1 for axis in range(axes)))
    return y
