"""Binary networks by counting paths (Diffenderfer, Kailkhura, 2021)."""

import math
from typing import Any

from slth.theory._letters import DELTA, LAYERS, WEIGHTS
from slth.theory._numbers import binomial_below, least_n, least_whole
from slth.theory._theorem import Assumption, Constant, Direction, Letter, Number, Standing, Theorem, Unit, Variant


def _form(d: int, layers: int, epsilon: float, inner: float, c: float) -> Number:
    return least_whole(c * (layers * d**1.5 / epsilon + layers * d * math.log(layers * d / inner)))


def _width(*, d: int, layers: int, epsilon: float, delta: float, C: float) -> Number:
    return _form(d, layers, epsilon, min(delta, epsilon), C)


def _by_delta(*, d: int, layers: int, epsilon: float, delta: float, C: float) -> Number:
    return _form(d, layers, epsilon, delta, C)


def _by_epsilon(*, d: int, layers: int, epsilon: float, delta: float, C: float) -> Number:
    del delta
    return _form(d, layers, epsilon, epsilon, C)


def _parameters(**at: Any) -> Number:
    return 2 * _width(**at) / at["d"]


DIFFENDERFER = Theorem(
    name="diffenderfer",
    title="binary networks: width polynomial in 1 / epsilon",
    says="A random network of twice the depth with weights +-1, one real gain for each layer, and "
    "C (layers d^(3/2) / epsilon + layers d ln(layers d / min(delta, epsilon))) hidden neurons before each layer, "
    "contains with probability at least 1 - delta a subnetwork that is within epsilon of the target.",
    gives="hidden neurons of the source for one layer",
    unit=Unit.NEURONS,
    direction=Direction.SUFFICIENT,
    letters={
        "d": Letter(meaning="width of every layer", whole=True, least=1, most=10**9, trend="rises"),
        "layers": LAYERS,
        "epsilon": Letter(
            meaning="the largest error of the network, over inputs of norm at most 1", above=0, below=1, trend="falls"
        ),
        "delta": DELTA,
    },
    constants={
        "C": Constant(
            meaning="universal, the source gives no value", value=1.0, standing=Standing.UNKNOWN, note="see counts"
        ),
    },
    assumes=(
        Assumption(says="the target has ReLU and |w| <= 1 / sqrt(d)"),
        Assumption(says="every weight of the source is +1 or -1, independent and fair"),
    ),
    sources=("diffenderfer2021", "kumar2025"),
    place="main theorem (as restated later)",
    value=_width,
    variants=(
        Variant(
            name="ln(layers d / delta)",
            why="one restatement of the theorem; the primary text was not at hand to decide, so the smaller of delta "
            "and "
            "epsilon is used, which is safe for both",
            value=_by_delta,
        ),
        Variant(
            name="ln(layers d / epsilon)",
            why="as Kumar and Natale restate it",
            value=_by_epsilon,
        ),
    ),
    also={Unit.PARAMETERS: _parameters},
    against="epsilon",
    note="The first part alone matters for small epsilon: one path for each 2 epsilon of weight. See `counts` for the "
    "construction with all its constants.",
)


def _paths(*, tolerance: float, w: float, delta: float, weights: int) -> Number:
    """The least n of which as many have the wanted sign as the largest weight needs paths."""
    needed = math.floor(w / (2 * tolerance) + 0.5 + 1e-9)
    return least_n(lambda n: binomial_below(n, 0.5, needed) <= delta / weights, least=max(needed, 1), most=10**9)


COUNTS = Theorem(
    name="counts",
    title="binary networks: a weight as a number of equal paths",
    says="A weight is met within tolerance t by round(|w| / 2 t) paths of weight 2 t and the right sign; of n random "
    "signs enough are right for all weights at once, with probability at least 1 - delta, if P(Bin(n, 1/2) < "
    "round(w / 2 t)) <= delta / weights.",
    gives="n, live +-1 products for one weight",
    unit=Unit.CANDIDATES,
    direction=Direction.SUFFICIENT,
    letters={
        "tolerance": Letter(meaning="the largest error of a weight", above=1e-7, below=1, trend="falls"),
        "w": Letter(meaning="the largest |weight|", default=1.0, above=0, most=1, trend="rises"),
        "delta": DELTA,
        "weights": WEIGHTS,
    },
    assumes=(Assumption(says="signs are independent and fair, and the gain 2 t of a layer is carried"),),
    sources=("diffenderfer2021",),
    value=_paths,
    against="tolerance",
    note="Derived from the construction, with every weight taken for the largest; in `slth`: `--gadget counts`.",
    measured="392,000 Gaussian weights of deviation 0.05, the largest about 0.24, none missed by n planned for 1 %: "
    "32, 45, 71, 146, 269 at tolerance 0.02, 0.01, 0.005, 0.002, 0.001 (`slth reproduce one-number`); few weights are "
    "as large as the largest, so that less than this bound is enough.",
)
