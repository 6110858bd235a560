"""Subset sums of numbers that are not uniform but contain a uniform, and of the products of a random ReLU network."""

import math

from slth.theory._letters import DELTA, EPSILON
from slth.theory._numbers import binomial_below, least_n
from slth.theory._theorem import Assumption, Direction, Letter, Number, Theorem, Unit, Variant
from slth.theory.lueker import C, least_numbers

PRODUCT_WEIGHT = math.log(2) / 4


def _numbers(*, p: float, epsilon: float, delta: float, C: float) -> Number:
    """The least n of which fewer than Lueker's number are uniform with chance at most delta / 2."""
    needed = int(least_numbers(epsilon=epsilon, delta=delta / 2, C=C))
    return least_n(lambda n: binomial_below(n, p, needed) <= delta / 2, least=needed)


def _printed(*, p: float, epsilon: float, delta: float, C: float) -> Number:
    """Lueker's number over p: as many uniform ones as that on average, not with any probability."""
    return math.ceil(least_numbers(epsilon=epsilon, delta=delta, C=C) / p)


MIXTURE = Theorem(
    name="mixture",
    title="random subset sum for laws that contain a uniform",
    says="Of n numbers whose law is p U[-1, 1] + (1 - p) G, whatever G, some subset sums to within epsilon of z, for "
    "every z in [-1, 1] at once, with probability at least 1 - delta, if P(Bin(n, p) < m) <= delta / 2 for "
    "m = C ln(2 / min(epsilon, delta / 2)): so many of them are uniform, and the others are not used.",
    gives="n, random numbers for one target",
    unit=Unit.CANDIDATES,
    direction=Direction.SUFFICIENT,
    letters={
        "p": Letter(meaning="the weight of the uniform law", above=1e-9, most=1, trend="falls"),
        "epsilon": EPSILON,
        "delta": DELTA,
    },
    constants={"C": C},
    assumes=(
        Assumption(says="the numbers are independent"),
        Assumption(says="their density is at least p / 2 on [-1, 1]"),
    ),
    sources=("lueker1998",),
    place="Corollary 3.3",
    value=_numbers,
    variants=(
        Variant(
            name="C / p",
            why="the source has a constant C(p); its main part C / p meets m uniform numbers only on average",
            value=_printed,
        ),
    ),
    against="p",
    note="Half of delta pays for too few uniform numbers, half for the subset sums. What is not uniform helps in "
    "truth, so that the bound is loose for small p.",
    measured="All of [-1, 1], epsilon = 0.01, 99 %: p = 0.5 takes 42 numbers where all others are 0 (by the law of "
    "lueker's draws), 36 where they are uniform on [-0.01, 0.01] (11,000 draws); p = 0.2 takes 113 and about 87.",
)


def _products(*, epsilon: float, delta: float, C: float) -> Number:
    """Twice as long, [-1/2, 1/2] is [-1, 1], and epsilon is 2 epsilon."""
    return _numbers(p=PRODUCT_WEIGHT, epsilon=min(2 * epsilon, 1 - 1e-9), delta=delta, C=C)


PRODUCT = Theorem(
    name="product",
    title="the products of a random ReLU network contain a uniform",
    says="For u and v from U[-1, 1] the law of max(u, 0) v is at least w U[-1/2, 1/2] with w = ln(2) / 4: its "
    "density at t is ln(1 / |t|) / 4, beside an atom 1/2 at 0. So `mixture` with p = w and twice the tolerance "
    "says how many pairs (u, v) reach every z in [-1/2, 1/2] to within epsilon, with probability at least 1 - "
    "delta.",
    gives="n, pairs (u, v) for one target, those with u < 0 counted",
    unit=Unit.CANDIDATES,
    direction=Direction.SUFFICIENT,
    letters={
        "epsilon": Letter(meaning=EPSILON.meaning, above=0, below=0.5, trend="falls"),
        "delta": DELTA,
    },
    constants={"C": C},
    assumes=(Assumption(says="u and v are independent and uniform on [-1, 1]"),),
    sources=("pensia2020", "lueker1998"),
    place="Corollary 1",
    value=_products,
    against="epsilon",
    note="The weight w is exact: no larger uniform on [-1/2, 1/2] is in the law. What stands beside the uniform is not "
    "used by the proof, and makes most of the difference from what is measured.",
    measured="All of [-1/2, 1/2], 99 %, in 12,000 draws and more: 37, 40, 42, 46 pairs at epsilon = 0.1, 0.03, 0.01, "
    "0.003.",
)
