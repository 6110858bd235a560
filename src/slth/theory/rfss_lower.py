"""Fewest random numbers of which exactly k reach a target: first moments of fixed-size subset sums (RFSS)."""

import math
from fractions import Fraction

from slth.theory._counting import first, product, ways, written
from slth.theory._numbers import Number
from slth.theory._theorem import Assumption, Constant, Direction, Letter, Standing, Theorem, Unit, Variant

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
