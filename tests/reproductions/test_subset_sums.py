"""Reproductions of subset sums of numbers: the rule of each verdict, and the formulas beside the measurements."""

import math

import numpy as np
import pytest
from helpers.judging import judged

from slth.numerics import Stream, uniform
from slth.reproductions import Verdict
from slth.reproductions.subset_sums import drift, failure, fixed_size, integers, mixtures, tables


def from_n_on(least, counts, draws):
    """Every draw succeeds from a count on."""
    return [draws * (n >= least) for n in counts]


@pytest.mark.parametrize(
    ("fall", "verdict"), [(lambda n: 2.0**-n, Verdict.REPRODUCED), (lambda n: 1 / n, Verdict.NOT_REPRODUCED)]
)
def test_error_has_to_halve_with_every_value(fall, verdict):
    def outcome(n, **_):
        error = fall(n) * math.sqrt(n)
        return {"one": error, "worst": error, "worst_90": 2 * error}

    assert judged("error", outcome).verdict is verdict


@pytest.mark.parametrize(("least", "verdict"), [(1.0, Verdict.REPRODUCED), (0.99, Verdict.NOT_REPRODUCED)])
def test_drift_is_decided_by_the_worst_step(least, verdict):
    bins = [1] * 20

    def outcome(**_):
        return {
            "steps": bins,
            "ratios": [2.0] * 20,
            "least": [least, *[2.0] * 18, None],
            "proof": bins[:17],
            "truth": bins[:17],
        }

    assert judged("drift", outcome).verdict is verdict


def test_expected_growth_is_the_mean_over_the_next_value():
    """Band: four standard errors of 20,000 draws."""
    pieces = np.array([[-0.9, -0.6], [-0.1, 0.05], [0.3, 0.8]])
    grid = np.linspace(-1, 1, 2001)[:-1] + 0.0005
    held = ((grid[:, None] >= pieces[:, 0]) & (grid[:, None] < pieces[:, 1])).any(axis=1)
    draws = uniform(Stream(0, "tests/drift"), (4_000,)).astype(np.float64)
    moved = grid - draws[:, None]
    reached = np.zeros(moved.shape, bool)
    for low, high in pieces:
        reached |= (moved >= low) & (moved < high)
    grown = (reached & ~held).mean(axis=1)
    found = drift.expected_growth(pieces)
    assert abs(grown.mean() - found) < 4 * grown.std() / math.sqrt(len(draws)) + 1e-3


def test_what_is_reached_grows_by_half_of_what_is_left():
    """E[growth | past] >= v (1 - v) / 2, for all sets of intervals; an interval at an end has just that."""
    for seed in range(200):
        ends = np.sort(uniform(Stream(seed, "tests/growth"), (2 * (1 + seed % 5),)).astype(np.float64)).reshape(-1, 2)
        v = float((ends[:, 1] - ends[:, 0]).sum()) / 2
        assert drift.expected_growth(ends) >= v * (1 - v) / 2 - 1e-12
    assert drift.expected_growth(np.array([[-1.0, -0.4]])) == pytest.approx(0.3 * 0.7 / 2)


@pytest.mark.parametrize(
    ("chance", "verdict"),
    [
        (lambda n, epsilon: failure.promised(n, epsilon, 1.2), Verdict.REPRODUCED),
        (lambda n, epsilon: 0.0 if n % 4 == 0 else 0.9, Verdict.NOT_REPRODUCED),
        (lambda n, epsilon: 0.4 * math.sqrt(8 / n), Verdict.NOT_REPRODUCED),  # some C passes, but not the fall
        (lambda n, epsilon: 1.0, Verdict.TOO_SMALL),
    ],
)
def test_the_form_of_failure_is_tested_on_cells_kept_apart(chance, verdict):
    def outcome(n, draws, **_):
        return {"failed": [int(draws * chance(n, epsilon)) for epsilon in failure._EPSILONS]}

    assert judged("failure", outcome).verdict is verdict


