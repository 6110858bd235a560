"""Neurons and pairs of weights that are matched one by one succeed as often as is promised."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest

from slth.theory import bound


def test_a_planted_layer_is_found_as_often_as_is_promised():
    """Exact for one neuron; a union bound for several."""
    rng = np.random.default_rng(0)
    for d, k, epsilon, n in ((1, 2, 0.3, 20), (3, 2, 0.3, 40), (2, 3, 0.5, 30)):
        target = rng.uniform(-1 + epsilon, 1 - epsilon, (2000, d, 1, k))
        source = rng.uniform(-1, 1, (2000, 1, n, k))
        met = (np.abs(target - source) <= epsilon).all(3).any(2).all(1).mean()
        promised = bound("planted", n=n, d=d, k=k, epsilon=epsilon).value
        error = math.sqrt(promised * (1 - promised) / 2000)
        assert promised <= met + 4.5 * error
        assert d > 1 or met <= promised + 4.5 * error
        assert abs(bound("planted", n=n, d=d, k=k, epsilon=epsilon, layers=3).value - promised**3) < 1e-9


@pytest.mark.parametrize(
    ("n", "d", "k", "epsilon", "layers"),
    [(10**12, 10**4, 1, 1.7e-11, 1), (10**12, 1, 11, 0.1, 1), (40, 3, 2, 0.5, 10**6), (60, 10**9, 1, 0.5, 10**3)],
)
def test_a_chance_is_rounded_down_and_keeps_its_digits(n, d, k, epsilon, layers):
    """A power of a number near 1 loses them: of n = 1e12 and 1 - 1.7e-11 it was above the truth."""
    found = bound("planted", n=n, d=d, k=k, epsilon=epsilon, layers=layers).value
    with localcontext() as context:
        context.prec = 60
        exact = (1 - d * (1 - Decimal(repr(epsilon)) ** k) ** n) ** layers
    assert found <= exact
    assert found >= float(exact) * (1 - 1e-7)


def test_pairs_of_weights_that_may_be_drawn_again_meet_a_weight():
    """Two products u v within epsilon of w, one with u > 0 and one with u < 0: what 2 n neurons are for."""
    rng = np.random.default_rng(1)
    epsilon, delta = 0.2, 0.1
    for redraws in (2, 8, 30):
        pairs = bound("iterand", d=1, redraws=redraws, epsilon=epsilon, delta=delta).value // 2
        met = 0
        for w in rng.uniform(-1, 1, 60):
            u, v = rng.uniform(-1, 1, (2, pairs, redraws))
            products = u[:, :, None] * v[:, None, :]
            halves = ((np.sign(u)[:, :, None] == sign) & (np.abs(products - w) <= epsilon) for sign in (1, -1))
            met += all(half.any() for half in halves)
        assert met >= 60 * (1 - delta)
    assert bound("iterand", d=1, redraws=10**6, epsilon=epsilon).value == 2
