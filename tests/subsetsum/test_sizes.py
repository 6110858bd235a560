"""From so many to so many values: every solver that takes a size agrees with the definition, subset by subset."""

import numpy as np
import pytest
from conformance.subset_sums import mask_of

from slth import InputError
from slth.subsetsum import (
    Status,
    closest,
    closest_batch,
    closest_integer,
    closest_vector,
    count,
    first,
    first_batch,
    first_vector,
)

CASES = range(40)
TOL = 0.375


def problem(number):
    """Values on a coarse grid, so that sums repeat, zeros among them; a target; a pair of sizes."""
    rng = np.random.default_rng([13, number])
    n = int(rng.integers(1, 11))
    low = int(rng.integers(0, n + 1))
    return rng.integers(-9, 10, n), int(rng.integers(-30, 31)), (low, int(rng.integers(low, n + 1)))


def admissible(n, sizes):
    """The masks of so many values, ascending."""
    return [mask for mask in range(2**n) if sizes[0] <= mask.bit_count() <= sizes[1]]


def total(values, mask):
    return sum((value for i, value in enumerate(values) if mask >> i & 1), 0 * values[0])


@pytest.mark.parametrize("number", CASES)
def test_the_closest_of_some_sizes_is_the_first_by_error_and_mask(number):
    values, target, sizes = problem(number)
    best = min(admissible(len(values), sizes), key=lambda mask: (abs(total(values, mask) - target), mask))
    error = abs(int(total(values, best)) - target)
    for scale in (1.0, 0.125, 2.0**-900):
        answer = closest(values * scale, target * scale, size=sizes)
        assert (mask_of(answer.kept), answer.error, answer.status) == (best, error * scale, Status.OPTIMAL)
    (row,) = closest_batch([values / 8], [target / 8], size=sizes).packed
    assert row == best
    exact = closest_integer(values, target, size=sizes)
    assert (mask_of(exact.kept), exact.error) == (best, error)
    assert exact.status is (Status.INFEASIBLE if error else Status.OPTIMAL)
    vector = closest_vector(np.stack([values, values[::-1]], axis=1), [target, target], size=sizes)
    assert sizes[0] <= vector.kept.sum() <= sizes[1]
    both = np.stack([values, values[::-1]], axis=1)
    errors = [np.abs(total(both, mask) - target).max() for mask in admissible(len(values), sizes)]
    assert vector.error == min(errors)
    assert mask_of(vector.kept) == admissible(len(values), sizes)[int(np.argmin(errors))]


@pytest.mark.parametrize("number", CASES)
def test_some_subset_of_some_sizes_is_within_tol_exactly_if_one_is(number):
    values, target, sizes = problem(number)
    values, target = values / 8, target / 8
    errors = {mask: abs(total(values, mask) - target) for mask in admissible(len(values), sizes)}
    within = [mask for mask, error in errors.items() if error <= TOL]
    batch = first_batch([values], [target], tol=TOL, size=sizes)[0]
    for answer in (first(values, target, tol=TOL, size=sizes), batch):
        assert answer.error == errors[mask_of(answer.kept)]
        assert answer.status is (Status.WITHIN_TOL if within else Status.BEST_EFFORT)
        if within:
            assert answer.kept.sum() == min(mask.bit_count() for mask in within)
        else:
            assert answer.error == min(errors.values())
    counted = count(values, target, tol=TOL, size=sizes)
    assert (counted.count, counted.subsets, counted.status) == (len(within), len(errors), Status.COUNTED)
    vector = first_vector(values[:, None], [target], tol=TOL, size=sizes)
    assert vector.status is (Status.WITHIN_TOL if within else Status.BEST_EFFORT)
    assert vector.error == errors[mask_of(vector.kept)]


@pytest.mark.parametrize("n", [12, 23, 32])
def test_a_subset_that_is_not_empty_sums_to_nothing(n):
    """The null function: the empty subset is the answer of any size, and never of (1, n)."""
    values = np.random.default_rng(n).integers(-(2**10), 2**10, n)
    assert not closest(values, 0).kept.any()
    assert not closest_integer(values, 0).kept.any()
    for answer in (closest(values, 0, size=(1, n)), closest_integer(values, 0, size=(1, n))):
        assert answer.kept.any()
        assert abs(values[answer.kept].sum()) == answer.error
    for form in (closest, closest_integer):
        (few,) = {form(values, 0, size=(1, n)).error}
        assert few == min(form(values, 0, size=k).error for k in range(1, n + 1))
    whole = count(values, 0, tol=0.5)
    assert count(values, 0, tol=0.5, size=(1, n)).count == whole.count - 1
    assert count(values, 0, tol=0.5, size=(1, n)).subsets == 2**n - 1


def test_a_row_that_takes_several_calls_gives_what_one_size_after_another_gives():
    """Beyond some thirty values a kernel lets go between two sizes, and goes on with the closest so far."""
    values = np.random.default_rng(3).uniform(-1, 1, 38)
    answers = [closest(values, 0.3, size=k) for k in range(12, 21)]
    found = closest(values, 0.3, size=(12, 20))
    assert found.error == min(answer.error for answer in answers)


def test_one_size_is_a_pair_of_equal_ones():
    values = np.random.default_rng(1).normal(size=14)
    for k in (0, 5, 14):
        one, pair = closest(values, 0.2, size=k), closest(values, 0.2, size=(k, k))
        assert (one.kept == pair.kept).all()
        one, pair = first(values, 0.2, tol=1e-3, size=k), first(values, 0.2, tol=1e-3, size=(np.int64(k), k))
        assert (one.kept == pair.kept).all()
        assert count(values, 0.2, tol=0.3, size=k) == count(values, 0.2, tol=0.3, size=(k, k))


def test_many_vectors_keep_to_their_sizes():
    """The heuristic, too: its linear program, its rounding and each block."""
    vectors = np.random.default_rng(5).normal(size=(60, 2))
    for sizes in ((1, 4), (25, 30), (60, 60), (58, 60)):
        answer = closest_vector(vectors, [0.1, -0.2], size=sizes, seconds=0.3)
        assert sizes[0] <= answer.kept.sum() <= sizes[1]
    assert first_vector(vectors, [0.1, -0.2], tol=1e-3, size=(20, 40), seconds=20).status is Status.WITHIN_TOL


@pytest.mark.parametrize("size", [(2, 1), (-1, 2), (0, 4), (1,), (1, 2, 3), (), (0.0, 2), (True, 2), (None, 2), [3, 2]])
def test_a_pair_that_is_none_is_refused_in_one_sentence(size):
    from inspect import unwrap

    v, vectors = [0.5, 0.25, 1.0], [[0.5], [0.25], [1.0]]
    for ask in (
        lambda: unwrap(closest)(v, 0.1, size=size),
        lambda: unwrap(first)(v, 0.1, tol=0.1, size=size),
        lambda: unwrap(count)(v, 0.1, tol=0.1, size=size),
        lambda: unwrap(closest_integer)([1, 2, 3], 1, size=size),
        lambda: unwrap(closest_vector)(vectors, [0.1], size=size),
        lambda: unwrap(first_vector)(vectors, [0.1], tol=0.1, size=size),
    ):
        with pytest.raises(
            InputError, match=r"a pair \(lowest, highest\) with 0 <= lowest <= highest <= 3, .*\(1, 3\)"
        ):
            ask()
    with pytest.raises(InputError, match=r"or keep fewer"):
        closest(np.ones(41), 0.1, size=(1, 30))
