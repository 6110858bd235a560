"""On tensors every op computes what `slth.graph.evaluate` says: one line per op, every function, every basis."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import torch

from slth._errors import InputError
from slth.graph import (
    FUNCTIONS,
    INPUT,
    OPS,
    Add,
    Affine,
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
    Realised,
    Reshape,
    Scale,
    Slice,
    Softmax,
    Standardise,
    Steerable,
    evaluate,
)
from slth.network.build import BUILD, Network
from slth.network.maps import RealisedMap, TargetMap

RNG = np.random.default_rng(0)
CARRIED = {
    "three": RNG.normal(size=3),
    "five": RNG.normal(size=5),
    "square": RNG.random(3) + 0.25,
    "squares": RNG.random(5) + 0.25,
    "matrix": RNG.normal(size=(4, 5)),
    "entries": np.array([[0, 0, 1.0], [0, 2, -2.0], [2, 1, 0.5], [2, 2, 1.0]]),
    "table": RNG.normal(size=(3, 1, 4)),
    "words": RNG.normal(size=(7, 4)).astype(np.float32),
    "visible": np.array([[1, 0, 1, 0], [0, 1, 1, 1], [1, 1, 0, 0]], np.bool_),
    "visible/heads": np.tri(6, 12, 6)[:, :].reshape(6, 3, 4) + np.eye(3, 4),
    "bias": RNG.normal(size=(3, 4)),
    "bias/heads": RNG.normal(size=(6, 3, 4)).astype(np.float32),
}
PARAMETERS = {
    "LeakyRelu": {"alpha": -0.3},
    "PRelu": {"slope": "three", "axis": 0},
    "Clip": {"low": -0.5, "high": 1.5},
    "HardSigmoid": {"alpha": 0.2, "beta": 0.4},
    "Elu": {"alpha": 1.3},
    "Celu": {"alpha": 0.7},
    "Selu": {"alpha": 1.6, "gamma": 1.1},
    "Swish": {"alpha": 1.7},
}
AVERAGES = [
    AxisMatrix(1, "average", kernel=3, stride=2, padding=(1, 1), length=3, count="all"),
    AxisMatrix(1, "average", kernel=3, stride=2, padding=(1, 0), length=2, count="real"),
    AxisMatrix(1, "mean", length=3),
    AxisMatrix(1, "nearest", length=7),
    AxisMatrix(1, "linear", length=8, corners=True),
    AxisMatrix(1, "linear", length=4, corners=False),
    AxisMatrix(1, "matrix", value="matrix"),
    AxisMatrix(0, "sparse", length=4, value="entries"),
    AxisMatrix(2, "sparse", length=3, value="entries"),
]

# op, shapes of its inputs
CASES = [
    *((Pointwise(name, **PARAMETERS.get(name, {})), (3, 5, 4)) for name in FUNCTIONS),
    (Pointwise("Clip", low=0.5), (3, 5, 4)),
    (Pointwise("Clip", high=0.5), (3, 5, 4)),
    (MaxPool((2,), (2,), (1, 0), (1,)), (3, 5)),
    (MaxPool((3,), (2,), (2, 2), (1,)), (3, 5)),
    (MaxPool((2, 2), (1, 2), (1, 1, 1, 1), (1, 2)), (2, 3, 5, 4)),
    (MaxPool((2,), (1,), (1, 1), (2,)), (5,)),
    (MaxPool((3, 2), (1, 2), (1, 0, 2, 0), (2, 1)), (3, 5, 4)),
    (MaxPool((2, 2, 2), (1, 1, 1), (0,) * 6, (1, 1, 1)), (2, 3, 3, 3)),
    (MaxPool((2, 2), (2, 2), (0,) * 4, (1, 1)), (2, 3, 4, 4)),
    *((AxisMap((matrix,)), (3, 5, 4)) for matrix in AVERAGES),
    (AxisMap((AxisMatrix(0, "mean", length=1), AxisMatrix(2, "nearest", length=3))), (3, 5, 4)),
    (Add((1.0, -2.5)), (3, 5, 4), (3, 1, 4)),
    (Add((0.5,)), (3, 5, 4)),
    (Multiply(), (3, 5, 4), (3, 1, 1)),
    (Scale(0, "three", "three"), (3, 5, 4)),
    (Scale(1, "five", None), (3, 5, 4)),
    (Scale(1, None, "five"), (3, 5, 4)),
    (Normalise(0, "three", "square", "three", "three", 1e-3), (3, 5, 4)),
    (Normalise(1, "five", "squares", None, None, 0.0), (3, 5, 4)),
    (Normalise(0, "five", "squares", "five", None, 0.5), (5,)),
    (Concat(1), (3, 5, 4), (3, 2, 4)),
    (Reshape((4, 15)), (3, 5, 4)),
    (Permute((2, 0, 1)), (3, 5, 4)),
    (Slice(1, 1, 4, 2), (3, 5, 4)),
    (Pad((0, 1, 0, 0, 0, 2), 0.5), (3, 5, 4)),
    (Softmax(1), (3, 5, 4)),
    (LogSoftmax(0), (3, 5, 4)),
    (MatMul(), (3, 5), (5, 2)),
    (MatMul(), (2, 1, 3, 5), (1, 3, 5, 2)),
    (Attention(0.5), (3, 2), (4, 2), (4, 5)),
    (Attention(0.7, causal=True), (2, 3, 2), (2, 4, 2), (2, 4, 5)),
    (Attention(0.7, causal=True), (2, 4, 2), (2, 3, 2), (2, 3, 5)),
    (Attention(1.3), (6, 3, 2), (2, 4, 2), (2, 4, 5)),
    (Attention(-1.0, causal=True), (5, 6, 3, 2), (5, 1, 4, 2), (5, 1, 4, 3)),
    (Attention(0.5, visible="visible"), (6, 3, 2), (3, 4, 2), (3, 4, 5)),
    (Attention(0.5, visible="visible/heads", causal=True, bias="bias"), (6, 3, 2), (2, 4, 2), (2, 4, 5)),
    (Attention(0.5, bias="bias/heads"), (6, 3, 2), (6, 4, 2), (6, 4, 5)),
    (Attention(0.5, visible="visible", bias="bias"), (3, 2), (4, 2), (4, 5)),
    (Standardise((2,), 1e-5), (3, 5, 4)),
    (Standardise((1, 2), 1e-5, False), (3, 5, 4)),
    (Standardise((0,), 1e-3), (3, 5, 4)),
    (Standardise((0, 2), 1e-3, False), (3, 5, 4)),
]
TABLES = [Embedding("words"), Linear("words", OneHot(7, 4), True), Linear("words", OneHot(7, 4), False)]
BASES = [
    (Dense(4, 3), (5, 4)),
    (Dense(4, 3), (4,)),
    (Conv(4, 6, (3,), (2,), (1, 0), (1,), 2), (4, 9)),
    (Conv(2, 4, (3, 2), (2, 1), (1, 0, 1, 0), (1, 2)), (2, 9, 8)),
    (Conv(2, 4, (3, 2), (2, 1), (0, 2, 1, 3), (1, 1), 2), (2, 9, 8)),
    (Conv(1, 2, (2, 2, 2), (1, 2, 1), (0,) * 6, (1, 1, 1)), (1, 4, 5, 4)),
    (ConvTranspose(4, 6, (3,), (2,), (1, 0), (1,), 2, (1,)), (4, 5)),
    (ConvTranspose(2, 4, (3, 2), (2, 3), (1, 0, 0, 1), (1, 2), 1, (0, 1)), (2, 4, 5)),
    (ConvTranspose(2, 2, (2, 2, 1), (2, 1, 1), (0,) * 6, (1, 1, 1), 2, (0, 0, 0)), (2, 3, 2, 4)),
    (Steerable(2, 3, "D4", 3, 1, 1, True), (2, 5, 5)),
    (Steerable(2, 3, "C4", 2, 2, 0, False), (2, 4, 4, 4)),
    (Steerable(2, 3, "D4", 3, 2, 1, False), (2, 8, 5, 5)),
    (Permutation(2, 3, 1, 1, 4), (4, 2)),
    *((Permutation(2, 3, 2, writes, 4), (4, 4, 2)) for writes in (0, 1, 2)),
    (Permutation(2, 3, 1, 2, 4), (4, 2)),
]


def both(nodes, coefficients, x, dtype):
    """Outputs of the reference and of the module."""
    graph = Graph(nodes)
    maps = {path: TargetMap(op.basis, coefficients[path], dtype) for path, op in graph.maps.items()}
    network = Network(graph, maps, CARRIED, dtype)
    y = network(torch.from_numpy(x).to(dtype))
    assert y.dtype == dtype
    return evaluate(graph, coefficients, x, CARRIED), y.detach().double().numpy()


def from_flat(shapes):
    """The identity as a map, whose parts are values of shapes; a graph needs a map."""
    sizes = [int(np.prod(shape)) for shape in shapes]
    ends = np.cumsum([0, *sizes])
    nodes = [Node("map", Linear("map", Dense(sum(sizes), sum(sizes)), False), (INPUT,))]
    for i, shape in enumerate(shapes):
        nodes.append(Node(f"part{i}", Slice(0, int(ends[i]), int(ends[i + 1])), ("map",)))
        nodes.append(Node(f"value{i}", Reshape(shape), (f"part{i}",)))
    return nodes, {"map": Affine(np.eye(sum(sizes))[:, :, None], None)}, sum(sizes)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case[0])[:60])
def test_an_op_on_tensors_is_the_reference(case, dtype):
    op, *shapes = case
    nodes, coefficients, size = from_flat(shapes)
    nodes.append(Node("op", op, tuple(f"value{i}" for i in range(len(shapes)))))
    x = 2 * np.random.default_rng(1).normal(size=(3, size))
    expected, found = both(tuple(nodes), coefficients, x, dtype)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13 if dtype == torch.float64 else 1e-5)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("case", BASES, ids=lambda case: str(case[0])[:80])
def test_a_linear_map_on_tensors_is_the_reference(case, bias):
    basis, shape = case
    op = Linear("map", basis, bias)
    rng = np.random.default_rng(2)
    affine = Affine(rng.normal(size=op.coefficients), rng.normal(size=basis.outputs) if bias else None)
    x = rng.normal(size=(3, *shape))
    expected, found = both((Node("op", op, (INPUT,)),), {"map": affine}, x, torch.float64)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_a_constant_is_repeated_for_every_example():
    nodes, coefficients, size = from_flat([(3, 5, 4)])
    nodes += [Node("constant", Constant("table"), ()), Node("sum", Add((1.0, 2.0)), ("value0", "constant"))]
    x = np.random.default_rng(3).normal(size=(4, size))
    expected, found = both(tuple(nodes), coefficients, x, torch.float64)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)


def test_every_op_is_in_the_table():
    """And every op of the table has a case above."""
    assert set(BUILD) == set(OPS.values()) - {Linear, Constant}
    assert {type(case[0]) for case in CASES} | {Embedding} == set(BUILD)
    assert {case[0].function for case in CASES if isinstance(case[0], Pointwise)} == set(FUNCTIONS)


def test_every_value_passes_through_the_watcher():
    nodes, coefficients, size = from_flat([(2, 3)])
    graph = Graph((*nodes, Node("relu", Pointwise("Relu"), ("value0",))))
    network = Network(graph, {"map": TargetMap(graph.maps["map"].basis, coefficients["map"], torch.float64)})
    seen = []
    x = torch.ones(1, size, dtype=torch.float64)
    y = network.watched(x, lambda node, value: seen.append(node.name) or 2 * value)
    assert seen == ["map", "part0", "value0", "relu"]
    assert (y == 16).all()


TOKENS = np.array([[0, 6, 2], [3, 3, 1]])


@pytest.mark.parametrize("kind", [np.int64, np.float32, np.uint8], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("op", TABLES, ids=str)
def test_tokens_are_looked_up_whatever_numbers_they_are(op, kind):
    rng = np.random.default_rng(4)
    own = isinstance(op, Linear)
    wanted = Affine(rng.normal(size=op.coefficients), rng.normal(size=4) if op.bias else None) if own else None
    head = Linear("head", Dense(4, 2), False)
    nodes = (Node("rows", op, (INPUT,)), Node("head", head, ("rows",)))
    coefficients = ({"words": wanted} if own else {}) | {"head": Affine(rng.normal(size=(2, 4, 1)), None)}
    graph = Graph(nodes)
    maps = {path: TargetMap(op.basis, coefficients[path], torch.float64) for path, op in graph.maps.items()}
    network = Network(graph, maps, CARRIED, torch.float64)
    found = network(torch.from_numpy(TOKENS.astype(kind))).detach().numpy()
    np.testing.assert_allclose(found, evaluate(graph, coefficients, TOKENS, CARRIED), rtol=0, atol=1e-13)
    for wrong, got in ((-1, "-1"), (7, "7"), (0.5, "numbers that are none")):
        with pytest.raises(InputError, match=f"integers from 0 to 6; got {got}"):
            network(torch.tensor([[1, wrong]]))


def tied(bias=True):
    """Tokens, rows of the head's matrix, the head."""
    head = Linear("head", Dense(4, 7), bias)
    return Graph((Node("rows", Embedding("head", tied=True), (INPUT,)), Node("head", head, ("rows",))))


