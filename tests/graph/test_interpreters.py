"""Shapes, signs and values of networks, against what one would write by hand."""

import numpy as np
import pytest
from helpers.networks import forward, forward_realised, random_target

from slth import InputError
from slth.graph import (
    INPUT,
    Affine,
    Dense,
    Graph,
    Linear,
    Node,
    Pointwise,
    Realised,
    dense_chain,
    evaluate,
    shapes,
    signed_inputs,
)

RELU = Pointwise("Relu")


def line(*ops):
    """A graph of ops one after the other, called 0, 1, ..."""
    return Graph(tuple(Node(str(i), op, (str(i - 1) if i else INPUT,)) for i, op in enumerate(ops)))


def dense(path, inputs, outputs, *, bias=True):
    return Linear(path, Dense(inputs, outputs), bias)


def test_the_shape_of_every_value():
    graph = dense_chain((3, 5, 2), (True, True))
    assert shapes(graph, (3,), {}) == {"input": (3,), "layers/0": (5,), "relu/0": (5,), "layers/1": (2,)}


@pytest.mark.parametrize(
    ("graph", "inputs", "sentence"),
    [
        (dense_chain((3, 5, 2), (True, True)), (4,), r"^layers/0: a dense map of 3 inputs was given .* \(4,\)"),
        (dense_chain((3, 5, 2), (True, True)), (3, 1), r"^layers/0: .* \(3, 1\)"),
        (line(dense("a", 3, 5), RELU, dense("b", 4, 2)), (3,), r"^2: a dense map of 4 inputs was given .* \(5,\)"),
    ],
)
def test_values_that_do_not_fit_are_refused_by_the_name_of_the_node(graph, inputs, sentence):
    with pytest.raises(InputError, match=sentence):
        shapes(graph, inputs, {})


def signs(graph, *signed):
    return {path: found.tolist() for path, found in signed_inputs(graph, (len(signed),), np.array(signed), {}).items()}


def test_in_a_chain_only_the_first_map_reads_what_can_be_negative():
    graph = dense_chain((3, 2, 2, 1), (True, False, True))
    first = [True, False, True]
    assert signs(graph, *first) == {"layers/0": first, "layers/1": [False] * 2, "layers/2": [False] * 2}
    assert signs(graph, False, False, False)["layers/0"] == [False] * 3


def test_what_a_map_gives_can_be_negative_whatever_it_reads():
    """Signs come from the kinds of ops, never from coefficients: two maps in a row, and one before a ReLU."""
    graph = line(dense("a", 1, 2), dense("b", 2, 3), RELU, dense("c", 3, 1))
    assert signs(graph, False) == {"a": [False], "b": [True, True], "c": [False] * 3}


def test_a_relu_before_the_first_map_takes_its_signs():
    assert signs(line(RELU, dense("a", 2, 1)), True, False) == {"a": [False, False]}


@pytest.mark.parametrize(
    ("ops", "expected"),
    [
        ([dense("a", 2, 2), dense("a", 2, 2)], [True, True]),  # the second use reads what the first one gives
        ([dense("a", 2, 2), RELU, dense("a", 2, 2)], [True, False]),
        ([RELU, dense("a", 2, 2), RELU, dense("a", 2, 2)], [False, False]),
        ([dense("b", 2, 2), dense("a", 2, 2), RELU, dense("a", 2, 2)], [True, True]),
    ],
)
def test_a_map_that_is_used_twice_is_signed_where_either_use_is(ops, expected):
    assert signs(line(*ops), True, False)["a"] == expected


@pytest.mark.parametrize("widths", [(3, 2), (4, 7, 3), (2, 5, 6, 1)])
@pytest.mark.parametrize("bias", [True, False])
def test_values_of_a_chain(widths, bias):
    target = random_target(widths, bias=bias)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, widths[0]))
    signed = signed_inputs(target.graph, (widths[0],), np.arange(widths[0]) % 2 == 0, {})
    parts = {path: realised_of(rng, affine, signed[path]) for path, affine in target.coefficients.items()}
    assert np.allclose(evaluate(target.graph, target.coefficients, x), forward(target, x), rtol=1e-13)
    assert np.allclose(evaluate(target.graph, parts, x), forward_realised(parts, x), rtol=1e-13)


def realised_of(rng, affine, signed):
    """Near an ideal one, negative halves where they belong."""
    weight = affine.weight
    negative = np.where(signed[:, None], -weight + 0.1 * rng.normal(size=weight.shape), 0.0) if signed.any() else None
    return Realised(weight + 0.1 * rng.normal(size=weight.shape), negative, affine.bias, signed)


def test_values_where_two_maps_meet_and_one_is_used_twice():
    """relu(x), then A, then A again without a ReLU between, then B: by hand, target and realisation."""
    rng = np.random.default_rng(1)
    graph = line(RELU, dense("a", 3, 3), dense("a", 3, 3), RELU, dense("b", 3, 2, bias=False))
    a, b = Affine(rng.normal(size=(3, 3, 1)), rng.normal(size=3)), Affine(rng.normal(size=(2, 3, 1)), None)
    x = rng.normal(size=(10, 3))

    def layer(w, c, v):
        return v @ w[:, :, 0].T + c

    wanted = layer(a.weight, a.bias, layer(a.weight, a.bias, np.maximum(x, 0)))
    wanted = layer(b.weight, 0.0, np.maximum(wanted, 0))
    assert np.allclose(evaluate(graph, {"a": a, "b": b}, x), wanted, rtol=1e-13)

    signed = signed_inputs(graph, (3,), np.ones(3, np.bool_), {})
    assert signed["a"].all()
    assert not signed["b"].any()
    p, q = realised_of(rng, a, signed["a"]), realised_of(rng, b, signed["b"])

    def halves(part, v):
        below = 0.0 if part.negative is None else np.maximum(-v, 0) @ part.negative[:, :, 0].T
        return np.maximum(v, 0) @ part.positive[:, :, 0].T + below + (0.0 if part.bias is None else part.bias)

    found = halves(q, np.maximum(halves(p, halves(p, np.maximum(x, 0))), 0))
    assert np.allclose(evaluate(graph, {"a": p, "b": q}, x), found, rtol=1e-13)
    assert not np.allclose(found, wanted, rtol=1e-3)


@pytest.mark.parametrize("kind", [np.float32, np.int64, np.uint8])
def test_values_are_float64_whatever_comes_in(kind):
    """Also of unsigned integers, whose negatives wrap around."""
    rng = np.random.default_rng(0)
    target = random_target((3, 2))
    parts = {"layers/0": realised_of(rng, target.coefficients["layers/0"], np.ones(3, np.bool_))}
    x = rng.uniform(0, 200, (4, 3)).astype(kind)
    for network, wanted in ((target.coefficients, forward(target, x * 1.0)), (parts, forward_realised(parts, x * 1.0))):
        found = evaluate(target.graph, network, x)
        assert found.dtype == np.float64
        assert np.allclose(found, wanted, rtol=1e-13)
        assert evaluate(target.graph, network, x[:0]).shape == (0, 2)
