"""Where numbers, threads and statuses come to their edges."""

import math

import numpy as np
import pytest

from slth import InputError
from slth.subsetsum import (
    Status,
    closest_batch,
    closest_many,
    closest_vector,
    first,
    first_batch,
    first_large,
    first_vector,
    karmarkar_karp,
    perturbed,
    smallest,
    worst_error,
)
from slth.subsetsum.laws import Mixture, Normals, Resampled, Signs, Uniform, candidates

HUGE = 10**400  # no float64


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda: first([1.0], 1.0, tol=HUGE), "tol must be a positive finite number"),
        (lambda: first([1.0], 1.0, tol=np.longdouble("1e4000")), "tol must be a positive finite number"),
        (lambda: perturbed([1.0], 1.0, tol=0.1, most_move=HUGE), "most_move must be a finite number"),
        (lambda: first_large([1.0], 1.0, tol=0.1, seconds=HUGE), "seconds must be a positive finite number"),
        (lambda: closest_vector([[1.0, 2.0], [3.0]], [0.3]), "got rows of different lengths"),
        (lambda: first_vector([1.0], [0.3], tol=0.1), r"values must be vectors, one per row: \(n, d\)"),
        (lambda: first_large([3e306] * 50, 1.4e308, tol=1.0), "values and target sum beyond the range of float64"),
        (lambda: karmarkar_karp([1e308, 7e307], 1e308), "values and target sum beyond the range of float64"),
        (lambda: worst_error([1.0], low=math.nan), "low must be finite"),
        (lambda: Uniform(2.0, 1.0), "low must be below high"),
        (lambda: candidates(Mixture(0.5, Normals(2)), (2,)), "a mixture takes laws of numbers"),
        (lambda: candidates(lambda stream, shape: np.full(shape, "x"), (3,)), "a law must return real numbers"),
    ],
)
def test_what_is_out_of_range_is_one_sentence(ask, sentence):
    with pytest.raises(InputError, match=sentence):
        ask()


def test_any_number_of_threads_gives_the_answers_of_one():
    rows = candidates(Uniform(), (3000, 22))
    one, many = (closest_batch(rows, rows[:, 0] / 3, threads=threads) for threads in (1, 10**8))
    assert (one.packed == many.packed).all()


def in_the_plane(values, target, *, tol):
    """Vectors whose second coordinate decides nothing."""
    return first_vector([[value, 0.0] for value in values], [target, 0.0], tol=tol)


DECIDING = {
    "first": first,
    "first of a size": lambda *args, **tol: first(*args, size=2, **tol),
    "first of some sizes": lambda *args, **tol: first(*args, size=(1, 2), **tol),
    "batch": lambda values, target, tol: first_batch([values], [target], tol=tol)[0],
    "smallest": smallest,
    "not moved": lambda *args, **tol: perturbed(*args, most_move=0, **tol),
    "not moved, least": lambda *args, **tol: perturbed(*args, most_move=0, objective="move", **tol),
    "vectors": in_the_plane,
    "large": first_large,
}


@pytest.mark.parametrize("ask", DECIDING.values(), ids=DECIDING)
def test_no_proof_rests_on_rounded_sums(ask):
    """0.1 + 0.2 misses 0.3 by 2^-54 in float64, and by another number exactly; on a grid the same gap is a proof."""
    assert ask([0.1, 0.2], 0.3, tol=1e-17).status is Status.UNDECIDED
    assert ask([0.125, 0.25], 0.375 + 2.0**-40, tol=2.0**-41).status is Status.BEST_EFFORT


def test_values_that_move_lie_on_no_grid():
    """The move is rounded, and so is each sum with it: within some 2^-50 nothing is proved, further off it is."""
    for gap, status in ((2.0**-52, Status.UNDECIDED), (2.0**-30, Status.BEST_EFFORT)):
        answer = perturbed([0.125, 0.25], 0.375 + 2 * 0.1 + 2 * gap, tol=gap, most_move=0.1)
        assert answer.status is status


def test_an_end_that_rounding_moved_is_no_proof():
    """All values keep 2^-45 away from z in float64, though exactly they sum to it; fewer tiny ones come closer."""
    values = np.r_[np.full(63, 0.7), np.full(5, 2.0**-46)]
    answer = first_large(values, math.fsum(values), tol=2.0**-45)
    assert answer.status is not Status.BEST_EFFORT


def test_forty_live_values_among_zeros_are_searched_to_the_end():
    answer = first_large([0.0] * 60 + [1.0, 2.0], 2.5, tol=0.1)
    assert (answer.status, answer.error) == (Status.BEST_EFFORT, 0.5)
    assert len(answer.kept) == 62


def test_nothing_is_closer_than_exact_and_the_only_subset_is_the_closest():
    assert closest_vector(np.eye(41), np.ones(41), seconds=60).status is Status.OPTIMAL
    only = closest_vector(candidates(Normals(3), (50,)), [0.1, 0.2, 0.3], size=50, seconds=60)
    assert only.status is Status.OPTIMAL
    assert only.kept.all()


def test_targets_and_resampled_numbers_are_never_summed():
    assert (closest_many([1e307], [1e308, 1e308]).packed == 1).all()
    assert (candidates(Resampled(np.array([1e308, 1e308])), (3,)) == 1e308).all()


def test_a_uniform_law_never_reaches_its_upper_end():
    assert candidates(Uniform(1e16, 1e16 + 4), (1000,)).max() < 1e16 + 4


def test_a_mixture_of_weight_0_is_the_other_law():
    assert set(candidates(Mixture(0.0, Signs()), (50,))) == {-1.0, 1.0}
