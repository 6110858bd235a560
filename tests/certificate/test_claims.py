"""An honest certificate holds, every smaller claim is caught, and what claims nothing sensible is none."""

import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from helpers.networks import Pair, every_map

from slth._errors import InputError
from slth.certificate import Certificate, MapClaim, certify, computed, failed_claims
from slth.graph import Affine, Box, Dense, Graph, Linear, Node, Realised, Target, chain

NUMBERS = ("weight_error", "bias_error", "operator_error", "sup_error", "l2_error")


def certificate_of(case, *, tolerance=0.0, box=True):
    tolerances = every_map(case.target, tolerance)
    return certify(case.target, case.realised.__getitem__, tolerances=tolerances, box=case.box if box else None)


@pytest.mark.parametrize("count", [20, pytest.param(60, marks=pytest.mark.slow)])
def test_honest_certificates_hold(count, random_case):
    for seed in range(count):
        case = random_case(seed)
        for box in (True, False):
            stored = certificate_of(case, tolerance=1e-3, box=box)
            assert failed_claims(stored, case.target, case.realised.__getitem__, box=case.box if box else None) == []


@pytest.mark.parametrize("count", [10, pytest.param(30, marks=pytest.mark.slow)])
def test_stored_numbers_are_above_the_computed_ones_by_a_millionth(count, random_case):
    for seed in range(count):
        case = random_case(seed)
        raw, stored = case.bounds, certificate_of(case)
        assert list(raw.maps) == list(stored.maps) == list(case.target.graph.maps)
        for fact, claim in zip(raw.maps.values(), stored.maps.values(), strict=True):
            for name in NUMBERS:
                fact_number, claimed = getattr(fact, name), getattr(claim, name)
                assert fact_number * (1 + 2.0**-20) <= claimed <= fact_number * (1 + 2.0**-19)


@pytest.mark.parametrize("count", [4, pytest.param(10, marks=pytest.mark.slow)])
def test_every_claim_that_is_too_small_is_caught(count, random_case):
    """Each number by itself, smaller by 1e-5: one sentence that names it."""
    caught = 0
    for seed in range(count):
        case = random_case(seed)
        honest = certificate_of(case)

        def check(forged, phrase, case=case, claims="claims at most"):
            sentences = failed_claims(forged, case.target, case.realised.__getitem__, box=case.box)
            assert len(sentences) == 1
            assert sentences[0].startswith(phrase)
            assert claims in sentences[0]

        for path, claim in honest.maps.items():
            for name in (*NUMBERS, "misses"):
                value = getattr(claim, name)
                if value == 0:
                    continue
                for less in (
                    (value - 1, value + 1) if name == "misses" else (value * (1 - 1e-5),)
                ):  # counted, not bounded
                    small = replace(honest, maps={**honest.maps, path: replace(claim, **{name: less})})
                    words = "counts" if name == "misses" else "claims at most"
                    check(small, f"{path}: {name.replace('_', ' ')} is", claims=words)
                    caught += 1
        check(replace(honest, sup_error=honest.sup_error * (1 - 1e-5)), "network: sup error is")
        check(replace(honest, l2_error=honest.l2_error * (1 - 1e-5)), "network: l2 error is")
        for o, bound in enumerate(honest.output_error):
            outputs = (*honest.output_error[:o], bound * (1 - 1e-5), *honest.output_error[o + 1 :])
            check(replace(honest, output_error=outputs), f"output {o}: error is")
    assert caught > 8 * count


@pytest.mark.parametrize("count", [4, pytest.param(10, marks=pytest.mark.slow)])
def test_a_changed_network_is_caught(count, random_case):
    """One target weight, bias or realised weight moved by more than the claim allows."""
    for seed in range(count):
        case = random_case(seed)
        stored = certificate_of(case)
        layers = [layer for layer, _ in case.layers]

        def failures(i, weight, bias, case=case, stored=stored, layers=layers):
            target = chain([*layers[:i], Affine(weight, bias), *layers[i + 1 :]])
            return failed_claims(stored, target, case.realised.__getitem__, box=case.box)

        for i, (layer, claim) in enumerate(zip(layers, stored.maps.values(), strict=True)):
            moved = layer.weight.copy()
            moved[0, 0, 0] += 3 * claim.weight_error
            assert any("weight error" in s for s in failures(i, moved, layer.bias))
            bias = (0.0 if layer.bias is None else layer.bias) + np.full(len(moved), 3 * claim.bias_error + 1.0)
            assert any("bias error" in s for s in failures(i, layer.weight, bias))
        wider = Box(case.box.lower, case.box.upper + 10.0)
        assert any("sup error" in s for s in failed_claims(stored, case.target, case.realised.__getitem__, box=wider))


def test_a_certificate_of_another_shape_is_caught(random_case):
    case = random_case(0, layers=2)
    stored = certificate_of(case)
    shorter = replace(stored, maps={"layers/0": stored.maps["layers/0"]})
    sentence = "the certificate speaks of layers/0, the target has layers/0, layers/1"
    assert failed_claims(shorter, case.target, case.realised.__getitem__, box=case.box) == [sentence]
    more = replace(stored, output_error=(*stored.output_error, 1.0))
    assert "outputs" in failed_claims(more, case.target, case.realised.__getitem__, box=case.box)[-1]
    with pytest.raises(InputError, match="state the box"):
        failed_claims(stored, case.target, case.realised.__getitem__, box=None)


