"""How many parameters a source needs to be a quantised layer exactly (Kumar and Natale, 2025)."""

import math
from fractions import Fraction

from slth.theory._counting import least_bits, product, written
from slth.theory._packing import ANY, DELTA, SOURCE, for_one
from slth.theory._theorem import Assumption, Direction, Letter, Number, Theorem, Unit, Variant


def _parameters(*, d: int, step: float, delta: float) -> Number:
    return least_bits(product((1 - written(delta), 1), (2 / Fraction(step) + 1, d**2)))  # the step itself is binary


def _printed(*, d: int, step: float, delta: float) -> Number:
    return max(0.0, d**2 * math.log2(2 / step + 1) + math.log2(1 - delta))


KUMAR_LOWER = Theorem(
    name="kumar-lower",
    title="parameters that a source needs to be a quantised layer, exactly",
    says="If each d x d matrix with entries in {-1, -1 + step, ..., 1} is represented exactly, with probability at "
    "least 1 - delta, by a subnetwork of a random network with m non-zero parameters, then 2^m >= (1 - delta) "
    "(2 / step + 1)^(d^2).",
    gives="m, non-zero parameters of the source",
    unit=Unit.ALL_PARAMETERS,
    direction=Direction.NECESSARY,
    letters={
        "d": Letter(meaning="width of the target", whole=True, least=1, trend="rises"),
        "step": Letter(
            meaning="the step of the target's weights, a power 2^-k", power_of_two=True, above=0, most=1, trend="falls"
        ),
        "delta": DELTA,
    },
    assumes=(SOURCE, Assumption(says=ANY)),
    sources=("kumar2025",),
    place="Theorem 3",
    value=_parameters,
    against="step",
    variants=(
        Variant(
            name="d^2 log2(2 / step + 1) + log2(1 - delta)", why="the same as a real number, as printed", value=_printed
        ),
    ),
    also={Unit.PARAMETERS: for_one(_parameters, lambda at: at["d"] ** 2)},
    note="Source and target may round the outputs of their layers: each subnetwork is still one function only.",
)
