"""A share with a confidence: as Clopper and Pearson, against the binomial distribution itself."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest

from slth._errors import InputError
from slth.certificate import Statistical, clopper_pearson


def probability(changed, examples, share):
    """P(at most so many of n change) where a share of all do, in rational arithmetic."""
    q = Fraction(share)
    return sum(comb(examples, j) * q**j * (1 - q) ** (examples - j) for j in range(changed + 1))


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.99, 0.9999])
@pytest.mark.parametrize(("changed", "examples"), [(0, 1), (0, 30), (1, 30), (7, 30), (29, 30), (3, 100)])
def test_a_larger_share_makes_so_few_changes_unlikely(changed, examples, confidence):
    """P ≤ 1 - c at the share that is claimed, and hardly less."""
    q = clopper_pearson(changed, examples, confidence)
    assert probability(changed, examples, q) <= 1 - Fraction(confidence)
    assert probability(changed, examples, q * (1 - 1e-5)) > 1 - Fraction(confidence)


def test_known_values():
    """None of 10,000 at 99 %: 1 - 0.01^(1/10000); all of them: everything."""
    assert abs(clopper_pearson(0, 10_000, 0.99) - (1 - 0.01**1e-4)) < 1e-9
    assert clopper_pearson(5, 5, 0.5) == 1.0
    assert clopper_pearson(4, 10, 0.9) < clopper_pearson(5, 10, 0.9) < clopper_pearson(5, 10, 0.95)


def test_it_is_true_as_often_as_it_says():
    """10,000 draws of 200 examples of which 3 % change: the claim fails in at most a twentieth of them."""
    rng = np.random.default_rng(0)
    shares = {k: clopper_pearson(k, 200, 0.95) for k in range(30)}
    failed = np.mean([shares[k] < 0.03 for k in rng.binomial(200, 0.03, 10_000).tolist()])
    assert 0.01 < failed <= 0.05


def test_the_claim_is_checked():
    claim = Statistical.from_counts("test", changed=3, examples=1000)
    assert claim == Statistical("test", 1000, 3, 0.99, clopper_pearson(3, 1000, 0.99))
    assert claim.holds
    assert not Statistical("test", 1000, 3, 0.99, claim.at_most * (1 - 1e-5)).holds
    assert not Statistical("test", 1000, 4, 0.99, claim.at_most).holds


@pytest.mark.parametrize(
    ("changed", "examples", "confidence"), [(-1, 3, 0.9), (4, 3, 0.9), (0, 0, 0.9), (1, 3, 0.0), (1, 3, 1.0)]
)
def test_impossible_counts_are_refused(changed, examples, confidence):
    with pytest.raises(InputError):
        clopper_pearson(changed, examples, confidence)
    with pytest.raises(InputError):
        Statistical("test", examples, changed, confidence, 0.5)
    with pytest.raises(InputError, match="share"):
        Statistical("test", 10, 1, 0.9, 0.0)
