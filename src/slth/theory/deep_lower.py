"""Several layers: what one layer forces on them, as a bound, and what their number of weights suggests, as an estimate.

The literature proves lower bounds for one layer only.
"""

import math
from fractions import Fraction

from slth.theory._counting import least_bits, product, written
from slth.theory._numbers import Number
from slth.theory._packing import ANY, DELTA, SOURCE, for_one
from slth.theory._theorem import Assumption, Direction, Letter, Theorem, Unit, Variant

_WIDTH = Letter(meaning="width of every layer of the target", whole=True, least=1, most=10**4, trend="rises")
_EPSILON = Letter(meaning="the largest error on the unit ball", above=0, below=1, trend="falls")
_TARGETS = (
    "If each network x -> W_l relu(... relu(W_1 x)) of l layers, d x d matrices with ||W_i||_2 <= 1, is approximated "
    "to within epsilon on ||x||_2 <= 1, with probability at least 1 - delta, by a subnetwork of a random network with "
    "m parameters, then "
)


def _bound(*, d: int, epsilon: float, delta: float) -> Number:
    return least_bits(product((1 - written(delta), 1), (1 / (2 * written(epsilon) ** 2), Fraction(d**2, 2))))


DEEP_LOWER = Theorem(
    name="deep-lower",
    title="parameters for a network of two or more layers: what one layer of it forces",
    says=_TARGETS
    + "2^m >= (1 - delta) (1 / (sqrt(2) epsilon))^(d^2), for every l >= 2: the targets whose other layers "
    "are the identity are x -> W relu(x), and ||W||_2 <= sqrt(2) max over x >= 0, ||x||_2 <= 1 of ||Wx||_2.",
    gives="m, parameters of the source",
    unit=Unit.ALL_PARAMETERS,
    direction=Direction.NECESSARY,
    letters={"d": _WIDTH, "epsilon": _EPSILON, "delta": DELTA},
    assumes=(SOURCE, Assumption(says=ANY)),
    sources=("pensia2020",),
    value=_bound,
    against="epsilon",
    note="Derived here, by volumes as packing-layer. It does not grow with l: see deep-expected.",
)


def _estimate(*, d: int, layers: int, epsilon: float, delta: float) -> Number:
    bits = product((1 - written(delta), 1), (1 / written(epsilon), layers * d**2))
    return max(0.0, float(bits) / math.log(2))


def _up_to_order(*, d: int, layers: int, epsilon: float, delta: float) -> Number:
    bits = product((1 - written(delta), 1), (1 / written(epsilon), layers * d**2), (math.factorial(d), 1 - layers))
    return max(0.0, float(bits) / math.log(2))


DEEP_EXPECTED = Theorem(
    name="deep-expected",
    title="parameters for several layers, counted as if every weight were one layer's: an estimate",
    says=_TARGETS + "about 2^m = (1 - delta) (1 / epsilon)^(l d^2), as if networks were as far apart as their weights.",
    gives="m, parameters of the source",
    unit=Unit.ALL_PARAMETERS,
    direction=Direction.EXPECTED,
    letters={
        "d": _WIDTH,
        "layers": Letter(meaning="l, layers of the target", default=2, whole=True, least=1, trend="rises"),
        "epsilon": _EPSILON,
        "delta": DELTA,
    },
    assumes=(
        SOURCE,
        Assumption(says=ANY),
        Assumption(says="networks with other weights are other functions, as far apart: not true, and not proved"),
    ),
    sources=("pensia2020",),
    value=_estimate,
    against="epsilon",
    variants=(
        Variant(
            name="the hidden neurons in any order",
            why="d! orders of each hidden layer are the same function: log2(d!) less for each; it is an estimate, too",
            value=_up_to_order,
        ),
    ),
    also={Unit.PARAMETERS: for_one(_estimate, lambda at: at["layers"] * at["d"] ** 2)},
    note="No bound: weights of a deep network can differ and the function be the same, or be squeezed together by the "
    "layers after. What is proved for two and more layers is deep-lower.",
)
