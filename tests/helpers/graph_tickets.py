"""Small tickets of networks that are no chains, made without a solver: masks and claims are coin flips."""

import math
from dataclasses import replace

import numpy as np

from helpers.gadgets import one_stage
from helpers.transformer_graphs import TOKENS, transformer
from slth.certificate import Certificate, MapClaim
from slth.graph import (
    Add,
    Affine,
    AxisMap,
    AxisMatrix,
    Concat,
    Constant,
    Conv,
    ConvTranspose,
    Dense,
    Graph,
    Linear,
    LogSoftmax,
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
    Target,
    shape_of,
    shapes,
    signed_inputs,
    token_count,
)
from slth.ticket import (
    MOST_COORDINATES,
    Inputs,
    Miss,
    Neurons,
    Provenance,
    Ticket,
    constructed_ticket,
    graph_digest,
    realise,
    realised_digest,
    signed_ranges,
)

FUNCTIONS = [
    *(Pointwise(name) for name in ("Relu", "Tanh", "Sigmoid", "Gelu", "TanhGelu", "LogSigmoid")),
    *(Pointwise("LeakyRelu", alpha=0.25), Pointwise("Clip", low=0.0, high=6.0), Pointwise("Clip", high=-1.0)),
    *(Pointwise("Selu", alpha=1.67, gamma=1.05), Pointwise("HardSigmoid", alpha=0.2, beta=0.5)),
]


class Builder:
    """A graph that grows node by node; the shape of every value is known."""

    def __init__(self, rng, shape):
        self.rng, self.shapes, self.nodes, self.carried = rng, {"input": shape}, [], {}

    def add(self, op, *inputs, name=None, shape=None):
        """A node; its name."""
        shape = shape or shape_of(op, tuple(self.shapes[i] for i in inputs), self.carried)
        name = name or f"n{len(self.nodes)}"
        self.nodes.append(Node(name, op, inputs))
        self.shapes[name] = shape
        return name

    def number(self, *shape, dtype=np.float32):
        """A carried array; its name."""
        name = f"array.{len(self.carried)}"
        self.carried[name] = self.rng.normal(size=shape).astype(dtype)
        return name

    def conv(self, x, *, outputs=None, same=False, transposed=False):
        """A convolution of as many axes as there are, with random groups, strides, padding, dilation."""
        rng, (channels, *lengths) = self.rng, self.shapes[x]
        axes = len(lengths)
        groups = int(rng.choice([g for g in range(1, channels + 1) if channels % g == 0]))
        outputs = outputs or groups * int(rng.integers(1, 3))
        groups = groups if outputs % groups == 0 else 1
        kernel = tuple(int(k) for k in (np.full(axes, 3) if same else rng.integers(1, 4, axes)))
        stride = (1,) * axes if same else tuple(int(s) for s in rng.integers(1, 3, axes))
        dilation = (1,) * axes if same else tuple(int(d) for d in rng.integers(1, 3, axes))
        padding = (1,) * (2 * axes) if same else tuple(int(p) for p in rng.integers(1, 3, 2 * axes))
        path = f"block.{len(self.nodes)}.conv"
        if transposed:
            basis = ConvTranspose(channels, outputs, kernel, stride, (0,) * (2 * axes), dilation, groups, (0,) * axes)
        else:
            short = [
                0 if same else max(0, d * (k - 1) + 1 - n) for d, k, n in zip(dilation, kernel, lengths, strict=True)
            ]
            padding = tuple(p + missing for p, missing in zip(padding, short * 2, strict=True))
            basis = Conv(channels, outputs, kernel, stride, padding, dilation, groups)
        return self.add(Linear(path, basis, bool(rng.integers(2))), x)


