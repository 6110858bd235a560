r"""Sums of a few float64 numbers, correctly rounded: one rounding of the real sum, ties to even.

A chain of TwoSum (Knuth; Higham 2002, §4.3) adds the numbers up with nothing lost: $h + \ell = \sum_s a_s$, where the
lower part $\ell$ is a sum of what single additions round off. As long as that sum is exact, too, h + ℓ, rounded once,
is the answer. Where it is not, `math.fsum` decides, entry by entry: rare, for numbers of falling size.
"""

import math
from collections.abc import Sequence

import numpy as np


def two_sum(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(s, e), entry by entry: s = fl(a + b), and s + e = a + b exactly, as long as nothing overflows.

    >>> s, e = two_sum(np.array([1.0]), np.array([2.0**-60]))
    >>> bool(s == 1.0), bool(e == 2.0**-60)
    (True, True)
    """
    total = left + right
    part = total - left
    return total, (left - (total - part)) + (right - part)


def is_further(left: np.ndarray, right: np.ndarray, tolerance: float) -> np.ndarray:
    """Whether |a − b| exceeds the tolerance, entry by entry, exactly.

    Rounding is monotone, so only a tie needs what the difference rounded off.
    """
    difference = left - right
    sizes = np.abs(difference)
    found, tie = sizes > tolerance, sizes == tolerance
    if tie.any():
        total, rest = two_sum(left[tie], -right[tie])
        found[tie] = np.sign(total) * rest > 0
    return found


def rounded_sum(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Σ of arrays of one shape, each entry rounded once; a single array is returned as it is.

    Zero comes out as +0. Cost: a dozen additions an entry and array from three arrays on.

    >>> rounded_sum([np.array([1.0]), np.array([2.0**-53]), np.array([2.0**-106])]) - 1.0  # not 0
    array([2.22044605e-16])
    """
    if len(parts) == 1:
        return parts[0]
    high, low = parts[0], np.zeros_like(parts[0])
    lost = np.zeros(high.shape, np.bool_)
    for part in parts[1:]:
        high, rest = two_sum(high, part)
        low, beyond = two_sum(low, rest)
        lost |= beyond != 0.0
    total = high + low
    for index in zip(*np.nonzero(lost), strict=True):
        total[index] = math.fsum(part[index] for part in parts)
    return total + 0.0
