"""Reproductions on networks: a verdict follows from the rule in the settings, and parts compute what they say."""

import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from helpers.judging import judged

from slth.construction import Recipe, Request, construct
from slth.graph import evaluate
from slth.numerics import Stream
from slth.reproductions import MODULES, Verdict
from slth.reproductions.networks import (
    _angular,
    _redundant,
    _targets,
    _widths,
    attention,
    convolutions,
    copies,
    density,
    depth,
    equivariant,
    moves,
    replacement,
    structure,
)
from slth.ticket import Inputs


def test_the_least_width_is_the_first_without_a_miss():
    target = _targets.gaussian((6, 5, 3), 0)
    n = _widths.least_width(target, Recipe(), tolerance=0.02, seed=0, start=2)

    def missed(n):
        return [
            _widths.misses(target.coefficients[op.map], Recipe(), op, n=n, tolerance=0.02, stop=100)
            for op in target.graph.maps.values()
        ]

    assert sum(missed(n)) == 0 < sum(missed(n - 1))
    assert all(a >= b for a, b in zip(missed(4), missed(n), strict=True))


FALL, VALLEY = {0.05: 40, 0.2: 24, 0.5: 18}, {0.05: 40, 0.2: 24, 0.5: 45}


@pytest.mark.parametrize(
    ("n", "form", "verdict"),
    [
        (FALL, FALL, Verdict.REPRODUCED),
        (FALL, {0.05: 40, 0.2: 24, 0.5: 9}, Verdict.IN_SHAPE),
        (VALLEY, FALL, Verdict.IN_SHAPE),
        ({**FALL, 0.5: math.inf}, FALL, Verdict.IN_SHAPE),
        (VALLEY, VALLEY, Verdict.IN_SHAPE),
        (FALL, {0.05: 80, 0.2: 24, 0.5: 18}, Verdict.NOT_REPRODUCED),
        ({**FALL, 0.05: math.inf}, FALL, Verdict.NOT_REPRODUCED),
        ({**FALL, 0.1: 50}, {**FALL, 0.1: 50}, Verdict.NOT_REPRODUCED),
        ({0.05: 28, 0.2: 24, 0.5: 18}, {0.05: 28, 0.2: 24, 0.5: 18}, Verdict.REPRODUCED),
        ({0.05: 28, 0.2: 24, 0.5: 45}, {0.05: 28, 0.2: 24, 0.5: 18}, Verdict.NOT_REPRODUCED),
    ],
)
def test_density_is_judged_by_its_fall_and_by_the_theorem(n, form, verdict):
    assert density.judge(n, form)[0] is verdict


def test_a_slow_rise_of_the_width_is_a_rise():
    n = {0.05 * i: 20 + i for i in range(1, 11)}
    assert density.judge(n, n)[0] is Verdict.NOT_REPRODUCED


def test_a_density_at_which_no_width_did_is_said():
    def outcome(*, density, **options):
        n = None if density == 0.5 else 30
        return {"n": n, "kept": n and 3, "weights": 5_000, "inputs": 64, "outputs": 64}

    found = judged("density", outcome)
    assert {row.what: row.ours for row in found.rows}["γ = 0.5, 0.02 gains: n"] == "more than 64"
    assert "more than 64 at 0.5" in found.because
    assert 0.5 not in found.figures[0].panels[0].content[0].x


def test_the_fitted_constant_gives_the_width_of_the_fit():
    constant = density.fitted(24, 0.02, (64, 64))
    assert density.theorem_3(0.2, 0.02, (64, 64), constant=constant) == 24
    assert density.theorem_3(0.2, 0.02, (64, 64), constant=0.99 * constant) < 24


def by_moves(change):
    """n of a network whose n(0) is 24, over the moves of the reproduction."""
    return {move: change(move) for move in moves._MOVES}


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        (lambda e: round(24 / (1 + e)), Verdict.REPRODUCED),
        (lambda e: round(24 / (1 + 5 * e)), Verdict.IN_SHAPE),
        (lambda e: 24, Verdict.NOT_REPRODUCED),
        (lambda e: 24 + round(10 * e), Verdict.NOT_REPRODUCED),
    ],
)
def test_moves_are_judged_by_the_factor(change, verdict):
    assert moves.judge(by_moves(change))[0] is verdict


def test_what_depth_certifies_is_never_exceeded():
    rng = np.random.default_rng(0)
    target = depth._target(4, 2, rng)
    inputs = Inputs((4,), lower=(-1.0,), upper=(1.0,))
    ticket = construct(target, Request(objective="closest", candidates=6, lift="relu"), inputs=inputs)
    parts = {path: ticket.realised(path) for path in ticket.maps}
    x = rng.normal(size=(2000, 4))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    apart = evaluate(ticket.network, parts, x, {}) - evaluate(target.graph, target.coefficients, x, {})
    seen = np.linalg.norm(apart, axis=1).max()
    assert 0.05 * depth.certified(target, list(parts.values())) < seen <= depth.certified(target, list(parts.values()))


