"""A network with copies computes what it computed, and any weights may read the copies of what is the same number."""

import numpy as np
import pytest
from helpers.copies import KINDS, network, plain_weights, reads

from slth import InputError
from slth.graph import (
    INPUT,
    Add,
    Affine,
    Dense,
    Graph,
    Linear,
    Multiply,
    Node,
    Pointwise,
    Realised,
    Softmax,
    Target,
    chain,
    copies_made,
    evaluate,
    read_together,
    signed_inputs,
    with_copies,
)

every_kind = pytest.mark.parametrize("kind", KINDS)


def inputs(target, seed=1):
    return np.random.default_rng(seed).random((5, *target.input_shape))


@every_kind
def test_the_function_is_the_same(kind):
    target = network(kind)
    wide = with_copies(target, reads(target))
    assert wide.graph.weights > 2 * target.graph.weights
    x = inputs(target)
    theirs = evaluate(target.graph, target.coefficients, x, target.carried)
    ours = evaluate(wide.graph, wide.coefficients, x, wide.carried)
    assert np.abs(theirs - ours).max() < 1e-12


@every_kind
def test_weights_that_add_up_over_copies_compute_the_same(kind):
    """Σ_k P[r, j, k] = W[r, j] is all that is asked: whatever the weight of each copy."""
    target = network(kind)
    wide = with_copies(target, reads(target))
    x = inputs(target)
    theirs = evaluate(target.graph, target.coefficients, x, target.carried)
    ours = evaluate(wide.graph, plain_weights(wide), x, wide.carried)
    assert np.abs(theirs - ours).max() < 1e-9


@every_kind
def test_signs_are_those_of_the_channels(kind):
    target = network(kind)
    wide = with_copies(target, reads(target))
    for negative in (False, True):
        ends = np.full(target.input_shape, negative)
        theirs = signed_inputs(target.graph, target.input_shape, ends, target.carried)
        ours = signed_inputs(wide.graph, target.input_shape, ends, wide.carried)
        for path, signed in theirs.items():
            assert (ours[path] == np.repeat(signed, wide.copies.get(path, 1))).all()


def test_maps_whose_outputs_are_added_have_as_many_copies():
    target = network("projection")
    groups = read_together(target.graph)
    assert [len(group) for group in groups] == [2, 1]  # branch and projection read one value, the last map their sum
    made = copies_made(target.graph, reads(target))
    assert sorted(made.values()) == [1, 3, 4, 4]


def relu_net(*ops, between=None):
    """A dense map, something between, another dense map, some ops."""
    nodes = [Node("a", Linear("a", Dense(2, 2), False), (INPUT,)), *(between or [Node("s", Pointwise("Relu"), ("a",))])]
    nodes.append(Node("b", Linear("b", Dense(2, 2), False), (nodes[-1].name,)))
    for i, op in enumerate(ops):
        nodes.append(Node(f"op{i}", op, (nodes[-1].name,)))
    affine = Affine(np.eye(2)[:, :, None], None)
    return Target(Graph(tuple(nodes)), {"a": affine, "b": affine})


@pytest.mark.parametrize("function", ["Sigmoid", "Tanh", "HardSwish", "Gelu"])
def test_functions_that_are_not_linear_near_0_are_named(function):
    target = relu_net(between=[Node("s", Pointwise(function), ("a",))])
    with pytest.raises(InputError, match=f"s: {function} is not linear on both sides of 0.*Relu"):
        with_copies(target, {"b": 3})


def test_a_clip_that_would_cut_constants_is_refused():
    for low, high, fits in ((0.0, 6.0, True), (None, 1.0, True), (0.0, 0.9, False), (0.1, 6.0, False)):
        target = relu_net(between=[Node("s", Pointwise("Clip", low=low, high=high), ("a",))])
        if fits:
            with_copies(target, {"b": 2})
        else:
            with pytest.raises(InputError, match="Clip from at most 0 to at least 1"):
                with_copies(target, {"b": 2})


def test_ops_behind_the_last_map_may_be_any():
    target = relu_net(Pointwise("Sigmoid"), Softmax(0))
    wide = with_copies(target, {"b": 3})
    assert [node.op for node in wide.graph.nodes[-2:]] == [node.op for node in target.graph.nodes[-2:]]


def test_what_the_theorem_does_not_cover_is_named():
    gate = [Node("s", Pointwise("Relu"), ("a",)), Node("gate", Multiply(), ("s", "a"))]
    with pytest.raises(InputError, match="gate: Multiply over copies of channels is not covered"):
        with_copies(relu_net(between=gate), {"b": 3})
    skip = [Node("s", Pointwise("Relu"), ("a",)), Node("skip", Add((1.0, 1.0)), ("s", INPUT))]
    with pytest.raises(InputError, match="b reads the network's input or a constant together with outputs of a"):
        read_together(relu_net(between=skip).graph)
    long = Graph((*relu_net().graph.nodes, Node("sum", Add((1.0, 1.0)), ("s", "b"))))
    with pytest.raises(InputError, match=r"sum .Add. joins values with copies and values without"):
        with_copies(Target(long, relu_net().coefficients), {"b": 3})


def test_maps_must_agree_on_the_copies_they_read():
    nodes = (
        *relu_net().graph.nodes,
        Node("c", Linear("c", Dense(2, 2), False), ("s",)),
        Node("+", Add((1.0, 1.0)), ("b", "c")),
    )
    affine = relu_net().coefficients["a"]
    target = Target(Graph(nodes), dict.fromkeys("abc", affine))
    assert read_together(target.graph) == (("b", "c"),)
    with pytest.raises(InputError, match="c reads 2 copies of what a makes, another map 3"):
        with_copies(target, {"b": 3, "c": 2})


def test_a_chain_of_one_map_has_no_copies():
    target = chain([Affine(np.ones((1, 2, 1)), None)])
    assert read_together(target.graph) == ()
    assert with_copies(target, {}).graph == target.graph


def test_realised_of_copies_is_one_weight_for_each():
    target = relu_net()
    wide = with_copies(target, {"b": 3})
    assert wide.original is target
    assert wide.copies == {"b": 3}
    assert isinstance(plain_weights(wide)["b"], Realised)
    assert plain_weights(wide)["b"].positive.shape == (2, 6, 1)
