"""How many parameters a source needs at any density (Pensia et al., 2020)."""

from decimal import Decimal

from slth.theory._counting import least_bits, product, written
from slth.theory._numbers import Number
from slth.theory._packing import ANY, DELTA, SOURCE, for_one
from slth.theory._theorem import Assumption, Direction, Letter, Theorem, Unit, Variant

SMALL = Assumption(says="epsilon < 1/2", holds=lambda at: at["epsilon"] < 0.5)


def _needed(d: int, epsilon: float, delta: float) -> Decimal:
    return product((1 - written(delta), 1), (1 / (2 * written(epsilon)), d**2))


def _parameters(*, d: int, epsilon: float, delta: float) -> Number:
    return least_bits(_needed(d, epsilon, delta))


def _neurons(*, d: int, epsilon: float, delta: float) -> Number:
    return -(-int(_parameters(d=d, epsilon=epsilon, delta=delta)) // (2 * d))


def _printed(*, d: int, epsilon: float, delta: float) -> Number:
    del delta
    return float(product((1 / (2 * written(epsilon)), d**2)) / product((2, 1)) - 1)


def _by_volume(*, d: int, epsilon: float, delta: float) -> Number:
    return least_bits(product((1 - written(delta), 1), (1 / written(epsilon), d**2)))


PENSIA_LOWER = Theorem(
    name="pensia-lower",
    title="parameters that a source needs, of any shape and law, whatever is kept",
    says="If each linear map x -> Wx, W a d x d matrix with ||W||_2 <= 1, is approximated to within epsilon on "
    "||x||_2 <= 1, with probability at least 1 - delta, by a subnetwork of a random network with m parameters, then "
    "2^m >= (1 - delta) (1 / (2 epsilon))^(d^2): there are so many matrices further apart than 2 epsilon, and no "
    "subnetwork serves two of them.",
    gives="m, parameters of the source",
    unit=Unit.ALL_PARAMETERS,
    direction=Direction.NECESSARY,
    letters={
        "d": Letter(meaning="width of the target", whole=True, least=1, trend="rises"),
        "epsilon": Letter(meaning="the largest error on the unit ball", above=0, below=1, trend="falls"),
        "delta": DELTA,
    },
    assumes=(
        SMALL,
        SOURCE,
        Assumption(says=ANY),
    ),
    sources=("pensia2020",),
    place="Theorem 2",
    value=_parameters,
    against="epsilon",
    variants=(
        Variant(
            name="d^2 log2(1 / (2 epsilon)) - 1",
            why="the same as a real number, at delta = 1/2 as the source has it",
            value=_printed,
        ),
        Variant(
            name="2^m >= (1 - delta) (1 / epsilon)^(d^2)",
            why="derived here by volumes instead of a packing: d^2 parameters more, and still necessary",
            value=_by_volume,
        ),
    ),
    also={Unit.PARAMETERS: for_one(_parameters, lambda at: at["d"] ** 2), Unit.NEURONS: _neurons},
    note="For each target alone, not for all at once, so it holds for those sources, too. The neurons are those of a "
    "source of two layers, which has 2 d parameters for each. Of layers one above the other see deep-lower.",
)
