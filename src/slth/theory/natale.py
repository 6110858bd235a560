"""Sparse strong lottery tickets: dense and equivariant networks (Natale et al., 2024)."""

import math
from collections.abc import Mapping
from typing import Any

from slth.theory._letters import LAYERS, OUTPUTS, WIDTH
from slth.theory._numbers import entropy, least_n, least_whole
from slth.theory._theorem import Assumption, Constant, Direction, Letter, Number, Standing, Theorem, Unit

_ERROR = Letter(
    meaning="the largest error of the network, over inputs of norm at most 1, and the chance of failure",
    above=0,
    below=1,
    trend="falls",
)
_GAMMA = Letter(meaning="gamma', the part of each block of candidates that is kept", above=0, most=0.5)
_AMP = Constant(
    meaning="c_amp of Corollary 1, for the products of the network",
    value=2.4,
    standing=Standing.FITTED,
    note="brute force over all subsets of k of n products max(u, 0) v, d = d_out = layers = 1: all of [-1, 1] to "
    "within epsilon / 2, failing at most epsilon / 2 of the time: at most 2.35 (k = 1, epsilon = 0.5), 1.24 and "
    "1.08 at k = 2 and 3, 0.6 at epsilon = 0.15",
)
_CLASS = Assumption(says="the target has ReLU, no biases, and matrices of spectral norm at most 1")
_SOURCE = Assumption(says="every weight of the source is independent and uniform on [-1, 1]")


def fixed_point(gamma: float, inside: float, c_amp: float) -> Number:
    """The least n >= 1 / gamma with n H2(gamma) >= c_amp log2(inside gamma n)^2, for it and all larger ones.

    Let L = log2(inside gamma n). Where it holds at n it holds at x n, x > 1, if x L^2 >= (L + log2 x)^2, that is if
    L >= log2(x) / (sqrt(x) - 1), which is at most 2 / ln 2. So the search starts where L is that large.
    """
    steep = math.ceil(math.exp(2) / (inside * gamma) * (1 + 1e-12))
    start = max(math.ceil((1 - 1e-12) / gamma), steep)
    h = entropy(gamma)

    def holds(n: int) -> bool:
        return n * h >= c_amp * math.log2(inside * gamma * n) ** 2 * (1 + 1e-12)

    return least_n(holds, least=start)


def _blocks(*, gamma: float, d: int, d_out: int, layers: int, epsilon: float, c_amp: float) -> Number:
    return fixed_point(gamma, 2 * layers * d * d_out / epsilon, c_amp)


def _large_blocks(*, gamma: float, d: int, d_out: int, layers: int, epsilon: float, c_amp: float) -> Number:
    log = math.log2(2 * layers * d * d_out / epsilon)
    return least_whole(2 * c_amp * log * log / entropy(gamma))


def _large_enough(at: Mapping[str, Number]) -> bool:
    """Corollary 2's condition at k = gamma n, with the tolerance of one weight."""
    at = dict(at)
    k = at["gamma"] * _large_blocks(**at)  # pyright: ignore[reportArgumentType]  # whole where letters are
    inner = math.log2(2 * at["layers"] * at["d"] * at["d_out"] / at["epsilon"])
    log = math.log2(max(k, 2))
    return k >= 2 * at["c_amp"] * (log * log + 2 * log * inner)


def _per_weight(n: Number, d: int, d_out: int) -> Number:
    """2 d n neurons: 2 d^2 n entries before them, 2 d d_out n behind them, over d d_out weights."""
    return 2 * n * (d / d_out + 1)


def _neurons(**at: Any) -> Number:
    return 2 * at["d"] * _blocks(**at)


def _parameters(**at: Any) -> Number:
    return _per_weight(_blocks(**at), at["d"], at["d_out"])


def _large_neurons(**at: Any) -> Number:
    return 2 * at["d"] * _large_blocks(**at)


def _large_parameters(**at: Any) -> Number:
    return _per_weight(_large_blocks(**at), at["d"], at["d_out"])


_LETTERS = {"gamma": _GAMMA, "d": WIDTH, "d_out": OUTPUTS, "layers": LAYERS, "epsilon": _ERROR}

