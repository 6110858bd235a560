"""Version 2 files that ask for much: nodes, sizes, work. Each is refused, or read, at a cost in proportion to the file.

Memory is measured by tracemalloc; a file that asks for time would not let this module end.
"""

import dataclasses
import json
import tracemalloc

import pytest
from helpers.graph_tickets import ticket_of
from helpers.version2_files import entries_of, parts, sealed

from slth.graph import Dense, Graph, Linear, Node
from slth.ticket import Inputs, TicketError, decode, encode

MIB = 1 << 20
TANH = {"kind": "Pointwise", "function": "Tanh"}
FC = {"kind": "Linear", "map": "fc", "bias": False, "basis": {"kind": "Dense", "inputs": 1, "outputs": 1}}
SIZES = {"kind": "Conv", "inputs": 1, "outputs": 1, "dilation": [1], "groups": 1}


@pytest.fixture(scope="module")
def small():
    """A ticket of one map of one weight, without claims."""
    graph = Graph((Node("fc", Linear("fc", Dense(1, 1), False), ("input",)),))
    ticket = ticket_of(graph, Inputs((1,), lower=(-1.0,), upper=(1.0,)), {}, misses=False, assumed=("x",))[0]
    provenance = dataclasses.replace(ticket.provenance, names={})
    return parts(encode(dataclasses.replace(ticket, claims=None, provenance=provenance)))


def node(name, op, *inputs):
    return {"name": name, "op": op, "inputs": list(inputs)}


def ending(value, axes=1):
    """A value of any size becomes the one input of `fc`."""
    mean = {"kind": "AxisMap", "axes": [{"axis": axis, "kind": "mean", "length": 1} for axis in range(axes)]}
    return [node("mean", mean, value), node("flat", {"kind": "Reshape", "shape": [1]}, "mean"), node("fc", FC, "flat")]


def chain(count, op, first="input"):
    """Nodes 0, 1, ... of one op."""
    return [node(f"{i}", op(i) if callable(op) else op, f"{i - 1}" if i else first) for i in range(count)]


def doubled(times):
    """[x, −1], twice as long each time."""
    pad = {"kind": "Pad", "padding": [0, 1], "value": -1.0}
    joined = [node(f"{i}", {"kind": "Concat", "axis": 0}, f"{i - 1}", f"{i - 1}") for i in range(1, times)]
    return [node("0", pad, "input"), *joined]


def conv(kernel, padding, **more):
    basis = {**SIZES, "kernel": [kernel], "stride": [1], "padding": padding, **more}
    return {"kind": "Linear", "map": "fc", "bias": False, "basis": basis}


def upsampled(length):
    return {"kind": "AxisMap", "axes": [{"axis": 0, "kind": "nearest", "length": length}]}


def pool(kernel, padding):
    return {"kind": "MaxPool", "kernel": [kernel], "stride": [1], "padding": padding, "dilation": [1]}


def two_axes(times):
    """A square of −1 and x, through matrices of its size."""
    axes = [{"axis": 0, "kind": "nearest", "length": 2**13}, {"axis": 1, "kind": "nearest", "length": 2**13}]
    square = node("a0", {"kind": "Reshape", "shape": [2**13, 2**13]}, "25")
    maps = [node(f"a{i}", {"kind": "AxisMap", "axes": axes}, f"a{i - 1}") for i in range(1, times)]
    return [*doubled(26), square, *maps, *ending(f"a{times - 1}", 2)]


def alive(times):
    """Many values that are read once more at the end."""
    adds = [node(f"a{i}", {"kind": "Add", "coefficients": [1.0, 1.0]}, "24", "24") for i in range(times)]
    last = node("all", {"kind": "Add", "coefficients": [1.0] * times}, *(f"a{i}" for i in range(times)))
    return [*doubled(25), *adds, last, *ending("all")]


FAR = {"stride": [1] * 3, "dilation": [2**20] * 3, "kernel": [2] * 3, "padding": [2**20] * 3 + [0] * 3}
BACK = {**FAR, "kind": "ConvTranspose", "output_padding": [0] * 3}


def inside(axes, op, *, turned=False):
    """An op on a value of one entry, or on one line whose first entry alone can be negative."""
    first = [node("r", {"kind": "Reshape", "shape": [1] * axes}, "input")]
    if turned:
        first = [*doubled(12), node("r", {"kind": "Reshape", "shape": [2**12] + [1] * (axes - 1)}, "11")]
    return [*first, node("p", op, "r"), *ending("p", axes)]


def added(count):
    """A square of 2^24 entries, its signs one by one, as a sum of so many lines and columns."""
    line = node("t", {"kind": "Permute", "order": [1, 0]}, "r")
    add = node("p", {"kind": "Add", "coefficients": [1.0] * 2 * count}, *["r", "t"] * count)
    return [*inside(2, TANH, turned=True)[:-4], line, add, *ending("p", 2)]


