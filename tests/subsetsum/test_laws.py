"""Laws of candidates: known moments, exact grids, and numbers that a seed and a path name for ever."""

import hashlib

import numpy as np
import pytest

from slth import InputError
from slth.numerics import Stream
from slth.subsetsum import laws
from slth.subsetsum.laws import candidates

COUNT = 200_000
# law: mean, variance, and the fourth central moment, which gives the standard deviation of a measured variance
MOMENTS = {
    laws.Uniform(): (0, 1 / 3, 1 / 5),
    laws.Uniform(2.0, 6.0): (4, 4 / 3, 16 / 5),
    laws.Normal(2.0): (0, 4, 48),
    laws.LiveProducts(): (0, 1 / 9, 1 / 25),
    laws.RawProducts(): (0, 1 / 18, 1 / 50),
    laws.Signs(): (0, 1, 1),
    laws.Integers(1): (0, 1, 1),
    laws.Integers(6): (0, 7 * 13 / 6, 2275 / 6),
    laws.Mixture(0.25, laws.Signs()): (0, 0.25 / 3 + 0.75, 0.25 / 5 + 0.75),
    laws.Normals(3): (0, 1, 3),
    laws.ScaledNormals(3): (0, 1, 9),
}


@pytest.mark.parametrize("law", MOMENTS, ids=repr)
def test_moments_are_the_known_ones(law):
    """Band: five standard deviations of the measured mean and variance."""
    mean, variance, fourth = MOMENTS[law]
    drawn = candidates(law, (COUNT,))
    assert np.abs(drawn.mean(axis=0) - mean).max() < 5 * np.sqrt(variance / COUNT)
    measured = ((drawn - mean) ** 2).mean(axis=0)
    assert np.abs(measured - variance).max() <= 5 * np.sqrt((fourth - variance**2) / COUNT)


def test_the_coordinates_of_scaled_normals_share_a_factor():
    """E[x_1² x_2²] = E[a⁴] = 3, against 1 for independent normals. Bands: five standard deviations, measured."""
    scaled, plain = (candidates(law, (COUNT,)) for law in (laws.ScaledNormals(2), laws.Normals(2)))
    for vectors, moment in ((scaled, 3), (plain, 1)):
        products = vectors[:, 0] ** 2 * vectors[:, 1] ** 2
        assert abs(products.mean() - moment) < 5 * products.std() / np.sqrt(COUNT)
        mixed = vectors[:, 0] * vectors[:, 1]
        assert abs(mixed.mean()) < 5 * mixed.std() / np.sqrt(COUNT)


def test_half_of_the_raw_products_are_zero_and_the_others_live():
    raw = candidates(laws.RawProducts(), (COUNT,))
    assert abs((raw == 0).mean() - 0.5) < 5 * 0.5 / np.sqrt(COUNT)
    assert abs(np.maximum(raw, 0).mean() - 1 / 16) < 0.002
    assert abs(np.maximum(candidates(laws.LiveProducts(), (COUNT,)), 0).mean() - 1 / 8) < 0.002


@pytest.mark.parametrize(("law", "bits"), [(laws.Uniform(), 23), (laws.LiveProducts(), 47), (laws.RawProducts(), 46)])
def test_stream_values_lie_on_a_grid_so_that_sums_are_exact(law, bits):
    scaled = candidates(law, (10_000,)) * 2.0**bits
    assert (scaled == np.rint(scaled)).all()
    assert not (scaled / 4 == np.rint(scaled / 4)).all()


@pytest.mark.parametrize("largest", [1, 3, 10])
def test_integers_are_all_alike(largest):
    drawn = candidates(laws.Integers(largest), (COUNT,))
    outcomes, counts = np.unique(drawn, return_counts=True)
    assert outcomes.tolist() == [x for x in range(-largest, largest + 1) if x]
    p = 1 / (2 * largest)
    assert np.abs(counts - p * COUNT).max() < 5 * np.sqrt(p * (1 - p) * COUNT)


def test_the_largest_integers_are_not_cut_off():
    drawn = candidates(laws.Integers(2**30), (COUNT,))
    assert np.abs(drawn).max() > 2**30 * (1 - 1e-4)
    assert np.abs(drawn).min() < 2**30 * 1e-4
    assert len(np.unique(np.abs(drawn) % 1024)) == 1024


