r"""How many stages, of how many bits and candidates: precision at a cost that is linear in its bits.

A stage of b bits and gain g leaves rests of at most g 2^(−b−1), and the next one, of gain g 2^(−b), hits those:

    P = Σ_s g_s Σ_k m v u,    g_{s+1} = g_s 2^(−b_s),    τ_s = g_{s+1} / 2,    the last one at the tolerance asked for

One subset-sum problem of b bits takes some 2^(b/2) steps, so that bits are cheap in several stages; but every stage
needs more candidates than bits. The first one hits targets |z| ≤ ⅔ and pays for the whole network's chance of a miss
(`chances`). A later one hits rests z that are uniform in ±½, and what it misses is mended (see `mending`): it needs so
many candidates that few are missed, 2⁻⁷, and hardly any has no answer at all, which is a matter of rows that are nearly
of one sign. With A found by counting what 4,096 rests reach in rows with 0, 1, 2, 3 candidates of the rarer sign,

    P(a rest that is missed, and not mended) ≤ A 2⁻ⁿ,    log₂ A = max(2b − 36, −8)          a heuristic

(found: 2⁻²⁴ at b = 12, 2⁻⁶ at 16, 2² at 20, 2⁷ at 24, with n = b + 8; `benchmarks/mending.py` counts again, where rows
that fail are common enough: 2^−2.7 at 18, 2^1.8 at 20).

Of all numbers of stages the one is taken that is cheapest, where four bits of the mask cost as much as a microsecond:

    Σ_s n_s + 4 (1 + 2^((b_s − 14) / 2))

(in the same benchmark a problem of 12, 14, 16, 18, 20 bits takes 0.8, 1.3, 1.9, 4.0, 9.3 µs, where this says 1.5, 2, 3,
5, 9). One stage up to some 18 bits, then one for every 12 or so: candidates and time grow in proportion to the bits.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float64

from slth.construction.chances import chances
from slth.construction.sizes import Sizes
from slth.ticket import MOST_CANDIDATES

MOST_STAGES = 16
_MOST_BITS, _FEWEST_BITS = 40, 9  # of a stage that is looked at: more never pay, fewer neither
FINEST = 50  # bits below the gain: a coefficient of half a gain has 52 in float64, rounded once
_MENDED = 2.0**-7  # share of the rests of a stage that may be left to mending


@dataclass(frozen=True, slots=True)
class StagePlan:
    """One stage."""

    bits: float  # log2(gain / 2 τ) of it; whole but for the last one
    candidates: int
    expected_misses: float  # that nothing mends
    expected_mended: float = 0.0


def share_bits(bits: float, count: int) -> tuple[float, ...]:
    """Bits of so many stages: whole numbers, as equal as can be, but for the last one, which has the rest.

    >>> share_bits(36.5, 2), share_bits(50.0, 3), share_bits(-1.0, 2)
    ((19.0, 17.5), (17.0, 17.0, 16.0), (0.0, -1.0))
    """
    whole = max(math.ceil(bits), 0)
    found: list[float] = []
    for stage in range(count - 1):
        found.append(float(-(-(whole - int(sum(found))) // (count - stage))))
    return (*found, bits - sum(found))


def plan_stages(
    count: float,
    bits: float,
    *,
    failure: float,
    first: Callable[[float, float], StagePlan | None],
    candidates: int | None = None,
    extra: int = 0,
) -> tuple[StagePlan, ...] | None:
    """Stages for `count` problems at a tolerance of 2^(−bits − 1) gains, with `failure` expected misses at most.

    Args:
        first: the plan of a first stage of some bits, for an allowance of misses; None: more than 64 candidates.
        candidates: of every stage, if they are given rather than planned.
        extra: candidates on top of that, in every stage.

    Returns:
        None: no number of stages will do.
    """

    def planned(stages: int) -> tuple[StagePlan, ...] | None:
        shared, share = share_bits(bits, stages), failure / stages
        later = [later_stage(count, each, failure=share, candidates=candidates, extra=extra) for each in shared[1:]]
        known = tuple(stage for stage in (first(shared[0], share), *later) if stage is not None)
        return known if len(known) == stages else None

    fewest = max(1, math.ceil(bits / _MOST_BITS))
    most = max(fewest, min(MOST_STAGES, math.ceil(bits / _FEWEST_BITS)))
    plans = [plan for plan in map(planned, range(fewest, most + 1)) if plan is not None]
    return min(plans, key=_price) if plans else None


def _price(stages: Sequence[StagePlan]) -> float:
    return sum(stage.candidates + 4 * (1 + 2 ** ((stage.bits - 14) / 2)) for stage in stages)


def later_stage(
    count: float, bits: float, *, failure: float, candidates: int | None = None, extra: int = 0
) -> StagePlan | None:
    """The fewest candidates for a stage behind another, of `count` rests; None: more than 64."""
    tolerance = 2.0 ** (-bits - 1)

    def plan(n: int) -> StagePlan:
        missed = count * _missed(n, tolerance)
        return StagePlan(bits, n, min(missed, count * 2.0 ** (max(2 * bits - 36, -8) - n)), missed)

    n = candidates
    if n is None:
        plans = map(plan, range(1, MOST_CANDIDATES + 1))
        fits = (p for p in plans if p.expected_mended <= _MENDED * count and p.expected_misses <= failure)
        n = next((p.candidates for p in fits), None)
    return None if n is None else plan(min(n + extra, MOST_CANDIDATES))


@cache
def _missed(candidates: int, tolerance: float) -> float:
    """The chance that a rest, uniform in ±½ gains, is missed."""
    if tolerance >= 0.5:
        return 0.0
    return float(_RESTS.by_row(1.0, tolerance) @ chances(candidates, tolerance))


def _uniform(x: Float64[np.ndarray, " x"]) -> Float64[np.ndarray, " x"]:
    return np.minimum(2.0 * x, 1.0)


_RESTS = Sizes(_uniform, 0.5)
