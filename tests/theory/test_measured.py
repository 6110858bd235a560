"""What the theorems say was measured, measured again: in the setting that they name."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import binom
from theory.simulated import about, all_reached_by_size, entropy, products, uniform
from torch import nn

import slth
from slth.subsetsum import first_batch, reach
from slth.theory import bound


def shares_reached(draw, counts, *, tolerance, runs, low=-1.0, high=1.0):
    """For each count, the part of the runs in which every target is reached by so many of the numbers."""
    rng = np.random.default_rng(20)
    drawn = (draw(rng, max(counts)) for _ in range(runs))
    whole = [reach(x, tol=tolerance, low=low, high=high).covered >= 1 - 1e-9 for x in drawn]
    return np.mean(whole, axis=0)[list(counts)]


def least(share_before, share, wanted, runs):
    """Whether n is the least number with the wanted share, by shares of so many runs at n - 1 and n: 3 deviations."""
    noise = 3 * math.sqrt(wanted * (1 - wanted) / runs)
    return share_before <= wanted + noise and share >= wanted - noise


@pytest.mark.parametrize("runs", [200, pytest.param(4000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("epsilon", "counts"), [(0.01, (11, 14, 19, 23)), (0.001, (15, 18, 22, 26))])
def test_numbers_that_reach_every_target(epsilon, counts, runs):
    shares = shares_reached(uniform, range(max(counts) + 1), tolerance=epsilon, runs=runs)
    for n, wanted in zip(counts, (0.5, 0.9, 0.99, 0.999), strict=True):
        assert least(shares[n - 1], shares[n], wanted, runs)


@pytest.mark.slow
def test_mixtures_with_zeros_that_reach_every_target():
    """Of n numbers a binomial count is uniform: the law of these weighs the shares that their counts reach."""
    shares = shares_reached(uniform, range(61), tolerance=0.01, runs=8000)
    for p, n in ((0.5, 42), (0.2, 113)):
        before, share = (binom.pmf(np.arange(61), m, p) @ shares for m in (n - 1, n))
        assert least(before, share, 0.99, 8000)


@pytest.mark.slow
@pytest.mark.parametrize(("epsilon", "n"), [(0.1, 37), (0.03, 40), (0.01, 42), (0.003, 46)])
def test_pairs_that_reach_every_target(epsilon, n):
    before, share = shares_reached(products, (n - 1, n), tolerance=epsilon, runs=3000, low=-0.5, high=0.5)
    assert least(before, share, 0.99, 3000)


@pytest.mark.parametrize(("epsilon", "n"), [(0.1, 4), (0.02, 7), (0.004, 9)])
def test_half_of_the_interval_is_reached_on_average(epsilon, n):
    """Partial sums outside are dropped."""
    rng = np.random.default_rng(21)
    parts = np.array([reach(rng.uniform(-1, 1, n), tol=epsilon, clipped=True).covered for _ in range(800)])
    assert parts.mean(0)[n - 1] < 0.5 < parts.mean(0)[n]


@pytest.mark.parametrize(
    ("n", "k", "share"),
    [(16, 4, 0.991), (16, 8, 0.978), (20, 2, 0.734), (20, 3, 0.992), (20, 5, 0.999), (40, 2, 0.990)],
)
def test_subsets_of_a_size_reach_one_target(n, k, share):
    rng = np.random.default_rng(22)
    answers = first_batch(rng.uniform(-1, 1, (20_000, n)), rng.uniform(-1, 1, 20_000), tol=0.01, size=k)
    assert about((answers.error > 0.01).mean(), 1 - share, 20_000, 1.1)


def one_number_for_every_target(n, epsilon):
    """P(n uniform numbers on [-1, 1] leave no gap above 2 epsilon, none above epsilon at the ends), exactly.

    Spacings are exchangeable, P(given ones exceed c_1, ..., c_j) = (1 - sum of c)^n: inclusion and exclusion.
    """
    terms = (
        math.comb(2, i) * math.comb(n - 1, j) * (-1) ** (i + j) * max(0.0, 1 - (i / 2 + j) * epsilon) ** n
        for i in range(3)
        for j in range(n)
    )
    return math.fsum(terms)


def test_one_number_for_every_target_exactly():
    assert one_number_for_every_target(172, 0.05) < 0.95 < one_number_for_every_target(173, 0.05)
    n, epsilon = 6, 0.5 - 1e-9
    assert one_number_for_every_target(n - 1, epsilon) < 1 - epsilon < one_number_for_every_target(n, epsilon)
    assert n * entropy(1 / n) < bound("rfss-all", k=1, epsilon=epsilon).theorem.constants["c_amp"].value


@pytest.mark.parametrize(
    ("k", "n", "runs"),
    [(1, 173, 4000), (2, 40, 1500), *(pytest.param(k, n, 8000, marks=pytest.mark.slow) for k, n in ((2, 40), (3, 26)))],
)
def test_subsets_of_a_size_reach_every_target(k, n, runs):
    before, share = (all_reached_by_size(m, k, epsilon=0.05, runs=runs, seed=23) for m in (n - 1, n))
    assert least(before, share, 0.95, runs)


def sums_of_integers(rng, largest, n):
    """A set of integers, one bit for each from -largest to largest: subset sums of n integers up to the largest."""
    drawn = (rng.integers(1, largest + 1, n) * rng.choice([-1, 1], n)).tolist()
    zero = sum(-x for x in drawn if x < 0) + largest
    sums = 1 << zero
    for x in drawn:
        sums |= sums << x if x > 0 else sums >> -x
    return (sums >> (zero - largest)) & ((1 << (2 * largest + 1)) - 1)


def missed_integers(largest, n, runs):
    """The number of targets in -largest ... largest that each draw misses."""
    rng = np.random.default_rng(24)
    return np.array([2 * largest + 1 - sums_of_integers(rng, largest, n).bit_count() for _ in range(runs)])


@pytest.mark.parametrize("runs", [1000, pytest.param(20_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("largest", "n"), [(8, 15), (32, 17), (128, 19), (512, 22), (2048, 24)])
def test_integers_that_hit_every_target(largest, n, runs):
    before, share = ((missed_integers(largest, m, runs) == 0).mean() for m in (n - 1, n))
    assert least(before, share, 0.99, runs)


def test_integers_that_miss_one_target():
    """M = 2^8; the misses of a draw have a deviation of at most five times their mean."""
    for n, share in zip(range(11, 17), (0.205, 0.099, 0.051, 0.026, 0.014, 0.0076), strict=True):
        assert missed_integers(256, n, 2000).mean() / 513 == pytest.approx(share, rel=0.25)


@pytest.mark.parametrize(("largest", "offset"), [(2**6, 1.26), (2**12, 1.62)])
def test_integers_that_hit_half_of_the_targets(largest, offset):
    whole = math.floor(math.log2(largest) + offset)
    more, less = (missed_integers(largest, n, 1500).mean() / (2 * largest + 1) for n in (whole, whole + 1))
    assert whole + (more - 0.5) / (more - less) == pytest.approx(math.log2(largest) + offset, abs=0.1)


@pytest.mark.parametrize(("bits", "few"), [(4, False), (10, False), (4, True), (10, True)])
def test_products_on_a_grid_hit_half_of_the_targets(bits, few):
    """By 2 bits + 1 of them; where one factor is 1/2 or 1, by bits + 2: 0.44 to 0.55 of them, the less the finer."""
    rng = np.random.default_rng(25)
    shape = (4000, bits + 2 if few else 2 * bits + 1)
    u = rng.integers(1, 3, shape) / 2 if few else rng.integers(1, 2**bits + 1, shape) / 2**bits
    v = rng.integers(1, 2**bits + 1, shape) * rng.choice([-1, 1], shape) / 2**bits
    targets = rng.integers(-(2**bits), 2**bits + 1, len(u)) / 2**bits
    assert 0.42 < (first_batch(u * v, targets, tol=2.0**-30).error == 0).mean() < 0.57


@pytest.mark.parametrize("bits", [4, 12])
def test_gaussian_weights_miss_less_often_than_the_law_says(bits):
    """C = 0.27 to 0.48, where weights uniform on half of the gain have about 1; 100 misses have a deviation of 10."""
    rng = np.random.default_rng(27)
    shape = (300_000, bits + 10)
    values = rng.uniform(0.5, 1, shape) * rng.uniform(-1, 1, shape)
    tolerance = 2.0 ** (-bits - 1)
    missed = (first_batch(values, rng.normal(0, 0.1, len(values)), tol=tolerance).error > tolerance).mean()
    assert 0.27 / 1.4 < missed / bound("practice-misses", n=shape[1], tolerance=tolerance).value < 0.48 * 1.4


def pairs_until_none_is_missed(weights, tolerance, rng):
    """Each weight takes pairs of its own until one is near; what is near 0 needs none."""
    left, n = weights[np.abs(weights) > tolerance], 0
    while len(left):
        pairs = rng.uniform(0.5, 1, len(left)) * rng.uniform(-1, 1, len(left))
        left, n = left[np.abs(pairs - left) > tolerance], n + 1
    return n


@pytest.mark.parametrize(
    ("tolerance", "n", "runs"), [(0.1, 110, 12), pytest.param(0.02, 617, 40, marks=pytest.mark.slow)]
)
def test_one_pair_for_each_weight(tolerance, n, runs):
    """Gaussian weights of deviation 0.1 gains: the union bound for those above the tolerance is nearly attained."""
    rng = np.random.default_rng(26)
    above = 400_000 * math.erfc(tolerance / 0.1 / math.sqrt(2))
    assert bound("single", w=0.4, tolerance=tolerance, weights=round(above), delta=0.01).value == n
    half = bound("single", w=0.4, tolerance=tolerance, weights=round(above), delta=0.5).value
    needed = np.array([pairs_until_none_is_missed(rng.normal(0, 0.1, 400_000), tolerance, rng) for _ in range(runs)])
    assert (needed <= n).mean() > 0.99 - 3 * math.sqrt(0.01 / runs)
    assert (needed <= half).mean() == pytest.approx(math.exp(-0.5), abs=3 / math.sqrt(4 * runs))


def in_binary(seed, lowest):
    """A map 8 -> 8 with 8 digits."""
    layer = nn.Linear(8, 8, bias=False)
    layer.weight.data.copy_(torch.rand(8, 8, generator=torch.Generator().manual_seed(seed)) * 1.98 - 0.99)
    options = {"tolerance": 2.0**-9, "gadget": "doubling", "seed": seed, "input_range": (lowest, 1)}
    return slth.construct(layer, input_shape=(8,), **options)


@pytest.mark.parametrize(("lowest", "copies", "times"), [(0, 16, 43_000), (-1, 17, 195_000)])
def test_a_small_map_in_binary(lowest, copies, times):
    """The size is that of the matrices, dead neurons too."""
    ticket = in_binary(0, lowest)
    (gadget,) = ticket.gadgets.values()
    assert (gadget.digits, gadget.copies) == (8, copies)
    assert bound("doubling", bits=8 * 8 * 8, delta=0.01).value == 16
    assert ticket.size / 64 == pytest.approx(times, rel=0.01)


@pytest.mark.slow
def test_small_maps_in_binary_fail_as_rarely_as_they_promise():
    """Of 100 draws at most 5 may fail, where 1 may be expected: four deviations."""
    assert sum(in_binary(seed, 0).misses > 0 for seed in range(100)) <= 5
