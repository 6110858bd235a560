"""Vectors: the exact search against all subsets, the heuristic against what it promises, the door against bad input."""

from inspect import unwrap

import numpy as np
import pytest
from joblib import Parallel, delayed
from references.subset_sums import all_sums, fresh_error

from slth import InputError
from slth.subsetsum import Status, _vectors, closest, closest_vector, first_vector

GRID = 2.0**-20  # sums of multiples of this are exact: optimum and ties must agree to the last bit


def problem(n, d, seed=0, law="uniform"):
    rng = np.random.default_rng([seed, n, d])
    values = rng.integers(-(2**20), 2**20, (n, d)) * GRID if law == "uniform" else rng.integers(-2, 3, (n, d))
    return values.astype(float), rng.integers(-(2**20), 2**20, d) * GRID if law == "uniform" else rng.integers(-3, 4, d)


def all_subsets(values, target, size=None):
    """The optimal error and the lowest mask that has it, by looking at all subsets."""
    sums, sizes = all_sums(values)
    errors = np.where(True if size is None else sizes == size, np.abs(sums - target).max(axis=1), np.inf)
    mask = int(errors.argmin())
    return errors[mask], np.array([mask >> i & 1 for i in range(len(values))], bool)


@pytest.mark.parametrize("law", ["uniform", "integers"])
@pytest.mark.parametrize("d", [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize("n", [1, 2, 3, 6, 11, 14])
def test_the_optimum_is_that_of_all_subsets_with_the_lowest_mask(law, d, n):
    values, target = problem(n, d, law=law)
    for size in (None, 0, 1, n // 2, n - 1, n):
        best, kept = all_subsets(values, target, size)
        answer = closest_vector(values, target, size=size)
        assert answer.error == best
        assert (answer.kept == kept).all()
        assert answer.status is Status.OPTIMAL


@pytest.mark.parametrize("n", [1, 7, 16, 21])
def test_vectors_of_one_coordinate_are_numbers(n):
    values, target = problem(n, 1, seed=1)
    number, vector = closest(values[:, 0], target[0]), closest_vector(values, target)
    assert (vector.error, vector.kept.tolist()) == (number.error, number.kept.tolist())


@pytest.mark.parametrize(("n", "d"), [(24, 3), (30, 3), (26, 7), (32, 2)])
@pytest.mark.parametrize("fixed", [False, True])
def test_a_planted_subset_is_found(n, d, fixed):
    values, _ = problem(n, d, seed=2)
    planted = np.random.default_rng(n).integers(0, 2, n).astype(bool)
    answer = closest_vector(values, values[planted].sum(axis=0), size=int(planted.sum()) if fixed else None)
    assert answer.error == 0
    assert not fixed or answer.kept.sum() == planted.sum()


@pytest.mark.parametrize("size", [None, 7])
def test_the_optimal_error_depends_on_the_problem_only(size):
    """Order, sign, scale by a power of two, order of the coordinates, and trading v_i, z for -v_i, z - v_i."""
    values, target = problem(16, 3, seed=3)
    error = closest_vector(values, target, size=size).error
    rng = np.random.default_rng(3)
    assert closest_vector(values[rng.permutation(16)], target, size=size).error == error
    assert closest_vector(values[:, [2, 0, 1]], target[[2, 0, 1]], size=size).error == error
    assert closest_vector(-values, -target, size=size).error == error
    for power in (-900, -3, 900):
        assert closest_vector(values * 2.0**power, target * 2.0**power, size=size).error == error * 2.0**power
    if size is None:
        flipped = values.copy()
        flipped[4] *= -1
        assert closest_vector(flipped, target - values[4]).error == error


def test_off_the_grid_the_optimum_is_missed_by_rounding_only():
    rng = np.random.default_rng(4)
    for n in (3, 10, 13):
        values, target = rng.standard_cauchy((n, 3)), rng.normal(size=3)
        answer = closest_vector(values, target)
        assert answer.error == fresh_error(values, answer.kept, target)
        assert answer.error <= all_subsets(values, target)[0] + n * 2.0**-52 * np.abs(values).max()


@pytest.mark.parametrize("size", [None, 5])
@pytest.mark.parametrize("n", [6, 12])
def test_first_is_within_tol_exactly_if_some_subset_is(n, size):
    """Also at the knife's edge: tol = the optimal error, and one float64 below it."""
    for seed in range(8):
        values, target = problem(n, 2, seed=seed)
        best = all_subsets(values, target, size)[0]
        for tol in (0.5, best, np.nextafter(best, 0), best / 2, 2 * best):
            answer = first_vector(values, target, tol=float(tol), size=size)
            assert (answer.status is Status.WITHIN_TOL) == (answer.error <= tol) == (best <= tol)
            assert answer.error == fresh_error(values, answer.kept, target)
            assert size is None or answer.kept.sum() == size
            if best > tol:
                assert (answer.status, answer.error) == (Status.BEST_EFFORT, best)


def test_neither_blocks_nor_threads_change_a_bit(monkeypatch):
    problems = [problem(n, d, seed=5) for n in (9, 17, 20) for d in (1, 3, 5)]
    serial = [closest_vector(*one) for one in problems]
    monkeypatch.setattr(_vectors, "STEPS", 1)  # one row per block
    for threads in (1, 2, 3):
        again = Parallel(n_jobs=threads, backend="threading")(delayed(closest_vector)(*one) for one in problems)
        assert [a.kept.tolist() for a in again] == [a.kept.tolist() for a in serial]
        assert [a.error for a in again] == [a.error for a in serial]


def test_a_spent_budget_says_so(monkeypatch):
    monkeypatch.setattr(_vectors, "STEPS", 1)
    values, target = problem(24, 3, seed=6)
    answer = closest_vector(values, target, seconds=1e-9)
    assert answer.status is Status.BUDGET_SPENT
    assert answer.error == fresh_error(values, answer.kept, target) > closest_vector(values, target).error
    assert first_vector(values, target, tol=1e-9, seconds=1e-9).status is Status.BUDGET_SPENT
    assert first_vector(values, target, tol=answer.error, seconds=1e-9).status is Status.WITHIN_TOL


@pytest.mark.parametrize("size", [None, 60])
@pytest.mark.parametrize(("n", "d", "tol"), [(41, 2, 0.01), (120, 3, 0.02), (400, 8, 0.7)])
def test_many_vectors_are_brought_within_tol_where_solutions_abound(n, d, tol, size):
    if size is not None and size > n:
        size = 20
    values, target = problem(n, d, seed=7)
    answer = first_vector(values, target, tol=tol, size=size, seconds=60)
    assert answer.status is Status.WITHIN_TOL
    assert answer.error == fresh_error(values, answer.kept, target) <= tol
    assert size is None or answer.kept.sum() == size
    assert (first_vector(values, target, tol=tol, size=size, seconds=60).kept == answer.kept).all()


@pytest.mark.parametrize("power", [-60, 60])
def test_the_heuristic_has_no_unit(power):
    values, target = problem(60, 3, seed=10)
    answer = first_vector(values, target, tol=0.02, seconds=60)
    scaled = first_vector(values * 2.0**power, target * 2.0**power, tol=0.02 * 2.0**power, seconds=60)
    assert (scaled.kept == answer.kept).all()


def test_beyond_forty_vectors_nothing_is_called_optimal():
    values, target = problem(41, 2, seed=8)
    answer = closest_vector(values, target, seconds=0.1)
    assert answer.status is Status.BUDGET_SPENT
    assert answer.error == fresh_error(values, answer.kept, target)
    assert closest_vector(values[:3], target, seconds=1e-9).status is Status.OPTIMAL


def test_half_sums_that_would_not_fit_into_memory_are_left_to_the_heuristic(monkeypatch):
    monkeypatch.setattr(_vectors, "HALF_FLOATS", 3 << 5)
    values, target = problem(10, 3, seed=9)
    assert closest_vector(values, target).status is Status.OPTIMAL
    values, target = problem(11, 3, seed=9)
    monkeypatch.setattr(_vectors, "BLOCK", 6)
    assert closest_vector(values, target, seconds=0.05).status is Status.BUDGET_SPENT


def test_the_rounded_vertex_keeps_the_bound_of_the_theory():
    """A vertex has at most d fractional entries, each off by 1/2: error <= d · max |v| / 2 inside the zonotope."""
    for seed in range(5):
        values, _ = problem(60, 3, seed=seed)
        target = values[::2].sum(axis=0) * 0.9
        kept = _vectors._rounded_vertex(values, target, None, np.inf)
        assert fresh_error(values, kept, target) <= 3 * np.abs(values).max() / 2
        assert _vectors._rounded_vertex(values, target, (17, 17), np.inf).sum() == 17


def test_inputs_are_not_modified():
    values, target = problem(12, 3)
    before = values.copy(), target.copy()
    closest_vector(values, target)
    assert (values == before[0]).all()
    assert (target == before[1]).all()


NAN = float("nan")
BAD = {
    "numbers": (lambda: closest_vector([0.5, 0.2], [0.1]), r"one per row: \(n, d\), got shape \(2,\)"),
    "dimensions": (lambda: closest_vector([[0.5, 0.2]], [0.1]), "as many coordinates as the values, got 1 and 2"),
    "no vector": (lambda: closest_vector(np.empty((0, 2)), [0.1, 0.2]), "at least one candidate"),
    "no coordinate": (lambda: closest_vector(np.empty((2, 0)), []), "at least one coordinate"),
    "nan": (lambda: closest_vector([[0.5, NAN]], [0.1, 0.2]), r"finite, got nan at index \(0, 1\)"),
    "infinite target": (lambda: closest_vector([[0.5]], [np.inf]), "target must be finite, got inf at index 0"),
    "beyond float64": (lambda: closest_vector([[1e308], [1e308]], [0.1]), "power of two"),
    "text": (lambda: closest_vector([["a"]], [0.1]), "real numbers"),
    "size above n": (lambda: closest_vector([[0.5]], [0.1], size=2), "from 0 to the number of values, 1, got 2"),
    "negative size": (lambda: closest_vector([[0.5]], [0.1], size=-1), "got -1"),
    "no tolerance": (lambda: first_vector([[0.5]], [0.1], tol=0.0), "tol must be a positive finite number"),
    "no time": (lambda: closest_vector([[0.5]], [0.1], seconds=0), "seconds must be a positive finite number"),
    "half a size": (lambda: unwrap(closest_vector)([[0.5]], [0.1], size=0.5), "size must be an integer"),
}


@pytest.mark.parametrize("case", BAD)
def test_the_smallest_bad_input_is_refused_in_a_sentence(case):
    call, message = BAD[case]
    with pytest.raises(InputError, match=message):
        call()
