"""Whole intervals: against all sums, against the recursion written out, and against each other."""

from inspect import unwrap

import numpy as np
import pytest
from references.subset_sums import all_sums

from slth import InputError
from slth.subsetsum import Status, _intervals, closest_batch, closest_many, enumerate_closest, reach, worst_error

GRID = 2.0**-20


def grid_uniform(rng, n):
    return rng.integers(-(2**20), 2**20, n) * GRID


LAWS = {
    "uniform": grid_uniform,
    "integers": lambda rng, n: rng.integers(-4, 5, n) / 4,
    "positive": lambda rng, n: np.abs(grid_uniform(rng, n)),
    "equal": lambda rng, n: np.full(n, 0.125),
    "float64": lambda rng, n: rng.uniform(-1, 1, n),
}
ENDS = [(-1, 1), (-0.5, 0.25), (0.3, 0.300001), (3, 5), (-40, 40), (-90, -60)]


@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("law", LAWS)
def test_the_worst_error_is_half_the_widest_gap_of_all_sums(law, ends):
    """Farthest points of an interval: its ends, and the middles of the gaps that lie inside."""
    rng = np.random.default_rng(0)
    for n in (1, 2, 3, 7, 12):
        values = LAWS[law](rng, n)
        sums = np.unique(all_sums(values)[0])
        middles = (sums[1:] + sums[:-1]) / 2
        points = np.unique([*ends, *middles[(middles > ends[0]) & (middles < ends[1])]])
        errors = np.abs(points[:, None] - sums).min(axis=1)
        worst = worst_error(values, low=ends[0], high=ends[1])
        assert worst.error == pytest.approx(errors.max(), abs=1e-15, rel=1e-15)
        assert ends[0] <= worst.target <= ends[1]
        assert np.abs(worst.target - sums).min() == pytest.approx(worst.error, abs=1e-15, rel=1e-15)


def test_no_target_of_the_interval_is_missed_by_more():
    values = np.random.default_rng(1).uniform(-1, 1, 20)
    worst = worst_error(values)
    errors = closest_many(values, np.random.default_rng(2).uniform(-1, 1, 100_000)).error
    assert worst.error >= errors.max() > worst.error / 2
    assert closest_many(values, np.array([worst.target])).error[0] == pytest.approx(worst.error, rel=1e-9)


def test_the_worst_error_depends_on_the_problem_only():
    values = grid_uniform(np.random.default_rng(3), 15)
    error = worst_error(values).error
    assert worst_error(values[::-1]).error == worst_error(-values).error == error
    assert worst_error(values * 2.0**40, low=-(2.0**40), high=2.0**40).error == error * 2.0**40
    flipped = np.append(-values[:1], values[1:])
    assert worst_error(flipped, low=-1 - values[0], high=1 - values[0]).error == error


@pytest.mark.parametrize("law", LAWS)
def test_many_targets_get_the_optimum_to_the_last_bit(law):
    rng = np.random.default_rng(4)
    for n in (1, 2, 6, 12, 17):
        values = LAWS[law](rng, n)
        sums, _ = all_sums(values)
        targets = np.concatenate([rng.uniform(-2, 2, 20), sums[:5], (sums[:3] + sums[-3:]) / 2, [-99.0, 99.0]])
        answers = closest_many(values, targets)
        for target, answer in zip(targets, answers, strict=True):
            best = enumerate_closest(values, target)
            assert (answer.error, answer.kept.tolist()) == (best.error, best.kept.tolist())
            assert answer.status is Status.OPTIMAL


def test_one_sweep_answers_as_many_separate_searches():
    rng = np.random.default_rng(5)
    values, targets = grid_uniform(rng, 21), grid_uniform(rng, 300)
    sweep, separate = closest_many(values, targets), closest_batch(np.tile(values, (300, 1)), targets)
    assert (sweep.packed == separate.packed).all()
    assert (sweep.error == separate.error).all()
    assert len(closest_many(values[:5], np.empty(0))) == 0


def recursion(values, tol, cells):
    """f_0 ... f_n of the proof on the midpoints of a dyadic grid over [-1, 1], from its formula."""
    h = 2.0 / cells
    f = (np.abs((np.arange(cells) + 0.5) * h - 1) < tol).astype(int)
    yield f
    for value in values:
        step = round(value / h)
        shifted = np.zeros(cells, int)
        if step >= 0:
            shifted[step:] = f[: cells - step]
        else:
            shifted[:step] = f[-step:]
        f = f + (1 - f) * shifted
        yield f


