"""Quantisers beside tickets: as exact as they say, in as many bits as they say."""

import numpy as np
import pytest
from helpers.networks import random_target

from slth.evidence import rivals
from slth.graph import Affine, chain
from slth.numerics import quantiser_bits


def gaussian(*shape, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, shape)


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_rounding_to_nearest_is_off_by_half_a_step_of_its_row(bits):
    target = random_target((7, 5, 3))
    found = rivals.rounded(target, bits)
    expected = 0
    for path, affine in target.coefficients.items():
        most = 2 ** (bits - 1) - 1
        scale = np.abs(affine.weight).max(axis=(1, 2)) / most
        off = np.abs(found.coefficients[path].weight - affine.weight).max(axis=(1, 2))
        assert (off <= scale * (0.5 + 1e-6)).all()
        levels = [len(np.unique(row)) for row in found.coefficients[path].weight.reshape(len(scale), -1)]
        assert max(levels) <= 2 * most + 1
        expected += bits * affine.weight.size + 32 * len(scale) + 32 * affine.bias.size
    assert found.bits == expected


def test_a_row_of_zeros_stays_zero():
    target = chain([Affine(np.zeros((2, 3, 1)), None)])
    (restored,) = rivals.rounded(target, 3).coefficients.values()
    assert not restored.weight.any()


def test_the_coder_is_within_its_tolerance_and_counts_an_entropy():
    target = random_target((40, 30, 10))
    tolerances = {path: 0.01 * (i + 1) for i, path in enumerate(target.coefficients)}
    found, expected = rivals.coded(target, tolerances, "coder"), 0.0
    for path, affine in target.coefficients.items():
        restored = found.coefficients[path]
        assert np.abs(restored.weight - affine.weight).max() <= tolerances[path] * (1 + 1e-12)
        assert np.abs(restored.bias - affine.bias).max() <= tolerances[path] * (1 + 1e-12)
        expected += 32 + sum(quantiser_bits(part, tolerances[path]) for part in (affine.weight, affine.bias))
    assert found.bits == expected


def test_the_register_runs_through_all_states():
    first = rivals._matrices(1, 1).reshape(-1)
    assert len(np.unique(first)) == 2**16 - 1
    assert np.abs(first).max() <= 1 + 2.0**-15


@pytest.mark.parametrize(("columns", "numbers", "published"), [(8, 3, 0.0152), (12, 4, 0.051)])
def test_seedlm_errs_as_much_as_its_replication_on_real_weights(columns, numbers, published):
    """Mean squared errors of a public replication on Llama-2-7B, at 4 and 3 bits; ours on Gaussian weights."""
    target = chain([Affine(gaussian(48, 48, 1), None)])
    found = rivals.seedlm(target, columns=columns, numbers=numbers, most=96)
    assert found.bits == {8: 4.0, 12: 3.0}[columns]
    assert found.error == pytest.approx(published, rel=0.15)
    assert found.weights == 96 * columns


def test_no_seed_is_closer_than_the_one_that_is_taken():
    """Against a loop over all seeds, each with its least squares rounded as the format says."""
    block = gaussian(8, seed=3)
    matrices = rivals._matrices(8, 3)
    best = np.inf
    for matrix in matrices[::97]:
        exact = np.linalg.lstsq(matrix, block, rcond=None)[0]
        step = 2.0 ** np.ceil(np.log2(np.abs(exact).max() / 7))
        best = min(best, float(((matrix @ (np.clip(np.rint(exact / step), -8, 7) * step) - block) ** 2).sum()))
    assert rivals._best(block, matrices[::97], np.linalg.pinv(matrices[::97])) == pytest.approx(best, rel=1e-9)


def test_the_gaussian_bound_is_half_a_logarithm():
    target = chain([Affine(np.full((4, 4, 1), 0.5), None), Affine(np.full((2, 4, 1), 0.5), None)])
    errors = {"layers/0": 0.25 / 16, "layers/1": 1.0}
    assert rivals.gaussian_bound(target, errors) == 16 * 2.0


def test_nothing_to_sample_is_no_error():
    found = rivals.seedlm(chain([Affine(np.zeros((4, 4, 1)), None)]), columns=8, numbers=3, most=4)
    assert (found.error, found.weights) == (0.0, 16)
