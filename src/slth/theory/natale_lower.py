"""How many parameters a source needs for tickets of exactly k parameters, or of one density (Natale et al., 2024)."""

import math
from decimal import Decimal
from fractions import Fraction

from slth.theory._counting import first, product, ways, written
from slth.theory._numbers import Number, entropy, least_n
from slth.theory._packing import DELTA, GAMMA, SOURCE, for_one, kept
from slth.theory._theorem import Assumption, Direction, Letter, Theorem, Unit, Variant

_WIDTH = Letter(meaning="width of the target", whole=True, least=1, trend="rises")
_EPSILON = Letter(meaning="the largest error on the unit ball", above=0, below=1, trend="falls")
_SMALL = Assumption(says="epsilon < 1/16", holds=lambda at: at["epsilon"] < 1 / 16)
_KEPT = Assumption(says="the subnetwork keeps exactly so many parameters")


def _needed(k: int, d: int, epsilon: float, delta: float, *, ball: int = 2) -> Decimal:
    """(1 - delta) (sqrt(k) / (2 epsilon))^(d^2); `ball` 1: without the 2."""
    square = k / (ball * written(epsilon)) ** 2
    return product((1 - written(delta), 1), (square, Fraction(d**2, 2)))


def _exactly(*, d: int, k: int, epsilon: float, delta: float) -> Number:
    return _least(k, _needed(k, d, epsilon, delta))


def _by_volume(*, d: int, k: int, epsilon: float, delta: float) -> Number:
    return _least(k, _needed(k, d, epsilon, delta, ball=1))


def _least(k: int, need: Decimal) -> Number:
    """The least n with C(n, k) enough."""
    return first(lambda n: ways(n, k), lambda _: need, least=k)


def _printed(*, d: int, k: int, epsilon: float, delta: float) -> Number:
    """The least n with n H2(k / n) >= (d^2 / 2) log2(k / epsilon)."""
    del delta
    wanted = d**2 / 2 * math.log2(k / epsilon)
    return least_n(lambda n: n * entropy(k / n) >= wanted, least=k)


NATALE_LOWER = Theorem(
    name="natale-lower",
    title="parameters that a source needs for tickets of exactly k parameters",
    says="If each linear map x -> Wx, W a d x d matrix with ||W||_2 <= sqrt(k), is approximated to within epsilon on "
    "||x||_2 <= 1, with probability at least 1 - delta, by a subnetwork of exactly k of the n parameters of a random "
    "network, then C(n, k) >= (1 - delta) (sqrt(k) / (2 epsilon))^(d^2); in closed form, at delta = 1/2, "
    "n >= (d^2 / 2) log2(k / epsilon) / H2(k / n).",
    gives="n, parameters of the source",
    unit=Unit.ALL_PARAMETERS,
    direction=Direction.NECESSARY,
    letters={
        "d": _WIDTH,
        "k": Letter(meaning="kept parameters", whole=True, least=1),
        "epsilon": _EPSILON,
        "delta": DELTA,
    },
    assumes=(_SMALL, SOURCE, _KEPT),
    sources=("natale2024",),
    place="Theorem 5",
    value=_exactly,
    against="k",
    variants=(
        Variant(
            name="n H2(k / n) >= (d^2 / 2) log2(k / epsilon)",
            why="the closed form of the theorem, at delta = 1/2: smaller than what its proof counts, which is used",
            value=_printed,
        ),
        Variant(
            name="C(n, k) >= (1 - delta) (sqrt(k) / epsilon)^(d^2)",
            why="derived here by volumes instead of a packing: larger, and still necessary",
            value=_by_volume,
        ),
    ),
    also={Unit.PARAMETERS: for_one(_exactly, lambda at: at["d"] ** 2)},
    note="The theorem asks for k <= (1 - 1/(2 pi)) n, too; C(n, k) <= 2^(n H2(k / n)) holds for every k, and for "
    "epsilon < 1/16 gives the closed form without it. The targets grow with k: another norm than that of the upper "
    "bounds, where ||W||_2 <= 1. At that norm see packing-layer-fixed.",
)


def _of_density(*, d: int, gamma: float, epsilon: float, delta: float) -> Number:
    return first(
        lambda n: ways(n, kept(gamma, n)),
        lambda n: _needed(max(1, kept(gamma, n)), d, epsilon, delta),
        least=math.ceil(1 / written(gamma)),
    )


NATALE_DENSITY_LOWER = Theorem(
    name="natale-density-lower",
    title="parameters that a source needs for tickets of one density",
    says="The same with k = gamma * n, rounded down: n is the least with C(n, k) >= (1 - delta) (sqrt(k) / "
    "(2 epsilon))^(d^2), for targets with ||W||_2 <= sqrt(k).",
    gives="n, parameters of the source",
    unit=Unit.ALL_PARAMETERS,
    direction=Direction.NECESSARY,
    letters={"d": _WIDTH, "gamma": GAMMA, "epsilon": _EPSILON, "delta": DELTA},
    assumes=(_SMALL, SOURCE, _KEPT),
    sources=("natale2024",),
    place="Theorem 5",
    value=_of_density,
    against="gamma",
    also={Unit.PARAMETERS: for_one(_of_density, lambda at: at["d"] ** 2)},
    note="See natale-lower.",
)
