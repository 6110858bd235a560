"""How many subsets are expected: the first moment, which planners begin with."""

import math
from collections.abc import Callable

from slth.theory._counting import written
from slth.theory._numbers import least_n, log2_choose
from slth.theory._theorem import Assumption, Direction, Letter, Number, Theorem, Unit, Variant
from slth.theory._uniform_sums import MOST_TERMS, within
from slth.theory.lueker import UNIFORM

_N = Letter(meaning="random numbers", whole=True, least=1, most=1000)
_Z = Letter(meaning="the target", default=0.0, least=-1, most=1)
_EPSILON = Letter(meaning="the largest error of a sum", above=0, below=1, trend="rises")
_PRODUCTS = Assumption(says="the numbers are independent products u v, u uniform on [0, 1] and v on [-1, 1]")
_NOTE = (
    "A normal law is taken for the sums of all subsets, of mean 0 and variance n E[x^2] / 2. What is expected need "
    "not be: few draws have very many subsets, and a draw of one sign has none."
)


def _log2_subsets(n: int, z: float, epsilon: float, square: float) -> float:
    """log2 of 2^n 2 epsilon times the normal density of variance n E[x^2] / 2 at z."""
    variance = n * square / 2
    return n + math.log2(2 * epsilon) - z * z / (2 * variance) / math.log(2) - math.log2(2 * math.pi * variance) / 2


def _subsets(square: float) -> Callable[..., Number]:
    def number(*, n: int, z: float, epsilon: float) -> Number:
        return 2 ** _log2_subsets(n, z, epsilon, square)

    return number


def _numbers(square: float) -> Callable[..., Number]:
    """The least n where one subset is expected: n - log2(n) / 2 - z^2 log2(e) / (n E[x^2]) rises in n."""

    def number(*, z: float, epsilon: float) -> Number:
        return least_n(lambda n: _log2_subsets(n, z, epsilon, square) >= 0, most=10**6)

    return number


def _of_size(*, n: int, k: int, z: float, epsilon: float) -> Number:
    return float(math.comb(n, k) * within(k, written(z), written(epsilon)))


def _of_size_normal(*, n: int, k: int, z: float, epsilon: float) -> Number:
    """C(n, k) 2 epsilon times the normal density of variance k / 3 at z."""
    variance = k / 3
    log = log2_choose(n, k) + math.log2(2 * epsilon) - math.log2(2 * math.pi * variance) / 2
    return 2 ** (log - z * z / (2 * variance) / math.log(2))


def _of_size_flat(*, n: int, k: int, z: float, epsilon: float) -> Number:
    del z
    return float(math.comb(n, k) * 2 * written(epsilon)) * 0.154 / math.sqrt(k)


SUBSETS = Theorem(
    name="subsets",
    title="how many subsets of uniform numbers reach one target",
    says="Of n numbers from U[-1, 1], about 2^n 2 epsilon sqrt(3 / (pi n)) exp(-3 z^2 / n) subsets sum to within "
    "epsilon of z.",
    gives="expected subsets",
    unit=Unit.SUBSETS,
    direction=Direction.EXPECTED,
    letters={"n": _N, "z": _Z, "epsilon": _EPSILON},
    assumes=(UNIFORM,),
    sources=("lueker1998",),
    value=_subsets(1 / 3),
    against="n",
    note=_NOTE,
    measured="n = 16, z = 0.3, epsilon = 0.01: the formula says 315, the mean of 8,000 draws is 316, give or take 1.5.",
)

