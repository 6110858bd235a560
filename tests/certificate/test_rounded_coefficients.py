"""Coefficients that are real numbers near float64 ones: claims hold for the real ones, in rational arithmetic.

The target is what rounding makes of them, so that every error that float64 sees is 0, or nearly: a certificate without
an allowance for what was rounded off would claim 0.
"""

from fractions import Fraction

import numpy as np
import pytest

from slth.certificate import certify, per_input_error
from slth.certificate.errors import map_errors
from slth.graph import INPUT, Affine, Box, Conv, Dense, Graph, Linear, Node, Realised, Target, chain
from slth.numerics import rounded_sum


def stages(rng, shape, count=3, bits=20):
    """Sums of three stages, on the grids of their gains; what they are together no float64 holds."""
    return [rng.integers(-(2**45), 2**45, shape) * 2.0 ** (-46 - bits * s) for s in range(count)]


def real(parts):
    """The same, exactly."""
    total = np.zeros(parts[0].shape, object)
    for part in parts:
        total = total + np.vectorize(Fraction, otypes=[object])(part)
    return total


class Case:
    """A dense map with signed inputs: real P, N, b̂, and a target a few roundings away from them."""

    def __init__(self, seed, rows=3, inputs=4, off=0.0):
        rng = np.random.default_rng(seed)
        self.halves = [stages(rng, (rows, inputs, 1)) for _ in range(2)]
        self.bias = stages(rng, (rows,))
        self.realised = Realised(
            rounded_sum(self.halves[0]),
            rounded_sum(self.halves[1]),
            rounded_sum(self.bias),
            np.ones(inputs, np.bool_),
            rounded=True,
        )
        noise = off * rng.integers(-1, 2, (rows, inputs, 1))
        self.target = chain([Affine(self.realised.positive + noise, self.realised.bias.copy())])
        self.path, self.op = next(iter(self.target.graph.maps.items()))
        self.wanted = self.target.coefficients[self.path]

    def errors(self):
        """E⁺, E⁻, Δb as fractions."""
        weight = np.vectorize(Fraction, otypes=[object])(self.wanted.weight)
        bias = np.vectorize(Fraction, otypes=[object])(self.wanted.bias)
        return real(self.halves[0]) - weight, real(self.halves[1]) + weight, real(self.bias) - bias


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("off", [0.0, 2.0**-52, 1e-13])
def test_errors_of_coefficients_are_bounded_for_the_real_ones(seed, off):
    case = Case(seed, off=off)
    positive, negative, bias = case.errors()
    found = map_errors(case.path, case.op, case.wanted, case.realised).sizes(1e-3)
    assert max(map(abs, [*positive.flat, *negative.flat])) <= Fraction(found.weight_error)
    assert 0 < max(map(abs, bias.flat)) <= Fraction(found.bias_error)


def test_the_allowance_is_needed_and_no_more_than_one_rounding():
    """Of P alone (no signs): float64 sees no error, the real one is most of the claim."""
    parts = stages(np.random.default_rng(3), (30, 40, 1))
    rounded = rounded_sum(parts)
    target = chain([Affine(rounded, None)])
    path, op = next(iter(target.graph.maps.items()))
    none = np.zeros(40, np.bool_)
    error = max(abs(e) for e in (real(parts) - real([rounded])).flat)
    exact = map_errors(path, op, target.coefficients[path], Realised(rounded, None, None, none))
    found = map_errors(path, op, target.coefficients[path], Realised(rounded, None, None, none, rounded=True))
    assert exact.sizes(0.0).weight_error == exact.eta == 0.0
    assert error <= Fraction(found.sizes(0.0).weight_error) <= 3 * error
    norm = np.linalg.norm((real(parts) - real([rounded])).astype(float)[:, :, 0], 2)
    assert 0 < norm <= found.eta <= 20 * norm
    assert found.sizes(0.0).misses == 0  # counted of the rounded numbers


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("off", [0.0, 2.0**-52, 1e-13])
def test_outputs_are_bounded_over_a_box_for_the_real_network(seed, off):
    """One dense map: each output's error is largest at a corner of x⁺, x⁻, which fractions find term by term."""
    case = Case(seed, off=off)
    positive, negative, bias = case.errors()
    box = Box.uniform(-1.0, 2.0, case.op.basis.inputs)
    claim = certify(case.target, {case.path: case.realised}.__getitem__, tolerances={case.path: 1.0}, box=box)
    assert claim.output_error is not None
    for o in range(len(bias)):
        ends = [sorted((Fraction(0), 2 * p, n)) for p, n in zip(positive[o, :, 0], negative[o, :, 0], strict=True)]
        high = sum((end[-1] for end in ends), Fraction(0)) + bias[o]
        low = sum((end[0] for end in ends), Fraction(0)) + bias[o]
        assert 0 < max(high, -low) <= Fraction(claim.output_error[o])


@pytest.mark.parametrize("seed", range(8))
def test_an_input_is_bounded_for_the_real_network(seed):
    case = Case(seed)
    positive, negative, bias = case.errors()
    x = np.random.default_rng(seed).uniform(-1, 2, (5, case.op.basis.inputs))
    found = per_input_error(case.target, {case.path: case.realised}.__getitem__, x)
    for point, row in zip(x, found, strict=True):
        plus, minus = ([max(Fraction(v) * sign, Fraction(0)) for v in point] for sign in (1, -1))
        for o, bound in enumerate(row):
            error = bias[o] + sum(
                p * a + n * b for p, n, a, b in zip(positive[o, :, 0], negative[o, :, 0], plus, minus, strict=True)
            )
            assert abs(error) <= Fraction(bound)


def test_a_convolution_is_bounded_by_the_norm_of_what_was_rounded_off():
    """η of a convolution whose float64 errors are 0, against the norm of its real error on a long image."""
    rng = np.random.default_rng(5)
    basis = Conv(2, 3, kernel=(3,), stride=(1,), padding=(1, 1), dilation=(1,))
    op = Linear("conv", basis, False)
    parts = stages(rng, op.coefficients)
    rounded = rounded_sum(parts)
    target = Target(Graph((Node("only", op, (INPUT,)),)), {"conv": Affine(rounded, None)}, input_shape=(2, 40))
    found = Realised(rounded, None, None, np.zeros(2, np.bool_), rounded=True)
    eta = map_errors("conv", op, target.coefficients["conv"], found).eta
    error = (real(parts) - real([rounded])).astype(float)
    matrix = basis.apply(error, np.eye(80).reshape(80, 2, 40)).reshape(80, -1)
    assert 0 < np.linalg.norm(matrix, 2) <= eta


def test_coefficients_that_are_exact_keep_their_claims_to_the_bit():
    rng = np.random.default_rng(1)
    weight = rng.normal(size=(5, 6, 1))
    target = chain([Affine(weight, None)])
    found = Realised(weight + 1e-3 * rng.normal(size=weight.shape), None, None, np.zeros(6, np.bool_))
    assert isinstance(target.graph.maps["layers/0"].basis, Dense)
    errors = map_errors("layers/0", target.graph.maps["layers/0"], target.coefficients["layers/0"], found)
    assert errors.norm_lost == 0.0
    assert not errors.bias_lost.any()
    assert errors.eta == errors.basis.norm(errors.error)
