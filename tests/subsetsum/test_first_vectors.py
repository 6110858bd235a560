"""Many vectors at once, within a tolerance: against all subsets, at the knife's edge, and where the budget ends."""

import numpy as np
import pytest
from references.subset_sums import all_sums, fresh_error

from slth import InputError
from slth.subsetsum import Status, _first_vectors, first_batch, first_vector_batch

GRID = 2.0**-20  # sums of multiples of this are exact
CODES = tuple(Status)


def problems(batch, n, d, *, seed=0, law="grid"):
    rng = np.random.default_rng([seed, n, d])
    if law == "grid":
        return rng.integers(-(2**20), 2**20, (batch, n, d)) * GRID, rng.integers(-(2**20), 2**20, (batch, d)) * GRID
    if law == "integers":
        return rng.integers(-2, 3, (batch, n, d)).astype(float), rng.integers(-3, 4, (batch, d)).astype(float)
    return rng.standard_cauchy((batch, n, d)), rng.normal(size=(batch, d))


def best_error(values, target):
    """Of all subsets, with their float64 sums."""
    return float(np.abs(all_sums(values)[0] - target).max(axis=1).min())


@pytest.mark.parametrize("law", ["grid", "integers", "cauchy"])
@pytest.mark.parametrize("d", [1, 2, 3, 5])
@pytest.mark.parametrize("n", [1, 2, 3, 6, 11])
def test_an_answer_is_within_tol_exactly_if_some_subset_is(law, d, n):
    """Also at the knife's edge: tol = the optimal error, and one float64 below it. A miss is the closest subset."""
    values, targets = problems(8, n, d, law=law)
    for rows, target in zip(values, targets, strict=True):
        best = best_error(rows, target)
        for tol in (0.5, best, np.nextafter(best, 0), best / 2, 2 * best):
            if tol <= 0:
                continue
            answer = first_vector_batch(rows[None], target[None], tol=float(tol))[0]
            assert answer.error == fresh_error(rows, answer.kept, target)
            assert (answer.status is Status.WITHIN_TOL) == (answer.error <= tol) == (best <= tol)
            if best > tol:
                assert answer.status is Status.BEST_EFFORT
                assert answer.error <= best * (1 + (law == "cauchy") * 2.0**-40)


@pytest.mark.parametrize("n", [5, 14, 21])
def test_vectors_of_one_coordinate_are_numbers(n):
    values, targets = problems(50, n, 1, seed=1)
    vectors = first_vector_batch(values, targets, tol=1e-4)
    numbers = first_batch(values[..., 0], targets[:, 0], tol=1e-4)
    assert (vectors.codes == numbers.codes).all()
    missed = numbers.codes != CODES.index(Status.WITHIN_TOL)
    assert (vectors.error[missed] == numbers.error[missed]).all()


@pytest.mark.parametrize(("n", "d", "tol"), [(30, 2, 0.05), (34, 3, 0.1), (40, 4, 0.2), (48, 2, 1e-3), (64, 9, 0.5)])
def test_where_solutions_abound_every_problem_has_one(n, d, tol):
    """Targets of one third: at 30 vectors and 2 coordinates a miss is a matter of one draw in 10^6."""
    values, targets = problems(40, n, d, seed=2)
    answers = first_vector_batch(values, targets / 3, tol=tol)
    assert answers.count(Status.WITHIN_TOL) == 40
    for at in range(40):
        assert answers.error[at] == fresh_error(values[at], answers[at].kept, targets[at] / 3) <= tol


@pytest.mark.parametrize(("n", "d"), [(26, 3), (30, 2), (22, 6)])
def test_a_planted_subset_is_found(n, d):
    """Its sum is exact, and the tolerance far below what any other subset reaches: meet in the middle must see it."""
    values, _ = problems(3, n, d, seed=3)
    planted = np.random.default_rng(n).integers(0, 2, (3, n, 1)).astype(bool)
    answers = first_vector_batch(values, np.where(planted, values, 0).sum(axis=1), tol=2.0**-22)
    assert (answers.kept == planted[..., 0]).all()
    assert (answers.error == 0).all()


def test_a_target_outside_all_sums_gets_the_closest():
    values = np.array([[[1.0, 0.5], [0.5, 0.0], [-0.5, 2.0]]])
    answer = first_vector_batch(values, [[2.0, 0.5]], tol=0.25)[0]
    assert (answer.status, answer.error, answer.kept.tolist()) == (Status.BEST_EFFORT, 0.5, [True, True, False])