def test_a_tied_embedding_reads_rows_of_its_map():
    """Of the target W, of a realisation P."""
    graph, rng = tied(), np.random.default_rng(5)
    wanted = Affine(rng.normal(size=(7, 4, 1)), rng.normal(size=7))
    found = Realised(rng.normal(size=(7, 4, 1)), rng.normal(size=(7, 4, 1)), None, np.ones(4, bool))
    found = replace(found, bias=rng.normal(size=7))
    for numbers, module in ((wanted, TargetMap), (found, RealisedMap)):
        network = Network(graph, {"head": module(Dense(4, 7), numbers, torch.float64)}, {}, torch.float64)
        y = network(torch.from_numpy(TOKENS)).detach().numpy()
        np.testing.assert_allclose(y, evaluate(graph, {"head": numbers}, TOKENS), rtol=0, atol=1e-13)


def test_a_carried_table_is_held_once():
    """Without an array of NumPy on the way, such as one of float64: the tensor is the only copy."""
    rows = np.ones((1 << 16, 16), np.float32)
    head = Linear("head", Dense(16, 2), False)
    graph = Graph((Node("rows", Embedding("table"), (INPUT,)), Node("head", head, ("rows",))))
    part = TargetMap(Dense(16, 2), Affine(np.ones((2, 16, 1)), None))
    tracemalloc.start()
    Network(graph, {"head": part}, {"table": rows})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < rows.nbytes / 2
