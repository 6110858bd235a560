"""Fewest random numbers for a small chance of failure: all of them can have the wrong sign, or reach too short."""

from fractions import Fraction
from math import comb

from slth.theory._counting import least_bits, more_than, product, written
from slth.theory._numbers import Number, least_n
from slth.theory._theorem import Assumption, Direction, Letter, Theorem, Unit
from slth.theory._uniform_sums import MOST_TERMS, below

_DELTA = Letter(meaning="the chance of failure", above=0, below=1, trend="falls")


def _wrong_sign(*, delta: float) -> Number:
    return least_bits(product((1 / written(delta), 1)))


FAILURE_LOWER = Theorem(
    name="failure-lower",
    title="random numbers for a chance of failure: all can have the wrong sign",
    says="All of n random numbers are negative with probability 2^-n, and then no subset sum comes near a z > epsilon. "
    "So a chance of failure of at most delta asks for 2^-n <= delta: it falls at most exponentially in n.",
    gives="n, random numbers for one target",
    unit=Unit.CANDIDATES,
    direction=Direction.NECESSARY,
    letters={"delta": _DELTA},
    assumes=(
        Assumption(says="the numbers are independent, and each is negative with probability 1/2"),
        Assumption(says="the target is positive, by more than epsilon; or negative, by more than that"),
    ),
    sources=("lueker1998", "dacunha2022rss"),
    value=_wrong_sign,
    against="delta",
    note="Derived here. infeasible-range is sharper; a source of mirrored pairs is not bound by it.",
)


def _too_short(*, z: float, epsilon: float, delta: float) -> Number:
    room = written(z) - written(epsilon)
    if room <= 0:
        return 0  # the empty set
    found = least_n(lambda n: _short(n, room) <= written(delta), least=0, most=MOST_TERMS)
    return more_than(MOST_TERMS, found)


def _short(n: int, room: Fraction) -> Fraction:
    """P(x_1^+ + ... + x_n^+ <= room): j of n numbers are positive, and then uniform on [0, 1]."""
    return sum((comb(n, j) * below(j, room) for j in range(n + 1)), Fraction(0)) / 2**n


INFEASIBLE_RANGE = Theorem(
    name="infeasible-range",
    title="random numbers for a chance of failure: their positive part can be too small",
    says="No subset of n numbers sums to more than the sum of the positive ones. If z is missed by more than epsilon "
    "with probability at most delta, then P(x_1^+ + ... + x_n^+ < z - epsilon) <= delta.",
    gives="n, random numbers for one target",
    unit=Unit.CANDIDATES,
    direction=Direction.NECESSARY,
    letters={
        "z": Letter(meaning="the target, |z|", default=0.5, least=0, most=50, trend="rises"),
        "epsilon": Letter(meaning="the largest error of a sum", default=0.01, above=0, below=1, trend="falls"),
        "delta": _DELTA,
    },
    assumes=(
        Assumption(
            says="the numbers are independent and uniform on [-1, 1], or products u v of such v with 0 <= u <= 1"
        ),
    ),
    sources=("lueker1998", "pensia2020"),
    value=_too_short,
    against="delta",
    note="Derived here, exactly for uniform numbers (Irwin and Hall). Products are smaller in size, so they need at "
    "least as many. At small n this is how sums fail: not for want of subsets.",
)
