r"""Chances of a miss in closed form, where a weight takes no subset of real numbers: one candidate, a count, digits.

In units of the gain: a target z, a tolerance t. All are exact for random numbers that are uniform on an interval; on
the grid of Stream v1 they hold as long as t is far above its step, 2⁻²³.

    one product     P(|u v − z| ≤ t) = F(z + t) − F(z − t), u on [½, 1], v on [−1, 1], F(a) = ∫ min(1, a/u) du, odd
                    = 2 t ln 2 for |z| + t ≤ ½; a miss of n candidates: (1 − P)ⁿ (Malach et al., 2020)
    one number      P(|v − z| ≤ t) = t for |z| + t ≤ 1: a naive way
    a count         P(Bin(n, ½) < c), c = the count nearest to |w|/α (Diffenderfer and Kailkhura, 2021)
    digits          2⁻ᶜ for every binary digit 1, c copies of each (Sreenivasan et al., 2022)
"""

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

from slth.construction.sizes import Sizes

Chances = Float64[np.ndarray, " z"]
_CELLS = 48  # sizes of targets that are told apart


def product_hit(z: Float64[np.ndarray, " z"], tolerance: float) -> Chances:
    """P(|u v − z| ≤ t): one product hits.

    >>> product_hit(np.array([0.25, 0.6]), 0.01).round(5)
    array([0.01386, 0.01022])
    """
    size = np.abs(z)
    return _mass(size + tolerance) - _mass(size - tolerance)


def plain_hit(z: Float64[np.ndarray, " z"], tolerance: float) -> Chances:
    """P(|v − z| ≤ t): one number hits.

    >>> plain_hit(np.array([0.25, 1.0]), 0.01).round(5)
    array([0.01 , 0.005])
    """
    size = np.abs(z)
    return np.maximum(np.minimum(size + tolerance, 1.0) - np.maximum(size - tolerance, -1.0), 0.0) / 2


def _mass(a: Float64[np.ndarray, " z"]) -> Float64[np.ndarray, " z"]:
    """F(a), a from −1 on."""
    low = np.clip(np.abs(a), 0.0, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        high = low - 0.5 + low * np.log(1 / low)
    return np.sign(a) * np.where(low <= 0.5, low * math.log(2), high)


def single_misses(
    sizes: Sizes,
    gain: float,
    tolerance: float,
    *,
    hit: Callable[[Float64[np.ndarray, " z"], float], Chances],
) -> Callable[[int], float]:
    """Expected misses as a function of n; those of each cell of sizes count as the largest in it, which hits least."""
    t, top = tolerance / gain, max(sizes.largest, tolerance)
    edges = np.linspace(tolerance, top, _CELLS + 1)
    counts = np.diff(sizes.up_to(np.append(edges[:-1], math.inf)))
    with np.errstate(divide="ignore"):
        missed = np.log1p(-hit(edges[1:] / gain, t))
    return lambda n: float(counts @ np.exp(n * missed))


def count_misses(sizes: Sizes, step: float) -> Callable[[int], float]:
    """Expected misses as a function of n, exact: coefficients by their counts c, nearest to |w|/α, α = step."""
    largest = math.ceil(sizes.largest / step - 0.5)
    edges = (np.arange(largest) + 0.5) * step
    counts = np.diff(sizes.up_to(np.append(edges, math.inf)))
    wanted = np.arange(1, largest + 1)

    def missed(n: int) -> float:
        from scipy.stats import binom

        return float(counts @ binom.cdf(wanted - 1, n, 0.5))

    return missed


def digit_misses(digits: float) -> Callable[[int], float]:
    """Expected misses as a function of c, of so many binary digits 1 in all."""
    return lambda c: digits * 2.0**-c


def fewest(misses: Callable[[int], float], failure: float, most: int) -> int | None:
    """The least n ≤ most with misses(n) ≤ failure, for misses that fall in n; None: there is none.

    >>> fewest(digit_misses(1000), 0.01, 64)
    17
    """
    if misses(most) > failure:
        return None
    low, high = 0, most  # misses(low) > failure unless low = 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if misses(middle) <= failure else (middle, high)
    return high
