"""Chances of a miss in closed form: against draws, against sums of binomials, and at the widths they give."""

import math

import numpy as np
import pytest

from slth.construction.sizes import sizes_of
from slth.construction.tails import count_misses, digit_misses, fewest, plain_hit, product_hit, single_misses

Z = np.array([0.0, 0.1, 0.3, 0.45, 0.6, 2 / 3])
MOST = 1 << 16


@pytest.mark.parametrize("tolerance", [0.01, 0.1])
def test_one_candidate_hits_as_often_as_draws_do(tolerance):
    """Within 4.5 standard deviations of 2 million draws."""
    rng = np.random.default_rng(0)
    v, u = rng.uniform(-1, 1, 2_000_000), rng.uniform(0.5, 1, 2_000_000)
    for hit, drawn in ((product_hit, u * v), (plain_hit, v)):
        for z, p in zip(Z, hit(Z, tolerance), strict=True):
            seen = np.mean(np.abs(drawn - z) <= tolerance)
            assert abs(seen - p) <= 4.5 * math.sqrt(p * (1 - p) / len(v))


def test_a_product_near_the_middle_hits_with_density_ln_2():
    assert product_hit(np.array([0.25]), 0.01)[0] == pytest.approx(2 * 0.01 * math.log(2), rel=1e-12)
    assert product_hit(np.array([0.6]), 0.001)[0] == pytest.approx(2 * 0.001 * math.log(1 / 0.6), rel=1e-3)


@pytest.fixture(scope="module")
def weights():
    """400,000 of a Gaussian, deviation 0.05; the largest is 0.237."""
    return np.random.default_rng(0).normal(0, 0.05, (400, 1000))


def test_misses_of_singles_are_those_of_every_weight(weights):
    """From above, and by less than a tenth: cells of sizes round up."""
    size = np.abs(weights[np.abs(weights) > 0.01])
    for hit in (product_hit, plain_hit):
        exact = float(np.sum((1 - hit(size / 0.5, 0.02)) ** 400))
        planned = single_misses(sizes_of(weights), 0.5, 0.01, hit=hit)(400)
        assert exact * (1 - 1e-9) <= planned <= 1.1 * exact


def test_widths_of_singles(weights):
    """n grows like 1 / tolerance: ln(100 N) / (2 t ln 2) for products, ln(100 N) / t for plain numbers."""
    sizes = sizes_of(weights)
    found = [fewest(single_misses(sizes, 0.5, t, hit=product_hit), 0.01, MOST) for t in (0.05, 0.01)]
    plain = [fewest(single_misses(sizes, 0.5, t, hit=plain_hit), 0.01, MOST) for t in (0.05, 0.01)]
    assert found == [110, 617]
    assert plain == [156, 858]


def test_misses_of_counts_are_sums_of_binomials(weights):
    step, n = 0.02, 40
    wanted = np.ceil(np.abs(weights) / step - 0.5).astype(int)
    tails = [sum(math.comb(n, k) for k in range(c)) / 2**n for c in range(wanted.max() + 1)]
    exact = sum(tails[c] * int(np.sum(wanted == c)) for c in range(1, len(tails)))
    assert count_misses(sizes_of(weights), step)(n) == pytest.approx(exact, rel=1e-9)


def test_widths_of_counts(weights):
    """Linear in 1 / tolerance, with the step of twice the tolerance."""
    sizes = sizes_of(weights)
    tolerances = (0.02, 0.01, 0.005, 0.002, 0.001)
    assert [fewest(count_misses(sizes, 2 * t), 0.01, MOST) for t in tolerances] == [32, 45, 71, 149, 277]


def test_the_fewest_is_the_first_that_is_enough():
    misses = digit_misses(1000.0)
    n = fewest(misses, 0.01, 64)
    assert misses(n) <= 0.01 < misses(n - 1)
    assert fewest(misses, 0.01, n - 1) is None
    assert fewest(digit_misses(0.0), 0.01, 5) == 1


def test_zeros_need_one_candidate_and_are_never_missed():
    for misses in (
        single_misses(sizes_of(np.zeros((2, 3))), 1.0, 0.1, hit=product_hit),
        count_misses(sizes_of(np.zeros((2, 3))), 0.1),
    ):
        assert misses(1) == 0.0
