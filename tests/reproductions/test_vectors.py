"""Reproductions of subset sums of vectors: the rule of each verdict, and the formulas beside the measurements."""

import math

import numpy as np
import pytest
from helpers.judging import judged

from slth.numerics import Stream, draw
from slth.reproductions import Verdict
from slth.reproductions.vectors import cube, scaled_normals, second_moment, success


@pytest.mark.parametrize(
    ("more", "verdict"), [(1.0, Verdict.REPRODUCED), (1.9, Verdict.NOT_REPRODUCED), (9.0, Verdict.TOO_SMALL)]
)
def test_scaled_vectors_may_take_half_as_many_more(more, verdict):
    def outcome(law, d, epsilon, draws, step, **_):
        least = (1.6 * d * math.log2(1 / epsilon) + 2) * (more if law == "scaled" else 1)
        least = least if more == 9 else min(least, 31)
        return {"hits": [draws * (n >= least) for n in success._COUNTS[::step]]}

    assert judged("vectors", outcome).verdict is verdict


@pytest.mark.parametrize(
    ("p_value", "correlation", "tail", "verdict"),
    [
        (0.5, 0.0, 0.0, Verdict.REPRODUCED),
        (1e-9, 0.0, 0.0, Verdict.NOT_REPRODUCED),
        (0.5, 0.2, 0.0, Verdict.NOT_REPRODUCED),
        (0.5, 0.0, 0.7, Verdict.NOT_REPRODUCED),
    ],
)
def test_scaled_normals_are_normal_given_their_factors(p_value, correlation, tail, verdict):
    def outcome(draws, **_):
        tails = [int(tail * draws)] * len(scaled_normals._X)
        return {
            "p_values": [p_value] * 3,
            "free_p_value": 0.1,
            "correlation": correlation,
            "free_correlation": 0.1,
            "upper": tails,
            "lower": tails,
            "given": [0.1] * 40,
            "free": [0.1] * 40,
        }

    assert judged("scaled-normals", outcome).verdict is verdict


@pytest.mark.parametrize(
    ("chance", "said"), [(0.5, "is not told from"), (1e-9, "is told from a normal law at |S| = 4, 16")]
)
def test_what_is_said_of_sums_themselves_is_what_their_test_found(chance, said):
    def outcome(**_):
        names = ("correlation", "free_correlation")
        lists = {"p_values": [0.5] * 3, "given": [0.1] * 40, "free": [0.1] * 40}
        tails = {side: [0] * len(scaled_normals._X) for side in ("upper", "lower")}
        return dict.fromkeys(names, 0.0) | lists | tails | {"free_p_value": chance}

    assert said in judged("scaled-normals", outcome).because


@pytest.mark.parametrize(
    ("chosen", "off", "verdict"),
    [(1.7, 1.0, Verdict.REPRODUCED), (5.0, 1.0, Verdict.NOT_REPRODUCED), (1.7, 2.0, Verdict.NOT_REPRODUCED)],
)
def test_the_second_moment_has_to_stay_bounded_and_agree(chosen, off, verdict):
    def outcome(d=None, n=0, k=0, **_):
        if d:
            return {"ratios": [(4 / 3) ** (d / 2)] * len(second_moment._ALPHAS), "chosen": chosen}
        found = off * second_moment.ratio(n, k, 2, 0.1, 0.5)
        return {"mean": 2.0, "ratio": found, "error": 0.01, "success": 1.0}

    assert judged("second-moment", outcome).verdict is verdict


def test_the_ratio_agrees_with_pairs_of_subsets():
    """Of two subsets of 4 of 8 that share j, the chance that both are near: 400,000 draws of the parts. Band: 5 %,
    ten times the noise."""
    n, k, epsilon, target = 8, 4, 0.3, 0.5
    parts = draw(Stream(0, "tests/second"), "normal", (400_000, 3)).astype(np.float64)
    single = (np.abs(math.sqrt(k) * parts[:, 0] - target) <= epsilon).mean()
    total = 0.0
    for j in range(k + 1):
        shared, first, second = math.sqrt(j) * parts[:, 0], *(math.sqrt(k - j) * parts[:, i] for i in (1, 2))
        both = (np.abs(shared + first - target) <= epsilon) & (np.abs(shared + second - target) <= epsilon)
        total += math.comb(k, j) * math.comb(n - k, k - j) / math.comb(n, k) * both.mean()
    assert second_moment.ratio(n, k, 1, epsilon, target) == pytest.approx(total / single**2, rel=0.05)


def test_the_worst_target_of_a_square_is_that_of_a_fine_grid():
    points = draw(Stream(0, "tests/cube"), "normal", (60, 2)).astype(np.float64)
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, 201)] * 2), axis=-1).reshape(-1, 2)
    fine = np.abs(grid[:, None] - points).max(axis=2).min(axis=1).max()
    assert fine / 1.01 <= cube.worst_target(points) <= fine + 0.005


@pytest.mark.parametrize(
    ("union", "verdict"),
    [
        (30, Verdict.REPRODUCED),
        (16, Verdict.IN_SHAPE),
        (8, Verdict.NOT_REPRODUCED),
        (None, Verdict.TOO_SMALL),
    ],
)
def test_the_union_bound_has_to_ask_for_more(union, verdict):
    def outcome(d, n=None, sets=0, draws=0, **_):
        if n is not None:
            reached = n >= 12 and union is not None
            return {"worst": [0.01 if reached else 1.0] * sets, "one": 0.005}
        return {"missed": [draws] * ((union or 12) // 2 - 2) + [0]}

    assert judged("cube", outcome).verdict is verdict


@pytest.mark.parametrize(
    ("hits", "verdict"),
    [
        ([190_000, 9_000, 500, 30], Verdict.REPRODUCED),
        ([190_000, 150_000, 120_000, 100_000], Verdict.NOT_REPRODUCED),
        ([190_000, 9_000, 9, 0], Verdict.TOO_SMALL),
    ],
)
def test_one_coordinate_has_to_cost_a_factor(hits, verdict):
    def outcome(d=None, draws=0, **_):
        return {"hits": [0] * (5 * d) + [draws]} if d else {"hits": hits}

    assert judged("one-dimension", outcome).verdict is verdict