def test_vectors_of_zeros_are_never_kept():
    values, targets = problems(20, 12, 2, seed=4)
    thin = np.zeros((20, 24, 2))
    thin[:, 1::2] = values
    full, half = first_vector_batch(values, targets, tol=0.1), first_vector_batch(thin, targets, tol=0.1)
    assert (half.kept[:, 1::2] == full.kept).all()
    assert not half.kept[:, ::2].any()


@pytest.mark.parametrize("power", [-900, -3, 900])
def test_nothing_has_a_unit(power):
    values, targets = problems(20, 16, 3, seed=5)
    answers = first_vector_batch(values, targets, tol=0.1)
    scaled = first_vector_batch(values * 2.0**power, targets * 2.0**power, tol=0.1 * 2.0**power)
    assert (scaled.packed == answers.packed).all()
    assert (scaled.error == answers.error * 2.0**power).all()


def test_neither_company_nor_threads_change_a_bit():
    values, targets = problems(300, 20, 2, seed=6)
    together = first_vector_batch(values, targets, tol=0.02)
    alone = [int(first_vector_batch(values[i : i + 1], targets[i : i + 1], tol=0.02).packed[0]) for i in range(300)]
    assert together.packed.tolist() == alone
    for threads in (2, 3):
        again = first_vector_batch(values, targets, tol=0.02, threads=threads)
        assert (again.packed == together.packed).all()
        assert (again.codes == together.codes).all()


def test_where_not_all_subsets_are_looked_at_the_status_says_so(monkeypatch):
    """Lists of 2^3 sums: of eight vectors six are searched, and a miss proves nothing."""
    monkeypatch.setattr(_first_vectors, "_HALF_MAX", 3)
    values, targets = problems(30, 8, 2, seed=7)
    answers = first_vector_batch(values, targets, tol=2.0**-21)
    assert answers.count(Status.BUDGET_SPENT) >= 25
    assert answers.count(Status.BEST_EFFORT) == 0
    few = first_vector_batch(values[:, :6], targets, tol=2.0**-21)
    assert few.count(Status.BEST_EFFORT) >= 25


def test_no_problems_and_no_vectors():
    assert len(first_vector_batch(np.zeros((0, 4, 2)), np.zeros((0, 2)), tol=0.1)) == 0
    answers = first_vector_batch(np.zeros((2, 0, 2)), [[0.05, 0.0], [0.5, 0.0]], tol=0.1)
    assert answers.error.tolist() == [0.05, 0.5]
    assert answers.codes.tolist() == [CODES.index(Status.WITHIN_TOL), CODES.index(Status.BEST_EFFORT)]


V = [[[0.5, 0.25]]]
BAD = {
    "numbers": (lambda: first_vector_batch([[0.5]], [[0.1]], tol=0.1), r"three-dimensional, \(batch, n, d\)"),
    "flat targets": (lambda: first_vector_batch(V, [0.1], tol=0.1), "targets must be two-dimensional, got shape"),
    "dimensions": (lambda: first_vector_batch(V, [[0.1]], tol=0.1), r"got shapes \(1, 1, 2\) and \(1, 1\)"),
    "no coordinate": (lambda: first_vector_batch(np.zeros((1, 2, 0)), np.zeros((1, 0)), tol=0.1), "d at least 1"),
    "too many": (lambda: first_vector_batch(np.zeros((1, 65, 2)), [[0, 0]], tol=0.1), "at most 64 vectors, got 65"),
    "nan": (lambda: first_vector_batch([[[0.5, np.nan]]], [[0.1, 0]], tol=0.1), "values must be finite, got nan"),
    "infinite": (lambda: first_vector_batch(V, [[np.inf, 0]], tol=0.1), "targets must be finite, got inf"),
    "beyond float64": (lambda: first_vector_batch([[[1e308], [1e308]]], [[0.1]], tol=0.1), "power of two"),
    "no tolerance": (lambda: first_vector_batch(V, [[0.1, 0]], tol=0.0), "tol must be a positive finite number"),
    "no threads": (lambda: first_vector_batch(V, [[0.1, 0]], tol=0.1, threads=0), "threads must be an integer"),
}


@pytest.mark.parametrize("case", BAD)
def test_the_smallest_bad_input_is_refused_in_a_sentence(case):
    call, message = BAD[case]
    with pytest.raises(InputError, match=message):
        call()
