"""Dense networks by subset sums: a logarithm of random neurons for every input (Pensia et al., 2020)."""

import math
from collections.abc import Mapping
from typing import Any

from slth.theory._letters import DELTA, LAYERS, NETWORK_ERROR, OUTPUTS, WIDTH
from slth.theory._numbers import least_whole
from slth.theory._theorem import Assumption, Constant, Direction, Letter, Number, Standing, Theorem, Unit, Variant

C = Constant(
    meaning="universal, the source gives no value",
    value=37.0,
    standing=Standing.FITTED,
    note="n = h / 2 d pairs (u, v) for an input and sign reach all of [-1, 1] to within epsilon / (2 layers d "
    "d_out), and all 2 layers d d_out such problems fail at most delta of the time; 40,000 runs, d = d_out = 1 "
    "... 16, layers 1 ... 3, where the logarithm's argument is at least 10: at most 36.5 (d = 1, layers 3, "
    "epsilon = 0.6, delta = 0.3), 26.5 where it is at least 100, 22.4 at 1,000",
)


LEAST = 10  # of the logarithm's argument: where the constant was fitted


def argument(at: Mapping[str, Number]) -> float:
    """What stands inside the logarithm."""
    maps = max(at.get("basis", 1), at.get("norm", 1))
    return at["d"] * at["d_out"] * maps * at["layers"] / min(at["epsilon"], at["delta"])


LARGE = Assumption(
    says=f"the argument of the logarithm is at least {LEAST}, as where C was fitted: no C is enough where it is near 1",
    holds=lambda at: argument(at) >= LEAST,
)


def _neurons(*, d: int, d_out: int, layers: int, epsilon: float, delta: float, alpha: float, C: float) -> Number:
    del alpha
    return least_whole(C * d * math.log(d * d_out * layers / min(epsilon, delta)))


def _scaled(*, d: int, d_out: int, layers: int, epsilon: float, delta: float, alpha: float, C: float) -> Number:
    """With e^{alpha x / 2} - 1 = epsilon for its x, which is the chance of failure, too."""
    inner = min(2 * math.log1p(epsilon) / alpha, delta)
    return least_whole(C * d * math.log(4 * layers * d * d_out / inner))


def parameters(neurons: Number, d: int, d_out: int) -> Number:
    """d entries before each hidden neuron and d_out behind it, over d d_out weights."""
    return neurons * (d + d_out) / (d * d_out)


def _parameters(**at: Any) -> Number:
    return parameters(_neurons(**at), at["d"], at["d_out"])


def _candidates(**at: Any) -> Number:
    return math.ceil(_neurons(**at) / (2 * at["d"]))


PENSIA = Theorem(
    name="pensia",
    title="dense networks: logarithmic width",
    says="A random network of twice the depth, with h >= C d ln(d d_out layers / min(epsilon, delta)) hidden neurons "
    "before each layer, contains with probability at least 1 - delta, for every target at once, a subnetwork that is "
    "within epsilon of it.",
    gives="h, hidden neurons of the source for one layer",
    unit=Unit.NEURONS,
    direction=Direction.SUFFICIENT,
    letters={
        "d": WIDTH,
        "d_out": OUTPUTS,
        "layers": LAYERS,
        "epsilon": NETWORK_ERROR,
        "delta": DELTA,
        "alpha": Letter(meaning="the norm of the inputs, for the variant", default=1.0, above=0, most=1e9),
    },
    constants={"C": C},
    assumes=(
        Assumption(says="the target has ReLU, no biases, and matrices of spectral norm at most 1"),
        Assumption(says="every weight of the source is independent and uniform on [-1, 1]"),
        LARGE,
    ),
    sources=("pensia2020",),
    place="Theorem 1",
    value=_neurons,
    variants=(
        Variant(
            name="inputs of norm alpha",
            why="as it is restated later: h >= C d ln(4 layers d d_out / x) has error e^(alpha x / 2) - 1 with chance "
            "1 - x; here x is so small that both are as asked",
            value=_scaled,
        ),
    ),
    also={
        Unit.PARAMETERS: _parameters,
        Unit.CANDIDATES: _candidates,
    },
    against="epsilon",
    note="The logarithm is natural. Half of the h / d neurons of an input serve its positive part, half its negative "
    "one; a half of those have a lift weight of the wrong sign and are dead. Behind a ReLU the negative part is "
    "not needed, and live neurons alone (`--gadget two-layer`) halve the width again.",
    measured="784-500-10 trained on MNIST, without biases, every weight within 0.01: live pairs planned for 1 % of "
    "failure are 91 times the target's parameters, and none is missed; the fewest that miss none, in one draw, are 21 "
    "for each weight, 67 times (`slth reproduce replacement`).",
)
