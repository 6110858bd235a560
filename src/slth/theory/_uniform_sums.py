"""Sums of uniform numbers, exactly: the law of Irwin and Hall in fractions."""

import math
from fractions import Fraction
from functools import cache

MOST_TERMS = 400  # beyond, one chance takes seconds


@cache
def below(count: int, x: Fraction) -> Fraction:
    """P(U_1 + ... + U_count <= x) of uniform numbers on [0, 1].

    The sum over j of (-1)^j C(count, j) max(0, x - j)^count, over count!.

    >>> below(1, Fraction(1, 4)), below(2, Fraction(1)), below(0, Fraction(0))
    (Fraction(1, 4), Fraction(1, 2), Fraction(1, 1))
    """
    if x < 0:
        return Fraction(0)
    if x >= count:
        return Fraction(1)
    if 2 * x > count:
        return 1 - below(count, count - x)
    high, low = x.numerator, x.denominator  # whole numbers: fractions would be reduced at every term
    terms = ((-1) ** j * math.comb(count, j) * (high - j * low) ** count for j in range(math.floor(x) + 1))
    return Fraction(sum(terms), math.factorial(count) * low**count)


def within(count: int, z: Fraction, epsilon: Fraction) -> Fraction:
    """P(|x_1 + ... + x_count - z| <= epsilon) of uniform numbers on [-1, 1].

    >>> within(1, Fraction(0), Fraction(1, 10)), within(1, Fraction(1), Fraction(1, 10))
    (Fraction(1, 10), Fraction(1, 20))
    """
    if count == 0:
        return Fraction(int(abs(z) <= epsilon))
    return below(count, (z + epsilon + count) / 2) - below(count, (z - epsilon + count) / 2)
