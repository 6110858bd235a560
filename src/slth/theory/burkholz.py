"""One layer more than the target instead of twice its depth (Burkholz, 2022)."""

import math
from typing import Any

from slth.theory._letters import DELTA
from slth.theory._numbers import least_n
from slth.theory._theorem import Assumption, Direction, Letter, Number, Theorem, Unit
from slth.theory.lueker import C, least_numbers


def _copies(*, tolerance: float, weights: int, delta: float, C: float) -> Number:
    """The least r >= C with r >= C ln(2 / min(tolerance, delta / (weights r))).

    r - C ln(r) rises from r = C on, so that it holds for all larger r, too.
    """
    start = max(1, math.ceil(C))
    return least_n(
        lambda r: r >= least_numbers(epsilon=tolerance, delta=delta / (weights * r), C=C), least=start, most=10**9
    )


def _parameters(**at: Any) -> Number:
    """Every copy of an output has a number for every copy of an input."""
    return _copies(**at) ** 2


BURKHOLZ = Theorem(
    name="burkholz",
    title="dense and convolutional networks at depth L + 1, any common activation",
    says="Every hidden neuron of the target is produced r times, and a weight behind it is a subset sum of r plain "
    "random numbers, one on each copy: weights r problems, all met within the tolerance with probability at "
    "least 1 - delta if r >= C ln(2 / min(tolerance, delta / (weights r))).",
    gives="r, copies of each hidden neuron, and random numbers for one weight",
    unit=Unit.CANDIDATES,
    direction=Direction.SUFFICIENT,
    letters={
        "tolerance": Letter(meaning="the largest error of a weight", above=0, below=1, trend="falls"),
        "weights": Letter(meaning="weights of the target", whole=True, least=1, most=10**15, trend="rises"),
        "delta": DELTA,
    },
    constants={"C": C},
    assumes=(
        Assumption(says="weights are at most 1; the activation is ReLU, leaky, or linear enough near 0"),
        Assumption(says="every weight of the source is independent and uniform on [-1, 1]"),
    ),
    sources=("burkholz2022dense", "burkholz2022conv", "lueker1998"),
    place="main theorem (constants not at hand)",
    value=_copies,
    also={Unit.PARAMETERS: _parameters},
    against="weights",
    note="The form of the source is r = C log(1 / min(tolerance, delta')); that every copy is a problem of its own "
    "is counted here, so that r stands on both sides and is found by bisection. r^2 source parameters for one "
    "of the target, where `pensia` has about 2 h / d. Layer 1 takes a lift of products, twice as wide for ReLU.",
    measured="784-50-10 with biases, trained on MNIST, tolerance 0.01: 33 copies; 1,555 times the target's parameters "
    "in three random layers, against 448 times in four, at twice the depth; of its weights above 0.01 15 copies leave "
    "0.07 % to be drawn again (`slth reproduce copies`). Published settings: 15 copies and 30 in the first layer, "
    "tolerance 0.01, subsets that are missed drawn again.",
)