@pytest.mark.parametrize("layers", [0, 1, 2, 3])
def test_what_is_necessary_is_below_what_is_sufficient(layers):
    for epsilon in (0.25, 0.01, 0.001):
        weights = 6 * max(6 * layers, 1)
        assert 0 < depth.necessary(6, layers, epsilon) / weights < depth.sufficient(6, layers, epsilon)


@pytest.mark.parametrize(
    ("slope", "ratio", "verdict"),
    [
        (1.0, 3.0, Verdict.REPRODUCED),
        (2.0, 3.0, Verdict.NOT_REPRODUCED),
        (0.1, 3.0, Verdict.NOT_REPRODUCED),
        (1.0, 0.9, Verdict.NOT_REPRODUCED),
    ],
)
def test_depth_is_judged_by_slope_and_by_what_is_necessary(slope, ratio, verdict):
    assert depth.judge({"one layer": 1.0, "two layers": slope}, {"one layer": ratio})[0] is verdict


def test_an_error_that_no_width_certified_is_said():
    def outcome(*, layers, **options):
        error = {0: 2.0**-12, 1: 2.0**-12, 2: 2.0**-5, 3: 1.0}[layers]
        row = {"certified": error, "seen": error, "n": 9.0, "size": 900.0, "bits": 10_000}
        planned = [{"n": 12.0, "size": 900.0}] * len(depth._EXPONENTS)
        return {"rows": [row], "planned": planned, "weights": 36 * max(layers, 1)}

    found = judged("depth", outcome)
    ours = {row.what: row.ours for row in found.rows}
    assert ours["two layers, ε = 2^-2: n, certified"] == 9
    assert ours["two layers, ε = 2^-10: n, certified"] == ours["three layers, ε = 2^-2: n, certified"] == "more than 24"


def test_replaced_weights_are_subset_sums_of_their_row_of_numbers():
    matrix = np.random.default_rng(0).normal(size=(2, 5))
    found = replacement.replaced(matrix, 12, subset="closest", stream=Stream(0, "x"))
    first = replacement.replaced(matrix, 12, subset="first", stream=Stream(0, "x"))
    assert np.abs(found["matrix"] - matrix).max() <= np.abs(first["matrix"] - matrix).max()
    assert found["misses"] == np.count_nonzero(np.abs(found["matrix"] - matrix) > 0.01)


@pytest.mark.parametrize(
    ("misses", "changed", "kept", "verdict"),
    [
        ([0, 0, 3], 0.0005, 0.47, Verdict.REPRODUCED),
        ([0, 0, 0], 0.0005, 0.30, Verdict.IN_SHAPE),
        ([2, 9, 30], 0.003, 0.45, Verdict.IN_SHAPE),
        ([90, 90, 90], 0.0, 0.45, Verdict.NOT_REPRODUCED),
        ([0, 0, 0], -0.02, 0.45, Verdict.NOT_REPRODUCED),
    ],
)
def test_replacement_is_judged_by_misses_accuracy_and_what_is_kept(misses, changed, kept, verdict):
    assert replacement.judge(misses, 397_000, changed=changed, kept=kept)[0] is verdict


def test_the_structures_have_as_many_parameters():
    sizes = [
        sum(part.numel() for part in _redundant.network(name, 784, 20).parameters()) for name in structure._STRUCTURES
    ]
    assert max(sizes) - min(sizes) <= 784 + 10


def test_a_redundant_layer_is_products_of_two_weights():
    torch.manual_seed(0)
    layer, x = _redundant.Redundant(3, 2, relu=False), torch.randn(4, 3)
    matrix = (layer.v.weight.view(2, 3, 5) * layer.u).sum(-1)
    assert torch.allclose(layer(x), x @ matrix.T, atol=1e-5)


def test_a_look_at_reproductions_on_networks_needs_no_torch():
    names = [name for name, module in MODULES.items() if module.startswith("networks.")]
    code = f"import sys; from slth.reproductions import find; [*map(find, {names})]; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, Verdict.REPRODUCED),
        ({(0.05, "relu"): 0.3}, Verdict.IN_SHAPE),
        ({(0.9, "linear"): 0.88}, Verdict.IN_SHAPE),
        ({(0.05, "relu"): 0.85}, Verdict.NOT_REPRODUCED),
        ({(0.1, "plain"): 0.90}, Verdict.NOT_REPRODUCED),
        ({(0.05, "plain"): 0.885}, Verdict.NOT_REPRODUCED),
    ],
)
def test_structures_are_judged_by_their_order(changes, verdict):
    dense = {(0.9, "plain"): 0.97, (0.9, "linear"): 0.97}
    assert structure.judge({**structure._PUBLISHED, **dense, **changes})[0] is verdict


