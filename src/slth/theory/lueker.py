"""Random subset sum: how many random numbers reach every target (Lueker, 1998)."""

import math

from slth.theory._numbers import least_whole
from slth.theory._theorem import Assumption, Constant, Direction, Letter, Number, Standing, Theorem, Unit


def _values(*, epsilon: float, delta: float, C: float) -> Number:
    return least_whole(C * math.log(2 / min(epsilon, delta)))


LUEKER = Theorem(
    name="lueker",
    title="random numbers whose subset sums reach every target",
    says="Of n numbers drawn from U[-1, 1], n >= C ln(2 / min(epsilon, delta)), some subset sums to within epsilon of "
    "z, for every z in [-1, 1] at once, with probability at least 1 - delta.",
    gives="n, random numbers for one target",
    unit=Unit.CANDIDATES,
    direction=Direction.SUFFICIENT,
    letters={
        "epsilon": Letter(meaning="the largest error of a sum", above=0, below=1),
        "delta": Letter(meaning="the chance of failure", default=0.01, above=0, below=1),
    },
    constants={
        "C": Constant(meaning="universal, the source gives no value", value=5.4, standing=Standing.FITTED),
    },
    assumes=(Assumption(says="the numbers are independent and uniform on [-1, 1]"),),
    sources=("lueker1998",),
    place="Theorem 2.4",
    value=_values,
    against="epsilon",
)
