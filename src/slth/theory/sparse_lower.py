"""How many parameters a source needs if at most a fraction of them may be kept (Natale et al., 2024)."""

import math

from slth.theory._counting import first, product, ways_up_to, written
from slth.theory._numbers import Number
from slth.theory._packing import DELTA, GAMMA, SOURCE, for_one, kept
from slth.theory._theorem import Assumption, Direction, Letter, Theorem, Unit, Variant
from slth.theory.pensia_lower import SMALL


def _parameters(*, d: int, epsilon: float, delta: float, gamma: float) -> Number:
    need = product((1 - written(delta), 1), (1 / (2 * written(epsilon)), d**2))
    return first(lambda m: ways_up_to(m, kept(gamma, m)), lambda _: need, least=0)


def _printed(*, d: int, epsilon: float, delta: float, gamma: float) -> Number:
    del delta
    return max(0.0, (d**2 * math.log2(1 / (2 * epsilon)) - 1) / (gamma * math.log2(math.e / gamma)))


SPARSE_LOWER = Theorem(
    name="sparse-lower",
    title="parameters that a source needs if at most a fraction of them is kept",
    says="If each linear map x -> Wx, W a d x d matrix with ||W||_2 <= 1, is approximated to within epsilon on "
    "||x||_2 <= 1, with probability at least 1 - delta, by a subnetwork of at most gamma * m of the m parameters of "
    "a random network, then the sum of C(m, j) over j <= gamma * m is at least (1 - delta) (1 / (2 epsilon))^(d^2). "
    "With m = O(d^2 log(1 / epsilon)) the density is bounded from below: a small source has dense tickets.",
    gives="m, parameters of the source",
    unit=Unit.ALL_PARAMETERS,
    direction=Direction.NECESSARY,
    letters={
        "d": Letter(meaning="width of the target", whole=True, least=1, trend="rises"),
        "epsilon": Letter(meaning="the largest error on the unit ball", above=0, below=1, trend="falls"),
        "delta": DELTA,
        "gamma": GAMMA,
    },
    assumes=(SMALL, SOURCE, Assumption(says="at most gamma * m of the m parameters are kept, rounded down")),
    sources=("natale2024", "pensia2020"),
    place="section on lower bounds",
    value=_parameters,
    against="gamma",
    variants=(
        Variant(
            name="gamma m log2(e / gamma) >= d^2 log2(1 / (2 epsilon)) - 1",
            why="the sum of binomials bounded by (e / gamma)^(gamma m): smaller, the sum itself is counted instead",
            value=_printed,
        ),
    ),
    also={Unit.PARAMETERS: for_one(_parameters, lambda at: at["d"] ** 2)},
    note="Of 300 parameters and more the sum is bounded by C(m, k) (m - k + 1) / (m - 2k + 1), or by 2^m.",
)