def test_decades_are_those_of_an_exponential():
    n = (5, 10, 15, 20)
    assert convolutions.decades(n, [10 ** (-at / 5) for at in n]) == pytest.approx(-1)


@pytest.mark.parametrize(
    ("ours", "factor", "verdict"),
    [
        (-1.3, 1.5, Verdict.REPRODUCED),
        (-1.3, 3.0, Verdict.IN_SHAPE),
        (-0.5, 1.5, Verdict.NOT_REPRODUCED),
    ],
)
def test_convolutions_are_judged_by_decades_and_points(ours, factor, verdict):
    assert convolutions.judge({"weights": (ours, -1.2)}, {"weights": factor})[0] is verdict


@pytest.mark.parametrize(
    ("changes", "missed", "verdict"),
    [
        ({}, 0.01, Verdict.REPRODUCED),
        ({}, 0.3, Verdict.IN_SHAPE),
        ({"layers": 4}, 0.01, Verdict.NOT_REPRODUCED),
        ({"misses": 1}, 0.01, Verdict.NOT_REPRODUCED),
        ({"accuracy": 0.9}, 0.01, Verdict.NOT_REPRODUCED),
    ],
)
def test_copies_are_judged_by_layers_misses_and_accuracy(changes, missed, verdict):
    ticket = {"layers": 3, "misses": 0, "accuracy": 0.97, "target": 0.972, **changes}
    assert copies.judge(ticket, 2, missed)[0] is verdict


def outcome(accuracy=True, score=0.9, **changes):
    ticket = {"score": 0.9, "off": 0.0, "holds": True, "misses": 0, **changes}
    return {"accuracy": accuracy, "score": score, "tickets": {"0.001": ticket}}


def test_a_ticket_matches_if_its_score_its_symmetry_and_its_claims_do():
    assert equivariant.matches(outcome())
    assert equivariant.matches(outcome(accuracy=False, score=0.88))
    assert not equivariant.matches(outcome(accuracy=False, score=0.8))
    for wrong in ({"score": 0.89}, {"off": 1e-3}, {"holds": False}, {"misses": 1}):
        assert not equivariant.matches(outcome(**wrong))


def falling(rate, factor=0.8, widths=(10, 20, 40)):
    """Rows of errors that fall like factor exp(-rate n)."""
    return [{"n": n, **dict.fromkeys(("mean", "median"), factor * math.exp(-rate * n))} for n in widths]


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, Verdict.REPRODUCED),
        ({"head": falling(0.3)}, Verdict.IN_SHAPE),
        ({"head": falling(0.01)}, Verdict.NOT_REPRODUCED),
        ({"head": [*falling(0.06), {**falling(0.06)[-1], "n": 41}]}, Verdict.NOT_REPRODUCED),
        ({"lengths": [[0.1, 0.2]]}, Verdict.NOT_REPRODUCED),
        ({"exceeded": 1}, Verdict.NOT_REPRODUCED),
        ({"blocks": {1: falling(0.1), 2: falling(0.2, 9.0)}}, Verdict.NOT_REPRODUCED),
        ({"blocks": {1: falling(0.1, 2.0), 2: falling(0.1)}}, Verdict.NOT_REPRODUCED),
    ],
)
def test_attention_is_judged_by_rate_tokens_and_blocks(change, verdict):
    blocks = {1: falling(0.1), 2: falling(0.12, 2.0)}
    asked = {"head": falling(0.06), "lengths": [[0.1, 0.1]], "blocks": blocks, "exceeded": 0, **change}
    assert attention.judge(**asked)[0] is verdict


def test_the_merged_head_is_the_attention():
    target = _angular.trained(0, steps=2)
    x, _ = _angular.angular(3, 64, np.random.default_rng(0))
    m, u = attention.single_head(target)
    assert np.allclose(attention.attend(m, u, x), evaluate(target.graph, target.coefficients, x, {}), atol=1e-12)


def test_blocks_of_lemma_7_come_nearer_with_more_numbers():
    matrix = np.array([[0.3, -0.7], [0.1, 0.6]])
    errors = [
        np.abs(attention.lemma_7(matrix, n, 20, np.random.default_rng(0)) - matrix).max(axis=(1, 2)) for n in (8, 40)
    ]
    assert np.median(errors[1]) < 1e-2 * np.median(errors[0])
