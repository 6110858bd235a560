"""Every basis against the dense matrix of its definition: y_o = Σ_j Σ_t C[o, j, t] B_t(x_j).

A further basis is a line of `EXAMPLES`: the basis, a shape of inputs it takes, and its B_t as matrices
(tap, positions out, positions in).
"""

from typing import NamedTuple

import numpy as np
import pytest

from slth import InputError
from slth.graph import BASES, Basis, Dense


class Example(NamedTuple):
    basis: Basis
    inputs: tuple[int, ...]  # shape of one input
    maps: np.ndarray  # B_t (tap, positions out, positions in)


IDENTITY = np.ones((1, 1, 1))

EXAMPLES = {
    "dense": [Example(Dense(d, o), (d,), IDENTITY) for d, o in ((1, 1), (3, 4), (7, 2), (1, 5), (5, 1), (40, 30))],
}
EVERY = [pytest.param(example, id=repr(example.basis)) for examples in EXAMPLES.values() for example in examples]


def draw(example, seed=0):
    rng = np.random.default_rng(seed)
    basis = example.basis
    return rng.normal(size=(basis.outputs, basis.inputs, basis.taps)) * 10.0 ** rng.integers(-3, 4)


def of_one_hot_inputs(basis, coefficients, inputs):
    """The matrix of `apply`, column by column (outputs, inputs)."""
    size = int(np.prod(inputs))
    return basis.apply(coefficients, np.eye(size).reshape(size, *inputs)).reshape(size, -1).T


def by_definition(example, coefficients):
    """Σ_t C[o, j, t] B_t as blocks, one for each pair of channels."""
    outputs, inputs, _ = coefficients.shape
    blocks = np.einsum("ojt,tpq->opjq", coefficients, example.maps)
    return blocks.reshape(outputs * example.maps.shape[1], inputs * example.maps.shape[2])


def check_matrix(example):
    """`apply` is the matrix of the definition, on one-hot inputs and on any others."""
    for seed in range(5):
        coefficients = draw(example, seed)
        matrix = by_definition(example, coefficients)
        found = of_one_hot_inputs(example.basis, coefficients, example.inputs)
        scale = np.abs(matrix).max()
        assert found.shape == matrix.shape
        assert np.allclose(found, matrix, rtol=0, atol=1e-13 * scale)
        x = np.random.default_rng(seed).normal(size=(6, *example.inputs))
        y = example.basis.apply(coefficients, x)
        assert np.allclose(y.reshape(6, -1), x.reshape(6, -1) @ matrix.T, rtol=0, atol=1e-12 * scale)


def check_norm(example):
    """Not below the largest singular value, and at most a fifth above it."""
    for seed in range(5):
        coefficients = draw(example, seed)
        true = np.linalg.svd(by_definition(example, coefficients), compute_uv=False)[0]
        assert true * (1 - 1e-12) <= example.basis.norm(coefficients) <= 1.2 * true
    assert example.basis.norm(np.zeros_like(coefficients)) == 0.0


def test_every_basis_has_examples_of_its_own_kind():
    assert set(EXAMPLES) == set(BASES)
    for name, examples in EXAMPLES.items():
        assert examples
        assert all(type(example.basis) is BASES[name] for example in examples)
        assert all(len(example.maps) == example.basis.taps for example in examples)


@pytest.mark.parametrize("example", EVERY)
def test_apply_is_the_dense_matrix(example):
    check_matrix(example)


@pytest.mark.parametrize("example", EVERY)
def test_the_norm_is_a_bound_and_a_close_one(example):
    check_norm(example)


@pytest.mark.parametrize("example", EVERY)
def test_the_shape_is_that_of_the_outputs(example):
    basis, inputs = example.basis, example.inputs
    for batch in (0, 1, 3):
        y = basis.apply(draw(example), np.zeros((batch, *inputs)))
        assert y.shape == (batch, *basis.shape(inputs))
        assert y.dtype == np.float64
    assert basis.shape(inputs)[0] == basis.outputs


@pytest.mark.parametrize("example", EVERY)
def test_inputs_of_another_shape_are_refused(example):
    """Another number of channels, an axis more, an axis less."""
    channels, *rest = example.inputs
    for other in ((channels + 1, *rest), (channels, *rest, 2), tuple(example.inputs[:-1])):
        with pytest.raises(InputError, match="was given values of shape"):
            example.basis.shape(other)


@pytest.mark.parametrize("example", EVERY)
def test_a_basis_is_plain_data(example):
    """A frozen record: equal to one of the same sizes, and a key."""
    again = type(example.basis)(*[getattr(example.basis, name) for name in example.basis.__match_args__])
    assert again == example.basis
    assert len({again, example.basis}) == 1
    with pytest.raises((AttributeError, TypeError)):
        example.basis.outputs = 7


@pytest.mark.parametrize(
    "wrong",
    [
        lambda basis, coefficients: float(np.abs(coefficients).max()),  # the largest entry
        lambda basis, coefficients: 0.999 * float(np.linalg.norm(coefficients[:, :, 0], 2)),
        lambda basis, coefficients: float(np.abs(coefficients).sum()),  # a bound, and useless
    ],
)
def test_a_wrong_norm_is_noticed(wrong, monkeypatch):
    monkeypatch.setattr(Dense, "norm", wrong)
    with pytest.raises(AssertionError):
        check_norm(EXAMPLES["dense"][1])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda basis, coefficients, x: x @ np.abs(coefficients[:, :, 0]).T,
        lambda basis, coefficients, x: x @ coefficients[:, :, 0].T + 1e-6 * np.abs(coefficients).max(),  # not linear
        lambda basis, coefficients, x: x[:, ::-1] @ coefficients[:, :, 0].T,
    ],
)
def test_a_wrong_map_is_noticed(wrong, monkeypatch):
    monkeypatch.setattr(Dense, "apply", wrong)
    with pytest.raises(AssertionError):
        check_matrix(EXAMPLES["dense"][1])
