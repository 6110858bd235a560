"""Maps without a sign split, ŷ = P x + b̂: certified as if no input could be negative, and against brute force."""

from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from slth import InputError
from slth.certificate import certify
from slth.certificate.errors import map_errors
from slth.graph import INPUT, Affine, Box, Conv, Dense, Graph, Linear, Node, Pointwise, Realised, Target, chain

ROUNDED_UP = 1 + 2.0**-19  # of claims


def case(seed, inputs=5, outputs=4, *, signed=None, noise=0.05):
    """One dense map: the target, its linear realisation, the same with N = −P written out, the same of x ≥ 0 alone."""
    rng = np.random.default_rng(seed)
    weight, bias = rng.normal(size=(outputs, inputs, 1)), rng.normal(size=outputs)
    signed = rng.random(inputs) < 0.7 if signed is None else signed
    signed[0] = True
    positive = weight + noise * rng.uniform(-1, 1, weight.shape)
    linear = Realised(positive, None, bias + noise * rng.uniform(-1, 1, outputs), signed, linear=True)
    split = replace(linear, negative=np.where(signed[:, None], -positive, 0.0), linear=False)
    unsigned = replace(linear, signed=np.zeros(inputs, np.bool_), linear=False)
    lower = np.where(signed, rng.uniform(-2, 0, inputs), rng.uniform(0, 0.5, inputs))
    return chain([Affine(weight, bias)]), linear, split, unsigned, Box(lower, lower + rng.uniform(0.5, 3, inputs))


def certified(target, part, box):
    return certify(target, lambda _: part, tolerances={"layers/0": 0.05}, box=box)


@pytest.mark.parametrize("seed", range(20))
def test_the_bound_of_each_output_is_the_supremum_over_corners(seed):
    """(P − W) x + Δb is linear: its extremes over a box are at corners, here in rational numbers."""
    target, linear, *_, box = case(seed)
    found, wanted = certified(target, linear, box), target.coefficients["layers/0"]
    exact = np.vectorize(Fraction, otypes=[object])
    corners = exact(np.array(list(product(*zip(box.lower, box.upper, strict=True)))))
    error = exact(linear.positive[:, :, 0]) - exact(wanted.weight[:, :, 0])
    off = np.abs(corners @ error.T + (exact(linear.bias) - exact(wanted.bias)))
    for bound, supremum in zip(found.output_error, off.max(axis=0), strict=True):
        assert supremum <= Fraction(bound) <= supremum * Fraction(ROUNDED_UP)
    norms = np.sqrt((off.astype(np.float64) ** 2).sum(axis=1))
    assert norms.max() <= found.l2_error <= 3 * norms.max()


@pytest.mark.parametrize("seed", range(20))
def test_errors_and_their_factor_are_norms_of_p_alone(seed):
    """η = ‖P − W‖₂ and m = ‖P‖₂, as without signs; with N = −P written out they would be √2 and ‖W‖₂ + √2 η."""
    target, linear, split, unsigned, _ = case(seed)
    op, wanted = target.graph.maps["layers/0"], target.coefficients["layers/0"]
    ours, plain, wide = (map_errors("layers/0", op, wanted, part) for part in (linear, unsigned, split))
    size = np.linalg.norm(linear.positive[:, :, 0], 2)
    error = np.linalg.norm(linear.positive[:, :, 0] - wanted.weight[:, :, 0], 2)
    assert error <= ours.eta <= error * ROUNDED_UP
    assert size <= ours.norm(ours.eta) <= size * ROUNDED_UP
    assert (ours.eta, ours.norm(ours.eta), ours.sizes(0.01)) == (plain.eta, plain.norm(plain.eta), plain.sizes(0.01))
    assert ours.eta < wide.eta
    assert ours.norm(ours.eta) < wide.norm(wide.eta)


def test_of_all_signed_inputs_a_split_norm_is_larger_by_the_root_of_2():
    target, linear, split, *_ = case(0, signed=np.ones(5, np.bool_))
    op, wanted = target.graph.maps["layers/0"], target.coefficients["layers/0"]
    ours, wide = (map_errors("layers/0", op, wanted, part) for part in (linear, split))
    assert abs(wide.eta / ours.eta - np.sqrt(2)) < 1e-5


def test_no_bound_is_above_that_of_the_same_function_in_two_halves():
    """Nor, in two maps behind each other, what is propagated; and misses count a weight once."""
    graph = Graph(
        (
            Node("0", Linear("a", Dense(5, 4), True), (INPUT,)),
            Node("1", Pointwise("Tanh"), ("0",)),
            Node("2", Linear("b", Dense(4, 3), True), ("1",)),
        )
    )
    below = 0
    for seed in range(10):
        target, linear, split, _, box = case(seed, noise=0.1)
        ours, wide = certified(target, linear, box), certified(target, split, box)
        assert ours.maps["layers/0"].misses < wide.maps["layers/0"].misses
        assert np.allclose(ours.output_error, wide.output_error, rtol=1e-6)
        assert ours.l2_error <= wide.l2_error
        second, small, halves, *_ = case(seed + 100, 4, 3, signed=np.ones(4, np.bool_))
        both = Target(graph, {"a": target.coefficients["layers/0"], "b": second.coefficients["layers/0"]})
        ours, wide = (
            certify(both, parts.__getitem__, tolerances={"a": 0.1, "b": 0.1}, box=box)
            for parts in ({"a": linear, "b": small}, {"a": split, "b": halves})
        )
        assert ours.l2_error <= wide.l2_error
        assert (np.array(ours.output_error) <= np.array(wide.output_error)).all()
        below += ours.l2_error < wide.l2_error
    assert below >= 5  # elsewhere bounds entry by entry decide, and are the same


@pytest.mark.parametrize("groups", [1, 2])
def test_convolutions_with_padding_are_within_their_bounds_and_near_them(groups):
    """Corners of three entries a channel: the bound is attained at one of them but for the padding."""
    basis = Conv(2, 2, (2,), (1,), (1, 0), (1,), groups)
    op = Linear("conv", basis, True)
    rng = np.random.default_rng(groups)
    weight, bias = rng.normal(size=op.coefficients), rng.normal(size=2)
    near, signed = weight + 0.1 * rng.uniform(-1, 1, weight.shape), np.array([True, False])
    part = Realised(near, None, bias + 0.01, signed, linear=True)
    target = Target(Graph((Node("0", op, (INPUT,)),)), {"conv": Affine(weight, bias)}, input_shape=(2, 3))
    box = Box(np.array([[-1.0], [0.0]]), np.array([[2.0], [1.0]]), (2, 3))
    found = certify(target, lambda _: part, tolerances={"conv": 0.1}, box=box)
    corners = np.array(list(product(*([(-1.0, 2.0)] * 3 + [(0.0, 1.0)] * 3)))).reshape(-1, 2, 3)
    off = np.abs(part.apply(basis, corners) - target.coefficients["conv"].apply(basis, corners))
    worst = off.max(axis=(0, 2))
    assert (worst <= np.array(found.output_error)).all()
    assert (np.array(found.output_error) <= worst * ROUNDED_UP).all()


def test_an_input_that_may_be_negative_must_be_said_to_be():
    """P x is the same there, but the ticket's range is a claim: no half may be missing that a reader would look for."""
    target, linear, *_, box = case(3, signed=np.array([True, False, True, True, True]))
    lower = box.lower.copy()
    lower[1] = -1.0
    with pytest.raises(InputError, match="input 1 can be -1"):
        certified(target, linear, Box(lower, np.maximum(box.upper, 0)))
