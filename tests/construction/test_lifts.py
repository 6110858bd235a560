"""Linear lifts: one subset for a weight, whatever the sign of its input; chosen where inputs can be negative."""

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from helpers.networks import inputs_of, random_target
from references import version2
from torch import nn

import slth
from slth import InputError
from slth.construction import Request, construct, plan_layout
from slth.construction.moved import Moved
from slth.construction.objectives import OBJECTIVES
from slth.graph import INPUT, Affine, Concat, Conv, Dense, Graph, Linear, Node, Pointwise, Realised, Reshape, Target
from slth.ticket import Inputs, TwoLayer, decode, encode, realised_digest, take_apart

RNG = np.random.default_rng(0)


def affine(op):
    return Affine(RNG.normal(0, 0.3, op.coefficients), RNG.normal(0, 0.3, op.basis.outputs) if op.bias else None)


def network():
    """A grouped convolution of an image with signs, a map of ReLUs, and one that reads both kinds of channels."""
    ops = {
        "signed": Linear("signed", Conv(2, 4, (2, 2), (1, 1), (1, 0, 0, 1), (1, 1), 2), True),
        "unsigned": Linear("unsigned", Conv(4, 3, (1, 1), (1, 1), (0,) * 4, (1, 1)), False),
        "mixed": Linear("mixed", Conv(7, 2, (2, 2), (2, 2), (0,) * 4, (1, 1)), True),
        "last": Linear("last", Dense(8, 3), True),
    }
    nodes = (
        Node("a", ops["signed"], (INPUT,)),
        Node("b", Pointwise("Relu"), ("a",)),
        Node("c", ops["unsigned"], ("b",)),
        Node("d", Concat(0), ("b", "c")),
        Node("e", ops["mixed"], ("d",)),
        Node("f", Pointwise("Tanh"), ("e",)),
        Node("g", Reshape((8,)), ("f",)),
        Node("h", ops["last"], ("g",)),
    )
    return Target(Graph(nodes), {path: affine(op) for path, op in ops.items()}, (2, 4, 4))


TARGET = network()
INPUTS = Inputs((2, 4, 4), lower=(-1.0,), upper=(1.0,))
REQUESTS = {
    "within": {},
    "three stages": {"tolerance": 1e-12},
    "fewest": {"objective": "fewest"},
    "closest": {"objective": "closest"},
    "exactly": {"objective": "exactly", "density": 0.25},
    "moved": {"objective": "moved", "most_move": 0.02, "candidates": 18},
    "centred": {"centred": True},
    "normal": {"law": "normal/20"},
    "epsilon": {"tolerance": None, "epsilon": 0.3},
}


def made(lift, **changed):
    asked = Request(**{"tolerance": 2e-3, "lift": lift, **changed})
    return construct(TARGET, asked, inputs=INPUTS)


USUAL = ("within", "three stages", "moved", "epsilon")
NAMES = [pytest.param(name, marks=() if name in USUAL else pytest.mark.slow) for name in REQUESTS]


@pytest.fixture(scope="module", params=NAMES)
def ticket(request):
    return made(None, **REQUESTS[request.param])


def test_lifts_are_linear_exactly_where_some_input_of_a_map_can_be_negative():
    layouts = {lift: plan_layout(TARGET, Request(lift=lift), inputs=INPUTS) for lift in (None, "relu", "linear")}
    linear = {lift: [path for path, g in layout.gadgets.items() if g.linear] for lift, layout in layouts.items()}
    assert linear == {None: ["signed", "mixed", "last"], "relu": [], "linear": list(TARGET.graph.maps)}
    signed = {path: g.signed(TARGET.graph.maps[path]).tolist() for path, g in layouts[None].gadgets.items()}
    assert signed["mixed"] == [False] * 4 + [True] * 3
    assert not any(signed["unsigned"])


@pytest.mark.parametrize("request_", [name for name in NAMES if name.values != ("epsilon",)])
def test_a_linear_lift_asks_half_the_bits_for_signed_inputs(request_):
    """Two halves become one: half the bits and live neurons for such inputs, and never more candidates for one."""
    relu, linear = (
        plan_layout(TARGET, Request(**{"tolerance": 2e-3, "lift": lift, **REQUESTS[request_]}), inputs=INPUTS)
        for lift in ("relu", "linear")
    )
    for path, op in TARGET.graph.maps.items():
        ours, theirs = linear.gadgets[path], relu.gadgets[path]
        assert all(a.candidates <= b.candidates for a, b in zip(ours.stages, theirs.stages, strict=True))
        rows, inputs, taps = op.coefficients
        constants = rows * op.basis.groups * ours.constants if op.bias else 0
        assert ours.cost(op).mask_bits == rows * inputs * taps * ours.candidates + constants
        if path in ("signed", "last"):
            both = 2 * rows * inputs * taps * theirs.candidates
            assert theirs.cost(op).mask_bits - rows * op.basis.groups * theirs.constants * op.bias == both
            assert ours.cost(op).problems < theirs.cost(op).problems