def pair(weight, positive, negative=None, bias=None, bias_hat=None):
    signed = np.array([negative is not None])
    shaped = [None if v is None else np.full((1, 1, 1), v) for v in (weight, positive, negative)]
    biases = [None if v is None else np.full(1, v) for v in (bias, bias_hat)]
    return Pair.of([Affine(shaped[0], biases[0])], [Realised(shaped[1], shaped[2], biases[1], signed)])


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
    target, realised = networks.target, networks.realised
    certificate = certify(target, realised.__getitem__, tolerances={"layers/0": tolerance}, box=None)
    assert certificate.maps["layers/0"].misses == misses
    smaller = replace(certificate.maps["layers/0"], tolerance=0.01)
    expected = computed(target, realised.__getitem__, tolerances={"layers/0": 0.01}, box=None).maps["layers/0"].misses
    found = failed_claims(replace(certificate, maps={"layers/0": smaller}), target, realised.__getitem__, box=None)
    assert bool(found) == (expected > misses)  # a tolerance claimed too small is a lie about the misses


REFUSED = (InputError, TypeError)  # the runtime shape checker of the tests may object first


@pytest.mark.parametrize(
    "make",
    [
        lambda: Affine(np.full((1, 1, 1), np.nan), None),
        lambda: Affine(np.ones((1, 1)), None),
        lambda: Affine(np.ones((1, 0, 1)), None),
        lambda: Affine(np.ones((1, 1, 1), np.float32), None),
        lambda: Affine(np.ones((2, 1, 1)), np.ones(3)),
        lambda: Affine(np.ones((1, 1, 1)), np.array([np.inf])),
        lambda: Realised(np.ones((1, 2, 1)), None, None, np.ones(2, bool)),
        lambda: Realised(np.ones((1, 2, 1)), np.zeros((1, 2, 1)), None, np.zeros(2, bool)),
        lambda: Realised(np.ones((1, 2, 1)), -np.ones((1, 2, 1)), None, np.ones(2, bool), linear=True),
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


CLAIM = MapClaim(0.01, 0.02, 0.5, 3, 0.25, 1.0, 1.5)
HONEST = Certificate({"layers/0": CLAIM}, 1.0, 1.5, (1.0, 0.5))


@pytest.mark.parametrize(
    ("record", "name", "value"),
    [
        *[
            (CLAIM, name, bad)
            for name in ("tolerance", *NUMBERS)
            for bad in (math.nan, math.inf, -1e-300, True, "1", [1.0])
        ],
        *[(CLAIM, name, None) for name in ("tolerance", "weight_error", "bias_error", "misses", "operator_error")],
        *[(CLAIM, "misses", bad) for bad in (-1, 1.0, True, "3", math.nan)],
        *[(CLAIM, "norms", bad) for bad in (None, "", "grid", "grid/5", 1)],
        (CLAIM, "sup_error", None),
        *[(HONEST, name, bad) for name in ("sup_error", "l2_error") for bad in (math.nan, -1.0, False, "1", None)],
        *[(HONEST, "output_error", bad) for bad in ((), None, "11")],
        *[(HONEST, "output_error", (1.0, bad)) for bad in (math.nan, -1.0, None, True, [1.0])],
        *[(HONEST, "maps", bad) for bad in ({}, {"layers/0": replace(CLAIM, sup_error=None, l2_error=None)})],
    ],
)
def test_what_claims_nothing_sensible_is_no_claim(record, name, value, unchecked):
    with pytest.raises(InputError):
        replace(record, **{name: value})


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
    ("layers", "parts", "tolerances", "box", "message"),
    [
        ([], [], [], None, "has no layers"),
        ([ONE], [REAL_TWO], [0.0], None, "its realisation"),
        ([ONE, TWO], [REAL_ONE, REAL_TWO], [0.0, 0.0], None, "the one before"),
        ([ONE], [REAL_ONE], [], None, "a tolerance of each of layers/0"),
        ([ONE], [REAL_ONE], [-1.0], None, "tolerance must be"),
        ([ONE], [REAL_ONE], [math.nan], None, "tolerance must be"),
        ([TWO], [REAL_TWO], [0.0], UNIT, "coordinates"),
        ([ONE], [REAL_ONE], [0.0], Box.uniform(-0.5, 1.0, 1), "no negative half"),
        ([TAPS[0]], [TAPS[1]], [0.0], None, "one tap"),
        ([HUGE[0]] * 2, [HUGE[1]] * 2, [0.0] * 2, UNIT, "overflows"),
        ([OPPOSED[0]], [OPPOSED[1]], [0.0], None, "overflows"),
    ],
)
def test_networks_that_do_not_fit_are_refused(layers, parts, tolerances, box, message):
    realised, asked = ({f"layers/{i}": one for i, one in enumerate(many)} for many in (parts, tolerances))
    with pytest.raises(InputError, match=message):
        certify(chain(layers), realised.__getitem__, tolerances=asked, box=box)


MAP = Graph((Node("only", Linear("only", Dense(1, 1), bias=False), ("input",)),))


@pytest.mark.parametrize(
    ("coefficients", "message"),
    [
        ({}, "expected coefficients of only"),
        ({"other": ONE}, "expected coefficients of only; got other"),
        ({"only": TWO}, "do not fit"),
        ({"only": TAPS[0]}, "do not fit"),
        ({"only": Affine(np.ones((1, 1, 1)), np.ones(1))}, "do not fit"),
    ],
)
def test_coefficients_fit_the_graph_of_their_target(coefficients, message):
    with pytest.raises(InputError, match=message):
        Target(MAP, coefficients)


def test_certificates_need_neither_torch_nor_numba():
    code = "import sys, slth.certificate; sys.exit(bool({'torch', 'numba', 'scipy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
