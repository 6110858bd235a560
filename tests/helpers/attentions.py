"""Small networks with attention, their projections drawn in several ways: as one map, as three, grouped, crossed."""

import numpy as np

from slth.graph import (
    INPUT,
    Add,
    Affine,
    Attention,
    Dense,
    Graph,
    Linear,
    Node,
    Permute,
    Pointwise,
    Reshape,
    Slice,
    Target,
    shapes,
)

KINDS = (
    "one map",
    "three maps",
    "grouped",
    "crossed",
    "masked",
    "alone",
    "one head",
    "windows",
    "tied",
    "block",
    "lengthened",
)


def network(kind, seed=0, *, width=6, heads=3, head=2, length=5, scale=None):
    """A network of a kind, with weights; inputs (length, width)."""
    rng = np.random.default_rng(seed)
    nodes, carried = [], {}
    lead = (2,) if kind == "windows" else ()

    def add(name, op, *inputs):
        nodes.append(Node(name, op, inputs))
        return name

    def dense(name, inputs, outputs, read, bias=True, map=None):
        return add(name, Linear(map or name, Dense(inputs, outputs), bias), read)

    def split(name, read, count, own):
        """(..., T, count · own) to (..., count, T, own)."""
        at = len(lead)
        add(f"{name}/split", Reshape((*lead, length, count, own)), read)
        return add(f"{name}/heads", Permute((*range(at), at + 1, at, at + 2)), f"{name}/split")

    groups = 1 if kind == "grouped" else heads
    source = INPUT
    if kind == "crossed":
        source = add("memory", Pointwise("Relu"), dense("memory/map", width, width, INPUT))

    def layer(at, x, y, *, tied=False):
        under = "0" if tied else at
        if kind in ("one map", "windows", "lengthened"):
            if kind == "lengthened":  # positions along two axes before the map, along one behind it
                x = add(f"{at}/long", Reshape((length, 1, width)), x)
            whole = dense(f"{at}/in", width, 3 * heads * head, x)
            if kind == "lengthened":
                whole = add(f"{at}/short", Reshape((length, 3 * heads * head)), whole)
            sides = [
                add(f"{at}/{side}", Slice(len(lead) + 1, i * heads * head, (i + 1) * heads * head), whole)
                for i, side in enumerate("qkv")
            ]
        else:
            sides = [
                dense(f"{at}/{side}", width, count * head, read, side != "k", f"{under}/{side}")
                for side, count, read in (("q", heads, x), ("k", groups, y), ("v", groups, y))
            ]
        if kind != "alone":
            counts = heads, groups, groups
            sides = [split(f"{at}/{side}", *own, head) for side, *own in zip("qkv", sides, counts, strict=True)]
        add(f"{at}/attention", op, *sides)
        joined = f"{at}/attention"
        if kind != "alone":
            axis = len(lead)
            add(f"{at}/back", Permute((*range(axis), axis + 1, axis, axis + 2)), joined)
            middle = (1,) if kind == "lengthened" else ()
            joined = add(f"{at}/joined", Reshape((*lead, length, *middle, heads * head)), f"{at}/back")
        return dense(f"{at}/o", heads * head, width, joined, True, f"{under}/o")

    if kind in ("alone", "one head"):
        heads = groups = 1
    op = Attention(head**-0.5 if scale is None else scale, causal=kind in ("grouped", "block"))
    if kind == "masked":
        op = Attention(0.7, visible="visible", bias="bias")
        carried["visible"] = np.maximum(rng.integers(0, 2, (heads, length, length)), np.eye(length))
        carried["bias"] = rng.normal(size=(heads, length, length))
    end = layer("0", INPUT, source)
    if kind == "lengthened":
        end = add("end", Reshape((length, width)), end)
    if kind == "tied":
        end = layer("1", end, end, tied=True)
    if kind == "block":
        end = add("sum", Add((1.0, 1.0)), INPUT, end)
        after = dense("after", 2 * width, width, add("act", Pointwise("Relu"), dense("up", width, 2 * width, end)))
        end = add("end", Add((1.0, 1.0)), end, after)
    graph = Graph(tuple(nodes))
    coefficients = {
        path: Affine(
            rng.normal(size=one.coefficients) / np.sqrt(one.basis.inputs),
            0.3 * rng.normal(size=one.basis.outputs) if one.bias else None,
        )
        for path, one in graph.maps.items()
    }
    target = Target(graph, coefficients, (*lead, length, width), carried)
    shapes(graph, target.input_shape, carried)
    return target
