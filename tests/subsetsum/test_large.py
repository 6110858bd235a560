"""Many values: what is promised is kept for laws of every kind, and nothing more is claimed."""

import heapq
from inspect import unwrap

import numpy as np
import pytest
from references.subset_sums import fresh_error

from slth import InputError
from slth.subsetsum import Status, _large, enumerate_closest, first, first_large, karmarkar_karp

LAWS = {
    "uniform": lambda rng, n: rng.uniform(-1, 1, n),
    "all positive": lambda rng, n: rng.uniform(1, 2, n),
    "all negative": lambda rng, n: -rng.uniform(0, 1, n),
    "Cauchy": lambda rng, n: rng.standard_cauchy(n),
    "log-uniform": lambda rng, n: 10 ** rng.uniform(-6, 1, n),
    "half of them zero": lambda rng, n: np.maximum(rng.uniform(-1, 1, n), 0) * rng.uniform(-1, 1, n),
    "the smallest too small": lambda rng, n: rng.uniform(-1, 1, n) * np.where(np.arange(n) < n // 3, 2.0**-60, 1.0),
    "the smallest all alike": lambda rng, n: np.where(np.arange(n) < n // 3, 2.0**-10, rng.uniform(-1, 1, n)),
}


@pytest.mark.parametrize("n", [150, 1000])
@pytest.mark.parametrize("law", LAWS)
def test_targets_amid_the_sums_are_reached(law, n):
    """The target lies a quarter of the way from the middle to the end of the range, where solutions abound."""
    values = LAWS[law](np.random.default_rng(n), n)
    low, high = values[values < 0].sum(), values[values > 0].sum()
    for part in (0.4, 0.55):
        target = float(low + part * (high - low)) if law != "Cauchy" else 3.7 * part
        tol = 1e-7 * max(1.0, abs(target) / 100)
        answer = first_large(values, target, tol=tol, seconds=60)
        assert answer.status is Status.WITHIN_TOL
        assert answer.error == fresh_error(values, answer.kept, target) <= tol
        assert not answer.kept[values == 0].any()
        assert (first_large(values, target, tol=tol, seconds=60).kept == answer.kept).all()


def test_ten_thousand_values_to_a_billionth():
    rng = np.random.default_rng(0)
    for target in (0.0, 0.3, -1000.0, 2400.0):
        answer = first_large(rng.uniform(-1, 1, 10_000), target, tol=1e-9, seconds=60)
        assert (answer.status, answer.error <= 1e-9) == (Status.WITHIN_TOL, True)


@pytest.mark.parametrize("n", [41, 44, 47])
def test_every_way_to_keep_the_others_is_tried(n):
    """With powers of two every target has one subset, so the one choice of the values outside the block must come."""
    values, rng = 2.0 ** np.arange(n), np.random.default_rng(n)
    for _ in range(4):
        wanted = rng.integers(0, 2, n).astype(bool)
        answer = first_large(values, float(values[wanted].sum()), tol=0.5, seconds=600)
        assert (answer.error, answer.kept.tolist()) == (0, wanted.tolist())


def test_a_block_is_solved_for_every_way_to_keep_its_neighbours():
    values = np.random.default_rng(5).uniform(-1, 1, 45)
    order = np.argsort(np.abs(values), kind="stable")
    trials = [kept.copy() for kept in _large._block_trials(values, 0.3, 1e-3, order, np.arange(40))]
    assert len({tuple(kept[order[40:]]) for kept in trials}) == len(trials) == 2**5
    assert all(fresh_error(values, kept, 0.3) <= 1e-3 + 1e-12 for kept in trials[:1])


@pytest.mark.parametrize("n", [41, 59, 60, 61, 100, 333])
def test_blocks_are_different_positions_and_cover_all(n):
    blocks = list(_large._blocks(n, 40))
    assert all(len(set(block)) == 40 and block.min() >= 0 and block.max() < n for block in blocks)
    assert set(np.concatenate(blocks)) == set(range(n))
    assert (blocks[0] == np.arange(40)).all()
    assert (np.diff(np.array(blocks)) > 0).all()


def test_up_to_forty_values_the_search_is_exact():
    values = np.random.default_rng(1).uniform(-1, 1, 20)
    for tol in (1e-2, 1e-12):
        exact, answer = first(values, 0.3, tol=tol), first_large(values, 0.3, tol=tol)
        assert (exact.error, exact.status, exact.kept.tolist()) == (answer.error, answer.status, answer.kept.tolist())


@pytest.mark.parametrize("side", [-1, 1])
def test_a_target_out_of_range_gets_every_value_of_its_sign(side):
    values = np.random.default_rng(2).integers(-8, 9, 300) / 4
    wanted = values * side > 0
    answer = first_large(values, float(values[wanted].sum()) + side * 0.5, tol=0.25)
    assert (answer.error, answer.status, answer.kept.tolist()) == (0.5, Status.BEST_EFFORT, wanted.tolist())
    assert first_large(values, float(values[wanted].sum()), tol=0.25).status is Status.WITHIN_TOL


def test_a_spent_budget_says_so_and_gives_its_best():
    values = np.full(100, 0.5)
    answer = first_large(values, 5.3, tol=0.1, seconds=1e-9)
    assert answer.status is Status.BUDGET_SPENT
    assert answer.error == fresh_error(values, answer.kept, 5.3)
    assert np.isclose(answer.error, 0.2)


def test_when_all_trials_are_made_the_search_ends_before_its_budget():
    answer = first_large(np.full(41, 0.5), 5.3, tol=0.1, seconds=1e6)
    assert answer.status is Status.BUDGET_SPENT
    assert np.isclose(answer.error, 0.2)


def test_little_memory_means_smaller_blocks(monkeypatch):
    sizes = []
    monkeypatch.setattr(_large, "_blocks", lambda n, size: sizes.append(size) or iter([np.arange(size)]))
    values = np.random.default_rng(3).uniform(-1, 1, 500)
    for memory in (1 << 20, 1 << 22, (1 << 27) - 1, 1 << 27, 1 << 40):
        assert first_large(values, 0.3, tol=1e-6, memory=memory).status is Status.WITHIN_TOL
    assert sizes == [26, 30, 38, 40, 40]


def test_scale_by_a_power_of_two_changes_nothing():
    values = np.random.default_rng(4).integers(-(2**20), 2**20, 500) * 2.0**-20
    answer = first_large(values, 0.3, tol=1e-6)
    for power in (-300, 7, 300):
        scaled = first_large(values * 2.0**power, 0.3 * 2.0**power, tol=1e-6 * 2.0**power)
        assert (scaled.kept == answer.kept).all()


def differencing(sizes):
    """What largest differencing leaves, in six lines."""
    heap = sorted(-abs(size) for size in sizes)
    while len(heap) > 1:
        largest, second = heapq.heappop(heap), heapq.heappop(heap)
        heapq.heappush(heap, largest - second)
    return -heap[0]


@pytest.mark.parametrize("n", [1, 2, 3, 10, 31, 200])
def test_the_error_is_half_of_what_differencing_leaves(n):
    rng = np.random.default_rng(n)
    for _ in range(20):
        values = rng.integers(-(2**20), 2**20, n) * 2.0**-20
        target = float(rng.integers(-(2**20), 2**20)) * 2.0**-20
        answer = karmarkar_karp(values, target)
        assert answer.error == differencing([*values, 2 * target - values.sum()]) / 2
        assert answer.error == fresh_error(values, answer.kept, target)
        assert answer.status is Status.BUDGET_SPENT
        if n <= 10:
            assert answer.error >= enumerate_closest(values, target).error
        assert karmarkar_karp(-values, -target).error == answer.error
        assert karmarkar_karp(values[rng.permutation(n)], target).error == answer.error


def test_differencing_never_keeps_zeros():
    assert not karmarkar_karp([0.0, 1.0, 0.0, -2.0, 0.0], 0.5).kept[[0, 2, 4]].any()


NAN = float("nan")
BAD = {
    "no value": (lambda: first_large([], 0.1, tol=0.1), "at least one candidate"),
    "nan": (lambda: first_large([0.1, NAN], 0.1, tol=0.1), "values must be finite, got nan at index 1"),
    "nan target": (lambda: first_large([0.1], NAN, tol=0.1), "target must be finite, got nan"),
    "beyond float64": (lambda: first_large([1e308] * 2, 0.1, tol=0.1), "power of two"),
    "two dimensions": (lambda: first_large([[0.1]], 0.1, tol=0.1), "one-dimensional"),
    "no tolerance": (lambda: first_large([0.1], 0.1, tol=0.0), "tol must be a positive finite number"),
    "negative time": (lambda: first_large([0.1], 0.1, tol=0.1, seconds=-1), "seconds must be a positive finite number"),
    "no memory": (lambda: first_large([0.1], 0.1, tol=0.1, memory=0), "memory must be a positive finite number"),
    "a byte too few": (lambda: first_large([0.1], 0.1, tol=0.1, memory=(1 << 20) - 1), "at least 1048576 bytes"),
    "yes as a time": (lambda: unwrap(first_large)([0.1], 0.1, tol=0.1, seconds=True), "seconds must be"),
    "no value to difference": (lambda: karmarkar_karp([], 0.1), "at least one candidate"),
    "infinity to difference": (lambda: karmarkar_karp([0.1], -np.inf), "target must be finite, got -inf"),
}


@pytest.mark.parametrize("case", BAD)
def test_the_smallest_bad_input_is_refused_in_a_sentence(case):
    call, message = BAD[case]
    with pytest.raises(InputError, match=message):
        call()
