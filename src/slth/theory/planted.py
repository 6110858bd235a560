"""Tickets of the target's own depth, neuron by neuron: how likely they are (Fischer and Burkholz, 2022)."""

import math

from slth.theory._theorem import Assumption, Direction, Letter, Number, Theorem, Unit


def _chance(*, n: int, d: int, k: int, epsilon: float, layers: int) -> Number:
    """Rounded down: a power of a number near 1 keeps few digits, so that powers are taken of its logarithm."""
    missed = d * math.exp(n * math.log1p(-(epsilon**k))) * (1 + 1e-9)
    return math.exp(layers * math.log1p(-missed)) * (1 - 1e-12) if missed < 1 else 0.0


PLANTED = Theorem(
    name="planted",
    title="tickets of the target's own depth, neuron by neuron: the chance that there is one",
    says="Of n random neurons one has its k weights and bias within epsilon of those of a target neuron with "
    "probability at least 1 - (1 - epsilon^k)^n. So a layer of d neurons is met with probability at least 1 - d (1 - "
    "epsilon^k)^n, and a network with at least the product over its layers, up to a scale of each.",
    gives="the chance of a ticket",
    unit=Unit.CHANCE,
    direction=Direction.SUFFICIENT,
    letters={
        "n": Letter(meaning="random neurons of each layer", whole=True, least=1, most=10**12, trend="rises"),
        "d": Letter(meaning="target neurons of each layer", whole=True, least=1, most=10**9, trend="falls"),
        "k": Letter(meaning="inputs of a target neuron, its bias one of them", whole=True, least=1, trend="falls"),
        "epsilon": Letter(meaning="the largest error of a weight", above=0, below=1, trend="rises"),
        "layers": Letter(meaning="layers of the target", default=1, whole=True, least=1, most=10**6, trend="falls"),
    },
    assumes=(
        Assumption(says="weights and biases of the source are independent and uniform, scaled to [-1, 1]"),
        Assumption(says="those of the target are at least epsilon away from the ends, in size at most 1 - epsilon"),
    ),
    sources=("fischer2022",),
    place="existence by matching neurons",
    value=_chance,
    against="n",
    note="The source takes the product over layers of different d, k and n; here all are alike. Polynomial in 1 / "
    "epsilon with the exponent k: a lower bound for a search at the same depth, without subset sums.",
)