GROWING = conv(1, [0, 0], kind="ConvTranspose", stride=[2**20], output_padding=[2**20 - 1])
WIDE = [node(f"w{i}", TANH, "input") for i in range(3000)]
NAMES = [f"w{i}" for i in range(3000)]
JOIN, JOINED = {"kind": "Concat", "axis": 0}, [f"c{i}" for i in range(6)]
NETWORKS = {
    "too many nodes": (chain(10_000, TANH) + ending("9999"), "at most 10000 members"),
    "too many inputs": (
        [*WIDE, *(node(f"c{i}", JOIN, *NAMES) for i in range(300)), *ending("c299")],
        "at most 100,000 inputs",
    ),
    "a cycle": ([node("a", TANH, "b"), node("b", TANH, "a"), node("fc", FC, "b")], "no earlier node"),
    "a node that reads itself": ([node("a", TANH, "a"), node("fc", FC, "a")], "no earlier node"),
    "another order": ([node("fc", FC, "a"), node("a", TANH, "input")], "no earlier node"),
    "growth by strides": (
        [node("r", {"kind": "Reshape", "shape": [1, 1]}, "input"), *chain(9_000, GROWING, "r")],
        "at most 268,435,456 entries",
    ),
    "growth by concatenation": (doubled(9_000) + ending("8999"), "at most 268,435,456 entries"),
    "growth by padding": (
        chain(9_000, {"kind": "Pad", "padding": [2**20, 2**20], "value": 0.0}) + ending("8999"),
        "more than 4,294,967,296 entries|at most 268,435,456 entries",
    ),
    "a reshape to 2^40": ([node("r", {"kind": "Reshape", "shape": [2**40]}, "input"), node("fc", FC, "r")], "cannot"),
    "a slice of 2^40": (
        [node("s", {"kind": "Slice", "axis": 0, "start": 0, "stop": 2**40, "step": 1}, "input"), *ending("s")],
        "no slice",
    ),
    "an upsampling to 2^40": (
        [
            node("u", {"kind": "AxisMap", "axes": [{"axis": 0, "kind": "nearest", "length": 2**40}]}, "input"),
            *ending("u"),
        ],
        "at most 268,435,456 entries",
    ),
    "a matrix of 2^50": (
        [*doubled(26), node("u", upsampled(2**25), "25"), *ending("u")],
        "at most 268,435,456 entries",
    ),
    "a kernel of 2^20": (
        [node("r", {"kind": "Reshape", "shape": [1, 1]}, "input"), node("fc", conv(2**20, [2**20, 2**20]), "r")],
        "gadgets.fc.shape",
    ),
    "a pool of 2^20": ([node("p", pool(2**20, [2**20, 2**20]), "input"), *ending("p")], "reads nothing|padding"),
    "a convolution that pads to 2^60": (
        inside(4, {**FC, "map": "far", "basis": {**SIZES, **FAR}}),
        "at most 268,435,456 entries; got shape .1, 1048577, 1048577, 1048577.",
    ),
    "a transposed one that is cut from 2^60": (
        inside(4, {**FC, "map": "far", "basis": {**SIZES, **BACK}}),
        "at most 268,435,456 entries; got shape .1, 1048577, 1048577, 1048577.",
    ),
    "a pool that pads to 2^60": (
        inside(
            4,
            {
                **pool(1, []),
                "kernel": [1] * 3,
                "stride": [2**20] * 3,
                "dilation": [1] * 3,
                "padding": [0] * 3 + [2**20 - 1] * 3,
            },
        ),
        "at most 268,435,456 entries; got shape .1, 1048576, 1048576, 1048576.",
    ),
    "signs of an upsampled line": ([*doubled(2), node("u", upsampled(2**26), "1"), *ending("u")], "signs differ"),
    "signs of one wide addition": (added(100), "signs differ"),
    "an addition of many values": (added(5000), "more than 4,294,967,296 entries|at most 10000 members"),
    "signs of 2^26 entries": (doubled(27) + ending("26"), "signs differ from entry to entry"),
    "signs of a wide pool": ([*doubled(20), node("p", pool(2**12, [0, 0]), "19"), *ending("p")], "signs differ"),
    "signs along two axes": (two_axes(10), "signs differ"),
    "signs of many values": (alive(40), "signs differ"),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name.startswith("growth") else []) for name in NETWORKS]
)
def test_a_network_that_asks_for_much_is_refused(small, name):
    nodes, said = NETWORKS[name]
    with pytest.raises(TicketError, match=said):
        read(small, nodes, lower=0.0 if name.startswith("signs") else -1.0)


@pytest.mark.parametrize("shape", [[2**40], [2**20, 2**20], [1] * 9, [2**41], [2**30, 2**30]])
def test_inputs_that_are_too_large_are_refused(small, shape):
    meta, entries, body = small
    with pytest.raises(TicketError):
        spent(sealed({**meta, "inputs": {**meta["inputs"], "shape": shape}}, entries, body))


WORTHY = {
    "9,990 nodes": ([*chain(9_990, TANH), *ending("9989")], 64),
    "18,000 inputs": (
        [*WIDE, *(node(name, JOIN, *NAMES) for name in JOINED), node("all", JOIN, *JOINED), *ending("all")],
        64,
    ),
    "signs of 2^24 entries": (doubled(24) + ending("23"), 256),
}


