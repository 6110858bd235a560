"""How wide must the random network be? From chances of a miss to a promise about the whole network.

A coefficient w misses if no subset of its n candidates sums to w/g within τ/g. `p(z, n, t)` is the measured chance of
that for z = |w|/g and t = τ/g, an upper estimate (`chances`). By the union bound

    P(any miss) ≤ E[misses] = Σ_w p(|w|/g, n, τ/g) ≤ δ,

also though candidates of one input share their lift values: expectations add whatever the dependence. The sum runs over
the table's |z| and needs no more of the weights than how many there are of each size (`sizes`), so that a network can
be planned that exists as a shape only. Beside it stands the same sum by the law in closed form (`law`).

First moments say nothing here: 2ⁿ subsets cover a target many times over on average long before all of 10⁵ targets are
covered in one draw.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from slth._errors import InputError
from slth._shapes import Signed
from slth.construction.chances import chances, grid
from slth.construction.law import miss_law
from slth.construction.sizes import Sizes, sizes_of
from slth.graph import Affine
from slth.ticket import MOST_CANDIDATES


@dataclass(frozen=True, slots=True)
class Width:
    """What the random network of one map needs."""

    tolerance: float  # τ of its coefficients
    gain: float  # g
    bias_gain: float  # g_b
    candidates: int  # n per coefficient and half
    constants: int  # n_c for the bias; 0 without one
    expected_misses: float
    law_misses: float  # the same by the law in closed form


def gain(coefficients: Float64[np.ndarray, "..."]) -> float:
    """g, the smallest power of two that is at least 1.5 max|w|; 1 for zeros.

    >>> gain(np.array([0.32, -0.1])), gain(np.array([0.0]))
    (0.5, 1.0)
    """
    return gain_of(float(np.max(np.abs(coefficients), initial=0.0)))


def gain_of(largest: float) -> float:
    """The same of max|w|."""
    if largest == 0.0:
        return 1.0
    mantissa, exponent = math.frexp(1.5 * largest)
    return math.ldexp(1.0, exponent - 1 if mantissa == 0.5 else exponent)


def plan_width(
    affine: Affine,
    tolerance: float,
    *,
    signed: Signed,
    failure: float,
    candidates: int | None = None,
    extra: int = 0,
) -> Width:
    """The fewest candidates with at most `failure` expected misses in one map.

    Args:
        tolerance: τ.
        signed: inputs that can be negative; their coefficients are two problems each.
        failure: expected misses allowed; weights and bias get half of it each if there are both.
        candidates: n, if it is given rather than planned.
        extra: candidates on top of that, up to 64 in all.

    Raises:
        InputError: more than 64 candidates would be needed; says which tolerance is in reach.
    """
    return plan_sizes(*affine_sizes(affine, signed), tolerance, failure=failure, candidates=candidates, extra=extra)


def plan_sizes(
    weights: Sizes,
    bias: Sizes | None,
    tolerance: float,
    *,
    failure: float,
    candidates: int | None = None,
    extra: int = 0,
) -> Width:
    """The same of a map of which only the sizes of its coefficients are known."""
    found = _width(weights, bias, tolerance, failure, candidates, extra)
    if found is not None:
        return found
    g = gain_of(weights.largest)
    finest = _finest(weights, bias, failure)
    raise InputError(
        f"a tolerance of {tolerance / g:.2g} gains needs more than {MOST_CANDIDATES} candidates, or a longer search, "
        f"for an expected {failure:.2g} misses; ask for a larger tolerance ({finest / g:.2g} gains, {finest:.2g}, is "
        "in reach here) or a larger failure probability"
    )


def finest_tolerance(affine: Affine, *, signed: Signed, failure: float) -> float:
    """The finest tolerance that 64 candidates reach with at most `failure` expected misses, to a factor of 2.

    Other arguments as for `plan_width`.
    """
    return _finest(*affine_sizes(affine, signed), failure)


def affine_sizes(affine: Affine, signed: Signed) -> tuple[Sizes, Sizes | None]:
    """The problems of a map: those of its weights, twice where an input can be negative; and those of its bias."""
    return sizes_of(affine.weight, signed), None if affine.bias is None else sizes_of(affine.bias)


def _width(
    weights: Sizes, bias: Sizes | None, tolerance: float, failure: float, candidates: int | None, extra: int
) -> Width | None:
    """None: more than 64 candidates are needed."""
    g, g_b = gain_of(weights.largest), 1.0 if bias is None else gain_of(bias.largest)
    share = failure if bias is None else failure / 2
    n, missed, by_law = _fewest(weights, g, tolerance, share, candidates, extra)
    if bias is None:
        return None if n is None else Width(tolerance, g, g_b, n, 0, missed, by_law)
    n_c, missed_bias, bias_by_law = _fewest(bias, g_b, tolerance, share, candidates, extra)
    if n is None or n_c is None:
        return None
    return Width(tolerance, g, g_b, n, n_c, missed + missed_bias, by_law + bias_by_law)


def _finest(weights: Sizes, bias: Sizes | None, failure: float) -> float:
    top = gain_of(max(weights.largest, 0.0 if bias is None else bias.largest))
    coarse, fine = 0, 47  # powers of two below the gain: sums are multiples of 2⁻⁴⁶, so nothing is finer
    while fine - coarse > 1:
        middle = (coarse + fine) // 2
        if _width(weights, bias, top * 2.0**-middle, failure, None, 0) is None:
            fine = middle
        else:
            coarse = middle
    return top * 2.0**-coarse


def _fewest(
    sizes: Sizes, gain: float, tolerance: float, failure: float, candidates: int | None, extra: int
) -> tuple[int | None, float, float]:
    """The fewest candidates for at most `failure` expected misses, plus `extra`; the misses then expected, twice."""
    counts, t = sizes.by_row(gain, tolerance), tolerance / gain

    def missed(n: int) -> float:
        return float(counts @ chances(n, t))

    n = candidates
    if n is None:
        n = next((n for n in range(1, MOST_CANDIDATES + 1) if missed(n) <= failure), None)
    if n is None:
        return None, math.inf, math.inf
    n = min(n + extra, MOST_CANDIDATES)
    return n, missed(n), float(counts @ miss_law(grid(), n, t))
