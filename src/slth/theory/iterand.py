"""Random weights that may be drawn again: fewer neurons (Chijiwa et al., 2021)."""

import math

from slth.theory._letters import DELTA, LAYERS, NETWORK_ERROR, OUTPUTS, WIDTH
from slth.theory._numbers import least_whole
from slth.theory._theorem import Assumption, Direction, Letter, Number, Theorem, Unit


def _neurons(*, d: int, d_out: int, layers: int, redraws: int, epsilon: float, delta: float) -> Number:
    pairs = 64 * layers**2 * d**2 * d_out / (epsilon**2 * redraws**2) * math.log(2 * layers * d * d_out / delta)
    return 2 * d * int(least_whole(pairs))


ITERAND = Theorem(
    name="iterand",
    title="dense networks whose random weights may be drawn again",
    says="If every weight of the source may take any of R draws, 2 d ceil(64 layers^2 d^2 d_out / (epsilon^2 R^2) "
    "ln(2 layers d d_out / delta)) hidden neurons before each layer suffice, with probability at least 1 - delta: with "
    "R of order layers d^(3/2) / epsilon only a logarithm is left.",
    gives="hidden neurons of the source for one layer",
    unit=Unit.NEURONS,
    direction=Direction.SUFFICIENT,
    letters={
        "d": WIDTH,
        "d_out": OUTPUTS,
        "layers": LAYERS,
        "redraws": Letter(
            meaning="R, draws of each weight; 1: none again", default=1, whole=True, least=1, most=10**9, trend="falls"
        ),
        "epsilon": NETWORK_ERROR,
        "delta": DELTA,
    },
    assumes=(
        Assumption(says="the matrices of the target have Frobenius norm at most 1"),
        Assumption(says="every draw of a weight is independent and uniform on [-1, 1]"),
    ),
    sources=("chijiwa2021", "malach2020"),
    place="main theorem; the formula from memory",
    value=_neurons,
    against="epsilon",
    note="Pairs of weights are matched as by malach, and R^2 trials stand for one. A ticket stores a seed and a mask "
    "for each draw.",
)
