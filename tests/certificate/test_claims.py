"""A certificate survives JSON unchanged, an honest one holds, and every smaller claim is caught."""

import copy
import json
import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from slth._errors import InputError
from slth.certificate import Affine, Box, Certificate, LayerClaim, Realised, certify, failed_claims
from slth.certificate.dense import evaluate

NUMBERS = ("weight_error", "bias_error", "operator_error", "sup_error", "l2_error")


def certificate_of(case, *, tolerance=0.0, box=True):
    tolerances = [tolerance] * len(case.target)
    return certify(case.target, case.realised, tolerances=tolerances, box=case.box if box else None)


def test_honest_certificates_hold(random_case):
    for seed in range(60):
        case = random_case(seed)
        for box in (True, False):
            stored = certificate_of(case, tolerance=1e-3, box=box)
            assert failed_claims(stored, case.target, case.realised, box=case.box if box else None) == []


def test_stored_numbers_are_above_the_computed_ones_by_a_millionth(random_case):
    for seed in range(30):
        case = random_case(seed)
        raw = evaluate(case.target, case.realised, tolerances=[0.0] * len(case.target), box=case.box)
        stored = certificate_of(case)
        for fact, claim in zip(raw.layers, stored.layers, strict=True):
            for name in NUMBERS:
                fact_number, claimed = getattr(fact, name), getattr(claim, name)
                assert fact_number * (1 + 2.0**-20) <= claimed <= fact_number * (1 + 2.0**-19)


def test_every_claim_that_is_too_small_is_caught(random_case):
    """Each number by itself, smaller by 1e-5: one sentence that names it."""
    caught = 0
    for seed in range(10):
        case = random_case(seed)
        honest = certificate_of(case)

        def check(forged, phrase, case=case):
            sentences = failed_claims(forged, case.target, case.realised, box=case.box)
            assert len(sentences) == 1
            assert sentences[0].startswith(phrase)
            assert "claims at most" in sentences[0]

        for i, layer in enumerate(honest.layers):
            for name in (*NUMBERS, "misses"):
                value = getattr(layer, name)
                if value == 0:
                    continue
                small = replace(layer, **{name: value - 1 if name == "misses" else value * (1 - 1e-5)})
                layers = (*honest.layers[:i], small, *honest.layers[i + 1 :])
                check(replace(honest, layers=layers), f"layer {i}: {name.replace('_', ' ')} is")
                caught += 1
        check(replace(honest, sup_error=honest.sup_error * (1 - 1e-5)), "network: sup error is")
        check(replace(honest, l2_error=honest.l2_error * (1 - 1e-5)), "network: l2 error is")
        for o, bound in enumerate(honest.output_error):
            outputs = (*honest.output_error[:o], bound * (1 - 1e-5), *honest.output_error[o + 1 :])
            check(replace(honest, output_error=outputs), f"output {o}: error is")
    assert caught > 80


def test_a_changed_network_is_caught(random_case):
    """One target weight, bias or realised weight moved by more than the claim allows."""
    for seed in range(10):
        case = random_case(seed)
        stored = certificate_of(case)
        for i, layer in enumerate(case.target):
            moved = layer.weight.copy()
            moved[0, 0, 0] += 3 * stored.layers[i].weight_error
            target = [*case.target[:i], Affine(moved, layer.bias), *case.target[i + 1 :]]
            assert any("weight error" in s for s in failed_claims(stored, target, case.realised, box=case.box))
            bias = (0.0 if layer.bias is None else layer.bias) + np.full(
                len(moved), 3 * stored.layers[i].bias_error + 1.0
            )
            target = [*case.target[:i], Affine(layer.weight, bias), *case.target[i + 1 :]]
            assert any("bias error" in s for s in failed_claims(stored, target, case.realised, box=case.box))
        wider = Box(case.box.lower, case.box.upper + 10.0)
        assert any("sup error" in s for s in failed_claims(stored, case.target, case.realised, box=wider))


def test_a_certificate_of_another_shape_is_caught(random_case):
    case = random_case(0, layers=2)
    stored = certificate_of(case)
    shorter = replace(stored, layers=stored.layers[:1])
    assert "1 layers" in failed_claims(shorter, case.target, case.realised, box=case.box)[0]
    more = replace(stored, output_error=(*stored.output_error, 1.0))
    assert "outputs" in failed_claims(more, case.target, case.realised, box=case.box)[-1]
    with pytest.raises(InputError, match="state the box"):
        failed_claims(stored, case.target, case.realised, box=None)


