"""Random subset sum: how many random numbers reach every target (Lueker, 1998)."""

import math

from slth.theory._letters import DELTA, EPSILON
from slth.theory._numbers import least_whole
from slth.theory._theorem import Assumption, Constant, Direction, Number, Standing, Theorem, Unit

C = Constant(
    meaning="universal, the source gives no value",
    value=4.0,
    standing=Standing.FITTED,
    note="the number of draws after which every target is reached, 20,000 to 40,000 runs, epsilon = 0.3 ... 0.001, "
    "delta = 0.5 ... 0.001: at most 3.69 (both 0.3), 3.59 at both 0.01, 3.42 at both 0.001; draws of one sign "
    "alone, exact, need 2.8 at delta = 1e-3 and 1.9 at 1e-30",
)
UNIFORM = Assumption(says="the numbers are independent and uniform on [-1, 1]")


def least_numbers(*, epsilon: float, delta: float, C: float) -> Number:
    """n, the least whole number that is at least C ln(2 / min(epsilon, delta))."""
    return least_whole(C * math.log(2 / min(epsilon, delta)))


LUEKER = Theorem(
    name="lueker",
    title="random numbers whose subset sums reach every target",
    says="Of n numbers drawn from U[-1, 1], n >= C ln(2 / min(epsilon, delta)), some subset sums to within epsilon of "
    "z, for every z in [-1, 1] at once, with probability at least 1 - delta.",
    gives="n, random numbers for one target",
    unit=Unit.CANDIDATES,
    direction=Direction.SUFFICIENT,
    letters={"epsilon": EPSILON, "delta": DELTA},
    constants={"C": C},
    assumes=(UNIFORM,),
    sources=("lueker1998", "pensia2020"),
    place="main theorem, in the form of Pensia et al.",
    value=least_numbers,
    against="epsilon",
    note="No n makes failure less likely than 2^-n, where all numbers have one sign. The logarithm is natural.",
    measured="Every target of [-1, 1] is reached to within 0.01 by 11 numbers half of the time, by 14 with 90 %, by "
    "19 with 99 %, by 23 with 99.9 % (100,000 draws); to within 0.001 by 15, 18, 22, 26 (20,000 draws). One more "
    "number halves the error and leaves 0.6 of the failures (`slth reproduce error`, `slth reproduce failure`).",
)
