"""Vectors and random masks: first moments against simulation, and the estimates that are no bounds."""

import math
from itertools import product

import numpy as np
import pytest
from theory.success import needed

from slth.theory import bound
from slth.theory.nsn_lower import log_chance
from slth.theory.vectors_lower import log_first_moment

DRAWS = 300


def subset_sums(vectors):
    """(2^n - 1, ...) sums of all subsets that are not empty, along the first axis."""
    sums = np.zeros((1, *vectors.shape[1:]))
    for vector in vectors:
        sums = np.concatenate([sums, sums + vector])
    return sums[1:]


def near(vectors, z, epsilon):
    """How many subsets reach (z, z, ...), of each draw; vectors: (n, draws, d)."""
    return (np.abs(subset_sums(vectors) - z) <= epsilon).all(2).sum(0)


@pytest.mark.parametrize(
    ("n", "dimension", "epsilon", "z"), [(10, 2, 0.15, 0.5), (12, 3, 0.4, 0.0), (11, 1, 0.01, 1.0)]
)
def test_as_many_subsets_reach_a_target_as_are_expected(n, dimension, epsilon, z):
    vectors = np.random.default_rng(0).standard_normal((n, DRAWS, dimension))
    counts = near(vectors, z, epsilon)
    expected = bound("vectors-expected", n=n, dimension=dimension, epsilon=epsilon, z=z).value
    assert abs(counts.mean() - expected) < 4.5 * counts.std() / math.sqrt(DRAWS)
    met = int((counts > 0).sum())
    assert met > 0
    assert n / 4 <= needed("vectors-lower", met, DRAWS, dimension=dimension, epsilon=epsilon) <= n


def test_neurons_do_with_no_fewer_than_the_first_moment_of_scaled_vectors():
    rng = np.random.default_rng(1)
    for n, dimension, epsilon in ((10, 2, 0.2), (12, 3, 0.4)):
        vectors = rng.standard_normal((n, DRAWS, 1)) * rng.standard_normal((n, DRAWS, dimension))
        met = int((near(vectors, 0.5, epsilon) > 0).sum())
        assert met > 0
        assert 1 <= needed("nsn-lower", met, DRAWS, dimension=dimension, epsilon=epsilon) <= n


@pytest.mark.parametrize(("k", "dimension", "epsilon"), [(1, 3, 0.3), (4, 2, 0.1), (9, 5, 1.0)])
def test_the_chance_of_scaled_vectors_is_its_expectation(k, dimension, epsilon):
    v = np.random.default_rng(2).chisquare(k, 400_000)
    seen = np.minimum(1, 2 * epsilon / np.sqrt(2 * math.pi * v)) ** dimension
    assert abs(seen.mean() - math.exp(log_chance(k, dimension, epsilon))) < 4.5 * seen.std() / math.sqrt(v.size)


def test_far_from_one_it_is_a_quotient_of_gammas():
    """Where the minimum hardly matters: (x0)^(d/2) Gamma((k - d) / 2) / Gamma(k / 2), x0 = epsilon^2 / pi."""
    for k, dimension, epsilon in ((40, 4, 0.1), (200, 10, 1.0), (900, 200, 1e-3)):
        exact = dimension / 2 * math.log(epsilon**2 / math.pi) + math.lgamma((k - dimension) / 2) - math.lgamma(k / 2)
        assert abs(log_chance(k, dimension, epsilon) - exact) < 1e-9


def test_the_first_moment_is_the_sum_that_it_says():
    for n, dimension, epsilon in ((5, 2, 0.1), (8, 3, 2.0)):
        terms = [
            math.comb(n, k) * min(1, 2 * epsilon / math.sqrt(2 * math.pi * k)) ** dimension for k in range(1, n + 1)
        ]
        assert math.exp(log_first_moment(n, dimension, epsilon)) == pytest.approx(math.fsum(terms), rel=1e-12)


def test_two_printed_forms_are_no_bounds():
    """n = 20, d = 4, epsilon = 0.1: an estimate of .26 for a sum of 1.27; 451 printed for a sum of 1,050."""
    found = bound("vectors-expected", n=20, dimension=4, epsilon=0.1)
    estimate, above = found.others.values()
    assert (round(estimate, 2), round(above, 2)) == (0.26, 1.27)
    assert estimate < found.value < above
    n, d, epsilon = 20, 4, 0.1
    whole = sum(2 ** (k * math.log2(math.e * n / k)) * (epsilon / math.sqrt(k)) ** d for k in range(1, n + 1))
    printed = n * 2 ** (n / 2 * math.log2(2 * math.e)) * (epsilon / math.sqrt(n / 2)) ** d
    assert (round(whole, -1), round(printed)) == (1050, 451)
    lower = bound("vectors-lower", dimension=4, epsilon=0.1)
    assert lower.others["2^n (epsilon / sqrt(n))^d >= 1 - delta"] > lower.value  # it would rule out what may succeed


def test_a_sufficient_order_is_above_what_is_necessary_with_a_constant_of_one():
    for dimension, epsilon in product((2, 5, 20), (0.1, 0.001)):
        necessary = bound("vectors-lower", dimension=dimension, epsilon=epsilon, delta=0.5).value
        assert bound("becchetti", dimension=dimension, epsilon=epsilon).value >= necessary


def test_copies_under_a_random_mask():
    """edges (1 - p)^k <= delta suffices; (1 - (1 - p)^k)^edges >= 1 - delta is what it takes. Ties: one half, 2^-10."""
    for p, edges, delta in product((0.1, 0.5, 0.9), (1, 30, 1000), (0.5, 0.01)):
        values = {"p": p, "edges": edges, "delta": delta}
        enough, least = bound("random-masks", **values).value, bound("random-masks-lower", **values).value
        assert edges * (1 - p) ** enough <= delta * (1 + 1e-12) < edges * (1 - p) ** (enough - 1) * (1 + 1e-9)
        assert (1 - (1 - p) ** least) ** edges >= (1 - delta) * (1 - 1e-12)
        assert least == 1 or (1 - (1 - p) ** (least - 1)) ** edges < 1 - delta
        assert least <= enough
    assert bound("random-masks", p=0.5, edges=1, delta=2.0**-10).value == 10
    rng = np.random.default_rng(3)
    k = bound("random-masks", p=0.5, edges=20, delta=0.1).value
    alive = (rng.random((20_000, k, 20)) < 0.5).any(1).all(1)
    assert alive.mean() >= 0.9


def test_the_factor_of_a_pruned_source_is_what_was_measured_and_not_what_is_printed():
    """docs/benchmarks.md, sources of random numbers: candidates against the 33 of the source that is whole."""
    for p, measured in ((0.875, 40 / 33), (0.75, 48 / 33), (0.5, 77 / 33), (0.25, 163 / 33)):
        found = bound("random-masks-factor", p=p)
        assert abs(found.value / measured - 1) < 0.06
        assert found.others["1 / ln(1 / (1 - p))"] < measured / 1.4
        assert found.others["1 / p"] < measured
