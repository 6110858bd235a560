"""Directed rounding: a stored bound is never smaller than the computed one."""

import math

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
