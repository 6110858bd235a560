"""Write the golden tickets of version 2 that are missing: `python tests/golden/make_v2.py`. None is ever written again.

Weights are random numbers that the file format itself pins, so a target can be made again, bit for bit, for ever.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

import slth
from slth.construction import Request, construct
from slth.graph import (
    Add,
    Affine,
    Attention,
    AxisMap,
    AxisMatrix,
    Conv,
    Dense,
    Embedding,
    Graph,
    Linear,
    Node,
    OneHot,
    Permutation,
    Pointwise,
    Scale,
    Standardise,
    Steerable,
    Target,
    chain,
)
from slth.numerics import Stream, uniform
from slth.ticket import Bound, Inputs, Provenance, RandomTensor, learned_ticket

SIGNED = Inputs((2,), lower=(-1.0, 0.0), upper=(1.0, 1.0))


def values(name, *shape):
    """Numbers in [-1, 1)."""
    return uniform(Stream(2029, f"golden/{name}"), shape).astype(np.float64)


def branches():
    """A grouped convolution with ReLU beside a carried Scale of the input, their sum, its mean."""
    conv = Conv(2, 2, (2,), (1,), (1, 0), (1,), 2)
    nodes = (
        Node("conv", Linear("conv", conv, True), ("input",)),
        Node("relu", Pointwise("Relu"), ("conv",)),
        Node("scale", Scale(0, "g", None), ("input",)),
        Node("add", Add((1.0, 0.5)), ("relu", "scale")),
        Node("mean", AxisMap((AxisMatrix(1, "mean", length=1),)), ("add",)),
    )
    coefficients = {"conv": Affine(values("conv.weight", 1, 2, 2), values("conv.bias", 2))}
    return Target(Graph(nodes), coefficients, (2, 5), {"g": np.array([1.0, -0.5], np.float32)})


def one_map():
    """3 × 2 weights and a bias."""
    return chain([Affine(values("0.weight", 3, 2, 1), values("0.bias", 3))])


def two_maps():
    """2-3-1 with biases."""
    last = Affine(values("2.weight", 1, 3, 1), values("2.bias", 1))
    return chain([*one_map().coefficients.values(), last])


def thin():
    """The same without biases."""
    return chain([Affine(affine.weight, None) for affine in two_maps().coefficients.values()])


def wide():
    """One map of so many weights that the ranks of `fewest` are shorter than plain bits."""
    return chain([Affine(values("wide.weight", 100, 2, 1), None)])


def numbers():
    """A state dict in float16, with a −0.0."""
    state = {
        f"{name}": values(name, *shape).astype(np.float16) for name, shape in (("0.weight", (3, 2)), ("0.bias", (3,)))
    }
    state["0.weight"][1, 1] = -0.0
    return state


def whole():
    """Whole numbers on the grid of steps of 1/4."""
    return chain([Affine(np.array([[[0.5], [-0.25]], [[1.0], [0.75]]]), np.array([0.25, -0.5]))])


def tokens():
    """Tokens in a table that is a map and in one that is the head's, normalised, attended to, and given to the head."""
    nodes = (
        Node("w", Linear("w", OneHot(3, 1), False), ("input",)),
        Node("e", Embedding("h", tied=True), ("input",)),
        Node("s", Add((1.0, 1.0)), ("w", "e")),
        Node("n", Standardise((1,), 0.125, centred=False), ("s",)),
        Node("a", Attention(0.5, visible="m"), ("n", "n", "n")),
        Node("o", Linear("h", Dense(1, 3), False), ("a",)),
    )
    coefficients = {"h": values("h.weight", 3, 1, 1), "w": values("w.weight", 1, 3, 1)}
    seen = np.array([[1, 0], [1, 1]], np.float16)
    return Target(Graph(nodes), {path: Affine(c, None) for path, c in coefficients.items()}, (2,), {"m": seen})


def turned():
    """A lifting layer and a regular one of C4."""
    nodes = (
        Node("a", Linear("a", Steerable(1, 1, "C4", 2, 1, 0, True), False), ("input",)),
        Node("b", Linear("b", Steerable(1, 1, "C4", 1, 1, 0, False), False), ("a",)),
    )
    coefficients = {path: Affine(values(f"{path}.weight", 1, 1, 4), None) for path in "ab"}
    return Target(Graph(nodes), coefficients, (1, 3, 3))


def members():
    """A layer of sets of three, and a graph of three nodes."""
    sets = Linear("sets", Permutation(1, 2, 1, 1, 3), True)
    around = AxisMap((AxisMatrix(0, "sparse", length=3, value="graph"),))
    nodes = (Node("sets", sets, ("input",)), Node("graph", around, ("sets",)))
    graph = np.array([[0, 1, 1.0], [1, 0, 0.5], [1, 2, 0.5], [2, 1, 1.0]], np.float32)
    return Target(
        Graph(nodes), {"sets": Affine(values("sets.weight", 2, 1, 2), values("sets.bias", 2))}, (3, 1), {"graph": graph}
    )


