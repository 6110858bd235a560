"""Arithmetic that bounds share: rounding to the safe side, the least n of a condition, entropies and binomials."""

import math
from collections.abc import Callable

Number = float | int
MOST_N = 1 << 900  # beyond it a least n is infinity; as a float it still is finite
_NUDGE = 1e-12  # more than the rounding of a few logarithms and products


def least_whole(value: float) -> Number:
    """The least whole number that is at least a real one, nudged up: for sufficient bounds made of logarithms.

    >>> least_whole(2.0000000001), least_whole(float("inf"))
    (3, inf)
    """
    if math.isinf(value):
        return math.inf
    return max(0, math.ceil(value + _NUDGE * abs(value)))


def necessary_whole(value: float) -> Number:
    """The least whole number that is at least a real one, nudged down: for necessary bounds, never above the truth.

    >>> necessary_whole(2.0000000000001), necessary_whole(2.1), necessary_whole(-1.5)
    (2, 3, 0)
    """
    if math.isinf(value):
        return math.inf
    return max(0, math.ceil(value - _NUDGE * abs(value)))


def least_n(holds: Callable[[int], bool], *, least: int = 1, most: int = MOST_N) -> Number:
    """The least n in least ... most where a monotone condition holds (once true, true for all larger n).

    Infinity if it holds nowhere. Doubling, then bisection: the condition is asked O(log n) times, and at the answer's
    left neighbour, so that a condition that is not monotone is caught where it matters most.

    >>> least_n(lambda n: n * n >= 50), least_n(lambda n: False, most=1000)
    (8, inf)
    """
    if holds(least):
        return least
    low, step = least, 1
    while True:
        high = min(low + step, most)
        if holds(high):
            break
        if high == most:
            return math.inf
        low, step = high, 2 * step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def entropy(share: float) -> float:
    """H2, the binary entropy in bits.

    >>> entropy(0.5), entropy(0), round(entropy(0.1), 3)
    (1.0, 0.0, 0.469)
    """
    if not 0 < share < 1:
        return 0.0
    return -(share * math.log2(share) + (1 - share) * math.log1p(-share) / math.log(2))


def log2_choose(n: int, k: int) -> float:
    """log2 of n over k, to about 1e-10 of itself.

    >>> round(log2_choose(10, 3), 9) == round(math.log2(120), 9)
    True
    """
    if not 0 <= k <= n:
        return -math.inf
    if min(k, n - k) <= 1000:
        return math.log2(math.comb(n, k))
    return (math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)) / math.log(2)


def binomial_below(n: int, p: float, least: int) -> float:
    """P(Bin(n, p) < least), rounded up.

    >>> binomial_below(4, 0.5, 1) >= 1 / 16, binomial_below(4, 0.5, 0)
    (True, 0.0)
    """
    from scipy.special import betaincc

    if least <= 0:
        return 0.0
    if least > n:
        return 1.0
    return min(1.0, float(betaincc(float(least), float(n - least + 1), p)) * (1 + 1e-9))
