"""Chains of dense layers with ReLU between: the networks that version 1 of the file knows, and no others."""

import numpy as np
import pytest

from slth import InputError
from slth.graph import INPUT, Affine, Dense, Graph, Linear, Node, Pointwise, chain, chain_of, dense_chain

CHAIN = dense_chain((3, 4, 2), (True, False))
FIRST, RELU, SECOND = CHAIN.nodes


def test_nodes_of_a_chain():
    assert Node("layers/0", Linear("layers/0", Dense(3, 4), True), (INPUT,)) == FIRST
    assert Node("relu/0", Pointwise("Relu"), ("layers/0",)) == RELU
    assert Node("layers/1", Linear("layers/1", Dense(4, 2), False), ("relu/0",)) == SECOND


def test_a_chain_is_known_again():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        depth = int(rng.integers(1, 6))
        widths, biases = rng.integers(1, 9, depth + 1).tolist(), (rng.random(depth) < 0.5).tolist()
        assert chain_of(dense_chain(widths, biases)) == (widths, biases)


@pytest.mark.parametrize(
    "nodes",
    [
        (FIRST, Node("layers/1", SECOND.op, ("layers/0",))),  # no ReLU between
        (FIRST, RELU),  # ends in a ReLU
        (Node("relu", RELU.op, (INPUT,)), Node("layers/0", FIRST.op, ("relu",))),  # begins with one
        (FIRST, RELU, Node("relu/1", RELU.op, ("relu/0",)), Node("layers/1", SECOND.op, ("relu/1",))),
        (Node("first", Linear("first", Dense(3, 4), True), (INPUT,)),),  # other names
        (Node("layers/0", Linear("first", Dense(3, 4), True), (INPUT,)),),
        (FIRST, RELU, Node("layers/1", SECOND.op, ("layers/0",))),  # passes by the ReLU
        (FIRST, RELU, Node("layers/1", Linear("layers/1", Dense(5, 2), False), ("relu/0",))),  # widths do not meet
        (  # one map twice
            Node("layers/0", Linear("layers/0", Dense(3, 3), True), (INPUT,)),
            RELU,
            Node("layers/1", Linear("layers/0", Dense(3, 3), True), ("relu/0",)),
        ),
    ],
)
def test_other_graphs_are_no_chains(nodes):
    assert chain_of(Graph(nodes)) is None


def affine(outputs, inputs, *, bias=True, taps=1):
    return Affine(np.ones((outputs, inputs, taps)), np.ones(outputs) if bias else None)


def test_a_target_of_a_chain_keeps_coefficients_and_names_by_map():
    layers = [affine(4, 3), affine(2, 4, bias=False)]
    target = chain(layers, assumed=("a ReLU",))
    assert target.graph == CHAIN
    assert list(target.coefficients) == ["layers/0", "layers/1"]
    assert all(found is layer for found, layer in zip(target.coefficients.values(), layers, strict=True))
    assert target.names == {"layers/0": ("0.weight", "0.bias"), "layers/1": ("2.weight", None)}
    assert target.assumed == ("a ReLU",)
    named = chain(layers, names=[("in.weight", "in.bias"), ("out.weight", None)])
    assert named.names == {"layers/0": ("in.weight", "in.bias"), "layers/1": ("out.weight", None)}


@pytest.mark.parametrize(
    ("layers", "sentence"),
    [
        ([], "no layers; expected at least one"),
        ([affine(4, 3), affine(2, 5)], "layer 1 takes 5 inputs, the one before gives 4"),
        ([affine(4, 3, taps=9)], "layer 0: a dense layer has one tap, got 9"),
    ],
)
def test_layers_that_do_not_chain_are_refused(layers, sentence):
    with pytest.raises(InputError, match=sentence):
        chain(layers)