def test_the_least_constant_makes_the_promise_equal_to_the_chance():
    for n, epsilon, chance in ((12, 0.01, 0.2), (20, 0.1, 0.01), (9, 0.03, 0.7)):
        constant = failure.least_constant(n, epsilon, chance)
        assert failure.promised(n, epsilon, constant) == pytest.approx(chance)


def test_an_end_is_out_of_reach_as_often_as_drawn():
    """Band: four standard errors of 20,000 draws."""
    x = uniform(Stream(0, "tests/ends"), (20_000, 3)).astype(np.float64)
    missed = (np.maximum(x, 0).sum(axis=1) < 0.8) | (np.maximum(-x, 0).sum(axis=1) < 0.8)
    expected = failure.out_of_reach(3, 0.1)
    assert abs(missed.mean() - expected) < 4 * math.sqrt(expected * (1 - expected) / len(x))


@pytest.mark.parametrize(
    ("single", "verdict"), [(lambda epsilon: 1 / epsilon, Verdict.REPRODUCED), (lambda _: 50.0, Verdict.NOT_REPRODUCED)]
)
def test_one_number_takes_one_over_epsilon(single, verdict):
    def outcome(epsilon=None, **_):
        if epsilon is None:
            names = ("candidates", "source", "kept", "bits", "quantised", "misses", "weights")
            return dict.fromkeys(names, 1)
        return {
            "single": single(epsilon),
            "sum": math.log2(1 / epsilon),
            "single_deviation": 0.0,
            "sum_deviation": 0.0,
        }

    assert judged("one-number", outcome).verdict is verdict


@pytest.mark.parametrize(("lost", "verdict"), [(0, Verdict.REPRODUCED), (0.08, Verdict.NOT_REPRODUCED)])
def test_mixtures_are_not_to_lose_against_their_uniform_values(lost, verdict):
    def outcome(law, draws, **_):
        p, _, counts = mixtures._LAWS[law]
        uniform_counts = mixtures._LAWS["uniform"][2]
        hits = []
        for epsilon in mixtures._EPSILONS:
            alone = [epsilon, *(1 - (1 - epsilon) ** (2**n) for n in uniform_counts)]
            kept = 1 - lost * (law == "p = 1/2, else 0")
            share = [alone[n] if p == 1 else mixtures.coupled(alone, n, p) * kept for n in counts]
            hits.append([round(draws * one) for one in share])
        return {"hits": hits}

    assert judged("mixtures", outcome).verdict is verdict


@pytest.mark.parametrize(
    ("n", "verdict"),
    [
        (lambda bits: 4 * bits, Verdict.REPRODUCED),
        (lambda bits: 0.4 * bits**2, Verdict.NOT_REPRODUCED),
        (lambda bits: 5 + 6 * bits, Verdict.TOO_SMALL),  # of the least epsilon more than were drawn
    ],
)
def test_mixtures_take_a_logarithm_of_the_error(n, verdict):
    """One of them nine successes of ten from n on, the others from 3 log2(1/epsilon) on."""

    def outcome(law, draws, **_):
        hits = []
        for epsilon in mixtures._EPSILONS:
            bits = math.log2(1 / epsilon)
            needed = n(bits) if law == "p = 1/4, else 0" else 3 * bits
            hits.append([round(draws * min(1.0, 0.9 * count / needed)) for count in mixtures._LAWS[law][2]])
        return {"hits": hits}

    assert judged("mixtures", outcome).verdict is verdict