def random_graph(seed) -> tuple[Graph, tuple[int, ...], dict[str, np.ndarray]]:
    """A network with convolutions, residuals, pools, a tied map; or a transformer. With its input's shape, arrays."""
    rng = np.random.default_rng(seed)
    if seed % 4 == 3:
        b = Builder(rng, ())
        transformer(b, rng)
        return Graph(tuple(b.nodes)), b.shapes["input"], b.carried
    channels, axes = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    shape = (channels, *(int(n) for n in rng.integers(4, 7, axes)))
    b = Builder(rng, shape)
    x = b.add(Linear("stem", Conv(channels, 4, (3,) * axes, (1,) * axes, (1,) * 2 * axes, (1,) * axes), True), "input")
    x = b.add(Pointwise("Relu"), x, name="stem/relu")
    for _ in range(int(rng.integers(1, 4))):
        x = _block(b, x)
    x = b.add(AxisMap(tuple(AxisMatrix(i + 1, "mean", length=1) for i in range(axes))), x)
    x = b.add(Reshape((math.prod(b.shapes[x]),)), x)
    (width,) = b.shapes[x]
    tied = Linear("tied", Dense(width, width), bool(rng.integers(2)))
    x = b.add(FUNCTIONS[int(rng.integers(len(FUNCTIONS)))], b.add(tied, x))
    x = b.add(tied, x)
    if rng.integers(2):
        x = b.add(Softmax(0) if rng.integers(2) else LogSoftmax(0), x)
    b.add(Linear("head", Dense(width, 3), True), x, name="out")
    return Graph(tuple(b.nodes)), shape, b.carried


