"""How many coefficients are how large: counted, or by their law, as many as there are."""

import numpy as np
import pytest

from slth.construction.chances import grid
from slth.construction.sizes import gaussian, sizes_of


@pytest.mark.parametrize("signed", [None, "none", "all", "some"])
def test_the_rows_of_an_array_are_counted_above_the_tolerance_and_signed_inputs_twice(signed):
    rng = np.random.default_rng(0)
    values = rng.normal(scale=0.1, size=(7, 30, 4))
    values[0, 0, 0] = grid()[2] * 0.5  # on the grid, for a gain of ½
    mask = {None: None, "none": np.zeros(30, bool), "all": np.ones(30, bool), "some": rng.random(30) < 0.4}[signed]
    twice = np.ones(30) if mask is None else 1.0 + mask
    found = sizes_of(values, mask)
    z = np.abs(values) / 0.5
    rows = np.minimum(np.searchsorted(grid(), z * (1 - 1e-12)), len(grid()) - 1)
    for tolerance in (1e-9, 0.02, 0.1, 1.0):
        wanted = [
            float((((rows == k) & (z > tolerance / 0.5)) * twice[None, :, None]).sum()) for k in range(len(grid()))
        ]
        assert found.by_row(0.5, tolerance).tolist() == wanted
    assert found.largest == np.abs(values).max()


def test_nothing_is_nothing():
    assert sizes_of(np.zeros(0)).largest == 0.0
    assert sizes_of(np.zeros((3, 2, 1))).by_row(1.0, 1e-9).sum() == 0


def test_the_quantiles_of_a_gaussian_are_those_of_a_sample():
    """10⁶ numbers: each row to five standard deviations; the largest within a factor of 1.2."""
    sample = np.random.default_rng(0).normal(scale=0.2, size=10**6)
    seen, law = sizes_of(sample), gaussian(10**6, 0.2, times=1.0)
    assert law.largest / 1.2 < seen.largest < law.largest * 1.2
    for tolerance in (1e-6, 0.05, 0.3):
        counted, planned = seen.by_row(2.0, tolerance), law.by_row(2.0, tolerance)
        assert (np.abs(counted - planned) <= 5 * np.sqrt(planned + 1)).all()
    assert (gaussian(10**6, 0.2, times=2.0).by_row(2.0, 1e-6) == 2 * law.by_row(2.0, 1e-6)).all()
