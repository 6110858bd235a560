"""Every form of the problem against brute force in exact rationals and an integer program."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from conformance.subset_sums import EPSILON, FORMS, LAWS, TOL, Form, best, enumerated, mask_of
from references.subset_sums import all_sums
from scipy.optimize import Bounds, LinearConstraint, milp

from slth.subsetsum import Status, closest, closest_integer, count, first, perturbed, smallest, trade_off


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
            sums, sizes = all_sums(values)
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
            answer = perturbed(values, target, tol=2.0**-8, most_move=eps)
            assert found.success == (answer.status is Status.WITHIN_TOL)
            assert answer.kept.sum() == round(found.fun)
            if eps == 0:
                assert smallest(values, target, tol=2.0**-8).kept.sum() == round(found.fun)
        least = program(values, target, 2.0**-8, 0.0, objective="size").fun
        curve = trade_off(values, target).error
        assert round(least) == np.flatnonzero(curve <= 2.0**-8)[0], number
