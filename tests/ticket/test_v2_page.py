"""The example of FORMAT.md, by the second reader and by slth; the vocabularies are those of the graph."""

import re
from pathlib import Path

import numpy as np
import pytest
from references import version2

import slth.ticket
from slth.graph import (
    BASES,
    FUNCTIONS,
    OPS,
    Affine,
    AxisMap,
    AxisMatrix,
    Concat,
    Conv,
    Dense,
    Graph,
    Linear,
    Node,
    Pointwise,
    Reshape,
    Scale,
    Target,
    signed_inputs,
)
from slth.graph.axis_maps import KINDS
from slth.ticket import Inputs, graph_digest
from slth.ticket.format import v2_graph

PAGE = (Path(slth.ticket.__file__).parent / "FORMAT.md").read_text()
EXAMPLE = PAGE[PAGE.rindex("## An example") :]


def counted(*shape):
    """Entry k is ((k mod 7) − 3) / 8."""
    return ((np.arange(np.prod(shape)) % 7 - 3) / 8).reshape(shape)


@pytest.fixture(scope="module")
def target():
    conv = Linear("conv", Conv(2, 4, (2,), (1,), (1, 0), (1,), 2), True)
    nodes = (
        Node("a", conv, ("input",)),
        Node("b", Pointwise("Relu"), ("a",)),
        Node("c", Scale(0, "g", None), ("input",)),
        Node("d", Concat(0), ("b", "c")),
        Node("e", AxisMap((AxisMatrix(1, "mean", length=1),)), ("d",)),
        Node("f", Reshape((6,)), ("e",)),
        Node("g", Linear("fc", Dense(6, 2), False), ("f",)),
    )
    coefficients = {"conv": Affine(counted(2, 2, 2), counted(4)), "fc": Affine(counted(2, 6, 1), None)}
    return Target(Graph(nodes), coefficients, carried={"g": np.array([1, 0.5], np.float32)})


def test_the_digest_of_the_example(target):
    nodes = v2_graph.GRAPH.write(target.graph)["nodes"]
    maps = {path: (affine.weight, affine.bias) for path, affine in target.coefficients.items()}
    digest = version2.graph_digest((2, 5), nodes, maps, target.carried)
    text = "".join(line.strip() for line in EXAMPLE.split("\n") if line.startswith("    "))
    assert text == version2.digest_text((2, 5), nodes)
    assert digest == graph_digest(target, (2, 5))
    assert f"`{digest}`" in EXAMPLE


def test_the_signs_of_the_example(target):
    inputs = Inputs((2, 5), lower=(0.0, -1.0), upper=(1.0,))
    signed = signed_inputs(target.graph, inputs.shape, inputs.negative, target.carried)
    assert {path: np.flatnonzero(found).tolist() for path, found in signed.items()} == {"conv": [1], "fc": [5]}
    assert "[[1, 2]] of `conv`, [[5, 6]] of `fc`" in EXAMPLE


def test_the_two_stages_of_the_example():
    stages = [
        {"candidates": 2, "constants": 1, "gain": 1.0, "bias_gain": 0.5},
        {"candidates": 1, "constants": 1, "gain": 0.125, "bias_gain": 0.125},
    ]
    gadget = {"shape": [2, 2, 2], "groups": 2, "signed": [[1, 2]], "lift": "relu", "stages": stages}
    gadget |= {"law": "uniform", "centred": False}
    tensors, runs = {}, {}
    for path, bits in (("conv/mixing", 28), ("conv/1/mixing", 16)):
        ones = [1] * bits + [0] * (-bits % 8)
        tensors[path] = {"path": path, "kept": bits, "mask": {"encoding": "bits"}}
        runs[f"{path}.mask"] = np.packbits(ones, bitorder="little").tobytes()
    found = version2.realise(0, "conv", gadget, tensors, runs)
    assert found.widths == [13, 7]
    assert repr(found.positive[0, 0, 0].item()).replace("-", "−") in EXAMPLE
    assert f"`{found.digest(True)}`" in EXAMPLE


def test_every_op_of_the_graph_has_a_table_and_a_row_of_the_page():
    """And every function, basis, axis matrix."""
    assert set(v2_graph.OP.kinds) == set(OPS)
    assert set(v2_graph.POINTWISE.kinds) == set(FUNCTIONS)
    assert set(v2_graph.BASIS.kinds) == set(BASES)
    assert set(v2_graph.AXIS_MATRIX.kinds) == set(KINDS)
    for name in (*OPS, *FUNCTIONS, *BASES, *KINDS):
        assert f"`{name}`" in PAGE, name


def test_the_keys_that_the_page_shows_are_those_of_the_tables():
    from slth.ticket.format.v2_gadgets import GADGET

    section = PAGE[PAGE.index("## Gadgets") : PAGE.index("## Tensors and moves")]
    shown = {
        span[1]: set(re.findall(r'"(\w+)":', span[0])) for span in re.findall(r'`(\{"kind":"([\w-]+)"[^`]*)`', section)
    }
    assert shown == {kind: {"kind", *tagged.table.kinds} for kind, tagged in GADGET.kinds.items()}
