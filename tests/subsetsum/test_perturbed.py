"""Kept values that may move: the moves themselves, and what the two objectives choose."""

import numpy as np
import pytest

from slth.subsetsum import Status, perturbed_batch, smallest_batch


@pytest.mark.parametrize("objective", ["size", "move"])
def test_moves_are_small_and_do_what_they_promise(objective):
    rng = np.random.default_rng(6)
    values, targets = rng.uniform(-1, 1, (200, 7)), rng.uniform(-1, 1, 200)
    answers = perturbed_batch(values, targets, tol=1e-4, most_move=0.02, objective=objective)
    statuses = set()
    for row, target, answer in zip(values, targets, answers, strict=True):
        assert (np.abs(answer.moves) <= 0.02).all()
        assert not answer.moves[~answer.kept].any()
        total = 0.0
        for value in (row + answer.moves)[answer.kept]:
            total += value
        assert answer.error == abs(total - target)
        assert (answer.error <= 1e-4) == (answer.status is Status.WITHIN_TOL)
        statuses.add(answer.status)
    assert len(statuses) == 2


def test_moving_helps_and_the_two_objectives_differ():
    rng = np.random.default_rng(7)
    values, targets = rng.uniform(-1, 1, (300, 9)), rng.uniform(-0.5, 0.5, 300)
    few, little = (
        perturbed_batch(values, targets, tol=1e-4, most_move=0.01, objective=objective)
        for objective in ("size", "move")
    )
    still = perturbed_batch(values, targets, tol=1e-4, most_move=0)
    solved = few.subsets.count(Status.WITHIN_TOL)
    assert solved == little.subsets.count(Status.WITHIN_TOL) > 2 * still.subsets.count(Status.WITHIN_TOL)
    ok = few.subsets.codes == 0
    (few_sizes, few_moves), (little_sizes, little_moves) = (
        (answers.subsets.kept.sum(axis=1)[ok], np.abs(answers.move)[ok]) for answers in (few, little)
    )
    assert (few_sizes <= little_sizes).all()
    assert (few_sizes < little_sizes).any()
    assert (little_moves <= few_moves).all()
    assert (little_moves < few_moves).any()
    plain = smallest_batch(values, targets, tol=1e-4)
    assert (plain.packed == still.subsets.packed).all()
