"""Counting by logarithms of 60 digits decides as whole numbers do, and never above the truth."""

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest

from slth.theory._counting import CONTEXT, all_of, enough, first, least_bits, product, ways, ways_up_to, written

HALF = Fraction(1, 2)


def test_a_number_is_the_decimal_that_was_written():
    assert [written(x) for x in (0.1, 1e-06, 2, 0.25)] == [Fraction(1, 10), Fraction(1, 10**6), 2, Fraction(1, 4)]
    assert [written(x) for x in (2.0**-60, 3 * 2.0**-40)] == [Fraction(1, 2**60), Fraction(3, 2**40)]


@pytest.mark.parametrize("base", [Fraction(50), Fraction(100, 3), Fraction(8), Fraction(1001, 1000)])
def test_the_least_power_of_two_is_that_of_whole_numbers(base):
    """Ties too: 8^d / 2 is a power of two."""
    for d in range(1, 40):
        need = HALF * base**d
        exact = max(0, (math.ceil(need) - 1).bit_length())
        assert least_bits(product((HALF, 1), (base, d))) == exact


@pytest.mark.parametrize(("n", "k"), [(10, 3), (700, 299), (700, 301), (2000, 700), (5000, 2500), (900, 600), (7, 0)])
def test_a_binomial_is_bounded_from_above_and_hardly_more(n, k):
    with localcontext(CONTEXT):
        more = ways(n, k) - Decimal(math.comb(n, k)).ln()
        rounding = Decimal("1e-55") * n
        assert -rounding <= more <= Decimal("1e-28")
        assert more > rounding or min(k, n - k) < 300


@pytest.mark.parametrize("k", [20, 64])
def test_a_binomial_of_many_digits_is_bounded_by_its_first(k):
    n = (1 << 200) - 1
    with localcontext(CONTEXT):
        more = ways(n, k) - Decimal(math.comb(n, k)).ln()
    assert abs(more) <= Decimal("1e-50")


def test_the_first_may_be_as_large_as_any():
    """A bisection of a thousand steps."""
    least = 2**999 + 1
    assert first(lambda n: Decimal(1 if n >= least else 0), lambda _: Decimal(1), least=0) == least


def test_what_is_larger_than_all_is_no_subset():
    assert ways(3, 4) == Decimal("-Infinity")
    assert not enough(ways(3, 4), product((HALF, 1)))


@pytest.mark.parametrize(
    ("n", "k"), [(20, 5), (299, 100), (300, 30), (1000, 100), (1000, 400), (1000, 500), (400, 390)]
)
def test_a_sum_of_binomials_is_bounded_from_above(n, k):
    exact = sum(math.comb(n, j) for j in range(k + 1))
    found = float(ways_up_to(n, k)) / math.log(2)
    assert math.log2(exact) - 1e-9 <= found <= min(n, math.log2(exact) + 3) + 1e-9


def test_the_first_is_found_where_being_enough_is_not_for_ever():
    """Both sides rise by jumps; a plain bisection would find a later one."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        rising, needed = (np.cumsum(rng.integers(0, 4, 400)) for _ in range(2))
        needed += int(rng.integers(1, 30))
        exact = next((n for n in range(400) if rising[n] >= needed[n]), None)
        if exact is not None:
            sides = [lambda n, side=side: Decimal(int(side[min(n, 399)])) for side in (rising, needed)]
            assert first(*sides, least=0) == exact


def test_all_of_many_is_a_power():
    assert abs(float(all_of(1000, product((HALF, 12)))) - 1000 * math.log1p(-(2.0**-12))) < 1e-12