def pair(weight, positive, negative=None, bias=None, bias_hat=None):
    signed = np.array([negative is not None])
    shaped = [None if v is None else np.full((1, 1, 1), v) for v in (weight, positive, negative)]
    biases = [None if v is None else np.full(1, v) for v in (bias, bias_hat)]
    return [Affine(shaped[0], biases[0])], [Realised(shaped[1], shaped[2], biases[1], signed)]


@pytest.mark.parametrize(
    ("networks", "tolerance", "misses"),
    [
        (pair(0.5, 0.625), 0.125, 0),  # exactly at the tolerance
        (pair(0.5, 0.625), math.nextafter(0.125, 0), 1),
        (pair(2.0**-60, 1.0), 1.0, 0),  # 1 - 2^-60 rounds to 1
        (pair(-(2.0**-60), 1.0), 1.0, 1),  # 1 + 2^-60 rounds to 1, too
        (pair(0.5, 0.5, -0.625), 0.125, 0),
        (pair(0.5, 0.5, -0.75), 0.125, 1),
        (pair(0.5, 0.75, -0.75), 0.125, 2),
        (pair(0.5, 0.75, -0.75, 1.0, 2.0), 0.125, 3),
        (pair(0.5, 0.5, -0.5, None, 1.0), 0.125, 1),
        (pair(0.5, 0.5, -0.5, 1.0, None), 0.125, 1),
    ],
)
def test_misses_are_counted_exactly(networks, tolerance, misses):
    target, realised = networks
    certificate = certify(target, realised, tolerances=[tolerance], box=None)
    assert certificate.layers[0].misses == misses
    smaller = replace(certificate.layers[0], tolerance=0.01)
    expected = evaluate(target, realised, tolerances=[0.01], box=None).layers[0].misses
    found = failed_claims(replace(certificate, layers=(smaller,)), target, realised, box=None)
    assert bool(found) == (expected > misses)  # a tolerance claimed too small is a lie about the misses


def test_data_survives_json_exactly(random_case):
    for seed in range(30):
        for box in (True, False):
            certificate = certificate_of(random_case(seed), box=box)
            assert Certificate.from_data(json.loads(json.dumps(certificate.as_data()))) == certificate


HONEST = Certificate((LayerClaim(0.01, 0.02, 0.5, 3, 0.25, 1.0, 1.5),), 1.0, 1.5, (1.0, 0.5)).as_data()
LAYER = ("layers", 0)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *[
            ((*LAYER, name), bad)
            for name in ("tolerance", *NUMBERS)
            for bad in (math.nan, math.inf, -1e-300, True, "1", [1.0])
        ],
        *[((*LAYER, name), None) for name in ("tolerance", "weight_error", "bias_error", "misses", "operator_error")],
        *[((*LAYER, "misses"), bad) for bad in (-1, 1.0, True, "3", math.nan)],
        *[((name,), bad) for name in ("sup_error", "l2_error") for bad in (math.nan, -1.0, False, "1", None, 10**400)],
        *[(("output_error",), bad) for bad in ([], None, 1.0, "11", {"0": 1.0})],
        *[(("output_error", 1), bad) for bad in (math.nan, -1.0, None, True, [1.0])],
        *[(("layers",), bad) for bad in ([], None, {}, 1)],
        *[(LAYER, bad) for bad in ({}, None, [], 1.0)],
        ((*LAYER, "sup_error"), None),
        (("unknown",), 1.0),
        ((*LAYER, "unknown"), 1.0),
    ],
)
def test_data_that_claims_nothing_sensible_is_refused(path, value):
    data = copy.deepcopy(HONEST)
    assert Certificate.from_data(data).as_data() == HONEST
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(InputError):
        Certificate.from_data(data)


@pytest.mark.parametrize("path", [(name,) for name in HONEST] + [(*LAYER, name) for name in HONEST["layers"][0]])
def test_missing_entries_are_refused(path):
    data = copy.deepcopy(HONEST)
    place = data
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    with pytest.raises(InputError, match="exactly the entries"):
        Certificate.from_data(data)


