"""The width of a map under the objectives `exactly` and `moved`: one stage, by measured chances of a miss."""

import math
from collections.abc import Callable
from dataclasses import replace

from slth._errors import InputError
from slth.construction.expected import Expected
from slth.construction.needs import Needs
from slth.construction.width import Width, gain_of
from slth.ticket import MOST_CANDIDATES


def plan_single_stage(needs: Needs, expected: Expected) -> Width:
    """The fewest candidates with at most `failure` expected misses, half of them of weights and half of biases.

    Raises:
        InputError: more than 64 candidates would be needed; says which tolerance is in reach.
    """
    found = _width(needs, expected)
    if found is not None:
        return found
    tolerance, failure, g = needs.tolerance, needs.failure, gain_of(needs.weights.largest)
    finest = _finest(needs, expected)
    if tolerance < expected.finest * _top(needs):
        raise InputError(
            f"a tolerance of {tolerance / g:.2g} gains is finer than subsets of this objective are found at, "
            f"{expected.finest:.2g} gains; ask for a larger tolerance, or for the objective within, which has stages"
        )
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


def _width(needs: Needs, expected: Expected) -> Width | None:
    """None: more than 64 candidates are needed."""
    weights, bias, tolerance = needs.weights, needs.bias, needs.tolerance
    g, g_b = gain_of(weights.largest), 1.0 if bias is None else gain_of(bias.largest)
    if needs.candidates is None and tolerance < expected.finest * max(g, g_b):
        return None
    n, missed = _fewest(expected(weights, g, tolerance), needs)
    if bias is None:
        return None if n is None else Width(tolerance, g, g_b, n, 0, missed, None)
    n_c, missed_bias = _fewest(expected(bias, g_b, tolerance), needs)
    if n is None or n_c is None:
        return None
    return Width(tolerance, g, g_b, n, n_c, missed + missed_bias, None)


def _finest(needs: Needs, expected: Expected) -> float | None:
    """To a factor of 2; None: not even the gain."""
    top, planned = _top(needs), replace(needs, candidates=None, extra=0)
    coarse, fine = -1, 1 - round(math.log2(expected.finest))
    while fine - coarse > 1:
        middle = (coarse + fine) // 2
        if _width(replace(planned, tolerance=top * 2.0**-middle), expected) is None:
            fine = middle
        else:
            coarse = middle
    return None if coarse < 0 else top * 2.0**-coarse


def _top(needs: Needs) -> float:
    """The largest gain."""
    return gain_of(max(needs.weights.largest, 0.0 if needs.bias is None else needs.bias.largest))


def _fewest(missed: Callable[[int], float], needs: Needs) -> tuple[int | None, float]:
    """The fewest candidates for at most a share of the expected misses, plus `extra`; the misses then expected."""
    n = needs.candidates
    if n is None:
        n = next((n for n in range(1, MOST_CANDIDATES + 1) if missed(n) <= needs.share), None)
    if n is None:
        return None, math.inf
    n = min(n + needs.extra, MOST_CANDIDATES)
    return n, missed(n)
