"""Binary networks by binary digits (Sreenivasan, Rajput, Sohn, Papailiopoulos, 2022)."""

import math
from typing import Any

from slth.theory._counting import written
from slth.theory._letters import LAYERS
from slth.theory._numbers import least_whole
from slth.theory._theorem import Assumption, Constant, Direction, Letter, Number, Standing, Theorem, Unit

_LETTERS = {
    "d": Letter(meaning="width of every layer", whole=True, least=1, most=10**9, trend="rises"),
    "layers": LAYERS,
    "epsilon": Letter(
        meaning="the largest error of the network, over inputs of norm at most 1", above=0, below=1, trend="falls"
    ),
}
_COMMON: dict[str, Any] = {
    "direction": Direction.SUFFICIENT,
    "letters": _LETTERS,
    "constants": {
        "C": Constant(
            meaning="universal, the source gives no value", value=1.0, standing=Standing.UNKNOWN, note="see doubling"
        ),
    },
    "assumes": (
        Assumption(says="the target has ReLU and matrices of spectral norm at most 1"),
        Assumption(says="every weight of the source is +1 or -1, independent and fair; one output scale is carried"),
    ),
    "sources": ("sreenivasan2022",),
    "place": "main theorem (as restated later)",
    "against": "epsilon",
}
_SAYS = (
    "A random network with weights +-1, of width C d log2(d layers / epsilon)^2 and depth C layers log2(d layers / "
    "epsilon), contains with high probability a subnetwork that is within epsilon of the target."
)


def _width(*, d: int, layers: int, epsilon: float, C: float) -> Number:
    return least_whole(C * d * math.log2(d * layers / epsilon) ** 2)


def _depth(*, d: int, layers: int, epsilon: float, C: float) -> Number:
    return least_whole(C * layers * math.log2(d * layers / epsilon))


def _parameters(**at: Any) -> Number:
    return _width(**at) ** 2 * _depth(**at) / (at["d"] ** 2 * at["layers"])


SREENIVASAN = Theorem(
    name="sreenivasan",
    title="binary networks: polylogarithmic width, logarithmic depth",
    says=_SAYS,
    gives="hidden neurons of every layer of the source",
    unit=Unit.NEURONS,
    value=_width,
    also={Unit.PARAMETERS: _parameters},
    note="A weight is its binary digits: powers of two arise by doubling in layer after layer, and the last matrix "
    "selects them. The digits are deterministic; only signs are left to chance, see `doubling`.",
    measured="8 -> 8 without biases, 8 digits, 16 copies of each power, for a failure of 0.01: 43,000 times the "
    "target's parameters; 195,000 with 17 copies for inputs of both signs: small layers only.",
    **_COMMON,
)

SREENIVASAN_DEPTH = Theorem(
    name="sreenivasan-depth",
    title="binary networks: the depth of the polylogarithmic one",
    says=_SAYS,
    gives="layers of the source",
    value=_depth,
    **_COMMON,
)


def _copies(*, bits: int, delta: float) -> Number:
    """The least c >= 1 with 2^c >= bits / delta."""
    return max(1, (math.ceil(bits / written(delta)) - 1).bit_length())


DOUBLING = Theorem(
    name="doubling",
    title="binary networks: copies of each power of two, so that one has the sign that is wanted",
    says="A set digit of a weight needs one of c copies of its power of two whose random edge has the wanted sign; "
    "all of `bits` set digits find one with probability at least 1 - delta if c >= log2(bits / delta).",
    gives="c, copies of each power of each input",
    unit=Unit.CANDIDATES,
    direction=Direction.SUFFICIENT,
    letters={
        "bits": Letter(
            meaning="set digits of all weights of the target", whole=True, least=1, most=10**15, trend="rises"
        ),
        "delta": Letter(meaning="the chance of failure", default=0.01, above=0, below=1, trend="falls"),
    },
    assumes=(Assumption(says="signs are independent and fair"),),
    sources=("sreenivasan2022",),
    value=_copies,
    against="bits",
    note="Derived here: a union bound. In `slth`: `--gadget doubling`. The error of a weight is at most 2^-(p + 1) "
    "of the scale for p digits, without any chance.",
    measured="Maps 8 -> 8 of 8 digits with 16 copies, this number for bits = 512 and a failure of 0.01: of 400 draws "
    "one failed, of 256 set digits or so.",
)
