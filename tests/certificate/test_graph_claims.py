"""What a certificate of a graph says: of which entries, at which nodes, and where it stops."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from helpers.graphs import random_case

from slth._errors import InputError
from slth.certificate import Certificate, certify, computed, failed_claims, per_input_error, unchanged_on_box
from slth.certificate.errors import MapErrors
from slth.certificate.rules import RULES
from slth.graph import (
    INPUT,
    Affine,
    AxisMap,
    AxisMatrix,
    Box,
    Conv,
    Dense,
    Graph,
    Linear,
    Multiply,
    Node,
    Permute,
    Pointwise,
    Realised,
    Reshape,
    Softmax,
    Target,
)


def line(*ops):
    """A graph of ops one after the other, called 0, 1, ..."""
    return Graph(tuple(Node(str(i), op, (str(i - 1) if i else INPUT,)) for i, op in enumerate(ops)))


def zeros(case):
    return dict.fromkeys(case.realised, 0.0)


def unsigned(weight, bias=None):
    """A realisation without a negative half."""
    return Realised(weight, None, bias, np.zeros(weight.shape[1], np.bool_))


def number(value):
    return np.full((1, 1, 1), float(value))


@pytest.mark.parametrize("op", [Pointwise("Tanh"), Pointwise("Gelu"), Multiply()], ids=str)
def test_ends_of_a_box_may_share_different_axes(op):
    """One lower end for all entries, an upper one for each channel: the same bounds as with both spelled out."""
    graph = Graph(
        (
            Node("0", op, (INPUT,) * (2 if isinstance(op, Multiply) else 1)),
            Node("1", Linear("map", Dense(2, 1), False), ("0",)),
        )
    )
    target = Target(graph, {"map": Affine(np.array([[[1.0], [-2.0]]]), None)}, input_shape=(3, 2))
    parts = {"map": Realised(np.array([[[1.1], [-2.3]]]), np.array([[[-1.2], [2.1]]]), None, np.ones(2, np.bool_))}
    lower, upper = np.full((1, 1), -1.0), np.array([[0.5], [1.0], [2.0]])
    found = [
        computed(target, parts.__getitem__, tolerances={"map": 0.0}, box=box)
        for box in (Box(lower, upper, (3, 2)), Box(np.full((3, 2), -1.0), np.broadcast_to(upper, (3, 2)) + 0.0))
    ]
    assert found[0].output_error == pytest.approx(found[1].output_error, rel=1e-12)


def test_nothing_is_lost_below_the_smallest_number():
    """Products that float64 rounds to 0 are not 0: 1e-200 times an error of 1e-200, times 1e200 later on."""
    tiny = {"tiny": np.full((1, 1), 1e-200)}
    graph = line(
        Linear("a", Dense(1, 1), False),
        AxisMap((AxisMatrix(0, "matrix", value="tiny"),)),
        Linear("b", Dense(1, 1), False),
    )
    target = Target(graph, {"a": Affine(number(1), None), "b": Affine(number(1e200), None)}, carried=tiny)
    halves = [Realised(number(w), number(-w), None, np.ones(1, np.bool_)) for w in (2, 1e200)]
    box = Box(np.full(1, -1e-200), np.full(1, 1e-200))
    bounds = computed(
        target, dict(zip("ab", halves, strict=True)).__getitem__, tolerances={"a": 0.0, "b": 0.0}, box=box
    )
    assert bounds.sup_error >= 1e-200


@pytest.mark.parametrize("seed", range(16))
def test_honest_certificates_hold_and_smaller_ones_do_not(seed):
    case = random_case(seed)
    stored = certify(case.target, case.realised.__getitem__, tolerances=zeros(case), box=case.box)
    assert stored.stops == ()
    assert failed_claims(stored, case.target, case.realised.__getitem__, box=case.box) == []
    path = list(stored.maps)[-1]
    for forged, phrase in (
        (replace(stored, sup_error=stored.sup_error * (1 - 1e-5)), "network: sup error"),
        (replace(stored, output_error=(0.0, *stored.output_error[1:])), "output 0: error"),
        (
            replace(stored, maps={**stored.maps, path: replace(stored.maps[path], l2_error=0.0)}),
            f"{path}: l2 error",
        ),
    ):
        (sentence,) = failed_claims(forged, case.target, case.realised.__getitem__, box=case.box)
        assert sentence.startswith(phrase)


def stopped():
    """map, softmax, map, relu, map."""
    ops = [Linear(f"m{i}", Dense(2, 2), bias=False) for i in range(3)]
    graph = line(ops[0], Softmax(0), ops[1], Pointwise("Relu"), ops[2])
    weight = np.random.default_rng(0).normal(size=(2, 2, 1))
    target = Target(graph, {op.map: Affine(weight, None) for op in ops})
    parts = {"m0": unsigned(weight + 0.1), "m1": unsigned(weight + 0.1), "m2": unsigned(weight)}
    return target, parts, Box.uniform(0.0, 1.0, 2)


def test_claims_stop_where_an_op_has_no_rule(monkeypatch):
    target, parts, box = stopped()
    tolerances = dict.fromkeys(parts, 0.2)
    whole = certify(target, parts.__getitem__, tolerances=tolerances, box=box)
    assert whole.stops == ()
    assert whole.sup_error is not None
    monkeypatch.delitem(RULES, Softmax)
    found = certify(target, parts.__getitem__, tolerances=tolerances, box=box)
    assert found.stops == ("1",)
    assert found.sup_error is found.l2_error is found.output_error is None
    assert found.maps["m0"] == whole.maps["m0"]
    assert found.maps["m1"].sup_error is found.maps["m2"].l2_error is None
    assert found.maps["m2"].operator_error == whole.maps["m2"].operator_error  # coefficients need no rule
    assert failed_claims(found, target, parts.__getitem__, box=box) == []
    with pytest.raises(InputError, match="state the box"):
        failed_claims(found, target, parts.__getitem__, box=None)
    sentences = failed_claims(whole, target, parts.__getitem__, box=box)  # who has no rule believes nothing behind it
    assert len(sentences) == 7
    assert all("no rule bounds it" in s for s in sentences[:-1])
    assert "2 outputs" in sentences[-1]


def test_a_certificate_claims_nothing_behind_a_stop():
    target, parts, box = stopped()
    whole = certify(target, parts.__getitem__, tolerances=dict.fromkeys(parts, 0.2), box=box)
    with pytest.raises(InputError, match="stop at 1"):
        replace(whole, stops=("1",))
    part = {**whole.maps, "m2": replace(whole.maps["m2"], sup_error=None, l2_error=None)}
    with pytest.raises(InputError, match="stand or fall together"):
        Certificate(part, None, None, None)
    assert Certificate(part, None, None, None, ("1",)).over_inputs


def test_outputs_of_several_axes_are_listed_in_c_order():
    """Channel 1 errs by 1, channel 0 does not; the second axis comes first in the output."""
    basis = Conv(1, 2, (1,), (1,), (0, 0), (1,))
    weight, moved = np.ones((2, 1, 1)), np.array([1.0, 2.0]).reshape(2, 1, 1)
    target = Target(line(Linear("m", basis, False), Permute((1, 0))), {"m": Affine(weight, None)})
    box = Box(np.zeros((1, 3)), np.array([[1.0, 1.0, 0.25]]))
    found = computed(target, {"m": unsigned(moved)}.__getitem__, tolerances={"m": 0.0}, box=box)
    assert np.allclose(found.output_error, [0, 1, 0, 1, 0, 1])  # bounds of a map are those of its worst position
    errors = per_input_error(target, {"m": unsigned(moved)}.__getitem__, np.array([[[1.0, 1.0, 0.25]]]))
    assert np.allclose(errors, [[0, 1, 0, 1, 0, 0.25]])


def test_a_claim_about_a_map_holds_at_each_of_its_nodes():
    """-2 becomes -2 - x: the first use errs by 1, the second one reads 0 and does not err."""
    op = Linear("a", Dense(1, 1), bias=True)
    target = Target(line(op, Pointwise("Relu"), op), {"a": Affine(number(0), np.full(1, -2.0))})
    parts = {"a": unsigned(number(-1), np.full(1, -2.0))}
    found = computed(target, parts.__getitem__, tolerances={"a": 0.0}, box=Box.uniform(0.0, 1.0, 1))
    assert found.sup_error == found.l2_error == 0.0
    assert 1.0 <= found.maps["a"].sup_error <= 1.0 + 1e-12
    assert 1.0 <= found.maps["a"].l2_error <= 1.0 + 1e-12


def test_bounds_of_an_image_do_not_grow_with_it():
    """e of a convolution is that of its worst position; only norms count positions. And a range may be shared."""
    basis = Conv(2, 3, (3, 3), (1, 1), (1,) * 4, (1, 1))
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(3, 2, 9))
    target = Target(line(Linear("m", basis, False)), {"m": Affine(weight, None)})
    parts = {"m": unsigned(weight + 0.01 * rng.normal(size=weight.shape))}

    def found(box):
        return computed(target, parts.__getitem__, tolerances={"m": 0.0}, box=box)

    small, large = (found(Box(np.zeros((1, 1, 1)), np.ones((1, 1, 1)), (2, n, n))) for n in (4, 200))
    full = found(Box.uniform(0.0, 1.0, 2, 4, 4))
    assert small.sup_error == large.sup_error == full.sup_error
    assert abs(large.l2_error / small.l2_error - 50) < 1e-6
    assert len(large.output_error) == len(small.output_error) == 3


def image():
    """Two channels of 3 x 3, off by 1 and by 2 at most."""
    basis = Conv(1, 2, (1, 1), (1, 1), (0, 0, 0, 0), (1, 1))
    target = Target(line(Linear("m", basis, False)), {"m": Affine(np.ones((2, 1, 1)), None)})
    parts = {"m": unsigned(np.array([2.0, 3.0]).reshape(2, 1, 1))}
    box = Box(np.zeros((1, 1, 1)), np.ones((1, 1, 1)), (1, 3, 3))
    return target, parts, box, certify(target, parts.__getitem__, tolerances={"m": 0.0}, box=box)


def test_errors_of_an_image_are_stored_by_channel_and_checked_however_they_are_stored():
    """One number for all, one for each channel, one for each output: each must cover what it speaks of."""
    target, parts, box, stored = image()
    one, two = stored.output_error
    assert 1 <= one <= 1 + 1e-5
    assert 2 <= two <= 2 + 1e-5
    for given, phrase in (
        ((two,), None),
        ((one,), "every output of channel 1: error is 2"),
        ((one, two), None),
        ((one, one), "every output of channel 1: error is 2"),
        ((0.0, two), "every output of channel 0: error is 1"),
        ((one,) * 9 + (two,) * 9, None),
        ((one,) * 9 + (two,) * 4 + (1.5,) + (two,) * 4, "output 13: error is 2"),
    ):
        failed = failed_claims(replace(stored, output_error=given), target, parts.__getitem__, box=box)
        assert [sentence.startswith(phrase) for sentence in failed] == ([] if phrase is None else [True]), given
    for count in (3, 6, 9, 17, 19):
        failed = failed_claims(replace(stored, output_error=(9.0,) * count), target, parts.__getitem__, box=box)
        assert failed == [f"the certificate speaks of {count} outputs, the network has 18"]


def test_a_certificate_may_stop_where_it_need_not():
    """A node that had no rule when it was written: it claims less, and what it claims still holds."""
    target, parts, box, stored = image()
    nothing = dict.fromkeys(("sup_error", "l2_error", "output_error"))
    assert failed_claims(replace(stored, **nothing, stops=("0",)), target, parts.__getitem__, box=box) == []


def test_predictions_of_images_use_the_bounds_of_their_channels():
    """Logits with the axes of the outputs; the same bounds, one by one, prove the same."""
    *_, stored = image()
    logits = np.zeros((2, 2, 3, 3))
    logits[0, 0, 1, 1], logits[1, 1, 2, 2] = 3.1, 3.9  # ahead of channel 1 needs 1 + 2, of its own channel 2 + 2
    joint = replace(stored, l2_error=9.0)
    assert unchanged_on_box(logits, joint).tolist() == [True, False]
    each = replace(joint, output_error=(stored.output_error[0],) * 9 + (stored.output_error[1],) * 9)
    assert unchanged_on_box(logits.reshape(2, 18), each).tolist() == [True, False]
    with pytest.raises(InputError, match=r"finite logits of shape \(batch, 2\), got shape \(2, 18\)"):
        unchanged_on_box(logits.reshape(2, 18), joint)


def grouped():
    """Two groups of two inputs. E⁺ = (1, 0), E⁻ = (0, 1) in the first: (1, −1) moves it by 2, √2 times its norm."""
    basis = Conv(4, 2, (1,), (1,), (0, 0), (1,), 2)
    weight = np.zeros((1, 4, 1))
    plus, minus = np.zeros((1, 4, 1)), np.zeros((1, 4, 1))
    plus[0, 0], minus[0, 1] = 1.0, 1.0
    target = Target(line(Linear("m", basis, False)), {"m": Affine(weight, None)})
    return target, {"m": Realised(plus, minus, None, np.ones(4, np.bool_))}


def check_grouped():
    target, parts = grouped()
    x = np.array([1.0, -1.0, 0.0, 0.0]).reshape(1, 4, 1)
    moved = parts["m"].apply(target.graph.maps["m"].basis, x)
    found = certify(target, parts.__getitem__, tolerances={"m": 1.0}, box=None)
    assert np.linalg.norm(moved) / np.linalg.norm(x) <= found.maps["m"].operator_error <= np.sqrt(2) * (1 + 2e-6)


def test_both_errors_of_a_group_stand_beside_each_other(monkeypatch):
    check_grouped()
    monkeypatch.setattr(MapErrors, "all", lambda e: np.concatenate([e.error, e.negative_error], axis=1))
    with pytest.raises(AssertionError):
        check_grouped()


def test_rounding_makes_no_value_negative():
    """Means and softmax are never negative; bounds on them, rounded outwards, may be: no half is asked for."""
    shape, mean = (3, 7), AxisMap((AxisMatrix(1, "mean", length=1),))
    ops = [mean, Reshape((3,)), Linear("a", Dense(3, 2), False), Softmax(0), Linear("b", Dense(2, 1), False)]
    coefficients = {"a": Affine(np.ones((2, 3, 1)), None), "b": Affine(np.ones((1, 2, 1)), None)}
    parts = {path: unsigned(affine.weight * 1.01) for path, affine in coefficients.items()}
    box = Box(np.zeros((1, 1)), np.array([[1e-300], [0.0], [1.0]]), shape)
    found = computed(Target(line(*ops), coefficients), parts.__getitem__, tolerances={"a": 0.1, "b": 0.1}, box=box)
    assert found.sup_error < 0.1


def test_inputs_that_do_not_fit_are_refused():
    op = Linear("a", Dense(2, 2), False)
    weight = np.ones((2, 2, 1))
    one, two = (Target(graph, {"a": Affine(weight, None)}) for graph in (line(op), line(op, op)))
    parts = {"a": unsigned(weight)}

    def refused(target, box):
        with pytest.raises(InputError) as error:
            certify(target, parts.__getitem__, tolerances={"a": 0.0}, box=box)
        return str(error.value)

    assert refused(one, Box.uniform(0.0, 1.0, 3)).startswith("the box has 3 coordinates, which do not fit: 0: a dense")
    low = Box(np.array([0.0, -0.5]), np.ones(2))
    assert refused(one, low).startswith("input 1 can be -0.5, but its realisation has no negative half")
    assert refused(two, Box.uniform(0.0, 1.0, 2)).startswith("input 0 of a can be negative, but its realisation")
    for bad in (np.ones((1, 3)), np.full((1, 2), np.nan), np.ones(2), np.array([[0.0, -1.0]])):
        with pytest.raises(InputError):
            per_input_error(one, parts.__getitem__, bad)


def test_ends_of_a_box_fit_its_shape():
    assert Box(np.zeros((1, 1)), np.ones((2, 1)), (2, 5)).shape == (2, 5)
    assert Box(np.zeros((1, 3)), np.ones((2, 1))).shape == (2, 3)
    with pytest.raises(InputError, match="does not speak of inputs"):
        Box(np.zeros((1, 3)), np.ones((1, 3)), (2, 5))


def test_certificates_of_convolutions_need_neither_torch_nor_scipy():
    code = """
import sys
import numpy as np
from slth.certificate import certify, per_input_error
from slth.graph import *

op = Linear("m", Conv(1, 1, (3,), (1,), (1, 1), (1,)), True)
graph = Graph((Node("c", op, ("input",)), Node("r", Pointwise("Relu"), ("c",)), Node("s", Softmax(1), ("r",))))
target = Target(graph, {"m": Affine(np.ones((1, 1, 3)), np.ones(1))})
parts = {"m": Realised(np.ones((1, 1, 3)), None, np.ones(1), np.zeros(1, bool))}
certify(target, parts.__getitem__, tolerances={"m": 0.0}, box=Box.uniform(0.0, 1.0, 1, 4))
per_input_error(target, parts.__getitem__, np.ones((1, 1, 4)))
sys.exit(bool({"torch", "numba", "scipy"} & set(sys.modules)))
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
