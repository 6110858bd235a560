"""What changes no answer of any form: order, sign, scale, threads, blocks; and optima that are known beforehand."""

import numpy as np
import pytest
from conformance.subset_sums import FORMS, TOL, mask_of, problems

from slth.subsetsum import (
    Status,
    closest,
    closest_integer,
    count,
    enumerate_closest,
    first,
    perturbed,
    smallest,
    trade_off,
)

BATCHED = [name for name, form in FORMS.items() if form.batch]


@pytest.mark.parametrize("name", FORMS)
def test_order_sign_and_scale_change_nothing(name):
    """Whatever is found has the same error and size; `first` may find another subset in another order or sign, and
    `fewest` one of the same size in another order."""
    form = FORMS[name]
    rng = np.random.default_rng(3)
    for values, target, scale in problems("uniform", 17, 9, seed=1):
        answer = form.solve(values, target, scale, 6)
        order = rng.permutation(17)
        flipped, shuffled = form.solve(-values, -target, scale, 6), form.solve(values[order], target, scale, 6)
        for other in (flipped, shuffled):
            assert other.status is answer.status
            if not form.any_will_do:
                assert other.kept.sum() == answer.kept.sum()
            if not form.any_will_do and not (form.first_in_order and other is shuffled):
                rounded = 2.0**-50 if "perturbed" in name else 0.0  # moved values are off the grid
                assert abs(other.error - answer.error) <= rounded
                assert abs(getattr(other, "move", 0)) == abs(getattr(answer, "move", 0))
        for power in (-60, 7, 200):
            other = form.solve(values * 2.0**power, target * 2.0**power, scale * 2.0**power, 6)
            assert (other.error, other.status) == (answer.error * 2.0**power, answer.status)
            assert (other.kept == answer.kept).all()


def test_order_sign_and_scale_change_no_count():
    rng = np.random.default_rng(4)
    for values, target, _ in problems("products", 18, 6):
        for size in (None, 7):
            n = count(values, target, tol=TOL, size=size).count
            assert count(values[rng.permutation(18)], target, tol=TOL, size=size).count == n
            assert count(-values, -target, tol=TOL, size=size).count == n
            assert count(values * 2.0**90, target * 2.0**90, tol=TOL * 2.0**90, size=size).count == n
        assert sum(count(values, target, tol=TOL, size=k).count for k in range(19)) == (
            count(values, target, tol=TOL).count
        )
        flipped = values * np.where(np.arange(18) == 5, -1, 1)
        assert count(flipped, target - values[5], tol=TOL).count == count(values, target, tol=TOL).count


@pytest.mark.parametrize(("n", "k"), [(24, 8), (31, 3), (34, 17), (36, 33), (60, 4)])
def test_a_planted_subset_is_found(n, k):
    """The target is the sum of k values on a fine grid: the error is 0, and of integers it is proved to be 0."""
    rng = np.random.default_rng(n)
    for _ in range(3):
        values = rng.integers(2**22, 2**23, n) * rng.integers(-(2**23), 2**23, n)
        chosen = rng.permutation(n)[:k]
        target, grid = int(values[chosen].sum()), 2.0**-46
        real, z = values * grid, target * grid
        assert closest(real, z, size=k).error == 0
        assert first(real, z, tol=2.0**-60, size=k).status is Status.WITHIN_TOL
        assert count(real, z, tol=2.0**-60, size=k).count >= 1
        assert closest_integer(values, target, size=k).status is Status.OPTIMAL
        if n <= 34:
            few = smallest(real, z, tol=2.0**-60)
            assert (few.error, few.status) == (0, Status.WITHIN_TOL)
            assert few.kept.sum() <= k
            assert trade_off(real, z).error[k] == 0
            assert (perturbed(real, z, tol=2.0**-60, most_move=0).kept == few.kept).all()
            assert closest_integer(values, target).status is Status.OPTIMAL


def test_sixteen_million_subsets_agree():
    rng = np.random.default_rng(9)
    values, target = rng.integers(-(2**23), 2**23, 24) * 2.0**-23, 0.375
    curve = trade_off(values, target)
    overall = enumerate_closest(values, target)
    assert curve.error.min() == overall.error == curve.error[overall.kept.sum()]
    assert (curve.kept.sum(axis=1) == np.arange(25)).all()
    for k, answer in enumerate(curve):
        same = closest(values, target, size=k)
        assert (same.error, mask_of(same.kept)) == (answer.error, mask_of(answer.kept))


@pytest.mark.parametrize("name", BATCHED)
@pytest.mark.parametrize(("how_many", "n"), [(0, 5), (1, 5), (40, 0), (60, 12), (20, 19)])
def test_threads_and_blocks_change_no_bit(name, how_many, n, monkeypatch):
    """One problem, a batch, any number of threads, and blocks that stop after every size: the same answers."""
    form, k = FORMS[name], n // 3
    rng = np.random.default_rng(n)
    values, targets = rng.uniform(-1, 1, (how_many, n)), rng.uniform(-1, 1, how_many)
    scale = 2.0**-8 if n < 19 else 2.0**-20  # some problems are hard, some have no solution
    whole = form.batch(values, targets, scale, k, 1)
    for steps, threads in ((1000, 2), (1, 1), (1, 3)):
        monkeypatch.setattr("slth.subsetsum._rows.STEPS", steps)
        monkeypatch.setattr("slth.subsetsum._rows.ALONE", steps)
        cut = form.batch(values, targets, scale, k, threads)
        assert len(cut) == how_many
        for one, other in zip(whole, cut, strict=True):
            assert (one.kept == other.kept).all()
            assert (one.error, one.status) == (other.error, other.status)
    monkeypatch.undo()
    for row, target, answer in list(zip(values, targets, whole, strict=True))[:20]:
        single = form.solve(row, target, scale, k)
        assert (single.kept == answer.kept).all()
        assert (single.error, single.status) == (answer.error, answer.status)
        assert getattr(single, "move", 0) == getattr(answer, "move", 0)


def test_the_curve_is_the_same_in_blocks(monkeypatch):
    values = np.random.default_rng(5).uniform(-1, 1, 21)
    whole = trade_off(values, 0.3)
    monkeypatch.setattr("slth.subsetsum._rows.STEPS", 1)
    cut = trade_off(values, 0.3)
    assert (cut.packed == whole.packed).all()
    assert (cut.error == whole.error).all()
