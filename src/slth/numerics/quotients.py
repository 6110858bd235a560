r"""Differences and quotients of float64 numbers, rounded outward, without a change of the rounding mode.

$\mathrm{fl}(a - m)$ and $\mathrm{fl}(a b)$ miss the truth by a float64 that float64 operations find (TwoSum,
TwoProduct): so it is known where nothing was rounded. Elsewhere a few steps to the next float64 cover what was.

Source: Dekker, *A floating-point technique for extending the available precision*, Numerische Mathematik 18 (1971).
"""

from typing import Any

import numpy as np

_SPLIT = 2.0**27 + 1
_STEPS = 5  # two roundings are at most 2u of the result: 2 ulps, 4 of those just below a power of two, and 2u · u


@np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore")
def outward_quotient(a: np.ndarray, m: np.ndarray, s: np.ndarray, *, towards: float) -> np.ndarray:
    """(a − m) / s for s > 0, at most the truth towards −∞, at least the truth towards ∞; broadcasts.

    It is the truth where that is a float64 and a − m is one, unless numbers are near the ends of float64's range. Its
    sign is never the other one than that of a − m. Overflow gives infinity or NaN.

    >>> outward_quotient(np.array([0.0, 0.5, 1.0]), np.array(0.5), np.array(0.25), towards=np.inf).tolist()
    [-2.0, 0.0, 2.0]
    """
    d = a - m
    back = d - a
    lost = (a - (d - back)) - (m + back)
    q = d / s
    product = q * s
    high, wide = _high(q), _high(s)
    low, narrow = q - high, s - wide
    off = ((high * wide - product) + high * narrow + low * wide) + low * narrow
    known = (lost == 0) & (product == d) & (off == 0) & (np.abs(d) > 2.0**-900)  # TwoProduct needs room below
    moved = q
    for _ in range(_STEPS):
        moved = np.nextafter(moved, towards)
    moved = np.where(np.sign(moved) == -np.sign(d), 0.0, moved)  # a step too far
    return np.where(d == 0, 0.0, np.where(known, q, moved))


def _high(x: Any) -> Any:
    """The upper half of the digits (Veltkamp)."""
    scaled = _SPLIT * x
    return scaled - (scaled - x)