def test_a_mixture_contains_its_uniform():
    drawn = candidates(laws.Mixture(0.25, laws.Signs()), (COUNT,))
    assert abs((np.abs(drawn) < 1).mean() - 0.25) < 5 * np.sqrt(0.25 * 0.75 / COUNT)
    assert set(np.abs(candidates(laws.Mixture(0.0, laws.Signs()), (99,)))) == {1.0}
    assert (np.abs(candidates(laws.Mixture(1.0, laws.Signs()), (99,))) < 1).all()


@pytest.mark.parametrize("law", MOMENTS, ids=repr)
def test_a_seed_and_a_path_name_the_numbers(law):
    one = candidates(law, (3, 50), seed=4, path="a")
    assert (one == candidates(law, (3, 50), seed=4, path="a")).all()
    assert (one.reshape(150, -1) == candidates(law, (150,), seed=4, path="a").reshape(150, -1)).all()
    assert (one != candidates(law, (3, 50), seed=5, path="a")).any()
    assert (one != candidates(law, (3, 50), seed=4, path="b")).any()


def test_the_numbers_are_pinned():
    """What a study of today printed, one of tomorrow must print. Only laws of exact arithmetic: any platform."""
    exact = [laws.Uniform(), laws.LiveProducts(), laws.RawProducts(), laws.Signs(), laws.Integers(1000)]
    drawn = [candidates(law, (64,), seed=1) for law in (*exact, laws.Mixture(0.5, laws.Signs()))]
    assert hashlib.sha256(np.concatenate(drawn).astype("<f8").tobytes()).hexdigest() == PINNED


PINNED = "524eb3e8e6045c850a576aef4df4bf893f6cf052d8d1071936ac437d7e7eef80"


def test_a_law_of_the_users_own():
    def squares(stream, shape):
        return laws.Uniform()(stream, shape) ** 2

    drawn = candidates(squares, (2, 5), seed=3, path="mine")
    assert (drawn == laws.Uniform()(Stream(3, "mine"), (2, 5)) ** 2).all()
    weights = np.array([0.25, -3.0, 7.5])
    resampled = candidates(weights, (COUNT,))
    assert (candidates(laws.Resampled(weights), (COUNT,)) == resampled).all()
    assert all(abs((resampled == w).mean() - 1 / 3) < 0.006 for w in weights)


BAD = {
    "nan in an array": (lambda: candidates([1.0, float("nan")], (2,)), "values must be finite, got nan at index 1"),
    "empty array": (lambda: candidates([], (2,)), "at least one candidate"),
    "wrong shape": (lambda: candidates(lambda stream, shape: np.zeros(3), (2,)), r"asked for, \(2,\), .* got \(3,\)"),
    "too deep": (lambda: candidates(lambda stream, shape: np.zeros((2, 1, 1)), (2,)), "must return the shape"),
    "infinite": (lambda: candidates(lambda stream, shape: np.full(shape, np.inf), (2,)), "finite numbers"),
    "negative length": (lambda: candidates(laws.Signs(), (-1,)), r"at least 0, got \(-1,\)"),
    "negative seed": (lambda: candidates(laws.Signs(), (1,), seed=-1), "non-negative integer"),
    "no interval": (lambda: laws.Uniform(1.0, 1.0), "low must be below high"),
    "no scale": (lambda: laws.Normal(0.0), "scale must be a positive finite number"),
    "integers up to 0": (lambda: laws.Integers(0), "from 1 to 2\\^30, got 0"),
    "integers beyond": (lambda: laws.Integers(2**30 + 1), "from 1 to 2\\^30"),
    "no probability": (lambda: laws.Mixture(1.5, laws.Signs()), "weight must be a probability"),
    "no dimension": (lambda: laws.ScaledNormals(0), "d must be an integer of at least 1, got 0"),
    "no dimension either": (lambda: laws.Normals(0), "d must be an integer of at least 1, got 0"),
}


@pytest.mark.parametrize("case", BAD)
def test_the_smallest_bad_input_is_refused_in_a_sentence(case):
    call, message = BAD[case]
    with pytest.raises(InputError, match=message):
        call()