@pytest.mark.parametrize(("density", "verdict"), [(0.2, Verdict.REPRODUCED), (0.1, Verdict.NOT_REPRODUCED)])
def test_products_have_to_be_dense_enough(density, verdict):
    def outcome(draws, n=None, law=None, **_):
        if n is not None:
            return {"hits": draws if law == "raw" else draws // 2}
        return {"bins": [int(density / 20 * draws)] * 20, "mean": 527.0, "error": 1.0}

    assert judged("products", outcome).verdict is verdict


@pytest.mark.parametrize(
    ("share", "verdict"),
    [
        (1.0, Verdict.REPRODUCED),
        (0.0, Verdict.NOT_REPRODUCED),
        (0.06, Verdict.TOO_SMALL),  # at most 18 of 300, whose interval contains the share that is asked for
    ],
)
def test_fixed_sizes_need_a_constant_chance(share, verdict):
    def outcome(k, draws, **_):
        most = [
            int(draws * fixed_size.most_reached(n, k, fixed_size._EPSILON)) if n >= k else 0 for n in fixed_size._COUNTS
        ]
        return {"uniform": most, "fixed": [int(share * hits) for hits in most]}

    assert judged("fixed-size", outcome).verdict is verdict


def test_fixed_sizes_may_not_exceed_the_counting_bound():
    assert judged("fixed-size", lambda draws, **_: {key: [draws] * 19 for key in ("uniform", "fixed")}).verdict is (
        Verdict.NOT_REPRODUCED
    )


@pytest.mark.parametrize(
    ("easier", "verdict"), [(0, Verdict.REPRODUCED), (4, Verdict.NOT_REPRODUCED), (-9, Verdict.TOO_SMALL)]
)
def test_the_null_function_is_compared_with_other_targets(easier, verdict):
    from slth.reproductions.subset_sums import null_function

    def outcome(kind, epsilon, draws, **_):
        least = math.ceil(math.log2(1 / epsilon)) + 3 - easier * (kind == "not empty")
        return {"hits": from_n_on(least, null_function._KINDS[kind][0], draws)}

    assert judged("null-function", outcome).verdict is verdict


@pytest.mark.parametrize(
    ("share", "verdict"),
    [
        (lambda s: 2.0 ** -max(s, 0), Verdict.REPRODUCED),
        (lambda s: 0.5 * (s + 12) ** (-1 / 7), Verdict.NOT_REPRODUCED),
        (lambda s: 0.0, Verdict.TOO_SMALL),
    ],
)
def test_the_failures_of_integers_have_to_fall_exponentially(share, verdict):
    def outcome(draws, surplus=None, ratio=None, counts=(), **_):
        if surplus is None:
            return {"one": [int(draws * share(n * (1 - ratio))) for n in counts]}
        one = [int(draws * share(s)) for s in surplus]
        return {"one": one, "all": one, "tried": [draws] * len(surplus)}

    assert judged("integers", outcome).verdict is verdict


def test_a_fit_finds_the_rate_of_a_decay():
    x, draws = list(range(1, 9)), [100_000] * 8
    found = integers.fit(x, [int(100_000 * 0.5 * math.exp(-0.6 * a)) for a in x], draws)
    assert found.low < 0.6 < found.high
    assert found.high - found.low < 0.02
    assert integers.fit(x, [0] * 8, draws) is None


@pytest.mark.parametrize(("off", "verdict"), [(0.0, Verdict.REPRODUCED), (0.2, Verdict.NOT_REPRODUCED)])
def test_reference_numbers_have_to_agree(off, verdict):
    def outcome(draws=0, law=None, n=None, k=None, sets=None, **_):
        if sets:
            median, most = map(float, tables._WORST[n])
            return {"median": [median, median / 50], "nine of ten": [most, most / 50]}
        if law or k or n:
            stated = tables._ANY[law].values() if law else tables._SIZED[n, k] if k else tables._MOVED[n]
            return {"hits": [round(draws * abs(float(share or 0) - off)) for share in stated]}
        return {"mean": 2.3, "error": 0.01}

    assert judged("subset-sum-tables", outcome).verdict is verdict


@pytest.mark.parametrize(
    ("least", "verdict"),
    [
        (lambda epsilon: math.ceil(20 / (1 + epsilon)), Verdict.REPRODUCED),
        (lambda epsilon: max(1, 20 - math.ceil(math.log2(1 + epsilon / 1e-4))), Verdict.IN_SHAPE),
        (lambda epsilon: 20, Verdict.NOT_REPRODUCED),
        (lambda epsilon: 25, Verdict.TOO_SMALL),
    ],
)
def test_moves_have_to_save_a_factor(least, verdict):
    def outcome(epsilon, draws, **_):
        return {"hits": from_n_on(least(epsilon), range(1, min(least(epsilon), 24) + 1), draws)}

    assert judged("moved-numbers", outcome).verdict is verdict
