"""Fewest numbers, or vectors, whose subset sums can cover a box: the bound that holds whatever they are."""

from slth.theory._counting import least_bits, product, written
from slth.theory._numbers import Number
from slth.theory._theorem import Assumption, Direction, Letter, Theorem, Unit


def _values(*, epsilon: float, length: float, dimension: int, delta: float) -> Number:
    return least_bits(product((1 - written(delta), 1), (written(length) / (2 * written(epsilon)), dimension)))


COVERING = Theorem(
    name="covering",
    title="numbers, or vectors, whose subset sums can be everywhere",
    says="Each of the 2^n subset sums of n vectors in d dimensions is within epsilon, in every coordinate, of a box of "
    "side 2 epsilon. So if a target drawn from a box of side `length` is within epsilon of one of them with "
    "probability at least 1 - delta, then 2^n (2 epsilon)^d >= (1 - delta) length^d.",
    gives="n, random numbers, or vectors, for one target",
    unit=Unit.CANDIDATES,
    direction=Direction.NECESSARY,
    letters={
        "epsilon": Letter(meaning="the largest error of a coordinate", above=0, trend="falls"),
        "length": Letter(meaning="side of the box of targets", default=2, above=0, trend="rises"),
        "dimension": Letter(meaning="d, dimensions; 1: numbers", default=1, whole=True, least=1, trend="rises"),
        "delta": Letter(
            meaning="the share of targets that may be missed", default=0.01, least=0, below=1, trend="falls"
        ),
    },
    assumes=(Assumption(says="the vectors do not depend on the target; their law may be any"),),
    sources=("natale2024", "pensia2020"),
    value=_values,
    against="epsilon",
    note="Derived here; the template of all counting bounds, for one dimension of targets. For hidden neurons that are "
    "kept or removed as a whole d is the number of weights that leave one.",
)
