"""A share with a confidence: as Clopper and Pearson, against the binomial distribution itself."""

from dataclasses import replace
from fractions import Fraction
from math import comb

import numpy as np
import pytest

from slth._errors import InputError
from slth.certificate import Certificate, MapClaim, Statistical, clopper_pearson


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


@pytest.mark.parametrize("share", [0.0, -0.5, 1.0 + 2**-52, float("nan"), float("inf")])
def test_a_share_that_cannot_be_is_refused(share):
    with pytest.raises(InputError, match="at_most is a share"):
        Statistical("test", 10, 1, 0.9, share)


def test_a_claim_is_about_some_data():
    with pytest.raises(InputError, match="names the data"):
        Statistical("", 10, 1, 0.9, 0.9)
    with pytest.raises(InputError, match="confidence: expected a number between 0 and 1"):
        Statistical("test", 10, 1, float("nan"), 0.9)


def test_where_float64_cannot_tell_nothing_is_claimed():
    """The inverse is not a number there; the share of everything is always true."""
    assert clopper_pearson(1, 2**40, 1e-300) == 1.0
    assert not Statistical("test", 2**40, 1, 1e-300, 0.5).holds


@pytest.mark.parametrize(
    ("confidence", "share", "text"),
    [
        (0.99, 0.00046, "at most 0.046 % of predictions change, with 99 % confidence"),
        (0.5, 1.0, "at most 100 % of predictions change, with 50 % confidence"),
        (0.999999, 0.5000001, "at most 50.1 % of predictions change, with 99.9999 % confidence"),
        (1 - 2**-53, 1e-9, "at most 1e-07 % of predictions change, with 99.99999999999999 % confidence"),
    ],
)
def test_the_share_is_rounded_up_and_the_confidence_not_at_all(confidence, share, text):
    claim = Statistical("digits", 10, 0, confidence, share)
    assert claim.text == f"{text}, of examples drawn independently, as those of digits were"


def test_two_claims_about_one_population_are_refused():
    one, other = (Statistical.from_counts("d", changed=k, examples=9) for k in (1, 2))
    maps = {"a": MapClaim(0.1, 0.1, 0.0, 0, 0.1, None, None)}
    Certificate(maps, None, None, None, statistical=(one, replace(other, data="e")))
    with pytest.raises(InputError, match="two statistical claims speak of 'd'"):
        Certificate(maps, None, None, None, statistical=(one, other))
