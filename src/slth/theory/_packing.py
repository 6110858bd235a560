"""Bounds of one linear map: a volume of targets against the number of subnetworks, of any size or of one density."""

import math
from collections.abc import Callable, Mapping
from decimal import Decimal

from slth.theory._counting import first, least_bits, ways, written
from slth.theory._numbers import Number
from slth.theory._theorem import Assumption, Direction, Letter, Theorem, Unit

Needed = Callable[..., Decimal]  # the logarithm of the number of subnetworks that are needed, from the letters
ANY = "a subnetwork is a choice of which of the m parameters are not zero"
ONE = "a subnetwork keeps exactly gamma * m of the m parameters, rounded down"
SOURCE = Assumption(says="the source does not depend on the target; its law and its architecture may be any")
EPSILON = Letter(meaning="the largest error of an output", above=0, trend="falls")
DELTA = Letter(meaning="the chance of failure, for one target", default=0.5, least=0, below=1, trend="falls")
GAMMA = Letter(meaning="the kept fraction of the m parameters", above=0, most=1)
NOTE = (
    "Derived here by volumes: what one subnetwork meets has diameter at most 2 epsilon, and no such set is larger than "
    "a ball of radius epsilon. The packing of the sources asks for (1 / (2 epsilon)) instead of (1 / epsilon), one bit "
    "a weight less. It holds for each target alone, so it holds for sources that meet all targets at once."
)


def kept(gamma: Number, m: int) -> int:
    """The density is a budget: rounded down."""
    return math.floor(written(gamma) * m)


def any_size(needed: Needed) -> Callable[..., Number]:
    """The least m with 2^m subnetworks enough."""

    def value(**at: Number) -> Number:
        return least_bits(needed(**at))

    return value


def one_density(needed: Needed) -> Callable[..., Number]:
    """The least m with C(m, gamma * m) subnetworks enough."""

    def value(*, gamma: Number, **at: Number) -> Number:
        need = needed(**at)
        return first(lambda m: ways(m, kept(gamma, m)), lambda _: need, least=0)

    return value


def for_one(value: Callable[..., Number], weights: Callable[[Mapping[str, Number]], Number]) -> Callable[..., Number]:
    """The number of parameters, for one weight of the target."""

    def share(**at: Number) -> Number:
        return value(**at) / weights(at)

    return share


def linear_bounds(
    *, name: str, title: str, targets: str, count: str, letters: Mapping[str, Letter], needed: Needed, place: str = ""
) -> tuple[Theorem, Theorem]:
    """The two theorems about linear maps from one volume: any size of subnetwork, and one density.

    `targets` says which maps, inputs and errors; `count` how many subnetworks are needed; the letters d, and d_out if
    there is one, give the number of weights.
    """

    def bound(
        name: str, title: str, number: str, counted: str, value: Callable[..., Number], **more: Letter
    ) -> Theorem:
        return Theorem(
            name=name,
            title=title,
            says=f"If {targets}, with probability at least 1 - delta, by a subnetwork of a random network with m "
            f"parameters, then {number} >= (1 - delta) {count}.",
            gives="m, parameters of the source",
            unit=Unit.ALL_PARAMETERS,
            direction=Direction.NECESSARY,
            letters={**letters, "epsilon": EPSILON, "delta": DELTA, **more},
            assumes=(SOURCE, Assumption(says=counted)),
            sources=("pensia2020", *(("natale2024",) if more else ())),
            place=place,
            value=value,
            against="epsilon",
            also={Unit.PARAMETERS: for_one(value, lambda at: at["d"] * at.get("d_out", 1))},
            note=NOTE,
        )

    return (
        bound(name, title, "2^m", ANY, any_size(needed)),
        bound(f"{name}-fixed", f"{title}, of one density", "C(m, gamma m)", ONE, one_density(needed), gamma=GAMMA),
    )
