"""Directed rounding: a bound that is stored or printed is never smaller than the computed one."""

import math
from decimal import ROUND_CEILING, Context

SLACK = 2.0**-20  # relative; far above float64 noise, far below anything a reader would notice


def stored_bound(value: float) -> float:
    """The number a ticket stores for a computed bound: `value` rounded up by 2⁻²⁰ relative, to 24 significant bits.

    >>> stored_bound(0.0), stored_bound(1.0) > 1.0
    (0.0, True)
    """
    if value == 0.0:
        return 0.0
    mantissa, exponent = math.frexp(value * (1.0 + SLACK))
    return math.ldexp(math.ceil(math.ldexp(mantissa, 24)), exponent - 24)


def rounded_up(bound: float, digits: int = 5) -> float:
    """The least number of so many decimal digits that is no smaller than `bound`, as float64; infinity stays.

    >>> rounded_up(0.342411), rounded_up(1e-4), rounded_up(-1.29, 2)
    (0.34242, 0.0001, -1.2)
    """
    if not math.isfinite(bound):
        return bound
    return float(Context(prec=digits, rounding=ROUND_CEILING).create_decimal(repr(float(bound))))


def at_most(bound: float, digits: int = 5) -> str:
    """An upper bound for people, rounded up: what is printed, read back as float64, is a bound, too.

    >>> at_most(0.342411), at_most(1e-4), at_most(7.1901e-6, 2), at_most(0.0)
    ('0.34242', '0.0001', '7.2e-06', '0')
    """
    return f"{rounded_up(bound, digits):.{digits}g}"
