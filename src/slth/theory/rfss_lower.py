"""Fewest random numbers of which exactly k reach a target: first moments of fixed-size subset sums (RFSS)."""

import math
from fractions import Fraction

from slth.theory._counting import first, product, ways, written
from slth.theory._numbers import Number
from slth.theory._theorem import Assumption, Constant, Direction, Letter, Standing, Theorem, Unit, Variant
from slth.theory._uniform_sums import MOST_TERMS, within

_EPSILON = Letter(meaning="the largest error of a sum", above=0, below=1, trend="falls")


def _one(*, k: int, epsilon: float, delta: float, c_u: float) -> Number:
    square = k / (2 * written(epsilon) * written(c_u)) ** 2
    need = product((1 - written(delta), 1), (square, Fraction(1, 2)))
    return first(lambda n: ways(n, k), lambda _: need, least=k)


def _all(*, k: int, epsilon: float, delta: float, c_u: float) -> Number:
    del c_u
    need = product((1 - written(delta), 1), (k / written(epsilon) ** 2, Fraction(1, 2)))
    return first(lambda n: ways(n, k), lambda _: need, least=k)


RFSS_LOWER = Theorem(
    name="rfss-lower",
    title="random numbers of which exactly k sum to a target: fewest",
    says="If, of n random numbers, exactly k sum to within epsilon of a fixed z with probability at least 1 - delta, "
    "then C(n, k) 2 epsilon c_u / sqrt(k) >= 1 - delta: no more subsets are expected there, the sum of k numbers "
    "having a density of at most c_u / sqrt(k).",
    gives="n, random numbers for one target",
    unit=Unit.CANDIDATES,
    direction=Direction.NECESSARY,
    letters={
        "k": Letter(meaning="kept numbers", whole=True, least=1),
        "epsilon": _EPSILON,
        "delta": Letter(meaning="the chance of failure", default=0.01, least=0, below=1, trend="falls"),
    },
    constants={
        "c_u": Constant(
            meaning="the density of a sum of k numbers is at most c_u / sqrt(k)",
            value=1 / math.sqrt(2),
            standing=Standing.DERIVED,
            note="of U[-1, 1]: attained at k = 2, where the density at 0 is 1/2",
        )
    },
    assumes=(Assumption(says="the numbers are independent and of one law, that of c_u"),),
    sources=("natale2024",),
    place="first moment of Theorem 2",
    value=_one,
    against="k",
    variants=(
        Variant(
            name="C(n, k) >= (1 - delta) sqrt(k) / epsilon",
            why="of a target drawn from [-sqrt(k), sqrt(k)], or of all of them; whatever the law of the numbers",
            value=_all,
        ),
    ),
    note="One dimension of natale-lower. Theorem 2 of the source, sufficient, has the same order up to constants.",
)


def _expected(*, n: int, k: int, epsilon: float, z: float) -> Number:
    return float(math.comb(n, k) * within(k, written(z), written(epsilon)))


def _flat(*, n: int, k: int, epsilon: float, z: float) -> Number:
    del z
    return float(math.comb(n, k) * 2 * written(epsilon)) * 0.154 / math.sqrt(k)


RFSS_FIRST_MOMENT = Theorem(
    name="rfss-first-moment",
    title="subsets of exactly k random numbers that reach a target: how many are expected",
    says="Of n numbers drawn from U[-1, 1], C(n, k) P(|x_1 + ... + x_k - z| <= epsilon) subsets of size k sum to "
    "within epsilon of z on average: about C(n, k) 2 epsilon f_k(z), f_k the density of a sum of k of them.",
    gives="subsets that are expected",
    unit=Unit.SUBSETS,
    direction=Direction.EXPECTED,
    letters={
        "n": Letter(meaning="random numbers", whole=True, least=1, most=10**5, trend="rises"),
        "k": Letter(meaning="kept numbers", whole=True, least=1, most=MOST_TERMS),
        "epsilon": Letter(meaning="the largest error of a sum", above=0, below=1, trend="rises"),
        "z": Letter(meaning="the target", default=0),
    },
    assumes=(
        Assumption(says="k <= n", holds=lambda at: at["k"] <= at["n"]),
        Assumption(says="the numbers are independent and uniform on [-1, 1]"),
    ),
    sources=("natale2024",),
    place="first moment of Theorem 2",
    value=_expected,
    against="n",
    variants=(
        Variant(
            name="C(n, k) 2 epsilon c_l / sqrt(k), c_l = 0.154",
            why="by the least density on [-sqrt(k), sqrt(k)]: what the proof of Theorem 2 uses",
            value=_flat,
        ),
    ),
    note="The chance that there is any is at most this number, and can be far below it: subsets overlap. The sum of k "
    "uniform numbers is taken exactly, by the law of Irwin and Hall.",
)
