"""Subset sums of normally scaled normal vectors (NSN), those of hidden neurons: first moment (da Cunha et al., 2023).

A neuron with one Gaussian weight in and d Gaussian weights out offers a b, a ~ N(0, 1), b ~ N(0, I_d). Given the a of a
subset S, X_S is N(0, V I_d) with V = sum of a^2, chi-squared of |S| degrees.
"""

import math
from functools import cache

from slth.theory._counting import more_than
from slth.theory._numbers import Number, least_n
from slth.theory._theorem import Assumption, Direction, Letter, Theorem, Unit
from slth.theory.vectors_lower import DELTA, NOT_EMPTY

_SLACK = math.log(1 + 1e-6)  # more than all rounding and the error of the integral
_POINTS = 10_001
_DEPTH = 60  # where the density is e^-60 of its top it is left out
MOST_NEURONS = 1000


@cache
def log_chance(k: int, dimension: int, epsilon: float) -> float:
    """The logarithm of E min(1, 2 epsilon / sqrt(2 pi V))^d, V chi-squared of k degrees.

    With x = V / 2 and x0 = epsilon^2 / pi: P(x <= x0) + the integral over t >= 0 of the density of t = ln(x / x0) times
    e^(-t d / 2), by Simpson's rule: it is smooth, and nothing is left beyond x = k/2 + 12 sqrt(k) + 50.
    """
    import numpy as np
    from scipy.special import gammainc

    least, most = epsilon**2 / math.pi, k / 2 + 12 * math.sqrt(k) + 50
    inside = float(gammainc(k / 2, least))
    if least >= most:
        return math.log(inside)

    def log_density(t: np.ndarray) -> np.ndarray:
        return k / 2 * (t + math.log(least)) - least * np.exp(t) - math.lgamma(k / 2) - dimension / 2 * t

    coarse = np.linspace(0, math.log(most / least), _POINTS)
    at = log_density(coarse)
    height = float(at.max())
    seen = coarse[at > height - _DEPTH]  # concave: an interval
    t = np.linspace(max(0.0, seen[0] - coarse[1]), seen[-1] + coarse[1], _POINTS)
    weights = np.ones(_POINTS)
    weights[1:-1:2], weights[2:-1:2] = 4, 2
    outside = float(np.exp(log_density(t) - height) @ weights) * float(t[1] - t[0]) / 3
    return float(np.logaddexp(math.log(inside) if inside else -math.inf, height + math.log(outside)))


def log_first_moment(n: int, d: int, epsilon: float) -> float:
    """The logarithm of the sum over k = 1 ... n of C(n, k) times that chance."""
    terms = [math.log(math.comb(n, k)) + log_chance(k, d, epsilon) for k in range(1, n + 1)]
    most = max(terms)
    return most + math.log(math.fsum(math.exp(term - most) for term in terms))


def _neurons(*, dimension: int, epsilon: float, delta: float) -> Number:
    wanted = math.log(1 - delta) - _SLACK
    found = least_n(lambda n: log_first_moment(n, dimension, epsilon) >= wanted, most=MOST_NEURONS)
    return more_than(MOST_NEURONS, found)


NSN_LOWER = Theorem(
    name="nsn-lower",
    title="hidden neurons, kept or removed as a whole, of which some make a column of weights: fewest",
    says="If, of n hidden neurons with a weight a ~ N(0, 1) in and weights b ~ N(0, I_d) out, those of a subset that "
    "is not empty have sum a b within epsilon of z in every coordinate with probability at least 1 - delta, then the "
    "sum over k = 1 ... n of C(n, k) E min(1, 2 epsilon / sqrt(2 pi V))^d is at least 1 - delta, V chi-squared of k "
    "degrees.",
    gives="n, hidden neurons for one input",
    unit=Unit.CANDIDATES,
    direction=Direction.NECESSARY,
    letters={
        "dimension": Letter(meaning="d, weights out of one neuron", whole=True, least=1, most=200, trend="rises"),
        "epsilon": Letter(meaning="the largest error of a weight", least=1e-30, most=1, trend="falls"),
        "delta": DELTA,
    },
    assumes=(
        Assumption(says="all weights are independent and N(0, 1); with a ReLU the a are those of the live neurons"),
        NOT_EMPTY,
    ),
    sources=("dacunha2023structured", "becchetti2022"),
    place="first moment",
    value=_neurons,
    against="epsilon",
    note="Derived here. The expectation is an integral, with 1e-6 of it to the safe side. Small a make sums that are "
    "close together: it asks for no more vectors than vectors-lower.",
)
