"""Exactly k of n, for every n and k: what the walk by swaps finds, keeps and gives up."""

from itertools import combinations

import numpy as np
import pytest

from slth.subsetsum import Status, closest, first, first_batch
from slth.subsetsum._exactly import solve_exactly

WITHIN = list(Status).index(Status.WITHIN_TOL)


def candidates(seed, count, n):
    rng = np.random.default_rng(seed)
    u, v = rng.integers(2**22, 2**23, (count, n)), rng.integers(-(2**23), 2**23, (count, n))
    return u * v * 2.0**-46, rng.uniform(-2 / 3, 2 / 3, count)


@pytest.mark.parametrize(("n", "k"), [(30, 3), (40, 8), (41, 20), (60, 6), (64, 16), (62, 31), (64, 1), (64, 63)])
def test_an_answer_keeps_exactly_k_and_its_error_is_exact(n, k):
    """Products on the grid of 2⁻⁴⁶: any order of summation gives the same number."""
    rows, targets = candidates(n, 300, n)
    found = first_batch(rows, targets, tol=0.01, size=k)
    assert (found.kept.sum(axis=1) == k).all()
    np.testing.assert_array_equal(np.abs((rows * found.kept).sum(axis=1) - targets), found.error)
    np.testing.assert_array_equal(found.codes == WITHIN, found.error <= 0.01)
    solved = found.count(Status.WITHIN_TOL)
    assert solved < 300 if k in (1, 63) else solved >= 299


@pytest.mark.parametrize(("n", "k"), [(9, 4), (12, 2), (12, 6), (14, 11)])
def test_the_walk_alone_finds_nearly_all_that_there_is(n, k):
    """Brute force over all subsets of k: what exists is found; without the exact search 1 % may be overlooked."""
    rows, targets = candidates(n, 400, n)
    sums = np.stack([rows[:, list(kept)].sum(axis=1) for kept in combinations(range(n), k)], axis=1)
    exists = np.abs(sums - targets[:, None]).min(axis=1) <= 0.01
    assert 0.1 < exists.mean() < 1
    found = solve_exactly(rows, targets, size=k, tol=0.01)
    np.testing.assert_array_equal(found.codes == WITHIN, exists)
    alone = solve_exactly(rows, targets, size=k, tol=0.01, most_sums=0)
    assert not ((alone.codes == WITHIN) & ~exists).any()
    assert np.count_nonzero(exists) - alone.count(Status.WITHIN_TOL) <= 4
    ends = {tuple(Status)[code] for code in alone.codes}
    assert ends <= {Status.WITHIN_TOL, Status.BEST_EFFORT, Status.BUDGET_SPENT}
    proved = alone.codes == list(Status).index(Status.BEST_EFFORT)
    assert proved.any()
    assert not exists[proved].any()


def test_beyond_the_reach_of_every_subset_the_closest_is_known():
    """The k largest values: no search, no budget, for any n."""
    values = np.arange(64.0) - 32
    for target, kept in ((1e9, values >= 2), (-1e9, values < -2)):
        answer = first(values, target, tol=1.0, size=30)
        assert answer.status is Status.BEST_EFFORT
        np.testing.assert_array_equal(answer.kept, kept)


def test_equal_values_and_zeros_are_values_like_others():
    assert first(np.zeros(64), 0.0, tol=0.1, size=20).kept.sum() == 20
    assert first(np.ones(64), 20.0, tol=0.1, size=20).error == 0
    ties = first(np.ones(12), 20.0, tol=0.1, size=5)
    assert ties.status is Status.BEST_EFFORT
    assert list(np.flatnonzero(ties.kept)) == [0, 1, 2, 3, 4]
    none = first(np.tile([1.0, 2.0], 32), 40.5, tol=0.1, size=30)
    assert none.status is Status.BUDGET_SPENT
    assert none.error == 0.5


def test_the_answer_depends_on_its_row_alone():
    """Not on the rows before it, which leave their table behind; not on threads."""
    rows, targets = candidates(5, 200, 40)
    together = first_batch(rows, targets, tol=1e-4, size=7)
    single = [first(row, target, tol=1e-4, size=7) for row, target in zip(rows[:40], targets[:40], strict=True)]
    np.testing.assert_array_equal(together.kept[:40], [answer.kept for answer in single])
    two = first_batch(rows, targets, tol=1e-4, size=7, threads=2)
    np.testing.assert_array_equal(together.packed, two.packed)


def test_what_is_missed_is_the_closest():
    """Up to where `closest` goes, `first` of a size ends with its answer."""
    rows, targets = candidates(6, 60, 16)
    found = first_batch(rows, targets, tol=1e-5, size=4)
    for at in np.flatnonzero(found.codes != WITHIN)[:20]:
        assert found[at].error == closest(rows[at], targets[at], size=4).error
    assert found.count(Status.BEST_EFFORT) > 20
