"""Necessary bounds of linear maps: the least number as fractions decide it, and no source does with fewer."""

import math
from fractions import Fraction
from itertools import count, product

import numpy as np
import pytest
from theory.success import at_least, needed

from slth.theory import bound

DRAWS = 4000
EPSILONS = [0.3, 0.1, 0.03]


def exact(epsilon):
    return Fraction(str(epsilon))


def scan(holds, least=0):
    return next(n for n in count(least) if holds(n))


def up_to(m, k):
    return sum(math.comb(m, j) for j in range(k + 1))


D_AND_DELTA = list(product((1, 2, 3), (0.5, 0.1)))
FORMS = {
    "pensia-lower": lambda d, e, p: lambda m: 2**m >= p * (1 / (2 * e)) ** (d * d),
    "packing-neuron": lambda d, e, p: lambda m: 2**m >= p * (1 / e) ** d,
    "packing-neuron-box": lambda d, e, p: lambda m: 2**m >= p * math.factorial(d) / e**d,
    "packing-layer": lambda d, e, p: lambda m: 2**m >= p * (1 / e) ** (d * d),
    "packing-layer-box": lambda d, e, p: lambda m: 2**m >= p * (math.factorial(d) / e**d) ** d,
    "deep-lower": lambda d, e, p: lambda m: 4**m >= p**2 * (1 / (2 * e * e)) ** (d * d),
}
AT_A_DENSITY = {
    "packing-neuron-fixed": lambda d, e, p: lambda m, k: math.comb(m, k) >= p * (1 / e) ** d,
    "packing-neuron-box-fixed": lambda d, e, p: lambda m, k: math.comb(m, k) >= p * math.factorial(d) / e**d,
    "packing-layer-fixed": lambda d, e, p: lambda m, k: math.comb(m, k) >= p * (1 / e) ** (d * d),
    "packing-layer-box-fixed": lambda d, e, p: lambda m, k: math.comb(m, k) >= p * (math.factorial(d) / e**d) ** d,
    "sparse-lower": lambda d, e, p: lambda m, k: up_to(m, k) >= p * (1 / (2 * e)) ** (d * d),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_number_is_the_least_that_fractions_allow(name):
    for (d, delta), epsilon in product(D_AND_DELTA, EPSILONS):
        holds = FORMS[name](d, exact(epsilon), 1 - exact(delta))
        assert bound(name, d=d, epsilon=epsilon, delta=delta).value == scan(holds), (d, epsilon, delta)


@pytest.mark.parametrize("name", AT_A_DENSITY)
def test_so_it_is_at_a_density(name):
    for (d, delta), epsilon, gamma in product(D_AND_DELTA[:4], EPSILONS[:2], (0.1, 0.35, 0.5)):
        holds = AT_A_DENSITY[name](d, exact(epsilon), 1 - exact(delta))
        least = scan(lambda m: holds(m, math.floor(exact(gamma) * m)))  # noqa: B023
        assert bound(name, d=d, epsilon=epsilon, delta=delta, gamma=gamma).value == least, (d, epsilon, gamma)


def test_natale_is_inverted_exactly():
    """C(n, k) >= (sqrt(k) / (2 epsilon))^(d^2) / 2, squared; at a density k moves with n, and the first n counts."""
    for d, k, epsilon in product((1, 2), (1, 3, 8), (0.05, 0.01)):
        need = Fraction(1, 4) * (k / (2 * exact(epsilon)) ** 2) ** (d * d)
        found = bound("natale-lower", d=d, k=k, epsilon=epsilon)
        n = int(found.value)
        assert math.comb(n, k) ** 2 >= need
        assert n == k or math.comb(n - 1, k) ** 2 < need
        printed, by_volume = found.others.values()
        assert printed <= n <= by_volume
    for d, gamma, epsilon in product((1, 2, 3), (0.05, 0.3), (0.05, 0.01)):

        def holds(n):
            k = math.floor(exact(gamma) * n)  # noqa: B023
            return k > 0 and math.comb(n, k) ** 2 >= (k / (2 * exact(epsilon)) ** 2) ** (d * d) / 4  # noqa: B023

        assert bound("natale-density-lower", d=d, gamma=gamma, epsilon=epsilon).value == scan(holds)


def test_theorem_5_has_the_numbers_that_were_found_before():
    """Parameters a weight at 480,000 weights, epsilon = 0.01; 1 %, since it is not said how many were taken."""
    for gamma, published in ((0.5, 16.6), (0.2, 22.3), (0.1, 33.9), (0.03, 81), (0.01, 192)):
        (ours,) = bound("natale-density-lower", d=693, gamma=gamma, epsilon=0.01).also.values()
        assert abs(ours / published - 1) < 0.01


def test_what_is_printed_is_never_more_than_what_is_counted():
    for d, epsilon in product((2, 10, 50), (0.2, 0.001)):
        pensia = bound("pensia-lower", d=d, epsilon=epsilon)
        printed, by_volume = pensia.others.values()
        assert printed <= pensia.value < printed + 1
        assert pensia.value <= by_volume == bound("packing-layer", d=d, epsilon=epsilon).value
        for gamma in (0.01, 0.1, 0.4):
            sparse = bound("sparse-lower", d=d, epsilon=epsilon, gamma=gamma)
            assert max(*sparse.others.values(), pensia.value) <= sparse.value


def test_the_estimate_of_one_layer_is_its_bound_and_of_more_no_less_than_what_is_proved():
    for d, epsilon in product((1, 3, 20), (0.2, 0.01)):
        one = bound("deep-expected", d=d, epsilon=epsilon, layers=1).value
        assert math.ceil(one - 1e-9) == bound("packing-layer", d=d, epsilon=epsilon).value
        for layers in (2, 3):
            found = bound("deep-expected", d=d, epsilon=epsilon, layers=layers)
            assert found.value == pytest.approx(layers * (one + 1) - 1)  # delta = 1/2 is one bit
            assert bound("deep-lower", d=d, epsilon=epsilon).value <= math.ceil(min(found.others.values()))


def test_equivariant_coefficients_and_grids_are_counted_alike():
    for d, d_out, basis, epsilon in product((1, 2), (1, 3), (1, 4), (0.25, 0.1)):
        found = bound("ferbach-lower", d=d, d_out=d_out, basis=basis, epsilon=epsilon)
        assert found.value == scan(lambda m: 2 ** (m + 1) >= (1 / exact(epsilon)) ** (d * d_out * basis))  # noqa: B023
    for d, bits in product((1, 2, 3), (0, 1, 5)):
        found = bound("kumar-lower", d=d, step=2.0**-bits)
        assert found.value == scan(lambda m: 2 ** (m + 1) >= (2 ** (bits + 1) + 1) ** (d * d))  # noqa: B023
        assert found.value - 1 < found.others["d^2 log2(2 / step + 1) + log2(1 - delta)"] <= found.value


def test_the_covering_bound_is_reached_by_powers_of_two():
    """1/2, 1/4, ..., 2^-n: their subset sums are within 2^-(n+1) of all of an interval of length 1. Fewer cannot be."""
    for n in range(1, 12):
        sums = np.array([sum(choice) for choice in product(*((0, 2.0 ** -(i + 1)) for i in range(n)))])
        assert np.diff(np.sort(sums)).max() == 2.0**-n
        assert bound("covering", epsilon=2.0 ** -(n + 1), length=1, delta=0).value == n
        assert bound("covering", epsilon=0.99 * 2.0 ** -(n + 1), length=1, delta=0).value == n + 1
    for dimension, n in ((2, 4), (3, 5)):  # so many for each axis
        assert bound("covering", epsilon=2.0 ** -(n + 1), length=1, delta=0, dimension=dimension).value == n * dimension
    for epsilon, delta in product((0.3, 0.01), (0, 0.5)):
        of_all = {"epsilon": epsilon, "delta": delta}
        assert len({bound(name, d=1, **of_all).value for name in ("packing-neuron", "packing-neuron-box")}) == 1
        assert bound("packing-neuron", d=1, **of_all).value == bound("covering", **of_all).value


def subset_sums(values):
    """Of every subset along the first axis, one after the other."""
    sums = np.zeros((1, *values.shape[1:]))
    for value in values:
        sums = np.concatenate([sums, sums + value])
    return sums


def sizes(m):
    return np.array([mask.bit_count() for mask in range(1 << m)])


def in_ball(rng, count, shape, order):
    """Uniform in the unit ball of a norm of matrices, drawn from the box that holds it; None: the box."""
    w = rng.uniform(-1, 1, (40 * count, *shape))
    return (w if order is None else w[largest(w) <= 1])[:count]


def largest(w):
    """Singular values of matrices with one row, or 2 x 2."""
    if w.shape[-2] == 1:
        return np.sqrt((w**2).sum((-2, -1)))
    a, b, c, d = np.moveaxis(w.reshape(*w.shape[:-2], 4), -1, 0)
    return (np.hypot(a + d, b - c) + np.hypot(a - d, b + c)) / 2


def hits(rng, m, epsilon, *, shape, order, keep=None):
    """Targets that are met by subnetworks of m plain edges, spread over the entries; of those that keep so many."""
    edges = np.zeros((m, DRAWS, *shape))
    for i in range(m):
        edges[(i, slice(None), *np.unravel_index(i % math.prod(shape), shape))] = rng.uniform(-1, 1, DRAWS)
    left = subset_sums(edges) - in_ball(rng, DRAWS, shape, order)
    # max |x| <= 1: the error of an output is the sum norm of its row
    error = np.abs(left).sum(-1).max(-1) if order is None else largest(left)
    return int((error[slice(None) if keep is None else sizes(m) == keep].min(0) <= epsilon).sum())


CASES = {
    "packing-neuron": ({"d": 2}, (1, 2), 2, 6, 0.03),
    "packing-neuron-box": ({"d": 2}, (1, 2), None, 6, 0.05),
    "packing-layer": ({"d": 2}, (2, 2), 2, 8, 0.14),
    "packing-layer-box": ({"d": 2}, (2, 2), None, 8, 0.25),
}


@pytest.mark.parametrize("name", CASES)
def test_no_source_of_plain_edges_does_with_fewer_parameters(name):
    """Seen success at m parameters never asks for more than m. It is rare, so that hardly two subnetworks meet one
    target: then the bound is sharp, to a bit and a half, and twice as many targets would contradict what is seen.
    """
    letters, shape, order, m, epsilon = CASES[name]
    rng = np.random.default_rng(1)
    met = hits(rng, m, epsilon, shape=shape, order=order)
    assert 30 < met < DRAWS / 10
    assert m - 2 <= needed(name, met, DRAWS, epsilon=epsilon, **letters) <= m
    met = hits(rng, m, 1.5 * epsilon, shape=shape, order=order, keep=m // 2)
    found = needed(f"{name}-fixed", met, DRAWS, epsilon=1.5 * epsilon, gamma=0.5, **letters)
    assert m - 3 <= found <= m


def test_no_relu_source_meets_targets_of_two_layers_with_fewer_parameters():
    """W relu(x) by two masked layers, 3 hidden neurons, 12 parameters; errors on 60 inputs, so rather too small."""
    rng = np.random.default_rng(2)
    angles = rng.uniform(0, 2 * np.pi, 60)
    x = np.stack([np.cos(angles), np.sin(angles)])
    masks = np.array(list(product((0.0, 1.0), repeat=6)))
    found, draws, epsilon = 0, 60, 0.45
    for _ in range(draws):
        first, second = rng.uniform(-1, 1, (2, 6))
        hidden = np.maximum((masks * first).reshape(-1, 3, 2) @ x, 0)  # (first masks, 3, inputs)
        mixing = (masks * second).reshape(-1, 2, 3)
        wanted = in_ball(rng, 1, (2, 2), 2)[0] @ np.maximum(x, 0)
        outputs = np.einsum("sor,fri->fsoi", mixing, hidden)
        error = np.sqrt(((outputs - wanted) ** 2).sum(2)).max(2)
        found += bool(error.min() <= epsilon)
    assert at_least(found, draws) > 0.01
    assert 0 <= needed("deep-lower", found, draws, d=2, epsilon=epsilon) <= 12


def test_one_relu_weight_is_met_by_no_fewer_than_are_seen():
    """w relu(x) by a masked output layer of m neurons that all are relu(x)."""
    rng = np.random.default_rng(4)
    for m, epsilon in ((6, 0.01), (9, 0.001)):
        sums = subset_sums(rng.uniform(-1, 1, (m, 400)))
        met = int((np.abs(sums - rng.uniform(-1, 1, 400)).min(0) <= epsilon).sum())
        assert m / 2 < needed("deep-lower", met, 400, d=1, epsilon=epsilon) <= m


def test_a_grid_that_is_met_exactly_does_not_do_with_fewer():
    """Targets -1, 0, 1 by n random signs."""
    rng = np.random.default_rng(3)
    for n in (2, 3, 4, 6):
        values = rng.choice([-1.0, 1.0], (n, 500))
        target = rng.integers(-1, 2, 500)
        met = int((subset_sums(values) == target).any(0).sum())
        assert needed("kumar-lower", met, 500, d=1, step=1.0) <= n
