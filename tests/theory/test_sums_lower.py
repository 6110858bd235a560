"""Necessary bounds of subset sums against brute force: what succeeds never asks for more than it had."""

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from theory.success import at_least, needed

from slth.theory import bound
from slth.theory._uniform_sums import below, within
from slth.theory.failure_lower import _short

DRAWS = 2000


def draws(n, seed=0):
    """(DRAWS, 2^n) subset sums of U[-1, 1], and the sizes of the subsets."""
    rng = np.random.default_rng(seed)
    sums, sizes = np.zeros((DRAWS, 1)), np.zeros(1, int)
    for _ in range(n):
        x = rng.uniform(-1, 1, (DRAWS, 1))
        sums, sizes = np.concatenate([sums, sums + x], 1), np.concatenate([sizes, sizes + 1])
    return sums, sizes


@pytest.fixture(scope="module")
def ten():
    return draws(10)


def test_sums_of_uniform_numbers_have_their_law():
    """P(sum <= x) of 3 at a half and at 1/3: cubes by hand; of 20 against a million draws."""
    assert below(3, Fraction(3, 2)) == Fraction(1, 2)
    assert below(3, Fraction(1, 3)) == Fraction(1, 27) / 6
    assert below(3, Fraction(4, 3)) == (Fraction(64, 27) - 3 * Fraction(1, 27)) / 6
    assert within(2, Fraction(0), Fraction(1, 10)) == Fraction(1, 10) - Fraction(1, 400)
    seen = np.random.default_rng(0).uniform(-1, 1, (20, 100_000)).sum(0)
    chance = float(within(20, Fraction(1), Fraction(1, 2)))
    error = math.sqrt(chance * (1 - chance) / 100_000)
    assert abs((np.abs(seen - 1) <= 0.5).mean() - chance) < 4.5 * error


def test_the_density_of_a_sum_is_at_most_what_the_bound_takes():
    """c_u = 1/sqrt(2) over k: the density at 0 is largest, and at k = 2 it is attained."""
    tiny = Fraction(1, 10**9)
    densities = [float(within(k, Fraction(0), tiny) / (2 * tiny)) * math.sqrt(k) for k in range(1, 60)]
    assert max(densities) == pytest.approx(1 / math.sqrt(2), rel=1e-8)
    assert densities.index(max(densities)) == 1


@pytest.mark.parametrize("k", [2, 4, 5, 8])
def test_exactly_k_numbers_reach_no_target_with_fewer(ten, k):
    sums, sizes = ten
    of_size = sums[:, sizes == k]
    for z, epsilon in ((0.0, 0.003), (0.7, 0.02)):
        near = np.abs(of_size - z) <= epsilon
        met = int(near.any(1).sum())
        assert needed("rfss-lower", met, DRAWS, k=k, epsilon=epsilon) <= 10
        expected = bound("subsets-of-size", n=10, k=k, epsilon=epsilon, z=z).value
        counts = near.sum(1)
        assert abs(counts.mean() - expected) < 4.5 * counts.std() / math.sqrt(DRAWS)
        assert met / DRAWS <= expected + 0.05
        if z == 0:
            assert needed("null-function-fixed", met, DRAWS, k=k, epsilon=epsilon) <= 10
    targets = np.random.default_rng(k).uniform(-math.sqrt(k), math.sqrt(k), (DRAWS, 1))
    met = int((np.abs(of_size - targets) <= 0.01).any(1).sum())
    found = bound("rfss-lower", k=k, epsilon=0.01, delta=1 - at_least(met, DRAWS))
    assert max(found.others.values()) <= 10


def test_the_null_function_is_not_had_with_fewer(ten):
    """Without the empty subset; 10 numbers, where the bound says 5 to 10."""
    sums, sizes = ten
    for epsilon in (0.1, 0.01, 0.001):
        met = int((np.abs(sums[:, sizes > 0]) <= epsilon).any(1).sum())
        assert 4 <= needed("null-function", met, DRAWS, epsilon=epsilon) <= 10


def test_first_moments_decide_by_fractions():
    for epsilon, delta in ((0.1, 0.5), (0.01, 0.01)):
        half, wanted = Fraction(str(epsilon)), 1 - Fraction(str(delta))
        moments = [sum(math.comb(n, k) * within(k, Fraction(0), half) for k in range(1, n + 1)) for n in range(12)]
        assert bound("null-function", epsilon=epsilon, delta=delta).value == next(
            n for n in range(12) if moments[n] >= wanted
        )
        for k in (1, 3):
            n = bound("null-function-fixed", k=k, epsilon=epsilon, delta=delta).value
            chance = within(k, Fraction(0), half)
            assert math.comb(n, k) * chance >= wanted
            assert n == k or math.comb(n - 1, k) * chance < wanted


def test_the_first_moment_of_a_size_is_inverted_exactly():
    """C(n, k) 2 epsilon c_u / sqrt(k) >= 1 - delta with c_u^2 = 1/2; of all targets C(n, k) epsilon / sqrt(k)."""
    for k, epsilon, delta in product((1, 2, 5, 30), (0.1, 0.003), (0.01, 0.5)):
        half, wanted = Fraction(str(epsilon)), 1 - Fraction(str(delta))
        found = bound("rfss-lower", k=k, epsilon=epsilon, delta=delta)
        for n, factor in ((found.value, 2), (*found.others.values(), 1)):
            assert factor * (math.comb(n, k) * half) ** 2 >= k * wanted**2
            assert n == k or factor * (math.comb(n - 1, k) * half) ** 2 < k * wanted**2


def test_sums_cover_no_interval_with_fewer(ten):
    sums, _ = ten
    targets = np.random.default_rng(9).uniform(-1, 1, (DRAWS, 1))
    for epsilon in (0.1, 0.005):
        met = int((np.abs(sums - targets) <= epsilon).any(1).sum())
        assert 1 <= needed("covering", met, DRAWS, epsilon=epsilon) <= 10


def test_failures_are_at_least_as_many_as_said():
    """At few numbers: wrong signs, and a positive part that is too small; the second is the sharper one."""
    for n in (3, 5, 7):
        sums, _ = draws(n, seed=n)
        failed = DRAWS - int((np.abs(sums - 0.5) <= 0.01).any(1).sum())
        most = 1 - at_least(DRAWS - failed, DRAWS)
        signs = bound("failure-lower", delta=most).value
        assert signs <= bound("infeasible-range", z=0.5, epsilon=0.01, delta=most).value <= n
        short = sums.max(1) < 0.49
        chance = float(_short(n, Fraction(49, 100)))
        assert abs(short.mean() - chance) < 4.5 * math.sqrt(chance * (1 - chance) / DRAWS)


def test_a_chance_of_failure_of_two_to_the_minus_n_takes_n():
    assert [bound("failure-lower", delta=2.0**-n).value for n in (1, 5, 30)] == [1, 5, 30]
    assert bound("failure-lower", delta=0.1).value == 4
    assert bound("infeasible-range", z=0.005, delta=1e-9).value == 0  # the empty set


def test_what_is_not_found_is_more_than_was_looked_at():
    """Never infinity, which would be above the truth."""
    assert bound("infeasible-range", z=50, delta=1e-200).value == 401
    assert bound("natale-lower", d=300, k=1, epsilon=0.01).value == 2**1000 + 1
    assert bound("vectors-lower", dimension=1000, epsilon=1e-9).value == 20_001