def _block(b, x):
    """One of several ways to go on; the number of axes stays."""
    rng, shape = b.rng, b.shapes[x]
    axes = len(shape) - 1
    match int(rng.integers(9)):
        case 0:  # a residual block
            y = b.add(FUNCTIONS[int(rng.integers(len(FUNCTIONS)))], b.conv(x, outputs=shape[0], same=True))
            return b.add(Add((1.0, 1.0) if rng.integers(2) else (1.0, -0.5)), x, y)
        case 1:
            return b.add(MaxPool((2,) * axes, (1,) * axes, (1, 0) * axes, (1,) * axes), b.conv(x))
        case 2:  # squeeze and excite
            gate = b.add(AxisMap(tuple(AxisMatrix(i + 1, "mean", length=1) for i in range(axes))), x)
            return b.add(Multiply(), x, b.add(Pointwise("Sigmoid"), b.conv(gate, outputs=shape[0], same=True)))
        case 3:
            scale, shift = b.number(shape[0]), b.number(shape[0], dtype=np.float64) if rng.integers(2) else None
            y = b.add(Scale(0, scale, shift), x)
            if len(b.nodes) % 2:
                mean, variance = b.number(shape[0]), b.number(shape[0])
                b.carried[variance] **= 2
                y = b.add(Normalise(0, mean, variance, scale, shift, 1e-5), y)
            return b.add(Concat(0), y, b.conv(x, same=True))
        case 4:
            y = b.add(Pad((0, 1) * len(shape), float(rng.integers(-1, 2))), b.conv(x, transposed=True))
            return b.add(Slice(1, 1, b.shapes[y][1], 2), y)
        case 5:
            order = (0, *range(axes, 0, -1))
            return b.conv(b.add(Permute(order), x))
        case 6:
            up = AxisMatrix(1, "linear", length=5, corners=True), AxisMatrix(1, "nearest", length=3)
            return b.conv(b.add(AxisMap((up[int(rng.integers(2))],)), x))
        case 7:
            matrix = b.number(4, shape[-1], dtype=np.float16)
            return b.add(AxisMap((AxisMatrix(axes, "matrix", value=matrix),)), b.conv(x, same=True))
        case _:
            y = b.add(Add((0.5, 2.0)), b.conv(x, same=True, outputs=2), b.add(Constant(b.number(*([1] * (axes + 1))))))
            pool = {"kernel": 2, "stride": 2, "padding": (1, 0), "length": (b.shapes[y][1] + 1 - 2) // 2 + 1}
            return b.add(AxisMap((AxisMatrix(1, "average", **pool, count="all"),)), y)


def random_inputs(seed, shape, *, tokens=None) -> Inputs:
    """One range or none; one number, one per channel, or one per entry; or tokens."""
    if tokens is not None:
        return Inputs(shape, tokens=TOKENS)
    rng = np.random.default_rng([seed, 1])
    count = int(rng.choice([1, shape[0], math.prod(shape)]))
    lower = tuple(rng.choice([-1.0, 0.0], count).tolist())
    mean, std = ((0.5,), (0.25,)) if rng.integers(2) else (None, None)
    return Inputs(shape, mean, std, *((lower, (1.0,)) if rng.integers(4) else (None, None)))


def graph_ticket(seed=0, *, density=0.5, assumed=(), misses=True) -> tuple[Ticket, Target]:
    """A ticket of a random network."""
    graph, shape, carried = random_graph(seed)
    inputs = random_inputs(seed, shape, tokens=token_count(graph, carried))
    return ticket_of(graph, inputs, carried, seed=seed, density=density, assumed=assumed, misses=misses)


def ticket_of(
    graph, inputs, carried, *, seed=0, density=0.5, assumed=(), misses=True, whole=0, linear=False
) -> tuple[Ticket, Target]:
    """A ticket of a network, and a target that it might have been made for.

    whole: neurons are kept or removed whole, for so many outputs at once, in maps whose outputs share their inputs.
    linear: lifts of all maps.
    """
    rng = np.random.default_rng([seed, 2])
    signed = signed_inputs(graph, inputs.shape, inputs.negative, carried)
    gadgets, masks, realised, claims = {}, {}, {}, {}
    for path, op in graph.maps.items():
        n, n_c = int(rng.integers(1, 6)), int(rng.integers(1, 7)) if op.bias else 0
        gains = 2.0 ** int(rng.integers(-9, 9)), 2.0 ** int(rng.integers(-9, 9)) if op.bias else 1.0
        gadget = replace(one_stage(n, n_c, 0, signed_ranges(signed[path]), *gains), linear=linear)
        gadget = gadget.fitted(path, op, seed)
        if whole and op.basis.groups == 1:
            size = min(whole, op.coefficients[0], max(1, MOST_COORDINATES // op.basis.taps))
            gadget = Neurons(size, n, n_c, 0, *gains, signed_ranges(signed[path])).fitted(path, op, seed)
        rows, _, taps = op.coefficients
        mask = rng.random((rows * taps, gadget.live(op))) < density
        masks[f"{path}/mixing"] = bits = gadget.pack(path, op, seed=seed, mask=mask)
        gadgets[path], realised[path] = gadget, realise(gadget, path, op, seed=seed, masks={f"{path}/mixing": bits})
        bounds = (0.5, 0.25) if inputs.box is not None else (None, None)
        claims[path] = MapClaim(0.5, float(rng.random()), 0.125, 1, 2.0, *bounds)
    ranged, channels = inputs.box is not None, shapes(graph, inputs.shape, carried)[graph.output][0]
    target = Target(graph, _coefficients(graph, rng), carried=carried, assumed=tuple(assumed))
    ticket = constructed_ticket(
        seed=seed,
        graph=graph,
        gadgets=gadgets,
        inputs=inputs,
        masks=masks,
        digests={path: realised_digest(part) for path, part in realised.items()},
        claims=Certificate(claims, *((1.5, 2.5, (0.25,) * channels) if ranged else (None, None, None))),
        provenance=Provenance(
            version="0.0.test",
            method="coin flips",
            asked={"tolerance": 0.5, "exact": None, "threads": 2},
            attempts=2,
            target=graph_digest(target, inputs.shape),
            names={path: (f"{path}.weight", f"{path}.bias" if op.bias else None) for path, op in graph.maps.items()},
            misses=_misses(graph) if misses else (),
            folded={next(iter(graph.maps)): ("block.norm", "scale")},
        ),
        carried=carried,
        assumed=tuple(assumed),
    )
    return ticket, target


def _misses(graph):
    """The last weight of the first map, and its first bias, if it has one."""
    path, op = next(iter(graph.maps.items()))
    last = Miss(path, op.basis.outputs - 1, op.basis.inputs - 1, "positive", 0.75, op.basis.taps - 1)
    return (last, Miss(path, 0, -1, "bias", 1.5)) if op.bias else (last,)


def _coefficients(graph, rng):
    return {
        path: Affine(rng.normal(size=op.coefficients), rng.normal(size=op.basis.outputs) if op.bias else None)
        for path, op in graph.maps.items()
    }


def transformer_target(seed, table, *, epsilon=None):
    """A small transformer with ordinary weights; `epsilon` of its normalisations, if not their own."""
    rng = np.random.default_rng(seed)
    b = Builder(rng, ())
    transformer(b, rng, (table,))
    nodes = b.nodes
    if epsilon is not None:
        nodes = [
            replace(node, op=replace(node.op, epsilon=epsilon)) if isinstance(node.op, Standardise) else node
            for node in nodes
        ]
    graph = Graph(tuple(nodes))
    coefficients = {
        path: Affine(
            rng.normal(size=op.coefficients) / math.sqrt(op.basis.inputs),
            0.1 * rng.normal(size=op.basis.outputs) if op.bias else None,
        )
        for path, op in graph.maps.items()
    }
    names = {path: (f"{path}.weight", f"{path}.bias" if op.bias else None) for path, op in graph.maps.items()}
    return Target(graph, coefficients, input_shape=b.shapes["input"], carried=b.carried, names=names)
