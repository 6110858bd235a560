"""Convolutional networks with ReLU and non-negative inputs (da Cunha, Natale, Viennot, 2022)."""

import math
from collections.abc import Mapping

from slth.theory._letters import DELTA
from slth.theory._numbers import least_whole
from slth.theory._theorem import Assumption, Constant, Direction, Letter, Number, Standing, Theorem, Unit
from slth.theory.pensia import LEAST

_C = Constant(
    meaning="universal, the source gives no value",
    value=17.0,
    standing=Standing.FITTED,
    note="as Pensia's, with one half: n pairs (u, v) reach all of [-1, 1] to within epsilon / (2 layers c c_out "
    "kernel^2), and all layers c c_out kernel^2 problems fail at most delta of the time, where the logarithm's "
    "argument is at least 10: at most 16.1, 12.4 where it is at least 100",
)


def _argument(at: Mapping[str, Number]) -> float:
    return at["c"] * at["c_out"] * at["kernel"] ** 2 * at["layers"] / min(at["epsilon"], at["delta"])


def _numbers(*, kernel: int, c: int, c_out: int, layers: int, epsilon: float, delta: float, C: float) -> Number:
    return least_whole(C * math.log(c * c_out * kernel * kernel * layers / min(epsilon, delta)))


def _parameters(**at: float) -> Number:
    """n c hidden channels: c entries before each, kernel^2 c_out behind it, over kernel^2 c c_out weights."""
    n = _numbers(**at)  # pyright: ignore[reportArgumentType]
    return n * (at["c"] / (at["kernel"] ** 2 * at["c_out"]) + 1)


DACUNHA_CNN = Theorem(
    name="dacunha-cnn",
    title="convolutional networks: logarithmic width",
    says="A random network of twice the depth, with n c hidden channels (1 x 1 kernels before them) for each target "
    "layer of c channels, n >= C ln(c c_out kernel^2 layers / min(epsilon, delta)), contains with probability at least "
    "1 - delta, for every target at once, a subnetwork that is within epsilon of it in the largest entry.",
    gives="n, random products for one entry of a kernel",
    unit=Unit.CANDIDATES,
    direction=Direction.SUFFICIENT,
    letters={
        "kernel": Letter(meaning="side of the kernels", whole=True, least=1, most=10**4, trend="rises"),
        "c": Letter(meaning="input channels of the layer", whole=True, least=1, most=10**9, trend="rises"),
        "c_out": Letter(meaning="output channels", default="c", whole=True, least=1, most=10**9, trend="rises"),
        "layers": Letter(meaning="layers of the target", default=1, whole=True, least=1, most=10**6, trend="rises"),
        "epsilon": Letter(
            meaning="the largest error of an output, over inputs in [0, 1]", above=0, below=1, trend="falls"
        ),
        "delta": DELTA,
    },
    constants={"C": _C},
    assumes=(
        Assumption(says="inputs are in [0, 1]; hidden ones are, by ReLU, not negative"),
        Assumption(says="kernels have entries in [-1, 1] and their l1 norm is at most 1"),
        Assumption(says="every weight of the source is independent and uniform on [-1, 1]"),
        Assumption(
            says=f"c c_out kernel^2 layers / min(epsilon, delta) is at least {LEAST}, as where C was fitted",
            holds=lambda at: _argument(at) >= LEAST,
        ),
    ),
    sources=("dacunha2022cnn",),
    place="main theorem (recalled)",
    value=_numbers,
    also={Unit.PARAMETERS: _parameters},
    against="epsilon",
    note="The norm condition is recalled, not re-read; the scaling is confirmed by later papers. Signed inputs "
    "need a second half in the first layer only.",
    measured="Published, LeNet-5 on MNIST, n plain numbers, closest subsets, the largest error of a weight of its "
    "convolutions over the largest weight: 0.57 at n = 10, 0.018 at 15, 7.3e-4 at 20, 7.7e-5 at 25, so that 5 numbers "
    "are worth 1.2 decades; here 1.4 (`slth reproduce convolutions`).",
)
