"""The width of a map under the objectives `exactly` and `moved`: one stage, by measured chances of a miss."""

import math

from slth._errors import InputError
from slth.construction.expected import Expected
from slth.construction.sizes import Sizes
from slth.construction.width import Width, gain_of
from slth.ticket import MOST_CANDIDATES

_FINEST = 47  # powers of two below the gain: sums are multiples of 2⁻⁴⁶, so nothing is finer


def plan_single_stage(
    weights: Sizes,
    bias: Sizes | None,
    tolerance: float,
    *,
    expected: Expected,
    failure: float,
    candidates: int | None = None,
    extra: int = 0,
) -> Width:
    """The fewest candidates with at most `failure` expected misses, half of them of weights and half of biases.

    Raises:
        InputError: more than 64 candidates would be needed; says which tolerance is in reach.
    """
    found = _width(weights, bias, tolerance, failure, candidates, extra, expected)
    if found is not None:
        return found
    g = gain_of(weights.largest)
    finest = _finest(weights, bias, failure, expected)
    if finest is None:
        raise InputError(
            f"up to {MOST_CANDIDATES} candidates reach no tolerance at all with {failure:.2g} expected misses; ask for "
            "a density nearer to 0.2, or a larger failure probability"
        )
    raise InputError(
        f"a tolerance of {tolerance / g:.2g} gains needs more than {MOST_CANDIDATES} candidates for an expected "
        f"{failure:.2g} misses; ask for a larger tolerance ({finest / g:.2g} gains, {finest:.2g}, is in reach here), a "
        "density nearer to 0.2, or a larger failure probability"
    )


def _width(
    weights: Sizes,
    bias: Sizes | None,
    tolerance: float,
    failure: float,
    candidates: int | None,
    extra: int,
    expected: Expected,
) -> Width | None:
    """None: more than 64 candidates are needed."""
    g, g_b = gain_of(weights.largest), 1.0 if bias is None else gain_of(bias.largest)
    share = failure if bias is None else failure / 2
    n, missed = _fewest(weights, g, tolerance, share, candidates, extra, expected)
    if bias is None:
        return None if n is None else Width(tolerance, g, g_b, n, 0, missed, None)
    n_c, missed_bias = _fewest(bias, g_b, tolerance, share, candidates, extra, expected)
    if n is None or n_c is None:
        return None
    return Width(tolerance, g, g_b, n, n_c, missed + missed_bias, None)


def _finest(weights: Sizes, bias: Sizes | None, failure: float, expected: Expected) -> float | None:
    """To a factor of 2; None: not even the gain."""
    top = gain_of(max(weights.largest, 0.0 if bias is None else bias.largest))
    coarse, fine = -1, _FINEST
    while fine - coarse > 1:
        middle = (coarse + fine) // 2
        if _width(weights, bias, top * 2.0**-middle, failure, None, 0, expected) is None:
            fine = middle
        else:
            coarse = middle
    return None if coarse < 0 else top * 2.0**-coarse


def _fewest(
    sizes: Sizes,
    gain: float,
    tolerance: float,
    failure: float,
    candidates: int | None,
    extra: int,
    expected: Expected,
) -> tuple[int | None, float]:
    """The fewest candidates for at most `failure` expected misses, plus `extra`; the misses then expected."""
    missed = expected(sizes, gain, tolerance)
    n = candidates
    if n is None:
        n = next((n for n in range(1, MOST_CANDIDATES + 1) if missed(n) <= failure), None)
    if n is None:
        return None, math.inf
    n = min(n + extra, MOST_CANDIDATES)
    return n, missed(n)