SUBSETS_PRODUCTS = Theorem(
    name="subsets-products",
    title="how many subsets of live products reach one target",
    says="Of n products U[0, 1] U[-1, 1], about 2^n 2 epsilon sqrt(9 / (pi n)) exp(-9 z^2 / n) subsets sum to within "
    "epsilon of z.",
    gives="expected subsets",
    unit=Unit.SUBSETS,
    direction=Direction.EXPECTED,
    letters={"n": _N, "z": _Z, "epsilon": _EPSILON},
    assumes=(_PRODUCTS,),
    sources=("lueker1998", "pensia2020"),
    value=_subsets(1 / 9),
    against="n",
    note=_NOTE,
    measured="n = 16, z = 0.3, epsilon = 0.01: the formula says 527, the mean of 20,000 draws is 541, give or take 2 "
    "(`slth reproduce products`), the median of 8,000 is 568.",
)

SUBSETS_OF_SIZE = Theorem(
    name="subsets-of-size",
    title="how many subsets of exactly k uniform numbers reach one target",
    says="Of n numbers from U[-1, 1], C(n, k) P(|x_1 + ... + x_k - z| <= epsilon) subsets of size k sum to within "
    "epsilon of z on average: about C(n, k) 2 epsilon f_k(z), f_k the density of a sum of k of them.",
    gives="expected subsets",
    unit=Unit.SUBSETS,
    direction=Direction.EXPECTED,
    letters={
        "n": Letter(meaning="random numbers", whole=True, least=1, most=10**5, trend="rises"),
        "k": Letter(meaning="the size of the subsets", whole=True, least=1, most=MOST_TERMS),
        "z": Letter(meaning="the target", default=0.0),
        "epsilon": _EPSILON,
    },
    assumes=(UNIFORM, Assumption(says="k is at most n", holds=lambda at: at["k"] <= at["n"])),
    sources=("natale2024",),
    place="first moment of Theorem 2",
    value=_of_size,
    variants=(
        Variant(
            name="C(n, k) 2 epsilon sqrt(3 / (2 pi k)) exp(-3 z^2 / (2 k))",
            why="a normal law of variance k / 3 for the sum of k numbers, as `subsets` takes one: good from k = 3 on",
            value=_of_size_normal,
        ),
        Variant(
            name="C(n, k) 2 epsilon c_l / sqrt(k), c_l = 0.154",
            why="by the least density on [-sqrt(k), sqrt(k)]: what the proof of Theorem 2 uses",
            value=_of_size_flat,
        ),
    ),
    against="n",
    note="The sum of k uniform numbers is taken exactly, by the law of Irwin and Hall. The chance that there is any "
    "subset is at most this number, and can be far below it, as subsets overlap: near k = n an expected 18 leaves 18 % "
    "without any (vectors of two entries).",
)

FIRST_MOMENT = Theorem(
    name="first-moment",
    title="where one subset of uniform numbers is expected to reach the target",
    says="The least n with 2^n 2 epsilon sqrt(3 / (pi n)) exp(-3 z^2 / n) >= 1, about log2(1 / 2 epsilon) + log2(pi "
    "n / 3) / 2.",
    gives="n, random numbers for one target",
    unit=Unit.CANDIDATES,
    direction=Direction.EXPECTED,
    letters={
        "z": _Z,
        "epsilon": Letter(meaning="the largest error of a sum", above=0, below=1, trend="falls"),
    },
    assumes=(UNIFORM,),
    sources=("lueker1998",),
    value=_numbers(1 / 3),
    against="epsilon",
    note=_NOTE + " Take 5 to 8 numbers more for one target at some percent of failure; for networks see practice.",
)

FIRST_MOMENT_PRODUCTS = Theorem(
    name="first-moment-products",
    title="where one subset of live products is expected to reach the target",
    says="The least n with 2^n 2 epsilon sqrt(9 / (pi n)) exp(-9 z^2 / n) >= 1.",
    gives="n, live products for one target",
    unit=Unit.CANDIDATES,
    direction=Direction.EXPECTED,
    letters={
        "z": _Z,
        "epsilon": Letter(meaning="the largest error of a sum", above=0, below=1, trend="falls"),
    },
    assumes=(_PRODUCTS,),
    sources=("lueker1998", "pensia2020"),
    value=_numbers(1 / 9),
    against="epsilon",
    note=_NOTE,
)
