"""Every basis against the dense matrix of its definition: y_o = Σ_j Σ_t C[o, j, t] B_t(x_j).

A further basis is a line of `EXAMPLES`: the basis, a shape of inputs it takes, and its B_t as matrices
(tap, positions out, positions in).
"""

from itertools import product
from typing import NamedTuple

import numpy as np
import pytest

from slth import InputError
from slth.graph import BASES, Basis, Conv, ConvTranspose, Dense, OneHot, Permutation, Steerable
from slth.graph.bases.partitions import partitions


class Example(NamedTuple):
    basis: Basis
    inputs: tuple[int, ...]  # shape of one input
    maps: np.ndarray  # B_t (tap, positions out, positions in)


IDENTITY = np.ones((1, 1, 1))


def conv(inputs, outputs, kernel, image, *, stride=1, padding=0, behind=None, dilation=1, groups=1):
    """B_t takes position s·p + d·t - a of the image to p; nothing where that lies outside."""
    axes = len(kernel)
    before, after = (padding,) * axes, (padding if behind is None else behind,) * axes
    basis = Conv(inputs, outputs, kernel, (stride,) * axes, before + after, (dilation,) * axes, groups)
    results = [
        (n + padding + after[0] - dilation * (k - 1) - 1) // stride + 1 for n, k in zip(image, kernel, strict=True)
    ]
    maps = np.zeros((basis.taps, int(np.prod(results)), int(np.prod(image))))
    for (t, tap), (p, place) in product(enumerate(np.ndindex(*kernel)), enumerate(np.ndindex(*results))):
        at = [stride * x + dilation * y - padding for x, y in zip(place, tap, strict=True)]
        if all(0 <= x < n for x, n in zip(at, image, strict=True)):
            maps[t, p, np.ravel_multi_index(at, image)] = 1.0
    return Example(basis, (inputs, *image), maps)


def transposed(outputs, inputs, kernel, image, **options):
    """The adjoint of a convolution of images: it reads what that gives."""
    down = conv(outputs, inputs, kernel, image, **options)
    b = down.basis
    lengths = b.shape((b.inputs, *image))[1:]
    left = [
        n - (s * (m - 1) + d * (k - 1) + 1 - a - e)
        for n, m, s, d, k, a, e in zip(
            image, lengths, b.stride, b.dilation, kernel, b.padding[: len(image)], b.padding[len(image) :], strict=True
        )
    ]
    basis = ConvTranspose(inputs, outputs, kernel, b.stride, b.padding, b.dilation, b.groups, tuple(left))
    return Example(basis, (inputs, *lengths), down.maps.transpose(0, 2, 1))


def steerable(inputs, outputs, group, kernel, length, *, stride=1, padding=0, lifting=False):
    """B_t takes x[h](q) to y[a](q'), where h is a t's element and q the place in the window of q' to which a takes t's.

    Elements are matrices that act on a square around 0; the product of two is looked up among them.
    """
    basis = Steerable(inputs, outputs, group, kernel, stride, padding, lifting)
    turn, mirror = np.array([[0, -1], [1, 0]]), np.diag([1, -1])  # of (row, column)
    elements = [np.linalg.matrix_power(turn, r) @ m for m in (np.eye(2, dtype=int), mirror) for r in range(4)]
    elements = elements[: basis.order]
    found = (length + 2 * padding - kernel) // stride + 1
    own = [np.eye(2, dtype=int)] if lifting else elements
    maps = np.zeros((len(own), kernel, kernel, basis.order, found, found, len(own), length, length))
    for (a, g), (i, h) in product(enumerate(elements), enumerate(own)):
        read = 0 if lifting else next(k for k, e in enumerate(elements) if np.array_equal(e, g @ h))
        for p, q in product(np.ndindex(kernel, kernel), np.ndindex(found, found)):
            moved = (g @ (2 * np.array(p) - (kernel - 1)) + kernel - 1) // 2
            at = stride * np.array(q) + moved - padding
            if (at >= 0).all() and (at < length).all():
                maps[(i, *p, a, *q, read, *at)] = 1.0
    shape = (inputs, *(() if lifting else (basis.order,)), length, length)
    return Example(basis, shape, maps.reshape(basis.taps, basis.order * found**2, len(own) * length**2))


def permutation(inputs, outputs, reads, writes, members):
    """B_t for every partition of the positions: 1/n^f where o and i agree, f letters of the input alone.

    Position (o, i) of the matrix is 1/n^f if equal letters have equal indices. Channels are last.
    """
    basis = Permutation(inputs, outputs, reads, writes, members)
    maps = np.zeros((basis.taps, *(members,) * (writes + reads)))
    for t, (into, out) in enumerate(partitions(reads, writes)):
        for places in product(range(members), repeat=writes + reads):
            index = dict(zip(out + into, places, strict=True))
            if all(index[letter] == place for letter, place in zip(out + into, places, strict=True)):
                maps[(t, *places)] = 1.0 / members ** len(set(into) - set(out))
    shape = (*(members,) * reads, inputs)
    return Example(basis, shape, maps.reshape(basis.taps, members**writes, members**reads))


