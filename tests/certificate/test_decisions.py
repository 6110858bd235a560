"""A class called certain is the class of every network that is as near as was said."""

import numpy as np
import pytest
from helpers.networks import Pair, every_map

from slth.certificate import Certificate, Largest, MapClaim, Sign, certify, proved_per_input, unchanged_on_box
from slth.graph import Affine, Box, Realised


@pytest.mark.parametrize("threshold", [0.0, 0.5])
def test_no_changed_sign_is_called_unchanged(random_case, layers_in_float64, threshold):
    """200 networks, 500 inputs each, every output by itself; there are changed and proved ones to judge."""
    changed = per_input = on_box = 0
    decision = Sign(threshold)
    for seed in range(200):
        case = random_case(seed)
        x = np.random.default_rng(seed).uniform(case.box.lower, case.box.upper, (500, case.box.lower.size))
        z, z_hat = (layers[-1] for layers in layers_in_float64(case, x))
        differs = (z > threshold) != (z_hat > threshold)
        certificate = certify(case.target, case.realised.__getitem__, tolerances=every_map(case.target), box=case.box)
        proved = proved_per_input(case.target, case.realised.__getitem__, x, decision=decision).unchanged
        boxed = unchanged_on_box(z, certificate, decision=decision)
        assert proved.shape == boxed.shape == z.shape
        assert not (proved & differs).any()
        assert not (boxed & differs).any()
        changed, per_input, on_box = changed + differs.sum(), per_input + proved.sum(), on_box + boxed.sum()
    assert min(changed, per_input, on_box) > 500
    assert per_input > on_box


@pytest.mark.parametrize(
    ("z", "z_hat", "threshold", "each", "box"),
    [
        (1.0, 0.25, 0.0, True, True),
        (1.0, 0.0, 0.0, False, False),  # at the threshold it is not above, and one rounding decides
        (1.0, 0.25, 0.5, False, False),
        (1.0, 0.75, 0.5, True, True),
        (0.25, 0.375, 0.5, True, True),
        (0.25, 1.25, 0.5, False, False),
        (0.25, -2.0, 0.5, True, False),  # further away: a bound knows no direction, both networks do
        (0.5, 0.5, 0.5, False, False),
        (-1.0, -3.0, 0.0, True, False),
    ],
)
def test_the_distance_to_the_threshold_decides(z, z_hat, threshold, each, box):
    target = Affine(np.full((1, 1, 1), z), None)
    part = Realised(np.full((1, 1, 1), z_hat), None, None, np.zeros(1, bool))
    pair, decision = Pair.of([target], [part]), Sign(threshold)
    found = proved_per_input(pair.target, pair.realised.__getitem__, np.ones((1, 1)), decision=decision)
    assert found.unchanged.tolist() == [[each]]
    tolerances, one = every_map(pair.target), Box.uniform(1.0, 1.0, 1)
    certificate = certify(pair.target, pair.realised.__getitem__, tolerances=tolerances, box=one)
    assert unchanged_on_box(np.array([[z]]), certificate, decision=decision).tolist() == [[box]]


def test_either_bound_moves_an_output_and_rounding_comes_on_top():
    """min(e, a) = 0.5 in both: 0.6 away is enough, but not if 0.2 of it may be rounding."""
    claim = MapClaim(0.0, 0.0, 0.0, 0, 0.0, 1.0, 1.0)
    z = np.array([[0.6, -0.6]])
    for bounds in ((0.5, 0.9, (0.5, 0.5)), (0.9, 0.5, (0.9, 0.9))):
        certificate = Certificate({"layers/0": claim}, *bounds)
        assert unchanged_on_box(z, certificate, decision=Sign()).tolist() == [[True, True]]
        assert unchanged_on_box(z, certificate, decision=Sign(0.2)).tolist() == [[False, True]]
        assert unchanged_on_box(z, certificate, decision=Sign(), logit_error=0.2).tolist() == [[False, False]]


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_classes_along_an_axis_are_those_of_each_position(axis):
    """Moved to the front, every position is an input of its own."""
    rng = np.random.default_rng(0)
    z, error = rng.normal(size=(6, 3, 4, 5)), 0.3 * rng.random((6, 3, 4, 5))
    rounding, norm = 0.01 * rng.random(z.shape), 0.5 * rng.random(6) + 0.1
    decision = Largest(axis)
    found = decision.certain(z, rounding=rounding, error=error, error_norm=norm)
    shape = tuple(length for i, length in enumerate(z.shape) if i != axis)
    assert found.shape == decision.classes(z).shape == shape
    classes = z.shape[axis]
    rows, slack, e = (np.moveaxis(part, axis, -1).reshape(-1, classes) for part in (z, rounding, error))
    norms = np.repeat(norm, len(rows) // 6)
    assert (decision.classes(z).ravel() == Largest().classes(rows)).all()
    alone = Largest().certain(rows, rounding=slack, error=e, error_norm=norms)
    assert (found.ravel() == alone).all()
    assert 0 < found.sum() < found.size
    for row, r, s, n, sure in zip(rows, e, slack, norms, alone, strict=True):  # by the definition, class by class
        c = int(np.argmax(row))
        gaps = [row[c] - row[k] - s[c] - s[k] - min(r[c] + r[k], np.sqrt(2) * n) for k in range(classes) if k != c]
        assert sure == (min(gaps) > 0)
