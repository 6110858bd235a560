"""Whole filters and neurons removed: convolutional networks by vector subset sums (da Cunha, d'Amore, Natale, 2023)."""

import math

from slth.theory._numbers import least_whole
from slth.theory._theorem import Assumption, Constant, Direction, Letter, Number, Standing, Theorem, Unit

_UNKNOWN = Constant(
    meaning="universal, the source gives no value",
    value=1.0,
    standing=Standing.UNKNOWN,
    note="the exponents beside it are recalled, and unverified",
)


def _channels(*, kernel: int, c: int, layers: int, epsilon: float, C: float) -> Number:
    return least_whole(C * kernel**13 * c**6 * math.log(kernel**2 * c * layers / epsilon) ** 3)


STRUCTURED = Theorem(
    name="structured",
    title="convolutional networks: whole filters removed",
    says="A random network of twice the depth with Gaussian weights and n >= C kernel^13 c^6 ln(kernel^2 c layers / "
    "epsilon)^3 hidden channels before each layer contains, with high probability, for every target, a "
    "subnetwork within epsilon of it that is had by a channel-blocked mask and by removing whole filters.",
    gives="n, hidden channels of the source for one layer",
    unit=Unit.NEURONS,
    direction=Direction.SUFFICIENT,
    letters={
        "kernel": Letter(
            meaning="side of the kernels; 1 is a dense layer", whole=True, least=1, most=10**4, trend="rises"
        ),
        "c": Letter(meaning="channels of every layer", whole=True, least=1, most=10**6, trend="rises"),
        "layers": Letter(meaning="layers of the target", default=1, whole=True, least=1, most=10**6, trend="rises"),
        "epsilon": Letter(
            meaning="the largest error of an output, over inputs in [0, 1]", above=0, below=1, trend="falls"
        ),
    },
    constants={"C": _UNKNOWN},
    assumes=(
        Assumption(says="inputs are in [0, 1], and the l1 norm of each kernel is at most 1"),
        Assumption(says="weights of the source are standard normal"),
    ),
    sources=("dacunha2023structured", "becchetti2022"),
    place="main theorem (exponents recalled, unverified)",
    value=_channels,
    against="epsilon",
    note="The exponents 13, 6 and 3 are recalled and were not checked in the paper, which says poly(kernel, c) "
    "polylog(...). One dimension alone would give an exponential.",
    measured="For 4e5 Gaussian weights of deviation 0.1 gains, each group of outputs met within 0.1 gains, the least "
    "n that misses none in one draw: 20, 23, 31, 34 live neurons for a group of 1, 2, 3, 4 outputs, so 20, 11.5, "
    "10.3, 8.5 for a weight; within 0.02 gains 24, 32, 39, 51 (docs/benchmarks.md): linear in the outputs, nothing "
    "like the exponents.",
)


def _size(*, dimension: int, epsilon: float, C: float) -> Number:
    return least_whole(C * dimension**3 * math.log(dimension / epsilon))


def _numbers(*, dimension: int, epsilon: float, C: float) -> Number:
    return _size(dimension=dimension, epsilon=epsilon, C=C) ** 2


STRUCTURED_SUMS = Theorem(
    name="structured-sums",
    title="vector subset sums with a common factor in each vector",
    says="Of n >= k^2 vectors a_i b_i, a_i and b_i standard normal, k >= C D^3 ln(D / epsilon), some k sum to within "
    "2 epsilon of z in every coordinate, for any z with |z|_1 <= sqrt(k), with high probability.",
    gives="n, random vectors for one target",
    unit=Unit.CANDIDATES,
    direction=Direction.SUFFICIENT,
    letters={
        "dimension": Letter(
            meaning="D, entries of a vector: kernel^2 outputs", whole=True, least=1, most=10**6, trend="rises"
        ),
        "epsilon": Letter(meaning="half of the largest error of a coordinate", above=0, below=1, trend="falls"),
    },
    constants={"C": _UNKNOWN},
    assumes=(Assumption(says="given the a_i, the sum of a_i b_i over S is normal with variance sum of a_i^2"),),
    sources=("dacunha2023structured", "becchetti2022"),
    place="vector theorem (recalled, unverified)",
    value=_numbers,
    against="epsilon",
    measured="Of targets uniform on [-1, 1]^D, 99 % are met within 0.1 by 14, 20, 26, 32 vectors for D = 1, 2, 3, 4 "
    "(100,000 draws each): six more for each coordinate.",
)