EXAMPLES = {
    "Dense": [Example(Dense(d, o), (d,), IDENTITY) for d, o in ((1, 1), (3, 4), (7, 2), (1, 5), (5, 1), (40, 30))],
    "Conv": [
        conv(2, 3, (3, 3), (5, 4), padding=1),
        conv(4, 6, (2, 3), (6, 7), stride=2, padding=1, groups=2),
        conv(1, 2, (3,), (9,), dilation=2, behind=1),
        conv(3, 3, (2, 2, 2), (3, 4, 3), groups=3),
    ],
    "ConvTranspose": [
        transposed(3, 2, (3, 3), (5, 4), padding=1),
        transposed(6, 4, (2, 3), (6, 7), stride=2, padding=1, groups=2),
        transposed(2, 1, (3,), (9,), dilation=2),
    ],
    "Steerable": [
        steerable(2, 3, "C4", 3, 5, padding=1, lifting=True),
        steerable(2, 2, "D4", 3, 5, stride=2, padding=1, lifting=True),
        steerable(2, 3, "C4", 2, 4, stride=2),
        steerable(2, 2, "D4", 3, 4, padding=1),
    ],
    "Permutation": [
        *(permutation(3, 2, 1, 1, n) for n in (1, 2, 5)),
        *(permutation(2, 3, 2, 2, n) for n in (1, 2, 3, 4, 5)),
        permutation(2, 3, 2, 1, 4),
        permutation(3, 2, 1, 2, 3),
        permutation(2, 2, 2, 0, 3),
        permutation(2, 2, 1, 0, 3),
    ],
}
EVERY = [pytest.param(example, id=repr(example.basis)) for examples in EXAMPLES.values() for example in examples]


def draw(example, seed=0):
    rng = np.random.default_rng(seed)
    basis = example.basis
    return rng.normal(size=(basis.outputs // basis.groups, basis.inputs, basis.taps)) * 10.0 ** rng.integers(-3, 4)


def of_one_hot_inputs(basis, coefficients, inputs):
    """The matrix of `apply`, column by column (outputs, inputs)."""
    size = int(np.prod(inputs))
    return basis.apply(coefficients, np.eye(size).reshape(size, *inputs)).reshape(size, -1).T


def by_definition(example, coefficients):
    """Σ_t C[r, j, t] B_t as blocks, one for each pair of channels of one group; output o = γ · rows + r."""
    rows, inputs, taps = coefficients.shape
    groups = example.basis.groups
    whole = np.zeros((groups, rows, inputs, taps))
    for j in range(inputs):
        whole[j * groups // inputs, :, j] = coefficients[:, j]
    order = "opjq" if example.basis.channel_axis == 0 else "poqj"
    blocks = np.einsum(f"ojt,tpq->{order}", whole.reshape(groups * rows, inputs, taps), example.maps)
    return blocks.reshape(groups * rows * example.maps.shape[1], inputs * example.maps.shape[2])


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
    """Not below the largest singular value; of a dense map at most a fifth above it, for images are not endless."""
    for seed in range(5):
        coefficients = draw(example, seed)
        true = np.linalg.svd(by_definition(example, coefficients), compute_uv=False)[0]
        assert true * (1 - 1e-12) <= example.basis.norm(coefficients)
        assert (
            example.basis.norm(coefficients) <= (1.2 if isinstance(example.basis, Dense | Permutation) else 4.0) * true
        )
    assert example.basis.norm(np.zeros_like(coefficients)) == 0.0


def test_every_basis_has_examples_of_its_own_kind():
    assert set(EXAMPLES) | {"OneHot"} == set(BASES)
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
    assert basis.shape(inputs)[basis.channel_axis] == basis.outputs


@pytest.mark.parametrize("example", EVERY)
def test_inputs_of_another_shape_are_refused(example):
    """Another number of channels, an axis more, an axis less."""
    more = list(example.inputs)
    more[example.basis.channel_axis] += 1
    for other in (tuple(more), (*example.inputs, 2), tuple(example.inputs[:-1])):
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
        check_norm(EXAMPLES["Dense"][1])


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
        check_matrix(EXAMPLES["Dense"][1])


def test_a_one_hot_map_is_a_dense_one_of_one_hot_vectors():
    """Its inputs are the tokens, not the vectors: the matrix is the same, so the norm is, too."""
    coefficients = np.random.default_rng(0).normal(size=(3, 5, 1))
    basis, tokens = OneHot(5, 3), np.array([[4.0, 0.0], [2.0, 2.0]])
    dense = Dense(5, 3)
    assert basis.shape((2,)) == (2, 3)
    assert (basis.apply(coefficients, tokens) == dense.apply(coefficients, np.eye(5)[tokens.astype(int)])).all()
    assert basis.norm(coefficients) == dense.norm(coefficients)
