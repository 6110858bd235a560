"""Sources of which a random part is pruned before any target is seen (Gadhikar et al., 2023)."""

import math

from slth.theory._counting import all_of, enough, product, written
from slth.theory._numbers import Number, least_n
from slth.theory._theorem import Assumption, Direction, Letter, Theorem, Unit, Variant

_SURVIVAL = Letter(meaning="the chance that an edge of the source survives", least=1e-4, below=1, trend="falls")
_EDGES = Letter(meaning="edges of the target", whole=True, least=1, trend="rises")
_DELTA = Letter(meaning="the chance of failure", default=0.01, above=0, below=1, trend="falls")
_LAW = Assumption(says="each edge of the source survives independently with probability p")


def _sufficient(*, p: float, edges: int, delta: float) -> Number:
    """The least k with edges (1 - p)^k <= delta; the last step, where a tie is no less, by whole numbers."""
    dead, chance = 1 - written(p), written(delta) / edges
    k = int(least_n(lambda k: enough(product((chance, 1)), product((dead, k)))))
    return k if dead**k <= chance else k + 1


def _necessary(*, p: float, edges: int, delta: float) -> Number:
    """(1 - (1 - p)^k)^edges >= 1 - delta."""
    dead, wanted = 1 - written(p), product((1 - written(delta), 1))
    return least_n(lambda k: enough(all_of(edges, product((dead, k))), wanted))


def _printed(*, p: float, edges: int, delta: float) -> Number:
    return math.log(edges / delta) / math.log(1 / (1 - p))


RANDOM_MASKS = Theorem(
    name="random-masks",
    title="copies of a neuron, so that each edge survives a random mask in one of them",
    says="If k >= ln(edges / delta) / ln(1 / (1 - p)), each of the edges has a copy that survives, with probability at "
    "least 1 - delta: k copies all miss one with probability (1 - p)^k.",
    gives="k, copies of each neuron",
    unit=Unit.OTHER,
    direction=Direction.SUFFICIENT,
    letters={"p": _SURVIVAL, "edges": _EDGES, "delta": _DELTA},
    assumes=(_LAW,),
    sources=("gadhikar2023",),
    place="width of Erdos-Renyi sources",
    value=_sufficient,
    against="p",
    variants=(
        Variant(name="ln(edges / delta) / ln(1 / (1 - p))", why="the same before it is rounded up", value=_printed),
    ),
    note="Of edges that are wanted one by one. For sums of survivors see random-masks-factor.",
)
RANDOM_MASKS_LOWER = Theorem(
    name="random-masks-lower",
    title="copies of a neuron that a random mask asks for",
    says="If each of the edges is to survive a random mask in at least one of k copies, with probability at least "
    "1 - delta, then (1 - (1 - p)^k)^edges >= 1 - delta.",
    gives="k, copies of each neuron",
    unit=Unit.OTHER,
    direction=Direction.NECESSARY,
    letters={"p": _SURVIVAL, "edges": _EDGES, "delta": _DELTA},
    assumes=(_LAW, Assumption(says="the edges share no copy")),
    sources=("gadhikar2023",),
    place="width of Erdos-Renyi sources",
    value=_necessary,
    against="p",
    note="Exact for edges of which each has its own copies; up to rounding the same number as random-masks.",
)


def _printed_factor(*, p: float) -> Number:
    return 1 / math.log(1 / (1 - p))


def _survivors(*, p: float) -> Number:
    return 1 / p


def _half(*, p: float) -> Number:
    return 1 / math.log2(1 / (1 - p / 2))


RANDOM_MASKS_FACTOR = Theorem(
    name="random-masks-factor",
    title="how many times more random numbers a randomly pruned source needs: an estimate",
    says="A sum misses where nearly all numbers are dead or of the wrong sign, chance (1 - p/2)^n. So n grows, against "
    "the source that is whole, by about 1 / log2(1 / (1 - p/2)).",
    gives="times the random numbers of the source that is whole",
    unit=Unit.OTHER,
    direction=Direction.EXPECTED,
    letters={"p": _SURVIVAL},
    assumes=(_LAW, Assumption(says="weights are sums of the survivors, with a small chance of failure")),
    sources=("gadhikar2023",),
    place="width of Erdos-Renyi sources",
    value=_half,
    against="p",
    variants=(
        Variant(
            name="1 / ln(1 / (1 - p))",
            why="the factor as printed: it counts copies until one edge survives, falls below 1 for p > 0.63, and is "
            "1.4 to 2.5 times less than what was measured of sums",
            value=_printed_factor,
        ),
        Variant(name="1 / p", why="as many survivors on average; too few, for they can all die", value=_survivors),
    ),
    measured="400,000 weights, tolerance 0.02 gains, against 33 candidates: 1.21, 1.45, 2.33, 4.94 times at p = 0.875, "
    "0.75, 0.5, 0.25, where this says 1.20, 1.47, 2.41, 5.19 (docs/benchmarks.md).",
)
