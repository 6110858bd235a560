"""What `first` promises beyond the optimum: its outcomes, and problems too long for an exact search."""

import numpy as np
import pytest

from slth.subsetsum import Status, closest, first, first_batch


def test_the_empty_set_is_tried_before_anything_else():
    answer = first([0.5, 0.25, -3.0], -0.01, tol=0.01)
    assert not answer.kept.any()
    assert (answer.error, answer.status) == (0.01, Status.WITHIN_TOL)


@pytest.mark.parametrize("n", [0, 1, 3, 20, 40, 41, 64])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_target_out_of_range_gets_every_value_of_its_sign(n, side):
    values = np.random.default_rng(n).integers(-8, 9, n) / 4
    wanted = values * side > 0
    target = float(values[wanted].sum()) + side * 0.5
    answer = first(values, target, tol=0.25)
    assert (answer.kept == wanted).all()
    assert (answer.error, answer.status) == (0.5, Status.BEST_EFFORT)
    near = first(values, target, tol=0.5)
    assert (near.error, near.status) == (0.5, Status.WITHIN_TOL)


@pytest.mark.parametrize("n", [0, 4, 64])
def test_nothing_but_zeros_is_the_empty_sum(n):
    answer = first(np.zeros(n), 0.5, tol=0.25)
    assert not answer.kept.any()
    assert (answer.error, answer.status) == (0.5, Status.BEST_EFFORT)
    assert closest([], 0.5).error == 0.5


def test_within_the_range_an_unreachable_target_gets_the_closest_subset():
    values, target = [1.0, 1.0, 2.0, 4.0, -2.0], 2.3  # sums are integers
    answer = first(values, target, tol=0.25)
    assert answer.status is Status.BEST_EFFORT
    assert answer.error == closest(values, target).error == target - 2.0
    assert (answer.kept == closest(values, target).kept).all()


@pytest.mark.parametrize("n", [41, 50, 64])
@pytest.mark.parametrize("tol", [1e-2, 1e-4, 1e-6, 1e-8])
def test_long_problems_are_solved_where_solutions_abound(n, tol):
    rng = np.random.default_rng(n)
    values, targets = rng.uniform(-1, 1, (20, n)), rng.uniform(-2, 2, 20)
    answers = first_batch(values, targets, tol=tol)
    assert answers.count(Status.WITHIN_TOL) == 20
    assert (np.abs((values * answers.kept).sum(axis=1) - targets) <= tol + 1e-13).all()


def test_a_spent_budget_says_so_and_gives_its_best():
    """2^64 subsets hold one within 1e-17, but nobody finds it; among 2^40 of them the closest is about 1e-12 away."""
    rng = np.random.default_rng(0)
    values = rng.uniform(-1, 1, 64)
    answer = first(values, 0.3, tol=1e-17)
    assert answer.status is Status.BUDGET_SPENT
    assert 1e-17 < answer.error < 1e-10
    total = 0.0
    for value in values[answer.kept]:
        total += value
    assert answer.error == abs(total - 0.3)


def test_forty_values_among_zeros_are_searched_to_the_end():
    """Zeros cost nothing: 64 candidates with 20 zeros among them are an exact problem."""
    values = np.zeros(64)
    values[::4], values[1::4] = 1.0, 3.0  # 32 integers
    answer = first(values, 4.5, tol=0.25)
    assert (answer.error, answer.status) == (0.5, Status.BEST_EFFORT)
    assert closest(values, 4.5).error == 0.5


def test_the_last_bit_of_a_mask_is_value_63():
    values = np.zeros(64)
    values[63] = 2.0
    answers = first_batch(values[None], [2.0], tol=0.5)
    assert int(answers.packed[0]) == 1 << 63
    assert np.flatnonzero(answers.kept[0]).tolist() == np.flatnonzero(answers[0].kept).tolist() == [63]


def test_what_earlier_rows_left_behind_never_matters():
    """The walk's table is not cleared between rows, only outdated; it is cleared when its 2^31 tags run out."""
    from slth.subsetsum._first_kernels import first_rows
    from slth.subsetsum._rows import make_work

    rng = np.random.default_rng(7)
    values, targets = rng.uniform(-1, 1, (300, 21)), rng.uniform(-1, 1, 300)
    fresh = first_batch(values, targets, tol=0.01)
    alone = [int(first_batch(values[i : i + 1], targets[i : i + 1], tol=0.01).packed[0]) for i in range(300)]
    assert fresh.packed.tolist() == alone
    work, (packed, error, codes) = make_work(21), (np.zeros(300, np.uint64), np.zeros(300), np.zeros(300, np.uint8))
    for live in (2**20, 2**31 - 40):  # the second runs out of tags after one row
        for age in range(1, 33):  # entries that point at every place of a small table
            for start in range(0, 300, 10):
                work.live[0] = live
                work.slots[:] = live - age
                assert first_rows(values, targets, 0.01, start, start + 10, 1 << 40, work, packed, error, codes)
            assert packed.tolist() == alone
    assert work.live[0] < 2**20  # they did run out


@pytest.mark.parametrize("m", [3, 8, 11])
def test_the_walk_visits_every_subset(m):
    """With powers of two every target has one subset, so that one must be visited. Their cells do not collide.

    The deviation makes it a table and a list of three values each; the other 2^5 subsets are Gray-code steps.
    """
    from slth.subsetsum._first_kernels import walk
    from slth.subsetsum._rows import make_work

    work, row, pos = make_work(m), 2.0 ** np.arange(m), np.arange(m)
    q = (row * 2**40).astype(np.int64)
    for target in range(2**m):
        answer = walk(row, float(target), 0.5, pos, q, m, target * 2**40, 2**36, 2.0**39, work)
        assert answer[:3] == (True, target, 0.0)
