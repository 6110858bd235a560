"""The first subset by size, then by mask: against all subsets in that order, whatever the values and the size."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from references.subset_sums import fresh_error

from slth import InputError
from slth.subsetsum import Status, closest_batch, fewest, fewest_batch, first, smallest_batch

GRID = 2.0**-23
LAWS = {
    "products": lambda rng, n: rng.integers(2**22, 2**23, n) * rng.integers(-(2**23), 2**23, n) * GRID**2,
    "float64": lambda rng, n: rng.uniform(-1, 1, n),
    "tenths": lambda rng, n: rng.integers(-5, 6, n) / 10,
    "small integers": lambda rng, n: rng.integers(-3, 4, n).astype(float),
    "all positive": lambda rng, n: rng.uniform(0, 1, n),
    "many scales": lambda rng, n: rng.uniform(-1, 1, n) * 2.0 ** rng.integers(-40, 1, n),
    "huge": lambda rng, n: rng.uniform(-1, 1, n) * 2.0**1015,
    "smallest": lambda rng, n: rng.integers(-100, 101, n) * 2.0**-1074,
}


def in_order(n, most):
    """Masks of at most `most` of n values, by size, then as binary numbers."""
    for k in range(most + 1):
        yield from sorted(sum(1 << i for i in chosen) for chosen in combinations(range(n), k))


def ascending_sums(values, masks):
    """Float64 sums of the kept values, each added in ascending order of index."""
    sums = np.zeros(len(masks))
    for i, value in enumerate(values):
        sums = np.where(masks >> i & 1, sums + value, sums)
    return sums


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("n", "most"), [(0, 8), (1, 8), (3, 2), (5, 8), (9, 8), (13, 6), (16, 8)])
def test_it_is_the_first_in_the_order(law, n, most):
    """Targets are sums of a few values or many, a little off; tolerances so small that all sizes are needed."""
    rng = np.random.default_rng([n, most])
    masks = np.array(list(in_order(n, most)))
    sizes = set()
    for number in range(20):
        values = LAWS[law](rng, n)
        scale = float(np.abs(values).max(initial=0)) or 1.0
        kept = rng.permutation(n)[: number % (most + 2)]
        target, tol = float(values[kept].sum()), scale * 2.0 ** -rng.integers(1, 30) + 2.0**-1074
        answer = fewest(values, target, tol=tol, most=most)
        errors = np.abs(ascending_sums(values, masks) - target)
        good = np.flatnonzero(errors <= tol)
        assert answer.error == fresh_error(values, answer.kept, target)
        if len(good):
            assert answer.status is Status.WITHIN_TOL
            assert (masks[good[0]] >> np.arange(n) & 1 == answer.kept).all()
            sizes.add(int(answer.kept.sum()))
        else:  # a larger one, if there is any
            other = first(values, target, tol=tol)
            assert (answer.status, answer.error) == (other.status, other.error)
            assert (answer.kept == other.kept).all()
    assert n < 13 or len(sizes) > 3


def test_large_subsets_are_met_in_order_too():
    """Values of 5 to 8 of 24: found by look-ups of triples; all before them are enumerated here."""
    rng = np.random.default_rng(3)
    n = 24
    by_size = {k: np.array(sorted(sum(1 << i for i in c) for c in combinations(range(n), k))) for k in range(7)}
    seen = []
    for _ in range(12):
        values = LAWS["products"](rng, n)
        target, tol = float(rng.uniform(-0.5, 0.5)), 2.0**-15
        answer = fewest(values, target, tol=tol)
        k = int(answer.kept.sum())
        for size in range(min(k, 6) + 1):
            good = np.flatnonzero(np.abs(ascending_sums(values, by_size[size]) - target) <= tol)
            assert len(good) == 0 or size == k
            if size == k:
                assert (by_size[k][good[0]] >> np.arange(n) & 1 == answer.kept).all()
        seen.append(k)
    assert {5, 6} <= set(seen)


def test_the_sum_in_ascending_order_decides(monkeypatch):
    """A tolerance that is the error of the planted subset: sums in another order are off by the last bits."""
    monkeypatch.setattr("slth.subsetsum._fewest.first_batch", None)  # which would find it, too
    rng = np.random.default_rng(7)
    values, kept = rng.standard_normal((300, 14)), rng.random((300, 14)).argsort(axis=1) < 6
    for row, chosen in zip(values, kept, strict=True):
        target = float(row[chosen][::-1].sum()) + rng.uniform(-1, 1) * 2.0**-50
        tol = fresh_error(row, chosen, target) or 2.0**-60
        answer = fewest(row, target, tol=tol)
        assert answer.status is Status.WITHIN_TOL
        assert (answer.kept == chosen).all()


def test_it_has_the_size_of_the_smallest_and_is_not_closer():
    rng = np.random.default_rng(4)
    values, targets = np.stack([LAWS["products"](rng, 20) for _ in range(300)]), rng.uniform(-0.5, 0.5, 300)
    ours, closest = fewest_batch(values, targets, tol=0.003), smallest_batch(values, targets, tol=0.003)
    assert (np.bitwise_count(ours.packed) == np.bitwise_count(closest.packed)).all()
    assert (ours.error >= closest.error).all()
    assert (ours.packed <= closest.packed).mean() > 0.9  # a lower mask, but of few values
    assert (ours.error > closest.error).any()


def test_the_rank_has_as_many_bits_as_subsets_were_tried():
    """Geometric: with one subset in D within the tolerance the mean place is D; here of 24 live products at 0.01."""
    rng = np.random.default_rng(5)
    values, targets = np.stack([LAWS["products"](rng, 24) for _ in range(4000)]), rng.uniform(-0.5, 0.5, 4000)
    answers = fewest_batch(values, targets, tol=0.01)
    kept = [np.flatnonzero(row).tolist() for row in answers.kept]
    places = [sum(comb(24, j) for j in range(len(s))) + sum(comb(i, j + 1) for j, i in enumerate(s)) for s in kept]
    assert 80 < np.mean(places) < 100
    assert 1.65 < answers.kept.sum(axis=1).mean() < 1.8


def test_zeros_are_never_kept():
    answers = fewest_batch([[0.0, 0.5, -0.0, 0.25], [0.0, 0.0, 0.0, 0.0]], [0.75, 1.0], tol=0.01)
    assert answers.kept.tolist() == [[False, True, False, True], [False] * 4]
    assert [answer.status for answer in (answers[0], answers[1])] == [Status.WITHIN_TOL, Status.BEST_EFFORT]


def test_more_values_than_were_asked_for_in_order():
    """Where no subset of at most `most` values will do, a larger one is still found, or the closest of all."""
    values = np.full((2, 12), 0.25)
    answers = fewest_batch(values, np.array([2.5, 9.0]), tol=0.01, most=3)
    assert answers.kept.sum(axis=1).tolist() == [10, 12]
    assert (answers.error == closest_batch(values, np.array([2.5, 9.0])).error).all()
    assert [answers.count(status) for status in (Status.WITHIN_TOL, Status.BEST_EFFORT)] == [1, 1]


def test_sixty_four_values():
    rng = np.random.default_rng(6)
    values = LAWS["products"](rng, 64)
    for target in (float(values[[3, 60, 63]].sum()), float(values[[5, 17, 40, 60, 63]].sum())):
        answer = fewest(values, target, tol=1e-9)
        assert answer.status is Status.WITHIN_TOL
        assert answer.error == fresh_error(values, answer.kept, target) <= 1e-9


@pytest.mark.parametrize(("n", "most", "words"), [(4, -1, "non-negative"), (4, 2.5, "got 2.5"), (64, 9, "most=8")])
def test_refusals(n, most, words):
    with pytest.raises(InputError, match=words):
        fewest(np.ones(n), 0.5, tol=0.1, most=most)
