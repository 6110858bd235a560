"""Equivariant networks (Ferbach, Tsirigotis, Gidel, Bose, 2023)."""

import math
from typing import Any

from slth.theory._letters import DELTA, LAYERS, NETWORK_ERROR
from slth.theory._numbers import least_whole
from slth.theory._theorem import Assumption, Constant, Direction, Letter, Number, Standing, Theorem, Unit
from slth.theory.pensia import LARGE
from slth.theory.pensia import C as DENSE

_C = Constant(
    meaning="universal, the source gives no value",
    value=DENSE.value,
    standing=Standing.FITTED,
    note=f"Pensia's, whose theorem this is for one map in the basis. {DENSE.note}",
)


def _channels(
    *,
    d: int,
    d_out: int,
    basis: int,
    norm: float,
    layers: int,
    epsilon: float,
    delta: float,
    C: float,
) -> Number:
    return least_whole(C * d * math.log(d * d_out * max(basis, norm) * layers / min(epsilon, delta)))


def _candidates(**at: Any) -> Number:
    return math.ceil(_channels(**at) / (2 * at["d"]))


FERBACH = Theorem(
    name="ferbach",
    title="equivariant networks: logarithmic width",
    says="A random equivariant network of twice the depth, with C d ln(d d_out max(|B|, ||B||) layers / min(epsilon, "
    "delta)) hidden channels before each layer, contains with probability at least 1 - delta, for every "
    "equivariant target at once, an equivariant subnetwork that is within epsilon of it.",
    gives="hidden channels of the source for one layer",
    unit=Unit.NEURONS,
    direction=Direction.SUFFICIENT,
    letters={
        "d": Letter(meaning="input channels of the layer", whole=True, least=1, most=10**9, trend="rises"),
        "d_out": Letter(meaning="output channels", default="d", whole=True, least=1, most=10**9, trend="rises"),
        "basis": Letter(
            meaning="|B|, equivariant maps between two channels: 1 dense, 9 for 3 x 3 kernels",
            default=1,
            whole=True,
            least=1,
            most=10**9,
            trend="rises",
        ),
        "norm": Letter(
            meaning="||B||, the largest norm of a sum of them with coefficients of at most 1",
            default="basis",
            above=0,
            most=1e12,
            trend="rises",
        ),
        "layers": LAYERS,
        "epsilon": NETWORK_ERROR,
        "delta": DELTA,
    },
    constants={"C": _C},
    assumes=(
        Assumption(says="the target has coefficients of at most 1 and layers of norm at most 1"),
        Assumption(says="the basis between equal features contains the identity, and ReLU commutes with the group"),
        Assumption(says="every coefficient of the source is independent and uniform on [-1, 1]"),
        LARGE,
    ),
    sources=("ferbach2023", "natale2024"),
    place="main theorem (recalled)",
    value=_channels,
    also={Unit.CANDIDATES: _candidates},
    against="epsilon",
    note="The formula is recalled and cross-checked with its sparse version (Natale et al., Theorem 4). The size of "
    "the group does not occur: one subset sum for each coefficient.",
)