NATALE = Theorem(
    name="natale",
    title="dense networks: tickets of a prescribed density",
    says="Let n solve n = c_amp log2(2 layers d d_out gamma n / epsilon)^2 / H2(gamma). A random network of twice "
    "the depth, with 2 d n hidden neurons before each layer, contains with probability at least 1 - epsilon, "
    "for every target, a subnetwork of density at most rho gamma, rho = max(d / d_out, d_out / d), that is "
    "within epsilon of it.",
    gives="n, random products for one weight and half",
    unit=Unit.CANDIDATES,
    direction=Direction.SUFFICIENT,
    letters=_LETTERS,
    constants={"c_amp": _AMP},
    assumes=(_CLASS, _SOURCE),
    sources=("natale2024",),
    place="Theorem 3",
    value=_blocks,
    also={
        Unit.NEURONS: _neurons,
        Unit.PARAMETERS: _parameters,
    },
    against="gamma",
    note="n stands on both sides; the least whole one beyond which it holds for good is found by bisection. For "
    "equal widths the source has 4 n parameters for one of the target; the paper's figure calls n itself the "
    "overparameterisation.",
    measured="784-500-10 trained on MNIST, 397,000 weights, tolerance 0.02 gains, live products: the least n of which "
    "exactly the part gamma meets every weight, in one draw, is 40, 30, 24, 31, 45 at gamma = 0.05, 0.1, 0.2, 0.33, "
    "0.5, and 60, 37, 25, 31, 45 at 0.002 gains; with c_amp fitted at 0.2 the formula says 55, 35, 24, 19, 18 and 58, "
    "36, 25, 20, 19 (`slth reproduce density`).",
)

NATALE_LARGE = Theorem(
    name="natale-large",
    title="dense networks: tickets of a prescribed density, large subsets",
    says="Where k = gamma n is large (Corollary 2), `natale` holds with "
    "n = 2 c_amp log2(2 layers d d_out / epsilon)^2 / H2(gamma).",
    gives="n, random products for one weight and half",
    unit=Unit.CANDIDATES,
    direction=Direction.SUFFICIENT,
    letters=_LETTERS,
    constants={"c_amp": _AMP},
    assumes=(
        _CLASS,
        _SOURCE,
        Assumption(
            says="k = gamma n is at least 2 c_amp (log2(k)^2 + 2 log2(k) log2(2 layers d d_out / epsilon))",
            holds=_large_enough,
        ),
    ),
    sources=("natale2024",),
    place="Theorem 3 with Corollary 2",
    value=_large_blocks,
    also={
        Unit.NEURONS: _large_neurons,
        Unit.PARAMETERS: _large_parameters,
    },
    against="epsilon",
    note="With this c_amp the assumption holds from 2 layers d d_out / epsilon = 2^58 on at gamma = 1/2, from 2^142 on "
    "at 0.1: no network of today is that large. n is above that of `natale`, and needs no equation to be solved.",
)


def _equivariant(*, gamma: float, d: int, layers: int, basis: int, norm: float, epsilon: float, c_amp: float) -> Number:
    return fixed_point(gamma, 2 * layers * d * d * max(basis, norm) / epsilon, c_amp)


NATALE_EQUIVARIANT = Theorem(
    name="natale-equivariant",
    title="equivariant networks: tickets of a prescribed density of coefficients",
    says="Let n solve n = c_amp log2(2 layers d^2 max(|B|, ||B||) gamma n / epsilon)^2 / H2(gamma). A random "
    "equivariant network of twice the depth, with n copies for each channel and sign, contains with probability "
    "at least 1 - epsilon, for every target, a subnetwork that keeps at most the part gamma of its coefficients "
    "and is within epsilon of it.",
    gives="n, random products for one coefficient and half",
    unit=Unit.CANDIDATES,
    direction=Direction.SUFFICIENT,
    letters={
        "gamma": _GAMMA,
        "d": Letter(meaning="channels of every layer", whole=True, least=1, most=10**9, trend="rises"),
        "layers": LAYERS,
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
        "epsilon": _ERROR,
    },
    constants={"c_amp": _AMP},
    assumes=(
        Assumption(says="the target is equivariant with coefficients of at most 1 and layers of norm at most 1"),
        Assumption(says="the basis between equal features contains the identity, and ReLU commutes with the group"),
        Assumption(says="every coefficient of the source is independent and uniform on [-1, 1]"),
    ),
    sources=("natale2024", "ferbach2023"),
    place="Theorem 4",
    value=_equivariant,
    against="gamma",
    note="With one map in the basis it is `natale` of equal widths.",
)
