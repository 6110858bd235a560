"""Fewest random numbers of which some, at least one or exactly k, sum to about 0: the null function, not empty."""

from math import comb

from slth.theory._counting import first, more_than, product, ways, written
from slth.theory._numbers import Number, least_n
from slth.theory._theorem import Assumption, Direction, Letter, Theorem, Unit
from slth.theory._uniform_sums import MOST_TERMS, within

_LETTERS = {
    "epsilon": Letter(meaning="the largest error of a sum", above=1e-30, below=1, trend="falls"),
    "delta": Letter(meaning="the chance of failure", default=0.01, least=0, below=1, trend="falls"),
}
_LAW = Assumption(says="the numbers are independent and uniform on [-1, 1]")


def _any_size(*, epsilon: float, delta: float) -> Number:
    wanted, half = 1 - written(delta), written(epsilon)
    found = least_n(
        lambda n: sum(comb(n, k) * within(k, written(0), half) for k in range(1, n + 1)) >= wanted, most=MOST_TERMS
    )
    return more_than(MOST_TERMS, found)


def _one_size(*, k: int, epsilon: float, delta: float) -> Number:
    need = product(((1 - written(delta)) / within(k, written(0), written(epsilon)), 1))
    return first(lambda n: ways(n, k), lambda _: need, least=k)


NULL_FUNCTION = Theorem(
    name="null-function",
    title="random numbers of which some, at least one, sum to about 0: fewest",
    says="If, of n numbers drawn from U[-1, 1], a subset that is not empty sums to within epsilon of 0 with "
    "probability at least 1 - delta, then the sum over k = 1 ... n of C(n, k) P(|x_1 + ... + x_k| <= epsilon) is at "
    "least 1 - delta.",
    gives="n, random numbers for one target",
    unit=Unit.CANDIDATES,
    direction=Direction.NECESSARY,
    letters=_LETTERS,
    assumes=(_LAW,),
    sources=("natale2024",),
    value=_any_size,
    against="epsilon",
    note="The null function is trivial with everything pruned; without the empty set it is as hard as any other. "
    "Derived here: the chance of any subset is at most the number that is expected. The chances are exact (Irwin and "
    "Hall).",
)
NULL_FUNCTION_FIXED = Theorem(
    name="null-function-fixed",
    title="random numbers of which exactly k sum to about 0: fewest",
    says="If, of n numbers drawn from U[-1, 1], exactly k sum to within epsilon of 0 with probability at least 1 - "
    "delta, then C(n, k) P(|x_1 + ... + x_k| <= epsilon) >= 1 - delta.",
    gives="n, random numbers for one target",
    unit=Unit.CANDIDATES,
    direction=Direction.NECESSARY,
    letters={"k": Letter(meaning="kept numbers", whole=True, least=1, most=MOST_TERMS), **_LETTERS},
    assumes=(_LAW,),
    sources=("natale2024",),
    value=_one_size,
    against="k",
    note="Derived here: see null-function.",
)
