"""What a search really needs: the law of misses, as measured."""

import math

from slth.theory._letters import DELTA, WEIGHTS
from slth.theory._theorem import Assumption, Constant, Direction, Letter, Number, Standing, Theorem, Unit

_C = Constant(
    meaning="misses at n = b",
    value=1.0,
    standing=Standing.FITTED,
    note="weights uniform on [-1/2, 1/2] of the gain, 200,000 problems each, b = 6 ... 12, n = b + 4 ... b + 10: "
    "0.78 to 1.13; 1.3 to 2.8 for weights at 1/2, 1.8 to 5.9 at 2/3, more for larger n - b",
)
_LIVE = Assumption(says="candidates are live products: u in [1/2, 1], v in [-1, 1], weights at most 2/3 of the gain")
_TOLERANCE = Letter(meaning="the largest error of a weight, in gains", above=0, most=0.25, trend="falls")


def _numbers(*, tolerance: float, weights: int, delta: float, C: float) -> Number:
    """n = b + log2(C weights / delta), b = log2(1 / 2 tolerance)."""
    return max(1, math.ceil(math.log2(0.5 / tolerance) + math.log2(C * weights / delta)))


PRACTICE = Theorem(
    name="practice",
    title="what a search needs: misses halve with every number",
    says="One weight is missed with probability about C 2^(b - n), where the tolerance is 2^(-b - 1) gains. So "
    "n = b + log2(C weights / delta) live candidates meet all weights with probability 1 - delta.",
    gives="n, live candidates for one weight",
    unit=Unit.CANDIDATES,
    direction=Direction.EXPECTED,
    letters={"tolerance": _TOLERANCE, "weights": WEIGHTS, "delta": DELTA},
    constants={"C": _C},
    assumes=(_LIVE,),
    sources=("lueker1998",),
    value=_numbers,
    against="tolerance",
    note="An estimate, no bound. The surplus over b is for draws almost all of which have the wrong sign; subsets "
    "are plenty. `slth plan` has tables of measured chances in its place.",
    measured="Gaussian weights of deviation 0.1 gains: C = 0.27 to 0.48 at b = 4 ... 12 and n = b + 10, b + 12 "
    "(2,000,000 problems each), which makes n = b + 24 or b + 25 for 4e5 weights with 99 %; `slth plan`, on the safe "
    "side, takes b + 26 at b = 4 and b + 25 for b = 6 ... 18. Deviation 0.2 gains: 33, 34, 36, 38 at tolerance 0.02, "
    "0.01, 0.001, 2^-13 gains (docs/benchmarks.md).",
)


def _misses(*, n: int, tolerance: float, C: float) -> Number:
    return min(1.0, C * 2 ** (math.log2(0.5 / tolerance) - n))


PRACTICE_MISSES = Theorem(
    name="practice-misses",
    title="what a search misses: the law as a chance",
    says="One weight is missed with probability about C 2^(b - n), where the tolerance is 2^(-b - 1) gains.",
    gives="the chance that one weight is missed",
    unit=Unit.CHANCE,
    direction=Direction.EXPECTED,
    letters={
        "n": Letter(meaning="live candidates", whole=True, least=1, most=10**4, trend="falls"),
        "tolerance": _TOLERANCE,
    },
    constants={"C": _C},
    assumes=(_LIVE,),
    sources=("lueker1998",),
    value=_misses,
    against="n",
    note="An estimate, no bound; at most 1. For n below b + 4 misses are fewer than the law says.",
)