@pytest.mark.slow  # minutes under the checks of types at run time; a second without
@pytest.mark.parametrize("name", WORTHY)
def test_a_network_of_many_nodes_is_read(small, name):
    """Within the limits, at a cost that is linear in the file or in what the limits allow."""
    nodes, mib = WORTHY[name]
    assert read(small, nodes, lower=0.0 if name.startswith("signs") else -1.0) < mib * MIB


@pytest.mark.parametrize("count", [200, pytest.param(2000, marks=pytest.mark.slow)])
def test_thousands_of_maps_are_read(small, count):
    """Cost in proportion to the file, which is 2 MB for 2000."""
    meta, _, body = json.loads(json.dumps(small[0])), *small[1:]
    nodes, tensors, gadgets, runs = [], [], {}, []
    for i in range(count):
        path = f"map/{i}"
        nodes.append(node(f"{i}", {**FC, "map": path}, f"{i - 1}" if i else "input"))
        gadgets[path] = meta["gadgets"]["fc"]
        tensors += [{**tensor, "path": tensor["path"].replace("fc", path)} for tensor in meta["tensors"]]
        runs.append((f"{path}/mixing.mask", "U8", [len(body)], len(body)))
    meta |= {"network": {"kind": "graph", "nodes": nodes}, "gadgets": gadgets, "tensors": tensors}
    meta["provenance"]["folded"] = {}  # into a map that is gone
    data = sealed(meta, entries_of(runs), body * count)
    assert spent(data) < 64 * MIB
    assert len(decode(data).maps) == count


@pytest.mark.slow  # minutes under the checks of types at run time
@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("gadgets", "fc", "signed"), [[2 * i, 2 * i + 1] for i in range(200_000)]),
        (("gadgets", "fc", "stages"), [{}] * 200_000),
        (("gadgets", "fc", "shape"), [2**40, 2**40, 2**40]),
        (("tensors",), [{}] * 200_000),
        (("tensors", 0, "aliases"), [f"a{i}" for i in range(50_000)]),
        (("tensors", 0, "shape"), [2**50] * 8),
        (("carried",), {f"c{i}": {"dtype": "F32", "shape": [1]} for i in range(50_000)}),
        (("carried",), {"c": {"dtype": "F32", "shape": [2**40]}}),
        (("claims",), {"coefficients": {f"m{i}": {} for i in range(50_000)}}),
        (("provenance", "names"), {f"m{i}": [f"w{i}", None] for i in range(50_000)}),
        (("provenance", "folded"), {f"m{i}": ["norm"] for i in range(50_000)}),
        (("provenance", "folded"), {"conv": [f"norm{i}" for i in range(200_000)]}),
        (("provenance", "misses"), [["fc", 0, 0, 0, "positive", 1.0]] * 50_000),
        (("provenance", "asked"), {f"k{i}": 0 for i in range(50_000)}),
        (("assumed",), ["a"] * 200_000),
        (("inputs", "lower"), [-1.0] * 500_000),
        (("seed",), "1" * MIB),
        (("network", "nodes", 0, "op", "basis"), {"kind": "x" * MIB}),
        (("network", "nodes", 0, "op"), {"kind": {"kind": []}}),
    ],
    ids=lambda x: ".".join(map(str, x)) if isinstance(x, tuple) else "",
)
def test_long_lists_and_texts_are_refused(small, path, value):
    meta, entries, body = json.loads(json.dumps(small[0])), *small[1:]
    *parents, last = path
    place = meta
    for key in parents:
        place = place[key]
    place[last] = value
    data = sealed(meta, entries, body)
    with pytest.raises(TicketError) as error:
        spent(data)
    assert len(str(error.value)) < 1500


@pytest.mark.parametrize("depth", [20, 500, 990, 100_000])
def test_nesting_is_refused(small, depth):
    """Around the recursion limit and far beyond."""
    meta, entries, body = small
    text = json.dumps(meta, sort_keys=True, separators=(",", ":")).replace(meta["digest"], "0" * 64)
    for key in ('"assumed":', '"deep":'):
        nest = "[" * depth + "]" * depth
        found = text.replace('"assumed":["x"]', f'"assumed":{nest}') if key == '"assumed":' else None
        found = found or text.replace('"asked":{', f'"asked":{{"deep":{nest},')
        with pytest.raises(TicketError):
            decode(sealed(None, entries, body, text=found))


def read(small, nodes, *, lower=-1.0) -> int:
    """Peak memory of reading a file with these nodes, for inputs from `lower` to 1."""
    meta, entries, body = small
    inputs = {**meta["inputs"], "lower": [lower]}
    return spent(sealed({**meta, "inputs": inputs, "network": {"kind": "graph", "nodes": nodes}}, entries, body))


def spent(data) -> int:
    """Peak memory of decoding, never more than a reader may be asked for."""
    tracemalloc.start()
    try:
        decode(data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1024 * MIB
