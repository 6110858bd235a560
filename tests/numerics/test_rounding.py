"""What is stored or printed as a bound is one."""

import math

import numpy as np
import pytest

from slth.numerics import at_most, rounded_up, stored_bound


def numbers():
    rng = np.random.default_rng(0)
    return [
        *map(float, 10.0 ** rng.uniform(-300, 300, 2000)),
        *map(float, range(300)),
        5e-324,
        1.7e308,
        0.1 + 0.2,
        99999.5,
        0.99999,
    ]


@pytest.mark.parametrize("digits", [1, 3, 4, 5, 17])
def test_a_printed_bound_is_no_smaller_and_no_more_than_a_digit_larger(digits):
    for bound in numbers():
        shown = float(at_most(bound, digits))
        assert shown >= bound
        if 1e-300 < bound < 1e300:
            assert shown <= bound * (1 + 1.01 * 10.0 ** (1 - digits))


def test_short_numbers_stay_as_they_are():
    for text in ("0.0001", "0.1", "1", "0", "1e-06", "0.342"):
        assert at_most(float(text), 3) == text
    assert at_most(math.inf) == "inf"
    assert at_most(np.float64(0.25)) == "0.25"  # NumPy writes another repr
    assert math.isnan(rounded_up(math.nan))


def test_a_stored_bound_is_larger_by_little():
    for bound in numbers():
        if 1e-300 < bound < 1e300:
            assert bound < stored_bound(bound) <= bound * (1 + 2.0**-19)
