"""Vectors whose subset sums reach every target, as a by-product of integrality gaps (Borst et al., 2020, 2022)."""

import math

from slth.theory._numbers import Number, least_whole
from slth.theory._theorem import Assumption, Constant, Direction, Letter, Standing, Theorem, Unit


def _vectors(*, dimension: int, epsilon: float, C: float, power: float) -> Number:
    return least_whole(C * dimension**power * math.log(dimension / epsilon))


BORST = Theorem(
    name="borst",
    title="vectors whose subset sums reach a target: a by-product of integrality gaps",
    says="Of n Gaussian, or log-concave, vectors in d dimensions, n >= poly(d) log(d / epsilon), some subset sums to "
    "within epsilon of a target, with high probability; here poly(d) = C d^power.",
    gives="n, random vectors",
    unit=Unit.CANDIDATES,
    direction=Direction.SUFFICIENT,
    letters={
        "dimension": Letter(meaning="d, dimensions", whole=True, least=1, trend="rises"),
        "epsilon": Letter(meaning="the largest error of a coordinate", above=0, below=1, trend="falls"),
    },
    constants={
        "C": Constant(meaning="universal", value=1, standing=Standing.UNKNOWN),
        "power": Constant(meaning="of the polynomial in d", value=1, standing=Standing.UNKNOWN),
    },
    assumes=(Assumption(says="the vectors are independent, of a Gaussian or an isotropic log-concave law"),),
    sources=("borst2020", "borst2022"),
    place="as a by-product; its form from memory",
    value=_vectors,
    against="epsilon",
    note="The abstracts state the gap of integer programs, at most poly(d) log(n)^2 / n with probability "
    "1 - 2 n^-7 - 2^-poly(d), and not this.",
)
