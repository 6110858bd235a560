"""Bits of numbers within a tolerance: what a quantiser with an entropy coder takes, and the packing bound."""

import math

import numpy as np
import pytest

from slth.numerics import packing_bits, quantiser_bits


@pytest.mark.parametrize("tolerance", [0.03, 0.01, 1e-3, 1e-5, 1e-8])
def test_a_normal_law_takes_its_differential_entropy(tolerance):
    """h = log2(σ √(2πe) / 2τ) bits of levels much narrower than σ; a table, or the flat octaves, cost up to 0.1 more.

    Band: 2e5 draws are off by less than 0.01.
    """
    numbers = 0.15 * np.random.default_rng(0).standard_normal(200_000)
    entropy = math.log2(0.15 * math.sqrt(2 * math.pi * math.e) / (2 * tolerance))
    assert -0.01 < quantiser_bits(numbers, tolerance) / 200_000 - entropy < 0.11


def test_it_is_above_the_gaussian_bound_and_below_the_bits_of_the_numbers():
    """Rate and distortion: ½ log2(σ² / D) at D = τ² / 3; a quantiser loses ½ log2(2πe / 12) = 0.25 bits."""
    numbers = np.random.default_rng(1).standard_normal(100_000)
    for tolerance in (0.2, 0.02, 0.002):
        bits = quantiser_bits(numbers, tolerance) / 100_000
        assert 0.2 < bits - math.log2(math.sqrt(3) / tolerance) < 0.4
    assert quantiser_bits(numbers, 2.0**-60) / 100_000 < 64


def test_numbers_on_a_few_levels_take_the_entropy_of_these():
    numbers = np.repeat([0.0, 0.5, -0.5], [500, 250, 250])
    assert quantiser_bits(numbers, 0.25) == 1500 + 2 * 16  # the length, 0 or 1, and a sign
    assert quantiser_bits(np.zeros(1000), 0.1) == 16
    assert quantiser_bits(np.zeros(0), 0.1) == 0


def test_the_packing_bound_counts_cubes():
    """Covering [-1, 1] by intervals of length 2τ takes at least 1/τ of them."""
    for cells in (1, 3, 1000):
        assert packing_bits(1.0, 1 / cells) == pytest.approx(math.log2(cells))
    assert packing_bits(0.1, 0.2) == packing_bits(0.0, 0.1) == 0.0


def test_evenly_spread_numbers_take_the_packing_bound():
    """It is attained: the quantiser of the uniform law is a cubic packing."""
    numbers = np.random.default_rng(2).uniform(-0.5, 0.5, 400_000)
    assert 0 <= quantiser_bits(numbers, 0.5 / 64) / 400_000 - packing_bits(0.5, 0.5 / 64) < 0.03