def test_every_weight_is_within_its_tolerance_and_every_claim_holds(ticket):
    assert ticket.misses <= (2 if ticket.provenance.asked["epsilon"] else 0)
    assert slth.verify(ticket, target=TARGET).holds
    for path, claim in ticket.claims.maps.items():
        part, wanted = ticket.realised(path), TARGET.coefficients[path]
        assert part.negative is None
        assert claim.misses or np.abs(part.positive - wanted.weight).max() <= claim.tolerance
        matrix = np.linalg.norm((part.positive - wanted.weight).reshape(len(wanted.weight), -1))
        assert claim.operator_error <= np.sqrt(part.positive.shape[2]) * matrix * 1.001  # of E⁺ alone


def test_the_pruned_random_network_computes_what_is_realised(ticket):
    x = torch.from_numpy(np.random.default_rng(1).uniform(-1, 1, (30, 2, 4, 4))).float()
    with torch.inference_mode():
        ours, source = slth.realised(ticket)(x), slth.source(ticket)(x)
    assert (ours - source).abs().max() < 1e-5


def test_coefficients_are_the_sums_of_what_the_file_keeps_by_another_reader(ticket):
    data = encode(ticket)
    assert encode(decode(data)) == data
    if ticket.moved:
        return  # moves are read by the test below
    for path, found in version2.read(data).items():
        ours = ticket.realised(path)
        assert (found.positive == ours.positive).all()
        assert not found.negative.any()
        assert ours.bias is None or (found.bias == ours.bias).all()
        assert found.widths == [stage.neurons for stage in ticket.gadgets[path].stages]
        assert found.digest(False) == ticket.digests[path] == realised_digest(ours)


def test_one_weight_taken_apart_is_whole_and_adds_up(ticket):
    for path, (output, input_) in {"signed": (3, 1), "mixed": (1, 5), "last": (2, 7)}.items():
        anatomy = take_apart(ticket, path, output=output, input=input_)
        assert {half.name for half in anatomy.halves} == {"whole"}
        rows = len(ticket.realised(path).positive)
        assert anatomy.halves[-1].realised == ticket.realised(path).positive[output % rows, input_, 0]
        assert "one subset for both signs" in anatomy.title(anatomy.halves[0])
        total = sum((Fraction(float(c)) for half in anatomy.halves for c in half.candidates[half.kept]), Fraction(0))
        assert abs(total - Fraction(anatomy.halves[-1].realised)) <= abs(total) * Fraction(2) ** -53


def test_moves_of_numbers_behind_a_negative_lift_go_the_right_way():
    """u (v + Δ) with u < 0: the moves found for −u and −Δ; the target is met to half a step, and ε is kept."""
    rng = np.random.default_rng(0)
    factors = rng.uniform(0.5, 1, (200, 12)) * rng.choice([-1.0, 1.0], (200, 12))
    rows, targets = rng.uniform(-1, 1, (200, 12)) * factors, rng.uniform(-0.6, 0.6, 200)
    found = Moved(0.05).with_factors(factors, rows, targets, tol=1e-4)
    positive = Moved(0.05).with_factors(np.abs(factors), rows, targets, tol=1e-4)
    assert (found.packed == positive.packed).all()
    assert (found.steps == np.where(factors < 0, -positive.steps, positive.steps)).all()
    assert found.reached.mean() > 0.9


# --- the choice ---


def test_what_each_kind_of_lift_is_good_for_is_said_where_it_is_none():
    with pytest.raises(InputError, match="unknown lift 'leaky'; expected one of linear, relu"):
        Request(lift="leaky")
    for gadget in ("single", "counts", "copies", "neurons", "doubling", "grid"):
        with pytest.raises(InputError, match=f"the gadget {gadget} has the lift of its own theorem.*leave lift out"):
            Request(gadget=gadget, lift="linear")
    for gadget in ("plain", "single-plain"):
        with pytest.raises(InputError, match=f"the gadget {gadget} has no lift; leave lift out"):
            Request(gadget=gadget, lift="relu")
    with pytest.raises(InputError, match="a source fixes the random network: leave law, centred and lift out"):
        Request(lift="relu", source=made("linear"))


def test_a_source_keeps_its_lifts():
    source = made("linear")
    other = replace(TARGET, coefficients={path: affine(op) for path, op in TARGET.graph.maps.items()})
    found = construct(other, Request(tolerance=2e-3, source=source), inputs=INPUTS)
    assert all(gadget.linear for gadget in found.gadgets.values())
    assert slth.verify(found, target=other).holds
    relu = construct(other, Request(tolerance=2e-3, source=made("relu")), inputs=INPUTS)
    assert not any(gadget.linear for gadget in relu.gadgets.values())


def test_relu_lifts_are_written_as_version_1_and_linear_ones_as_version_2():
    target = random_target((4, 3))
    for lift, format_ in (("relu", 1), (None, 2)):
        found = construct(target, Request(tolerance=1e-2, lift=lift), inputs=inputs_of(target, -1.0, 1.0))
        meta, _ = version2.split(encode(found))
        assert str(meta["format"])[0] == str(format_)
        assert "lift" not in found.provenance.asked  # the gadgets say it
        assert slth.verify(decode(encode(found)), target=target).holds