def layers():
    """Two layers of a model, of which one stores its weight as (inputs, outputs), and a counter."""
    graph = Graph.unjoined([Linear("in", Dense(2, 3), True), Linear("c", Dense(3, 1), False)], ["c"])
    coefficients = {"in": one_map().coefficients["layers/0"], "c": Affine(values("2.weight", 1, 3, 1), None)}
    names = {"in": ("in.weight", "in.bias"), "c": ("c.weight", None)}
    return Target(graph, coefficients, carried={"steps": np.array(7, np.int64)}, names=names)


def attention():
    """One head, which attends to two positions of two numbers."""
    maps = {name: Linear(name, Dense(2, 2), False) for name in "qkvo"}
    sides = (Node(name, maps[name], ("input",)) for name in "qkv")
    nodes = (*sides, Node("a", Attention(1.0), ("q", "k", "v")), Node("o", maps["o"], ("a",)))
    coefficients = {path: Affine(values(f"{path}.weight", 2, 2, 1), None) for path in maps}
    return Target(Graph(nodes), coefficients, (2, 2))


SPAN = {"lower": (-1.0,), "upper": (1.0,)}
RELU = {"lift": "relu"}
TARGETS = {  # by ticket: its target, its inputs, what is asked
    "graph": (branches, Inputs((2, 5), lower=(0.0, -1.0), upper=(1.0, 1.0)), {"tolerance": 0.02, "seed": 3, **RELU}),
    "stages": (one_map, SIGNED, {"tolerance": 1e-9, **RELU}),
    "moves": (one_map, SIGNED, {"tolerance": 0.02, "objective": "moved", "most_move": 0.01, "candidates": 8, **RELU}),
    "exact": (numbers, None, {"exact": True, "input_range": ((-1.0, 0.0), (1.0, 1.0)), **RELU}),
    "fewest": (wide, Inputs((2,)), {"relative_tolerance": 0.02, "objective": "fewest", **RELU}),
    "exactly": (one_map, SIGNED, {"tolerance": 0.02, "objective": "exactly", "density": 0.3, **RELU}),
    "centred": (one_map, SIGNED, {"tolerance": 0.02, "centred": True, **RELU}),
    "law": (one_map, SIGNED, {"tolerance": 0.02, "law": "mixture/0.5/grid/3", **RELU}),
    "copies": (thin, SIGNED, {"tolerance": 0.05, "gadget": "copies"}),
    "neurons": (one_map, SIGNED, {"tolerance": 0.1, "gadget": "neurons", "group_size": 2}),
    "single": (one_map, SIGNED, {"tolerance": 0.2, "gadget": "single"}),
    "single-plain": (two_maps, SIGNED, {"tolerance": 0.2, "gadget": "single-plain"}),
    "plain": (two_maps, SIGNED, {"tolerance": 0.02, "gadget": "plain"}),
    "counts": (one_map, SIGNED, {"tolerance": 0.1, "gadget": "counts"}),
    "doubling": (one_map, SIGNED, {"tolerance": 0.2, "gadget": "doubling"}),
    "grid": (whole, SIGNED, {"gadget": "grid"}),
    "linear": (one_map, SIGNED, {"tolerance": 0.02}),
    "tokens": (tokens, Inputs((2,), tokens=3), {"tolerance": 0.05}),
    "turned": (turned, Inputs((1, 3, 3), **SPAN), {"tolerance": 0.02}),
    "members": (members, Inputs((3, 1), **SPAN), {"tolerance": 0.02}),
    "layers": (layers, Inputs((1,)), {"tolerance": 0.05}),
    "merged": (attention, Inputs((2, 2)), {"tolerance": 0.05, "gadget": "merged"}),
}


def bound():
    """v2-bound: a learned ticket of a network that the user brings, over a range, with an assumption; masks, moves."""
    tensors = (
        RandomTensor("conv.weight", (2, 3, 3), "sign", 0.5, 5, gain=1.25),
        RandomTensor(
            "fc.weight", (2, 4), "normal", 0.25, 3, moved=True, stream="fc.weight@1", aliases=("head.weight",)
        ),
    )
    kept = {tensor.path: np.zeros(tensor.shape, np.bool_) for tensor in tensors}
    kept["conv.weight"].reshape(-1)[[0, 4, 5, 11, 17]] = True
    kept["fc.weight"].reshape(-1)[[1, 2, 5]] = True
    ticket = learned_ticket(
        seed=2030,
        network=Bound(),
        inputs=Inputs((3, 5), (0.5,), (0.25,), (-2.0,), (2.0,)),
        tensors=tensors,
        kept=kept,
        moves={"fc.weight": np.array([0.125, -0.0625, 0.0], np.float32)},
        move_bound=0.125,
        carried={"fc.bias": np.array([0.0, 0.1], np.float32), "steps": np.array(7, np.int64)},
        provenance=Provenance("0.2", "by hand", {"density": 0.25}),
    )
    return replace(ticket, assumed=("ReLU behind the convolution",))


def constructed(name):
    """The ticket of that name, as this slth makes it."""
    target, inputs, asked = TARGETS[name]
    if inputs is None:
        return slth.construct(target(), **asked)
    return construct(target(), Request(**asked), inputs=inputs)


if __name__ == "__main__":
    for name in (*TARGETS, "bound"):
        path = Path(__file__).parent / f"v2-{name}.slth"
        if not path.exists():
            slth.save(bound() if name == "bound" else constructed(name), path)
            print(f"{path.name}: {path.stat().st_size:,} bytes")