def test_json_integers_are_numbers():
    data = copy.deepcopy(HONEST)
    data["layers"][0]["sup_error"] = data["sup_error"] = 1
    assert Certificate.from_data(data).as_data() == HONEST
    with pytest.raises(InputError):
        Certificate.from_data([])


REFUSED = (InputError, TypeError)  # the runtime shape checker of the tests may object first


@pytest.mark.parametrize(
    "make",
    [
        lambda: Affine(np.full((1, 1, 1), np.nan), None),
        lambda: Affine(np.ones((1, 1)), None),
        lambda: Affine(np.ones((1, 0, 1)), None),
        lambda: Affine(np.ones((1, 1, 1), np.float32), None),
        lambda: Affine(np.ones((1, 1, 1)), np.ones(2)),
        lambda: Affine(np.ones((1, 1, 1)), np.array([np.inf])),
        lambda: Realised(np.ones((1, 2, 1)), None, None, np.ones(2, bool)),
        lambda: Realised(np.ones((1, 2, 1)), np.zeros((1, 2, 1)), None, np.zeros(2, bool)),
        lambda: Realised(np.ones((1, 2, 1)), np.ones((1, 2, 1)), None, np.array([True, False])),
        lambda: Realised(np.ones((1, 2, 1)), None, None, np.zeros(3, bool)),
        lambda: Realised(np.ones((1, 2, 1)), None, np.array([np.nan]), np.zeros(2, bool)),
        lambda: Box(np.array([0.0, 1.0]), np.array([1.0, 0.5])),
        lambda: Box(np.array([0.0]), np.array([np.inf])),
        lambda: Box.uniform(1.0, 0.0, 2),
        lambda: Box.uniform(0.0, 1.0, 0),
    ],
)
def test_malformed_networks_and_boxes_are_refused(make):
    with pytest.raises(REFUSED):
        make()


ONE, TWO = (Affine(np.ones((n, n, 1)), None) for n in (1, 2))
REAL_ONE, REAL_TWO = (Realised(np.ones((n, n, 1)), None, None, np.zeros(n, bool)) for n in (1, 2))
UNIT = Box.uniform(0.0, 1.0, 1)
TAPS = Affine(np.ones((1, 1, 9)), None), Realised(np.ones((1, 1, 9)), None, None, np.zeros(1, bool))
HUGE = Affine(np.full((1, 1, 1), 1e200), None), Realised(np.full((1, 1, 1), 2e200), None, None, np.zeros(1, bool))
OPPOSED = (
    Affine(np.full((1, 1, 1), -1.7e308), None),
    Realised(np.full((1, 1, 1), 1.7e308), None, None, np.zeros(1, bool)),
)


@pytest.mark.parametrize(
    ("target", "realised", "tolerances", "box", "message"),
    [
        ([], [], [], None, "as many"),
        ([ONE], [REAL_ONE, REAL_ONE], [0.0], None, "as many"),
        ([ONE], [REAL_TWO], [0.0], None, "its realisation"),
        ([ONE, TWO], [REAL_ONE, REAL_TWO], [0.0, 0.0], None, "the layer before"),
        ([ONE], [REAL_ONE], [], None, "one tolerance per layer"),
        ([ONE], [REAL_ONE], [-1.0], None, "tolerance must be"),
        ([ONE], [REAL_ONE], [math.nan], None, "tolerance must be"),
        ([TWO], [REAL_TWO], [0.0], UNIT, "coordinates"),
        ([ONE], [REAL_ONE], [0.0], Box.uniform(-0.5, 1.0, 1), "no negative half"),
        ([TAPS[0]], [TAPS[1]], [0.0], None, "one tap"),
        ([HUGE[0]] * 2, [HUGE[1]] * 2, [0.0] * 2, UNIT, "overflows"),
        ([OPPOSED[0]], [OPPOSED[1]], [0.0], None, "overflows"),
    ],
)
def test_networks_that_do_not_fit_are_refused(target, realised, tolerances, box, message):
    with pytest.raises(InputError, match=message):
        certify(target, realised, tolerances=tolerances, box=box)


def test_certificates_need_neither_torch_nor_numba():
    code = "import sys, slth.certificate; sys.exit(bool({'torch', 'numba', 'scipy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
