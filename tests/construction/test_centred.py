"""Mirrored pairs: what the solver is asked is what is meant, in exact arithmetic."""

from fractions import Fraction

import numpy as np
import pytest

from slth.construction.centred import as_subset_sums
from slth.numerics import Stream, uniform
from slth.subsetsum import closest_batch, first_batch


def problems(count, n, seed=0):
    """Products u·v on the grid 2⁻⁴⁶, and targets that are on no grid."""
    pair = uniform(Stream(seed, "test_centred"), (2, count, n)).astype(np.float64)
    targets = np.random.default_rng(seed).uniform(-2 / 3, 2 / 3, count)
    targets[:3] = 0.0, 1e-300, -(2.0**-47)
    return (0.75 + 0.25 * pair[0]) * pair[1], targets


@pytest.mark.parametrize("n", [1, 7, 40, 64])
def test_candidates_and_targets_of_the_subset_sums_are_exact(n):
    rows, targets = problems(50, n)
    doubled, shifted, tol = as_subset_sums(rows, targets, tol=0.01, bits=46)
    for x, z, twice, target in zip(rows.tolist(), targets.tolist(), doubled.tolist(), shifted.tolist(), strict=True):
        assert [Fraction(2) * Fraction(value) for value in x] == [Fraction(value) for value in twice]
        rest = Fraction(target) - sum((Fraction(value) for value in x), Fraction(0)) - Fraction(z)
        assert abs(rest) <= Fraction(1, 2**47)
    assert Fraction(tol) == Fraction(0.01) - Fraction(1, 2**47)


def test_a_subset_within_the_shifted_tolerance_is_a_choice_of_signs_within_the_tolerance():
    """All 2⁸ choices of each problem, in fractions: the closest one is found, and none within is overlooked."""
    rows, targets = problems(30, 8)
    tolerance = 0.004
    doubled, shifted, tol = as_subset_sums(rows, targets, tol=tolerance, bits=46)
    first, closest = first_batch(doubled, shifted, tol=tol), closest_batch(doubled, shifted)
    hit = 0
    for i, (x, z) in enumerate(zip(rows.tolist(), targets.tolist(), strict=True)):
        exact = [Fraction(value) for value in x]

        def error(packed, exact=exact, z=z):
            signed = sum((part if packed >> k & 1 else -part for k, part in enumerate(exact)), Fraction(0))
            return abs(signed - Fraction(z))

        best = min(error(packed) for packed in range(2**8))
        assert error(int(closest.packed[i])) == best
        if best <= Fraction(tol):
            assert error(int(first.packed[i])) <= Fraction(tolerance)
            hit += 1
    assert 0 < hit < 30
