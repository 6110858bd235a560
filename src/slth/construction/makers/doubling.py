"""Weights in binary, by a deep network of ±1 (Sreenivasan et al., 2022)."""

import math
from dataclasses import dataclass

import numpy as np

from slth._errors import InputError
from slth._shapes import Targets, ValuesBatch
from slth.construction.makers.refusals import check_objective, check_source
from slth.construction.needs import Needs
from slth.construction.objectives import Objective, Subsets
from slth.construction.recipe import Recipe
from slth.construction.sizes import Sizes
from slth.construction.tails import digit_misses, fewest
from slth.construction.width import Width
from slth.graph import Dense, Linear
from slth.subsetsum import bit_batch
from slth.ticket import MOST_COPIES, MOST_DIGITS, MOST_ENTRIES, Doubling, Gadget


@dataclass(frozen=True, slots=True)
class DoublingMaker:
    """Dense maps, small ones."""

    kind: str = Doubling.kind
    method: str = "weights in binary, by doubling in a deep random ±1 network (Sreenivasan et al., 2022)"

    def check(self, recipe: Recipe, op: Linear) -> None:
        """Digits leave no choice of a subset."""
        check_source(recipe, op, "sign")
        check_objective(recipe, op, "writes weights in binary", known=("within", "closest"))
        if not isinstance(op.basis, Dense):
            raise InputError(
                f"{op.map}: the gadget doubling makes dense maps, and this is none; its network would repeat p + 1 "
                "convolutions for one: take counts or two-layer"
            )

    def width(self, needs: Needs, recipe: Recipe) -> Width:
        """c copies of each digit, 2⁻ᶜ of all digits 1, at most all of the digits of all weights above the tolerance."""
        weights, bias, tolerance = needs.weights, needs.bias, needs.tolerance
        g = scale_of(weights.largest, tolerance)
        g_b = 1.0 if bias is None else scale_of(bias.largest, tolerance)
        p = digits_of(max(g, g_b) if bias is not None else g, tolerance)
        above = sum(_above(sizes, tolerance) for sizes in (weights, bias) if sizes is not None)
        missed = digit_misses(p * above)
        c = fewest(missed, needs.failure, MOST_COPIES) if needs.candidates is None else needs.candidates
        if c is None:
            raise InputError(f"{above:,.0f} weights need over {MOST_COPIES} copies of each digit; take two-layer")
        c = min(max(c, 2) + needs.extra, MOST_COPIES)
        return Width(tolerance, g, g_b, c, c if bias is not None else 0, missed(c), missed(c))

    def gadget(self, op: Linear, width: Width, signed: tuple[tuple[int, int], ...], *, recipe: Recipe) -> Gadget:
        """As narrow as it can be.

        Raises:
            InputError: its random matrices would be too large.
        """
        p = digits_of(max(width.gain, width.bias_gain) if op.bias else width.gain, width.tolerance)
        found = Doubling(width.candidates, p, (0,) * p, signed, width.gain, width.bias_gain).narrowest(op)
        entries = sum(tensor.size for tensor in found.tensors(op.map, op))
        if entries > MOST_ENTRIES:
            raise InputError(
                f"{op.map}: doubling would take random matrices of {entries:,} entries, more than {MOST_ENTRIES:,}, "
                f"for {op.weights:,} weights of {p} binary digits; it is for small layers: take two-layer"
            )
        return found

    def objective(self, recipe: Recipe) -> Objective:
        """The digits of the nearest number."""
        return _digits


def scale_of(largest: float, tolerance: float) -> float:
    """g, the smallest power of two such that the largest weight rounds to at most p digits 1: |w| < g (1 − 2^(−p−1)).

    >>> scale_of(0.4, 0.01), scale_of(0.499, 0.01), scale_of(0.0, 0.01)
    (0.5, 1.0, 1.0)
    """
    if largest == 0.0:
        return 1.0
    g = math.ldexp(1.0, math.frexp(largest)[1])
    return g if largest < g * (1 - 2.0 ** (-digits_of(g, tolerance) - 1)) else 2 * g


def digits_of(gain: float, tolerance: float) -> int:
    """p, the fewest digits with g 2^(−p−1) ≤ τ.

    Raises:
        InputError: too many.

    >>> digits_of(1.0, 0.25), digits_of(1.0, 0.24)
    (1, 2)
    """
    p = 1
    while math.ldexp(gain, -p - 1) > tolerance:
        p += 1
        if p > MOST_DIGITS:
            raise InputError(
                f"a tolerance of {tolerance:g} takes more than {MOST_DIGITS} binary digits of weights up to {gain:g}; "
                "ask for a larger one"
            )
    return p


def _above(sizes: Sizes, tolerance: float) -> float:
    known = sizes.up_to(np.array([tolerance, math.inf]))
    return float(known[1] - known[0])


def _digits(rows: ValuesBatch, targets: Targets, *, tol: float) -> Subsets:
    found = bit_batch(rows, targets)
    return Subsets(found.packed, found.error <= tol, found.error)
