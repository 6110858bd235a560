"""A rounded sum is the float64 nearest to the real one, ties to even; rational arithmetic is the oracle."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.numerics import is_further, rounded_sum, two_sum

NUMBERS = st.floats(-1e9, 1e9, allow_subnormal=False)


def exact(parts):
    """By way of Python's own conversion, which rounds a fraction once."""
    return float(sum(map(Fraction, parts), Fraction(0)))


@given(st.lists(NUMBERS, min_size=1, max_size=6))
def test_any_few_numbers_are_rounded_once(parts):
    assert rounded_sum([np.array([part]) for part in parts])[0] == exact(parts)


@pytest.mark.parametrize("count", [2, 3, 5, 8])
def test_stages_of_falling_gains_are_rounded_once(count):
    """Sums on the 2⁻⁴⁶ grid of their gains, as stages have them: adding them up one by one rounds some twice."""
    rng = np.random.default_rng(count)
    parts = [rng.integers(-(2**45), 2**45, 4000) * 2.0 ** (-46 - 9 * s) for s in range(count)]
    found = rounded_sum(parts)
    assert found.tolist() == [exact(column) for column in np.transpose(parts)]
    plain = np.sum(parts, axis=0)
    assert (plain != found).any() == (count > 2)


def test_a_tie_between_two_numbers_is_broken_by_the_smallest_part():
    one, half, tiny = 1.0, 2.0**-53, 2.0**-200
    parts = [np.array([one, one, one]), np.array([half, half, half]), np.array([0.0, tiny, -tiny])]
    assert rounded_sum(parts).tolist() == [1.0, 1.0 + 2.0**-52, 1.0]


def test_one_array_is_returned_as_it_is_and_zero_has_no_sign():
    alone = np.array([-0.0, 1.0])
    assert rounded_sum([alone]) is alone
    assert not np.signbit(rounded_sum([np.array([-0.0]), np.array([-0.0])])).any()


@given(NUMBERS, NUMBERS)
def test_two_sum_loses_nothing(a, b):
    total, rest = two_sum(np.array([a]), np.array([b]))
    assert Fraction(total[0]) + Fraction(rest[0]) == Fraction(a) + Fraction(b)
    assert total[0] == a + b


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=5), st.floats(0, 1e9))
def test_what_is_further_apart_than_a_tolerance_is_decided_exactly(pairs, tolerance):
    left, right = np.array(pairs).T
    for at in (tolerance, float(np.abs(left - right)[0])):  # the second is a tie, up to rounding
        found = is_further(left, right, at)
        assert found.tolist() == [abs(Fraction(a) - Fraction(b)) > Fraction(at) for a, b in pairs]
