"""Counting arguments, decided with 60 decimal digits: how many subnetworks are needed, how many there are.

If each target of a body of volume V is met, with probability at least 1 - delta, by one of the subnetworks of a random
network, then, for a target drawn from the body,

    (1 - delta) V <= sum over subnetworks g of vol {targets that g meets} <= |subnetworks| * vol(ball of epsilon):

what one g meets has diameter at most 2 epsilon, and in any norm no such set A is larger than the ball of radius
epsilon: (A - A) / 2 lies in that ball, and by Brunn and Minkowski its volume is at least that of A.

A necessary number must never lie above the truth: what is needed is compared with an upper bound of what there is, and
a tie up to 1e-30 counts as enough. Numbers are the decimals that were written, so that 0.1 is one tenth.
"""

import math
from collections.abc import Callable
from decimal import Context, Decimal, localcontext
from fractions import Fraction

from slth.theory._numbers import Number

CONTEXT = Context(prec=60, Emin=-(10**15), Emax=10**15)
_LN2 = Decimal(2).ln(CONTEXT)
_MOST = 1 << 1000
_TIE = Decimal("1e-30")
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")
_SHORT = 1 << 40  # decimals that are not binary fractions have some 53 bits
_BITS = 256  # of a whole number that are looked at
_EXACTLY = 300  # binomials of a smaller k, and sums of binomials of a smaller n, are whole numbers
# ln n! = n ln n - n + ln(2 pi n)/2 + 1/(12 n) - 1/(360 n^3) + ...: it lies between any two sums in a row.
_STIRLING = ((1, 12), (-1, 360), (1, 1260), (-1, 1680), (1, 1188), (-691, 360360))


def written(value: Number) -> Fraction:
    """The number as a fraction: the decimal that was written, not the binary one beside it; 2^-30 is itself.

    >>> written(0.1), written(2.0**-30) == Fraction(1, 2**30)
    (Fraction(1, 10), True)
    """
    binary = Fraction(value)
    return binary if binary.numerator < _SHORT else Fraction(repr(value))


def product(*powers: tuple[Fraction | int, Fraction | int]) -> Decimal:
    """The logarithm of a product of powers, each (base, exponent).

    >>> round(product((Fraction(1, 2), 1), (50, 4)), 9) == round(Decimal(50**4 / 2).ln(), 9)
    True
    """
    with localcontext(CONTEXT):
        return sum((_decimal(exponent) * _decimal(base).ln() for base, exponent in powers), Decimal(0))


def all_of(count: int, miss: Decimal) -> Decimal:
    """The logarithm of (1 - e^miss)^count."""
    with localcontext(CONTEXT):
        return count * (1 - miss.exp()).ln()


def enough(ways: Decimal, need: Decimal) -> bool:
    """At least as many ways as are needed; both as logarithms."""
    with localcontext(CONTEXT):
        return ways - need >= -_TIE * max(1, abs(need))


def least_bits(need: Decimal) -> int:
    """The least m >= 0 with 2^m >= e^need.

    >>> least_bits(product((8, 2))), least_bits(product((8, 2), (Fraction(65, 64), 1)))
    (6, 7)
    """
    with localcontext(CONTEXT):
        bits = need / _LN2
        return max(0, math.ceil(bits - _TIE * max(1, abs(bits))))


def ways(n: int, k: int) -> Decimal:
    """The logarithm of n over k, or a little more: relatively 1e-28 of the binomial."""
    k = min(k, n - k)
    with localcontext(CONTEXT):
        if k < 0:
            return Decimal("-Infinity")
        if k < _EXACTLY:
            return _logarithm(math.comb(n, k))
        return _factorial(n, above=True) - _factorial(k, above=False) - _factorial(n - k, above=False)


def ways_up_to(n: int, k: int) -> Decimal:
    """The same of the sum over all sizes 0 ... k. Of a large n: C(n, k) (n - k + 1) / (n - 2k + 1), or 2^n."""
    if n < _EXACTLY:
        return product((sum(math.comb(n, j) for j in range(min(k, n) + 1)), 1))
    with localcontext(CONTEXT):
        everything = n * _LN2
        if 2 * k >= n:
            return everything
        return min(everything, ways(n, k) + product((Fraction(n - k + 1, n - 2 * k + 1), 1)))


def more_than(most: int, found: Number) -> int:
    """What was not found up to `most`, and would be infinity, needs more than that: never above the truth."""
    return most + 1 if math.isinf(found) else int(found)


def first(rising: Callable[[int], Decimal], needed: Callable[[int], Decimal], *, least: int) -> int:
    """The least n >= least where rising(n) is enough for needed(n), both non-decreasing; at most 2^1000 + 1.

    Where both rise, enough is not for ever: halves in which even the last of one is below the first of the other are
    left out, and the first that is left is found.
    """
    start, width = least, 1
    while start <= _MOST:
        found = _first(rising, needed, start, min(start + width - 1, _MOST))
        if found is not None:
            return found
        start, width = start + width, 2 * width
    return _MOST + 1


def _first(rising: Callable[[int], Decimal], needed: Callable[[int], Decimal], low: int, high: int) -> int | None:
    parts = [(low, high)]
    while parts:
        low, high = parts.pop()
        if not enough(rising(high), needed(low)):
            continue
        if low == high:
            return low
        middle = (low + high) // 2
        parts += [(middle + 1, high), (low, middle)]  # the lower half is next
    return None


def _logarithm(n: int) -> Decimal:
    """ln n, or relatively 2^-255 of n more: all digits of a large n would cost more than its logarithm."""
    cut = max(0, n.bit_length() - _BITS)
    return Decimal((n >> cut) + (cut > 0)).ln() + cut * _LN2


def _factorial(n: int, *, above: bool) -> Decimal:
    """A bound of ln n!."""
    x = Decimal(n)
    terms = _STIRLING[:-1] if above else _STIRLING
    series = sum((Decimal(a) / (b * x ** (2 * i + 1)) for i, (a, b) in enumerate(terms)), Decimal(0))
    return x * x.ln() - x + (2 * PI * x).ln() / 2 + series


def _decimal(value: Fraction | int) -> Decimal:
    """In the context of the caller."""
    return Decimal(value.numerator) / Decimal(value.denominator)
