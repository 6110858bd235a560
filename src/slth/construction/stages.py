r"""How many stages, of how many bits and candidates: precision at a cost that is linear in its bits.

A stage of b bits and gain g leaves rests of at most g 2^(−b−1), and the next one, of gain g 2^(−b), hits those:

    P = Σ_s g_s Σ_k m v u,    g_{s+1} = g_s 2^(−b_s),    τ_s = g_{s+1} / 2,    the last one at the tolerance asked for

One subset-sum problem of b bits takes some 2^(b/2) steps, so that bits are cheap in several stages; but every stage
needs more candidates than bits. The first one hits targets |z| ≤ ⅔ and pays for the whole network's chance of a miss
(`chances`). A later one hits rests z that are uniform in ±½, and what it misses is mended (see `mending`): it needs so
many candidates that few are missed, 2⁻⁷, and hardly any has no answer at all, which is a matter of rows that are nearly
of one sign. With A found by counting what 4,096 rests reach in rows with 0, 1, 2, 3 candidates of the rarer sign,

    P(a rest that is missed, and not mended) ≤ A 2⁻ⁿ,    log₂ A = max(2b − 36, −8)          a heuristic

(found: 2⁻²⁴ at b = 12, 2⁻⁶ at 16, 2² at 20, 2⁷ at 24, with n = b + 8).

Of all numbers of stages the one is taken that is cheapest, where a bit of the mask costs as much as a microsecond:

    Σ_s n_s + 1 + 2^((b_s − 14) / 2)

One stage up to some 20 bits, then one for every 12 to 16: candidates and time grow in proportion to the bits.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from slth.construction.chances import chances
from slth.construction.sizes import Sizes
from slth.ticket import MOST_CANDIDATES

MOST_STAGES = 16
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
    ((19, 17.5), (17, 17, 16.0), (0, -1.0))
    """
    whole = max(math.ceil(bits), 0)
    found: list[float] = []
    for stage in range(count - 1):
        found.append(-(-(whole - int(sum(found))) // (count - stage)))
    return (*found, bits - sum(found))


def plan_stages(
    count: float,
    bits: float,
    *,
    failure: float,
    first: Callable[[float, float], StagePlan | None],
) -> tuple[StagePlan, ...] | None:
    """Stages for `count` problems at a tolerance of 2^(−bits − 1) gains, with `failure` expected misses at most.

    Args:
        first: the plan of a first stage of some bits, for an allowance of misses; None: more than 64 candidates.

    Returns:
        None: no number of stages will do.
    """
    plans = [_planned(count, share_bits(bits, s), failure, first) for s in range(1, MOST_STAGES + 1)]
    known = [plan for plan in plans if plan is not None]
    return min(known, key=_price) if known else None


def _price(stages: Sequence[StagePlan]) -> float:
    return sum(stage.candidates + 1 + 2 ** ((stage.bits - 14) / 2) for stage in stages)


def _planned(
    count: float, bits: Sequence[float], failure: float, first: Callable[[float, float], StagePlan | None]
) -> tuple[StagePlan, ...] | None:
    """Of given bits; each stage has an equal share of the misses."""
    share = failure / len(bits)
    plans = [first(bits[0], share), *(later_stage(count, each, failure=share) for each in bits[1:])]
    found = tuple(plan for plan in plans if plan is not None)
    return found if len(found) == len(plans) else None


def later_stage(count: float, bits: float, *, failure: float) -> StagePlan | None:
    """The fewest candidates for a stage behind another, of `count` rests; None: more than 64."""
    tolerance = 2.0 ** (-bits - 1)
    if tolerance >= 0.5:  # every rest is within it
        return StagePlan(bits, 1, 0.0)
    for n in range(1, MOST_CANDIDATES + 1):
        missed = count * _missed(n, tolerance)
        lost = min(missed, count * 2.0 ** (max(2 * bits - 36, -8) - n))
        if missed <= _MENDED * count and lost <= failure:
            return StagePlan(bits, n, lost, missed)
    return None


def _missed(candidates: int, tolerance: float) -> float:
    """The chance that a rest, uniform in ±½ gains, is missed."""
    return float(_RESTS.by_row(1.0, tolerance) @ chances(candidates, tolerance))


def _uniform(x: Float64[np.ndarray, " x"]) -> Float64[np.ndarray, " x"]:
    return np.minimum(2.0 * x, 1.0)


_RESTS = Sizes(_uniform, 0.5)
