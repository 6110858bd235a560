"""How many coefficients a source needs for equivariant maps (Ferbach et al., 2023)."""

from decimal import Decimal

from slth.theory._counting import least_bits, product, written
from slth.theory._numbers import Number
from slth.theory._packing import DELTA, EPSILON, NOTE, SOURCE, for_one
from slth.theory._theorem import Assumption, Direction, Letter, Theorem, Unit, Variant


def _needed(d: int, d_out: int, basis: int, epsilon: float, delta: float, *, ball: int = 1) -> Decimal:
    return product((1 - written(delta), 1), (1 / (ball * written(epsilon)), d * d_out * basis))


def _coefficients(*, d: int, d_out: int, basis: int, epsilon: float, delta: float) -> Number:
    return least_bits(_needed(d, d_out, basis, epsilon, delta))


def _packed(*, d: int, d_out: int, basis: int, epsilon: float, delta: float) -> Number:
    return least_bits(_needed(d, d_out, basis, epsilon, delta, ball=2))


FERBACH_LOWER = Theorem(
    name="ferbach-lower",
    title="coefficients that an equivariant source needs",
    says="If each equivariant map of d to d_out channels, the sum of a_rjk times basis map k from channel j to r, "
    "of operator norm at most 1, is approximated to within epsilon on the unit ball, with probability at least 1 - "
    "delta, by a pruned random network with m coefficients, then 2^m >= (1 - delta) (1 / epsilon)^(d d_out basis): "
    "of order d d_out |B| log(1 / epsilon).",
    gives="m, coefficients of the source",
    unit=Unit.ALL_PARAMETERS,
    direction=Direction.NECESSARY,
    letters={
        "d": Letter(meaning="channels in", whole=True, least=1, trend="rises"),
        "d_out": Letter(meaning="channels out", default="d", whole=True, least=1, trend="rises"),
        "basis": Letter(
            meaning="|B|, equivariant maps between two channels", default=1, whole=True, least=1, trend="rises"
        ),
        "epsilon": EPSILON,
        "delta": DELTA,
    },
    assumes=(
        SOURCE,
        Assumption(says="a subnetwork is a choice of which of the m coefficients are not zero"),
        Assumption(says="the basis maps are linearly independent"),
    ),
    sources=("ferbach2023",),
    place="lower bound; its form from memory",
    value=_coefficients,
    against="epsilon",
    variants=(
        Variant(
            name="2^m >= (1 - delta) (1 / (2 epsilon))^(d d_out basis)",
            why="by a packing, as the sources argue; the constant is theirs only in form",
            value=_packed,
        ),
    ),
    also={Unit.PARAMETERS: for_one(_coefficients, lambda at: at["d"] * at["d_out"] * at["basis"])},
    note=NOTE + " The operator norm is a norm of the coefficients, which is all that the argument asks for.",
)
