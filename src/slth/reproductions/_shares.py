"""What reproductions of existence share: success out of so many draws, the n that a level takes, straight lines."""

from collections.abc import Sequence

import numpy as np

from slth.records import Proportion
from slth.reproductions._figure import Series

Numbers = Sequence[float]


def curve(label: str, x: Numbers, hits: Sequence[int], draws: int) -> Series:
    """Shares over x, each with its 95 % interval."""
    found = [Proportion(hit, draws) for hit in hits]
    low, high = zip(*(one.interval for one in found), strict=True)
    return Series(label=label, x=tuple(x), y=tuple(one.value for one in found), low=low, high=high)


def crossing(x: Numbers, shares: Numbers, level: float) -> float:
    """Where shares first reach a level, on straight lines between the points; infinity where they never do.

    >>> crossing([8, 10, 12], [0.2, 0.4, 0.8], 0.5), crossing([8, 10], [0.2, 0.4], 0.5)
    (10.5, inf)
    """
    for i, share in enumerate(shares):
        if share >= level:
            if i == 0:
                return float(x[0])
            return float(x[i - 1] + (x[i] - x[i - 1]) * (level - shares[i - 1]) / (share - shares[i - 1]))
    return float("inf")


def slope(x: Numbers, y: Numbers) -> float:
    """Of the straight line of least squares.

    >>> round(slope([1, 2, 3], [2, 4, 6]), 12)
    2.0
    """
    return float(np.polyfit(np.asarray(x, float), np.asarray(y, float), 1)[0])


def finite(label: str, x: Numbers, y: Numbers, kind: str = "measured") -> Series:
    """A series of the points whose y is finite."""
    kept = [(a, b) for a, b in zip(x, y, strict=True) if np.isfinite(b)]
    return Series(label=label, x=tuple(a for a, _ in kept), y=tuple(b for _, b in kept), kind=kind)
