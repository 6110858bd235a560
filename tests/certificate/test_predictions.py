"""A prediction called unchanged is unchanged; an error bound for an input is at least its error."""

from fractions import Fraction

import numpy as np
import pytest
from helpers.networks import Pair, every_map

from slth._errors import InputError
from slth.certificate import (
    Certificate,
    MapClaim,
    certify,
    per_input_error,
    predictions,
    proved_per_input,
    unchanged_on_box,
)
from slth.graph import Affine, Box, Realised


@pytest.mark.parametrize("count", [50, pytest.param(150, marks=pytest.mark.slow)])
def test_the_error_of_no_input_exceeds_its_bound(count, random_case, layers_in_float64, layers_exactly):
    """150 networks, 300 inputs each; wherever float64 comes within a millionth of the bound, in rational arithmetic."""
    exact = 0
    for seed in range(count):
        case = random_case(seed)
        x = np.random.default_rng(seed).uniform(case.box.lower, case.box.upper, (300, case.box.lower.size))
        bound = per_input_error(case.target, case.realised.__getitem__, x)
        z, z_hat = layers_in_float64(case, x)
        error = np.abs(z_hat[-1] - z[-1])
        assert (error <= bound * (1 + 1e-6) + 1e-13).all()
        for row in np.flatnonzero((error > bound * (1 - 1e-6)).any(axis=1))[:6]:
            targets, realiseds = layers_exactly(case, x[row])
            exact += 1
            for p, t, limit in zip(realiseds[-1], targets[-1], bound[row].tolist(), strict=True):
                assert abs(p - t) <= Fraction(limit)
    assert exact > 200 / 150 * count


def test_one_layer_is_exact_per_input(random_case, layers_exactly):
    for seed in range(40):
        case = random_case(seed, layers=1)
        x = np.random.default_rng(seed).uniform(case.box.lower, case.box.upper, (5, case.box.lower.size))
        for point, limits in zip(x, per_input_error(case.target, case.realised.__getitem__, x), strict=True):
            targets, realiseds = layers_exactly(case, point)
            size = max(map(abs, realiseds[0])) + max(map(abs, targets[0])) + 10
            for p, t, limit in zip(realiseds[0], targets[0], limits.tolist(), strict=True):
                assert abs(p - t) <= Fraction(limit) <= abs(p - t) + size / 10**12


@pytest.mark.parametrize("count", [20, pytest.param(60, marks=pytest.mark.slow)])
def test_one_input_is_bounded_more_tightly_than_its_box(count, random_case):
    """Even than the box that holds nothing else: intervals through several layers forget which input they came from."""
    for seed in range(count):
        case = random_case(seed)
        x = np.random.default_rng(seed).uniform(case.box.lower, case.box.upper)
        point = certify(case.target, case.realised.__getitem__, tolerances=every_map(case.target), box=Box(x, x))
        box = certify(case.target, case.realised.__getitem__, tolerances=every_map(case.target), box=case.box)
        found = per_input_error(case.target, case.realised.__getitem__, x[None])[0]
        assert (found <= np.array(point.output_error) * (1 + 1e-9) + 1e-13).all()
        assert (found <= np.array(box.output_error) * (1 + 1e-9) + 1e-13).all()


@pytest.mark.parametrize("count", [60, pytest.param(200, marks=pytest.mark.slow)])
def test_no_changed_prediction_is_certified(count, random_case, layers_in_float64):
    """Large and small errors, per input and on the box; there are both changed and certified predictions to judge."""
    changed = per_input = on_box = 0
    for seed in range(count):
        case = random_case(seed)
        x = np.random.default_rng(seed).uniform(case.box.lower, case.box.upper, (500, case.box.lower.size))
        z, z_hat = (layers[-1] for layers in layers_in_float64(case, x))
        if z.shape[1] == 1:
            continue
        differs = z.argmax(axis=1) != z_hat.argmax(axis=1)
        certificate = certify(case.target, case.realised.__getitem__, tolerances=every_map(case.target), box=case.box)
        certified = proved_per_input(case.target, case.realised.__getitem__, x).unchanged
        boxed = unchanged_on_box(z, certificate)
        assert not (certified & differs).any()
        assert not (boxed & differs).any()
        changed, per_input, on_box = changed + differs.sum(), per_input + certified.sum(), on_box + boxed.sum()
    print(f"changed {changed}, certified per input {per_input}, on the box {on_box}")
    assert min(changed, per_input, on_box) > 500
    assert per_input > on_box


def one_layer(z, z_hat):
    """Both networks of one layer."""
    target = Affine(np.array(z, dtype=float).reshape(-1, 1, 1), None)
    part = Realised(np.array(z_hat, dtype=float).reshape(-1, 1, 1), None, None, np.zeros(1, bool))
    pair = Pair.of([target], [part])
    return pair.target, pair.realised


