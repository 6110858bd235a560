"""One suite for every form of the problem: brute force in exact rationals, an integer program, invariances, threads.

A form is an admissible set of subsets and an order on it. With k = |S| and r = sum over S - target, exact rationals:
`first` takes anything admissible; every other form the first in its order, and if nothing is admissible the first in
a second order. The solvers know none of this: they meet in the middle.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import comb

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from slth.subsetsum import (
    Status,
    closest,
    closest_batch,
    closest_integer,
    count,
    enumerate_closest,
    first,
    first_batch,
    perturbed,
    perturbed_batch,
    smallest,
    smallest_batch,
    trade_off,
)

TOL, EPSILON = 2.0**-4, 2.0**-3  # in units of the scale of a law


@dataclass(frozen=True)
class Form:
    """`solve(values, target, scale, k)` answers; subsets are (size, r, mask); `size`: only those of k values."""

    solve: Callable
    order: Callable = lambda k, r, tol, eps: (abs(r),)
    admissible: Callable = lambda k, r, tol, eps: True
    fallback: Callable = lambda k, r, tol, eps: (abs(r), k)
    slack: Callable = lambda k, r, tol, eps: abs(r)  # the error
    sized: bool = False
    any_will_do: bool = False
    batch: Callable | None = None


def within(k, r, tol, eps):
    return abs(r) <= tol


def within_moved(k, r, tol, eps):
    return abs(r) <= tol + eps * k


def moved_error(k, r, tol, eps):
    return max(Fraction(0), abs(r) - eps * k)


def by_move(k, r, tol, eps):
    return (min(abs(r) / k, eps) if k else 0, k, abs(r))


def moving(objective):
    def options(scale):
        return {"tol": TOL * scale, "epsilon": EPSILON * scale, "objective": objective}

    return Form(
        lambda v, z, s, k: perturbed(v, z, **options(s)),
        order=by_move if objective == "move" else lambda k, r, tol, eps: (k, abs(r)),
        admissible=within_moved,
        fallback=lambda k, r, tol, eps: (moved_error(k, r, tol, eps), k),
        slack=moved_error,
        batch=lambda v, z, s, k, t: perturbed_batch(v, z, threads=t, **options(s)),
    )


FORMS = {
    "closest": Form(lambda v, z, s, k: closest(v, z), batch=lambda v, z, s, k, t: closest_batch(v, z, threads=t)),
    "closest of a size": Form(
        lambda v, z, s, k: closest(v, z, size=k),
        sized=True,
        batch=lambda v, z, s, k, t: closest_batch(v, z, size=k, threads=t),
    ),
    "trade-off": Form(lambda v, z, s, k: trade_off(v, z)[k], sized=True),
    "first": Form(
        lambda v, z, s, k: first(v, z, tol=TOL * s),
        admissible=within,
        fallback=lambda k, r, tol, eps: (abs(r),),
        any_will_do=True,
        batch=lambda v, z, s, k, t: first_batch(v, z, tol=TOL * s, threads=t),
    ),
    "first of a size": Form(
        lambda v, z, s, k: first(v, z, tol=TOL * s, size=k),
        admissible=within,
        sized=True,
        any_will_do=True,
        batch=lambda v, z, s, k, t: first_batch(v, z, tol=TOL * s, size=k, threads=t),
    ),
    "smallest": Form(
        lambda v, z, s, k: smallest(v, z, tol=TOL * s),
        order=lambda k, r, tol, eps: (k, abs(r)),
        admissible=within,
        batch=lambda v, z, s, k, t: smallest_batch(v, z, tol=TOL * s, threads=t),
    ),
    "perturbed, fewest": moving("size"),
    "perturbed, least move": moving("move"),
}
BATCHED = [name for name, form in FORMS.items() if form.batch]

# Values whose float64 sums are exact, and the scale of a law.
LAWS = {
    "uniform": (1.0, lambda rng, n: rng.integers(-(2**23), 2**23, n) * 2.0**-23),
    "products": (1.0, lambda rng, n: rng.integers(2**22, 2**23, n) * rng.integers(-(2**23), 2**23, n) * 2.0**-46),
    "ties and zeros": (16.0, lambda rng, n: rng.integers(-3, 4, n).astype(float)),
    "equal": (1.0, lambda rng, n: np.full(n, 0.75)),
    "powers of two": (2.0**-8, lambda rng, n: 2.0 ** -rng.integers(0, 12, n)),
    "large": (2.0**900, lambda rng, n: rng.integers(-(2**23), 2**23, n) * 2.0**877),
}


def problems(law, n, how_many, seed=0):
    """(values, target, scale), every third target a subset sum, every sixth out of reach."""
    scale, draw = LAWS[law]
    rng = np.random.default_rng([seed, n])
    for number in range(how_many):
        values = draw(rng, n)
        target = float(values[rng.integers(0, 2, n) == 1].sum())
        if number % 3:
            target += float(rng.integers(-8, 9)) * scale / 64
        yield values, target + (np.abs(values).sum() + scale if number % 6 == 5 else 0.0), scale


def all_subsets(values, target):
    """(size, exact sum - target, mask) of every subset."""
    sums = [(0, -Fraction(float(target)), 0)]
    for i, value in enumerate(values):
        sums += [(k + 1, r + Fraction(float(value)), mask | 1 << i) for k, r, mask in sums]
    return sums


@cache
def enumerated(law, n):
    """Six problems with all their subsets."""
    return [(*problem, all_subsets(*problem[:2])) for problem in problems(law, n, 6)]


def best(form, subsets, k, tol, eps):
    """The answer by definition: (size, r, mask, whether anything was admissible)."""
    asked = [subset for subset in subsets if not form.sized or subset[0] == k]
    good = [subset for subset in asked if form.admissible(*subset[:2], tol, eps)]
    order = form.order if good else form.fallback
    return *min(good or asked, key=lambda s: (*order(s[0], s[1], tol, eps), s[2])), bool(good)


def mask_of(kept):
    return sum(1 << int(i) for i in np.flatnonzero(kept))


@pytest.mark.parametrize("n", [0, 1, 2, 4, 7])
@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("name", FORMS)
def test_brute_force_agrees(name, law, n):
    form = FORMS[name]
    for number, (values, target, scale, subsets) in enumerate(enumerated(law, n)):
        k, tol, eps = number % (n + 1), Fraction(TOL * scale), Fraction(EPSILON * scale)
        size, r, mask, good = best(form, subsets, k, tol, eps)
        answer = form.solve(values, target, scale, k)
        if good and form.any_will_do:
            assert answer.status is Status.WITHIN_TOL
            assert not form.sized or answer.kept.sum() == k
            exact = next(s[1] for s in subsets if s[2] == mask_of(answer.kept))
            assert answer.error == abs(exact) <= tol
            continue
        assert mask_of(answer.kept) == mask
        rounded = np.abs([*values, target]).max() * 2.0**-50 if "perturbed" in name else 0.0  # r / k, and v + r / k
        assert abs(answer.error - float(form.slack(size, r, tol, eps))) <= rounded
        if form.admissible is Form.admissible:
            assert answer.status is Status.OPTIMAL
        else:
            assert answer.status is (Status.WITHIN_TOL if good else Status.BEST_EFFORT)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("n", [0, 1, 4, 7])
def test_the_count_is_that_of_brute_force(law, n):
    """Every tolerance is also tried at the knife's edge, where a subset is exactly at it, and one float64 below."""
    for number, (values, target, scale, subsets) in enumerate(enumerated(law, n)):
        k = number % (n + 1)
        edge = float(abs(subsets[len(subsets) // 2][1])) or scale
        for tol in (TOL * scale, edge, np.nextafter(edge, 0), 100 * n * scale + scale):
            inside = [s for s in subsets if abs(s[1]) <= Fraction(float(tol))]
            answer, of_size = count(values, target, tol=tol), count(values, target, tol=tol, size=k)
            assert (answer.count, answer.undecided, answer.subsets) == (len(inside), 0, 2**n)
            assert of_size.count == sum(s[0] == k for s in inside)
            assert {answer.status, of_size.status} == {Status.COUNTED}


@pytest.mark.parametrize("draw", [lambda rng, n: rng.uniform(-1, 1, n), lambda rng, n: rng.integers(-5, 6, n) / 10])
def test_off_the_grid_counts_are_those_of_float64_sums(draw):
    """Tenths: many sums lie within rounding of the edge, and float64 puts them on either side of it."""
    rng = np.random.default_rng(1)
    edges = 0
    for n in (1, 5, 10, 12):
        for _ in range(10):
            values, target = draw(rng, n), float(rng.integers(-10, 10)) / 10
            sums, sizes = np.zeros(1), np.zeros(1, int)
            for value in values:
                sums, sizes = np.concatenate([sums, sums + value]), np.concatenate([sizes, sizes + 1])
            gaps = np.abs(sums - target)
            for tol in (0.1, 0.3, float(gaps[-1]) or 1.0):
                assert count(values, target, tol=tol).count == (gaps <= tol).sum()
                assert count(values, target, tol=tol, size=n // 2).count == (gaps[sizes == n // 2] <= tol).sum()
                edges += int((np.abs(gaps - tol) < 1e-12).sum())
    assert edges > 20  # the trap is real


def test_the_status_is_decided_on_the_float64_sum():
    """Ten tenths are within 1e-16 of 1 in exact arithmetic, but not in float64."""
    tenths = np.full(20, 0.1)
    assert 10 * Fraction(0.1) - 1 <= Fraction(1e-16) < Fraction(1 - float(np.cumsum(tenths)[9]))
    answer = first(tenths, 1.0, tol=1e-16, size=10)
    assert answer.status is Status.UNDECIDED  # and the sums of tenths are rounded, so it is no proof either
    assert answer.error == 2.0**-53
    assert first(tenths, 1.0, tol=2.0**-53, size=10).status is Status.WITHIN_TOL


def test_what_is_not_decided_is_said():
    """2^22 subsets of 0.1, more than 2^20 of them at the edge: the true count lies between the two bounds."""
    sums = np.cumsum(np.full(22, 0.1))
    truth = sum(comb(22, k + 1) for k in range(22) if abs(sums[k] - 1.1) <= 0.1)
    answer = count(np.full(22, 0.1), 1.1, tol=0.1)
    assert answer.status is Status.UNDECIDED
    assert answer.count < answer.count + answer.undecided
    assert answer.count <= truth <= answer.count + answer.undecided


@pytest.mark.parametrize("n", [0, 1, 5, 9])
def test_integers_are_exact(n):
    rng = np.random.default_rng(n)
    seen = set()
    for top in (3, 1000, 2**57):
        for number in range(12):
            values = rng.integers(-top, top + 1, n)
            target = int(values[::2].sum()) + number % 2
            k = number % (n + 1)
            subsets = [(m.bit_count(), sum(int(v) for i, v in enumerate(values) if m >> i & 1)) for m in range(2**n)]
            for size in (None, k):
                ranked = [(abs(s - target), m) for m, (c, s) in enumerate(subsets) if size in (None, c)]
                answer = closest_integer(values, target, size=size)
                assert (answer.error, mask_of(answer.kept)) == min(ranked)
                assert answer.status is (Status.INFEASIBLE if min(ranked)[0] else Status.OPTIMAL)
                seen.add(answer.status)
    assert n == 0 or len(seen) == 2


def test_float64_would_not_do_for_these_integers():
    values = [2**60 + 1, 2**60 - 1, 2**53 + 1]
    assert closest_integer(values, 2**53 + 1).status is Status.OPTIMAL
    assert closest_integer(values, 2**53).error == 1
    assert closest_integer(np.array([2**61, 2**61 - 2]), 0, size=1).error == 2**61 - 2


def program(values, target, tol, eps, *, size=None, objective):
    """An independent integer program over b in {0, 1}^n and t >= |values·b - target| - eps·sum(b)."""
    n = len(values)
    ones = np.ones(n)
    rows = [LinearConstraint(np.append(values - eps, -1.0), -np.inf, target)]
    rows.append(LinearConstraint(np.append(values + eps, 1.0), target, np.inf))
    if size is not None:
        rows.append(LinearConstraint(np.append(ones, 0.0), size, size))
    costs = np.append(np.zeros(n), 1.0) if objective == "error" else np.append(ones, 0.0)
    most = np.append(ones, np.inf if objective == "error" else tol)
    return milp(costs, constraints=rows, bounds=Bounds(np.zeros(n + 1), most), integrality=np.append(ones, 0.0))


def test_an_integer_program_agrees():
    rng = np.random.default_rng(2)
    for number in range(6):
        values, target = rng.integers(-64, 65, 14) / 64, float(rng.integers(-64, 65)) / 64 + 2.0**-9
        for size in (None, 3, 7):
            found = program(values, target, np.inf, 0.0, size=size, objective="error")
            assert closest(values, target, size=size).error == pytest.approx(found.fun, abs=1e-6)
        for eps in (0.0, 2.0**-12):
            found = program(values, target, 2.0**-8, eps, objective="size")
            answer = perturbed(values, target, tol=2.0**-8, epsilon=eps)
            assert found.success == (answer.status is Status.WITHIN_TOL)
            assert answer.kept.sum() == round(found.fun)
            if eps == 0:
                assert smallest(values, target, tol=2.0**-8).kept.sum() == round(found.fun)
        least = program(values, target, 2.0**-8, 0.0, objective="size").fun
        curve = trade_off(values, target).error
        assert round(least) == np.flatnonzero(curve <= 2.0**-8)[0], number


@pytest.mark.parametrize("name", FORMS)
def test_order_sign_and_scale_change_nothing(name):
    """Whatever is found has the same error and size; `first` may find another subset in another order or sign."""
    form = FORMS[name]
    rng = np.random.default_rng(3)
    for values, target, scale in problems("uniform", 17, 9, seed=1):
        answer = form.solve(values, target, scale, 6)
        order = rng.permutation(17)
        for other in (form.solve(-values, -target, scale, 6), form.solve(values[order], target, scale, 6)):
            assert other.status is answer.status
            if not form.any_will_do:
                assert other.kept.sum() == answer.kept.sum()
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
            assert (perturbed(real, z, tol=2.0**-60, epsilon=0).kept == few.kept).all()
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
