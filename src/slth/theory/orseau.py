"""Weights from a hyperbolic law: a logarithm of neurons for every weight, without subset sums (Orseau et al., 2020)."""

import math

from slth.theory._numbers import least_whole
from slth.theory._theorem import Assumption, Constant, Direction, Letter, Number, Standing, Theorem, Unit, Variant


def _neurons(*, weights: int, layers: int, epsilon: float, delta: float, C: float) -> Number:
    """A logarithm for the bins of one weight, and one for the draws that leave none of all bins empty."""
    return least_whole(C * math.log(weights * layers / epsilon) + C * math.log(weights / delta))


def _uniform(*, weights: int, layers: int, epsilon: float, delta: float, C: float) -> Number:
    bins = math.log(weights * layers / epsilon)
    return least_whole(C * bins * (bins + math.log(weights / delta)))


ORSEAU = Theorem(
    name="orseau",
    title="dense networks from a hyperbolic law: logarithmic, without norms",
    says="With weights of density proportional to 1 / |w| on [-1, -r] and [r, 1], O(log) source neurons for each "
    "weight of the target are enough: its digits in a base above 1/2 lie in O(log(1 / epsilon)) bins of equal "
    "probability, and one draw from each bin makes it up. Here: C (ln(weights layers / epsilon) + ln(weights / "
    "delta)).",
    gives="hidden neurons of the source for one weight of the target",
    unit=Unit.CANDIDATES,
    direction=Direction.SUFFICIENT,
    letters={
        "weights": Letter(meaning="weights of the target", whole=True, least=1, most=10**15, trend="rises"),
        "layers": Letter(meaning="layers of the target", default=1, whole=True, least=1, most=10**6, trend="rises"),
        "epsilon": Letter(meaning="the largest error of the network", above=0, below=1, trend="falls"),
        "delta": Letter(meaning="the chance of failure", default=0.01, above=0, below=1, trend="falls"),
    },
    constants={
        "C": Constant(
            meaning="not recorded here",
            value=1.0,
            standing=Standing.UNKNOWN,
            note="the form of the logarithms is recalled; constants of the source were not at hand",
        ),
    },
    assumes=(
        Assumption(says="weights and inputs of the target are bounded; no norm of its matrices is asked for"),
        Assumption(says="weights of the source come from the truncated hyperbolic law"),
    ),
    sources=("orseau2020",),
    place="main theorem (recalled)",
    value=_neurons,
    variants=(
        Variant(
            name="uniform weights",
            why="for U[-1, 1] the same way costs one logarithm more: bin i has the probability 2^-i",
            value=_uniform,
        ),
    ),
    against="epsilon",
    note="Only the form: what is said is O(log) for one weight. Bins are filled one by one, so that no solver is "
    "needed. In `slth`: `--law hyperbolic/8`.",
)