@pytest.mark.parametrize(
    ("z", "z_hat", "expected"),
    [
        ([1, 0], [1, 0], True),
        ([1, 0], [0.75, 0.125], True),
        ([1, 0], [0.5, 0.5], False),  # the realisation has a tie
        ([1, 0], [0.4, 0.6], False),  # each moved by less than the margin, together by more; l2 error 0.85 < 1
        ([1, 0, 0], [0.6, 0.3, -0.3], True),
        ([1, 1], [1, 1], False),  # a tie is never certified
        ([2, 1, 0], [2, 1, 1.75], True),
        ([2, 1, 0], [2, 1, 2.5], False),
        ([3], [-3], True),  # one output: nothing to mistake it for
    ],
)
def test_margins_decide(z, z_hat, expected):
    target, realised = one_layer(z, z_hat)
    assert proved_per_input(target, realised.__getitem__, np.ones((1, 1))).unchanged.tolist() == [expected]
    certificate = certify(target, realised.__getitem__, tolerances=every_map(target), box=Box.uniform(1.0, 1.0, 1))
    assert unchanged_on_box(np.array([z], dtype=float), certificate).tolist() == [expected]


def test_each_of_the_two_margins_is_needed():
    """Ten outputs off by 1 each: the sup form asks for 2, l2 for 4.5. Only the runner-up off by 1.9: 1.9, and 2.7."""
    claim = MapClaim(0.0, 0.0, 0.0, 0, 0.0, 1.0, 1.0)
    logits = np.array([[1.5, 0.0]])
    joint = Certificate({"layers/0": claim}, 1.0, 1.0, (1.0, 1.0))
    assert unchanged_on_box(logits, joint).tolist() == [True]  # sqrt(2) < 1.5 < 2
    each = Certificate({"layers/0": claim}, 0.7, 1.2, (0.7, 0.7))
    assert unchanged_on_box(logits, each).tolist() == [True]  # 1.4 < 1.5 < 1.2 sqrt(2)
    assert unchanged_on_box(logits, each, logit_error=0.06).tolist() == [False]
    assert unchanged_on_box(logits, Certificate({"layers/0": claim}, 0.76, 1.2, (0.76, 0.76))).tolist() == [False]


def test_a_tie_in_real_arithmetic_is_not_broken_by_rounding():
    """Two rows with the same entries in another order: exact ties that float64 breaks; one layer and two."""
    rng = np.random.default_rng(0)
    row, x, broken = rng.random(50), np.ones((1, 50)), 0
    identity = np.eye(2)[:, :, None]
    for _ in range(60):
        weight = np.stack([row, rng.permutation(row)])
        z = x @ weight.T
        broken += z[0, 0] != z[0, 1]
        bias = np.full(2, -z.mean())  # what is left of the outputs is the rounding
        target = [Affine(weight[:, :, None], bias), Affine(identity, None)]
        realised = [
            Realised(weight[:, :, None], None, bias, np.zeros(50, bool)),
            Realised(identity, None, None, np.zeros(2, bool)),
        ]
        for depth in (1, 2):
            pair = Pair.of(target[:depth], realised[:depth])
            assert not proved_per_input(pair.target, pair.realised.__getitem__, x).unchanged.any()
    assert broken > 20


def test_blocks_do_not_change_the_result(random_case, monkeypatch):
    case = random_case(3)
    x = np.random.default_rng(0).uniform(case.box.lower, case.box.upper, (37, case.box.lower.size))
    whole, verdicts = (
        per_input_error(case.target, case.realised.__getitem__, x),
        proved_per_input(case.target, case.realised.__getitem__, x).unchanged,
    )
    monkeypatch.setattr(predictions, "BLOCK", 40)
    assert np.allclose(per_input_error(case.target, case.realised.__getitem__, x), whole, rtol=1e-12, atol=1e-15)
    assert (proved_per_input(case.target, case.realised.__getitem__, x).unchanged == verdicts).all()
    assert per_input_error(case.target, case.realised.__getitem__, x[:0]).shape == (0, whole.shape[1])
    assert proved_per_input(case.target, case.realised.__getitem__, x[:0]).unchanged.shape == (0,)


def test_overflow_certifies_nothing():
    target, realised = one_layer([1e200, 0], [1e200, 0])
    huge = np.full((1, 1), 1e200)
    assert not proved_per_input(target, realised.__getitem__, huge).unchanged.any()
    assert not np.isfinite(per_input_error(target, one_layer([2e200, 0], [0, 0])[1].__getitem__, huge)).all()


def test_bad_input_is_refused():
    target, realised = one_layer([1, 0], [1, 0])
    certificate = certify(target, realised.__getitem__, tolerances=every_map(target), box=Box.uniform(0.0, 1.0, 1))
    for bad in (np.ones((1, 2)), np.full((1, 1), np.nan), np.full((1, 1), -1.0)):
        with pytest.raises(InputError):
            proved_per_input(target, realised.__getitem__, bad)
    for bad in (np.ones((1, 3)), np.full((1, 2), np.inf)):
        with pytest.raises(InputError):
            unchanged_on_box(bad, certificate)
    with pytest.raises(InputError, match="with a box"):
        unchanged_on_box(np.ones((1, 2)), certify(target, realised.__getitem__, tolerances=every_map(target), box=None))
    with pytest.raises(InputError, match="logit_error"):
        unchanged_on_box(np.ones((1, 2)), certificate, logit_error=-1.0)