def test_the_realised_network_of_linear_lifts_is_a_state_dict_of_the_targets_names(tmp_path):
    model = nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 2)).eval()
    found = slth.construct(model, input_range=(-1, 1), tolerance=1e-3)
    written = slth.export(found, tmp_path / "net.safetensors")
    assert set(written) == set(model.state_dict())
    copy = nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 2))
    copy.load_state_dict({name: torch.from_numpy(value) for name, value in written.items()})
    x = torch.rand(20, 5) * 2 - 1
    assert torch.allclose(copy(x), slth.realised(found)(x), atol=1e-6)
    halves = slth.construct(model, input_range=(-1, 1), tolerance=1e-3, lift="relu")
    with pytest.raises(InputError, match="construct with linear lifts"):
        slth.export(halves, tmp_path / "other.safetensors")


def test_finished_maps_of_another_lift_are_not_taken_up():
    from slth.construction.parts import map_keys

    layouts = [plan_layout(TARGET, Request(lift=lift), inputs=INPUTS) for lift in ("relu", "linear")]
    keys = [map_keys(TARGET.graph.maps, layout, "same") for layout in layouts]
    assert all(keys[0][path] != keys[1][path] for path in TARGET.graph.maps)


def test_objectives_answer_problems_of_either_sign_alike():
    """v u with u of either sign has the law of v |u|: the tables of chances hold. Misses of 4,000 problems each."""
    gadget = plan_layout(TARGET, Request(tolerance=2e-3, candidates=14), inputs=INPUTS).gadgets["last"]
    missed = []
    for linear in (False, True):
        count = total = 0
        for seed in range(20):
            op = Linear("last", Dense(10, 20), False)
            one = TwoLayer((replace(gadget.stages[0], constants=0, bias_gain=1.0),), (), linear=linear)
            for block in one.fitted("last", op, seed).problems("last", op, seed):
                candidates = block.candidates()
                rows = candidates.reshape(-1, candidates.shape[2])
                targets = np.random.default_rng(seed).uniform(-0.6, 0.6, len(rows))
                count += int((~OBJECTIVES["within"](rows, targets, tol=2e-4).reached).sum())
                total += len(rows)
        missed.append(count / total)
    band = 4 * np.sqrt(2 * missed[0] * (1 - missed[0]) / total)
    assert 0.02 < missed[0] < 0.9
    assert abs(missed[0] - missed[1]) < band


def test_half_the_bits_are_not_half_the_precision():
    """The same tolerance is met with the same candidates, and errors are spread alike: deviations within a tenth."""
    errors = []
    for lift in ("relu", "linear"):
        found = made(lift)
        errors.append(
            np.concatenate(
                [(found.realised(p).positive - TARGET.coefficients[p].weight).ravel() for p in TARGET.graph.maps]
            )
        )
    assert abs(np.std(errors[1]) / np.std(errors[0]) - 1) < 0.25
    assert max(np.abs(each).max() for each in errors) <= 2e-3


def test_the_exact_target_comes_back_through_linear_lifts(tmp_path):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 3, 2), nn.Tanh(), nn.Flatten(), nn.Linear(27, 3)).eval()
    found = slth.construct(model, input_shape=(2, 4, 4), input_range=(-1, 1), exact=True)
    assert all(gadget.linear for gadget in found.gadgets.values())
    assert slth.verify(found, target=model).holds
    written = slth.export(found, tmp_path / "net.safetensors")
    for name, value in model.state_dict().items():
        assert np.array_equal(written[name], value.numpy())


def test_every_sign_pattern_of_a_small_map_errs_as_its_coefficients_do():
    """(P − W) x at all corners of [−1, 1]⁶: the certificate of one map is attained there."""
    target = random_target((6, 2))
    found = construct(target, Request(tolerance=0.05), inputs=inputs_of(target, -1.0, 1.0))
    part, wanted = found.realised("layers/0"), target.coefficients["layers/0"]
    corners = np.array(list(itertools.product((-1.0, 1.0), repeat=6)))
    off = corners @ (part.positive - wanted.weight)[:, :, 0].T + (part.bias - wanted.bias)
    worst = np.abs(off).max()
    assert worst <= found.claims.sup_error <= worst * (1 + 1e-5)


def test_a_realisation_is_linear_or_has_its_halves():
    signed = np.ones(2, np.bool_)
    with pytest.raises(InputError, match="exactly if some coordinate is signed and the map is not linear"):
        Realised(np.ones((1, 2, 1)), None, None, signed)
    x = RNG.uniform(-1, 1, (9, 2))
    part = Realised(np.ones((1, 2, 1)), None, None, signed, linear=True)
    assert np.allclose(part.apply(Dense(2, 1), x)[:, 0], x.sum(axis=1))
