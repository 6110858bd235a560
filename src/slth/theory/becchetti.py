"""Gaussian vectors whose subset sums reach every target (Becchetti et al., 2022)."""

import math

from slth.theory._numbers import Number, least_whole
from slth.theory._theorem import Assumption, Constant, Direction, Letter, Standing, Theorem, Unit


def _vectors(*, dimension: int, epsilon: float, C: float) -> Number:
    bits = math.log(1 / epsilon)
    return least_whole(C * dimension**3 * bits * (bits + math.log(dimension)))


BECCHETTI = Theorem(
    name="becchetti",
    title="Gaussian vectors whose subset sums reach every target of a box",
    says="Of n vectors drawn from N(0, I_d), n >= C d^3 log(1 / epsilon) (log(1 / epsilon) + log d), some subset sums "
    "to within 2 epsilon of z in every coordinate, for every z in [-1, 1]^d, with high probability.",
    gives="n, random vectors",
    unit=Unit.CANDIDATES,
    direction=Direction.SUFFICIENT,
    letters={
        "dimension": Letter(meaning="d, dimensions", whole=True, least=1, trend="rises"),
        "epsilon": Letter(meaning="half of the largest error of a coordinate", above=0, below=1, trend="falls"),
    },
    constants={
        "C": Constant(meaning="universal", value=1, standing=Standing.UNKNOWN, note="only the order is recorded here")
    },
    assumes=(
        Assumption(says="the vectors are independent, and N(0, I_d)"),
        Assumption(says="epsilon is small and d large enough for the source's own conditions, which are not recorded"),
    ),
    sources=("becchetti2022",),
    place="main theorem",
    value=_vectors,
    against="epsilon",
    note="By a second moment over subsets of size alpha n, alpha of order 1 / sqrt(d), of which two overlap in about "
    "alpha^2 n. What is known to be necessary, vectors-lower, is of order d log(1 / epsilon): the gap is open.",
)
