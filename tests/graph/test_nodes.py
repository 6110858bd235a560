"""Graphs are in an order in which they can run, and `fold` runs them in it, in any algebra."""

import weakref

import numpy as np
import pytest

from slth import InputError
from slth.graph import INPUT, Dense, Graph, Linear, Node, Pointwise, fold

RELU = Pointwise("Relu")
SQUARE = Linear("square", Dense(2, 2), bias=False)


def graph_of(*nodes):
    """Of (name, op, names read)."""
    return Graph(tuple(Node(name, op, tuple(read)) for name, op, read in nodes))


@pytest.mark.parametrize(
    ("nodes", "sentence"),
    [
        ([], "no linear map"),
        ([("a", RELU, [INPUT])], "no linear map"),
        ([("a", SQUARE, ["b"])], "node 'a' reads 'b', which is no earlier node; expected earlier nodes or 'input'"),
        ([("a", SQUARE, ["b"]), ("b", RELU, [INPUT])], "'a' reads 'b', which is no earlier node"),
        ([("a", SQUARE, ["a"])], "'a' reads 'a', which is no earlier node"),
        ([("a", SQUARE, [INPUT, "b"])], "'a' reads 'b'"),
        ([("a", SQUARE, [])], "'a' reads nothing"),
        ([("a", SQUARE, [INPUT]), ("a", RELU, ["a"])], "two nodes are called 'a'; every name stands once"),
        ([(INPUT, SQUARE, [INPUT])], "two nodes are called 'input'"),
        (
            [("a", SQUARE, [INPUT]), ("b", Linear("square", Dense(2, 3), bias=False), ["a"])],
            "'square' is used with two",
        ),
        ([("a", SQUARE, [INPUT]), ("b", Linear("square", Dense(2, 2), bias=True), ["a"])], "'square' is used with two"),
    ],
)
def test_what_cannot_run_is_refused_by_name(nodes, sentence):
    with pytest.raises(InputError, match=sentence):
        graph_of(*nodes)


def test_an_unknown_function_is_refused(unchecked):
    with pytest.raises(InputError, match=r"Relu, .*; got 'gelu'"):
        Pointwise("gelu")


def test_maps_stand_once_in_the_order_of_first_use():
    """Two nodes of one map share it: its weights count once."""
    other = Linear("another", Dense(2, 2), bias=True)
    graph = graph_of(("a", SQUARE, [INPUT]), ("b", other, ["a"]), ("c", RELU, ["b"]), ("d", SQUARE, ["c"]))
    assert list(graph.maps.items()) == [("square", SQUARE), ("another", other)]
    assert (graph.weights, graph.output) == (4 + 6, "d")
    with pytest.raises(TypeError):
        graph.maps["third"] = SQUARE


def test_graphs_are_equal_if_their_nodes_are():
    one, two = (graph_of(("a", SQUARE, [INPUT]), ("b", RELU, ["a"])) for _ in range(2))
    assert one == two
    assert hash(one) == hash(two)
    assert one != graph_of(("a", SQUARE, [INPUT]), ("c", RELU, ["a"]))
    assert one != graph_of(("a", SQUARE, [INPUT]), ("b", RELU, [INPUT]))


DIAMOND = graph_of(
    ("a", SQUARE, [INPUT]),
    ("b", RELU, ["a"]),
    ("c", RELU, ["a"]),
    ("d", RELU, ["c", "b"]),
    ("e", RELU, ["d", "d", INPUT]),
)


def test_fold_runs_diamonds_with_the_inputs_in_the_order_written():
    found = fold(DIAMOND, "x", lambda node, inputs: f"{node.name}({', '.join(inputs)})")
    assert found == "e(d(c(a(x)), b(a(x))), d(c(a(x)), b(a(x))), x)"


def test_fold_runs_every_node_once_in_order():
    seen = []
    fold(DIAMOND, None, lambda node, inputs: seen.append(node.name))
    assert seen == ["a", "b", "c", "d", "e"]


class Value:
    """A value that can be watched."""


def test_fold_drops_a_value_after_its_last_use():
    """While a node runs, of the earlier values just those are alive that it or a later node reads."""
    alive = {}

    def step(node, inputs):
        there = [name for name, value in alive.items() if value() is not None]
        index = DIAMOND.nodes.index(node)
        needed = {name for later in DIAMOND.nodes[index:] for name in later.inputs} & set(alive)
        assert set(there) == needed
        value = Value()
        alive[node.name] = weakref.ref(value)
        return value

    last = fold(DIAMOND, Value(), step)
    assert [name for name, value in alive.items() if value() is not None] == ["e"]
    assert alive["e"]() is last


def test_any_algebra_will_do():
    """Integers, arrays, lists: paths from the input to the output, counted."""
    assert fold(DIAMOND, 1, lambda node, inputs: sum(inputs)) == 5
    assert fold(DIAMOND, np.ones(2), lambda node, inputs: np.sum(inputs, axis=0)).tolist() == [5.0, 5.0]
    assert len(fold(DIAMOND, [0], lambda node, inputs: [x for value in inputs for x in value])) == 5