@pytest.mark.parametrize("n", [1, 3, 8, 14])
def test_the_function_of_the_proof_is_its_recursion(n):
    """Values, tolerance and ends are multiples of the grid, so the grid is exact."""
    rng = np.random.default_rng(n)
    cells = 1 << 12
    for _ in range(5):
        values, tol = rng.integers(-cells // 2, cells // 2, n) * 2.0 / cells, 8 * 2.0 / cells
        covered = reach(values, tol=tol, clipped=True).covered
        assert covered.tolist() == [f.mean() for f in recursion(values, tol, cells)]


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("ends", [(-1, 1), (-0.5, 0.25), (3, 5)])
def test_what_is_reachable_is_what_lies_near_some_sum(law, ends):
    rng = np.random.default_rng(6)
    values, tol = LAWS[law](rng, 11), 0.004
    grown = reach(values, tol=tol, low=ends[0], high=ends[1])
    points = rng.uniform(*ends, 4000)
    for t in (0, 1, 5, 11):
        near = np.abs(points[:, None] - all_sums(values[:t])[0]).min(axis=1) <= tol
        assert grown.covered[t] == pytest.approx(near.mean(), abs=0.04)  # five standard deviations
    left, right = grown.pieces.T
    inside = ((points[:, None] >= left) & (points[:, None] <= right)).any(axis=1)
    assert (inside == near).all()
    assert (left[1:] > right[:-1]).all()
    assert grown.covered[-1] == pytest.approx((right - left).sum() / (ends[1] - ends[0]), abs=1e-12)


def test_the_proof_never_claims_more_than_is_true():
    for seed in range(20):
        values = np.random.default_rng(seed).uniform(-1, 1, 10)
        true, proved = reach(values, tol=0.01), reach(values, tol=0.01, clipped=True)
        assert (proved.covered <= true.covered + 1e-12).all()
        assert (np.diff(true.covered) >= -1e-12).all()
        assert (np.diff(proved.covered) >= -1e-12).all()


def test_everything_is_reached_exactly_if_the_worst_error_allows():
    for seed in range(10):
        values = grid_uniform(np.random.default_rng(seed), 12)
        worst = worst_error(values).error
        assert reach(values, tol=worst * 1.001).covered[-1] == pytest.approx(1, abs=1e-12)
        assert reach(values, tol=worst * 0.999).covered[-1] < 1 - 1e-9


def test_one_more_value_grows_the_reach_as_the_proof_says():
    """E[v_{t+1} | past] >= v_t (1 + (1 - v_t) / 4) for the next value uniform on [-1, 1]: the mean over 200 of them."""
    nodes = (np.arange(200) + 0.5) / 100 - 1
    for seed, t in ((0, 2), (1, 4), (2, 6), (3, 8)):
        past = np.random.default_rng(seed).uniform(-1, 1, t)
        grown = [reach(np.append(past, node), tol=0.02, clipped=True).covered for node in nodes]
        before, after = grown[0][-2], np.mean([covered[-1] for covered in grown])
        assert after >= before * (1 + (1 - before) / 4) - 1e-3


def test_blocks_change_no_bit(monkeypatch):
    rng = np.random.default_rng(7)
    values, targets = rng.uniform(-1, 1, 9), rng.uniform(-1, 1, 50)
    worst, many = worst_error(values), closest_many(values, targets)
    monkeypatch.setattr(_intervals, "STEPS", 1)
    assert worst_error(values) == worst
    assert (closest_many(values, targets).packed == many.packed).all()


NAN = float("nan")
BAD = {
    "no value": (lambda: worst_error([]), "at least one candidate"),
    "27 values": (lambda: worst_error(np.ones(27)), "at most 26 values, got 27"),
    "25 values": (lambda: closest_many(np.ones(25), [0.1]), "at most 24 values, got 25"),
    "nan": (lambda: reach([NAN], tol=0.1), "values must be finite, got nan at index 0"),
    "nan target": (lambda: closest_many([0.1], [0.1, NAN]), "targets must be finite, got nan at index 1"),
    "one target": (lambda: unwrap(closest_many)([0.1], 0.1), "targets must be one-dimensional"),
    "empty interval": (lambda: worst_error([0.1], low=1, high=1), "low must be below high, got 1 and 1"),
    "infinite interval": (lambda: reach([0.1], tol=0.1, high=np.inf), "must be finite, got inf"),
    "no tolerance": (lambda: reach([0.1], tol=0), "tol must be a positive finite number"),
}


@pytest.mark.parametrize("case", BAD)
def test_the_smallest_bad_input_is_refused_in_a_sentence(case):
    call, message = BAD[case]
    with pytest.raises(InputError, match=message):
        call()


def test_a_set_in_too_many_pieces_is_refused_in_a_sentence(monkeypatch):
    monkeypatch.setattr(_intervals, "PIECES", 8)
    assert len(reach([1.0, 2.0, 4.0], tol=0.01, high=7.5).pieces) == 8
    with pytest.raises(InputError, match=r"after 4 values the set is in 16 pieces, tol 0\.01; try a larger tol"):
        reach([1.0, 2.0, 4.0, 8.0], tol=0.01, high=17)


def test_the_largest_good_inputs_are_taken():
    assert closest_many(np.ones(24), np.array([23.25])).error == 0.25
