"""The two-layer construction: every coefficient is within tolerance or listed, and nothing depends on chance."""

import itertools

import numpy as np
import pytest
from attacks.graph_specimens import branches
from helpers.networks import inputs_of, random_target, realised_maps

from slth import InputError
from slth.construction import Request, construct, gain
from slth.graph import Affine, chain
from slth.ticket import encode

UNSIGNED, SIGNED, ANY = (0.0, 1.0), (-1.0, 1.0), ()
MIXED = (0.0, -1.0, 0.0, -2.0), (1.0, 1.0, 3.0, -1.0)


def worst(target, ticket):
    """Largest error of any coefficient, recomputed from seed and mask."""
    errors = []
    for layer, part in zip(target.coefficients.values(), realised_maps(ticket).values(), strict=True):
        errors.append(np.abs(part.positive - layer.weight).max())
        if part.negative is not None:
            errors.append(np.abs((part.negative + layer.weight)[:, part.signed]).max())
        if layer.bias is not None:
            errors.append(np.abs(part.bias - layer.bias).max())
    return max(errors)


def lift_of(ticket, path):
    """The lift of a map, scanned again."""
    return ticket.gadgets[path].lift(path, ticket.maps[path], ticket.seed)


@pytest.mark.parametrize("ends", [UNSIGNED, SIGNED, MIXED, ANY], ids=["unsigned", "signed", "mixed", "any"])
@pytest.mark.parametrize("tolerance", [0.1, 1e-2, 1e-4, 1e-6])
@pytest.mark.parametrize("bias", [True, False])
def test_every_coefficient_is_within_tolerance(ends, tolerance, bias):
    target = random_target((4, 9, 7, 3), bias=bias)
    ticket = construct(target, Request(tolerance=tolerance), inputs=inputs_of(target, *ends))
    assert ticket.misses == 0
    assert ticket.provenance.misses == ()
    assert worst(target, ticket) <= tolerance


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_gains_carry_any_scale_of_weights(scale):
    unit = random_target((3, 5, 2)).coefficients.values()
    target = chain([Affine(layer.weight * scale, layer.bias * scale) for layer in unit])
    ticket = construct(target, Request(tolerance=1e-4 * scale), inputs=inputs_of(target, *SIGNED))
    assert ticket.misses == 0
    assert worst(target, ticket) <= 1e-4 * scale


def test_the_gain_is_the_smallest_power_of_two_at_least_one_and_a_half_times_the_largest_weight():
    for largest in (0.32, 0.69, 2 / 3, np.nextafter(2 / 3, 1), 1e-30, 5e10):
        g = gain(np.array([-largest, largest / 2]))
        assert np.log2(g) == round(np.log2(g))
        assert g >= 1.5 * largest > g / 2
    assert (gain(np.array([0.32])), gain(np.array([0.69])), gain(np.zeros(3))) == (0.5, 2.0, 1.0)


@pytest.mark.parametrize(("lift", "halves"), [("relu", 2), ("linear", 1)])
def test_a_miss_is_a_coefficient_that_no_subset_reaches_and_only_that(lift, halves):
    """Against enumeration of all 2^n subsets, with few candidates so that many miss."""
    target = random_target((3, 6, 4))
    plan = Request(tolerance=0.02, candidates=6, lift=lift)
    ticket = construct(target, plan, inputs=inputs_of(target, *SIGNED))
    subsets = np.array(list(itertools.product([0.0, 1.0], repeat=6)))
    expected, asked = set(), 0
    for path, layer in target.coefficients.items():
        for block in ticket.gadgets[path].problems(path, ticket.maps[path], ticket.seed):
            for j, candidates in zip(block.inputs.tolist(), block.candidates(), strict=True):
                wanted = layer.bias if block.half == "bias" else layer.weight[:, j, 0]
                wanted = (-wanted if block.half == "negative" else wanted)[block.rows.start : block.rows.stop]
                closest = np.abs(subsets @ (candidates.T * block.gain) - wanted).min(axis=0)
                missed, asked = np.flatnonzero(closest > 0.02), asked + len(closest)
                half = "positive" if block.half == "whole" else block.half
                expected |= {
                    (path, int(block.rows[o]), -1 if half == "bias" else j, half, float(closest[o])) for o in missed
                }
    listed = {(m.map, m.output, m.input, m.half, m.error) for m in ticket.provenance.misses}
    assert asked == halves * 3 * 6 + 6 + 6 * 4 + 4
    assert len(expected) > 5
    assert listed == expected
    assert ticket.misses == len(expected)


@pytest.mark.parametrize(("lift", "slots"), [("relu", (1, 5)), ("linear", (1,))])
def test_coefficients_below_the_tolerance_are_pruned_whole(lift, slots):
    target = random_target((4, 6, 2))
    target.coefficients["layers/0"].weight[:, 1, 0] = 0.009
    ticket = construct(target, Request(tolerance=0.01, lift=lift), inputs=inputs_of(target, *SIGNED))
    mask = ticket.map_mask("layers/0")
    columns = lift_of(ticket, "layers/0").members(slice(None))
    assert len(columns) == 4 * len(slots)
    assert not mask[:, columns[list(slots)]].any()
    assert mask[:, columns[0]].any()


def test_the_same_bytes_for_any_number_of_threads_and_in_every_run():
    target = random_target((20, 50, 10))
    plan = Request(tolerance=1e-4)
    tickets = [
        encode(construct(target, plan, inputs=inputs_of(target, *SIGNED), threads=threads)) for threads in (1, 2, 3, 1)
    ]
    assert len(set(tickets)) == 1
    assert encode(construct(target, Request(tolerance=1e-4, seed=1), inputs=inputs_of(target, *SIGNED))) != tickets[0]


def test_the_same_bytes_of_a_graph_for_any_number_of_threads():
    """A grouped convolution, a residual, a carried Scale, a dense map."""
    honest, target = branches()
    tickets = {encode(construct(target, Request(tolerance=1e-3), inputs=honest.inputs, threads=n)) for n in (1, 2, 3)}
    assert len(tickets) == 1
    assert b'\\"format\\":\\"2-draft\\"' in tickets.pop()


def test_the_random_network_is_fixed_before_the_target():
    """Two targets of one shape and scale get the same source; a wider source extends a narrower one."""
    first, second = (random_target((5, 8, 3), seed=seed) for seed in (0, 1))
    asked = {"inputs": inputs_of(first, *SIGNED)}
    one, two = (construct(target, Request(candidates=30), **asked) for target in (first, second))
    assert one.heads == two.heads
    assert all((lift_of(one, path).neuron == lift_of(two, path).neuron).all() for path in one.maps)
    wide = lift_of(construct(first, Request(candidates=40), **asked), "layers/0")
    narrow = lift_of(one, "layers/0")
    many = np.minimum(len(narrow.neuron), 100)
    assert (wide.neuron[:many] == narrow.neuron[:many]).all()
    assert (wide.value[:many] == narrow.value[:many]).all()


def test_negative_halves_exist_only_where_an_input_can_be_negative():
    target = random_target((4, 3, 2))
    for ends, signed in [(UNSIGNED, []), (SIGNED, [0, 1, 2, 3]), (MIXED, [1, 3]), (ANY, [0, 1, 2, 3])]:
        ticket = construct(target, Request(), inputs=inputs_of(target, *ends))
        found = [np.flatnonzero(ticket.gadgets[path].signed(op)).tolist() for path, op in ticket.maps.items()]
        assert found == [signed, []]


def test_a_single_layer_and_zero_weights_are_networks_too():
    target = chain([Affine(np.array([[[0.5], [0.0]]]), np.zeros(1))])
    ticket = construct(target, Request(tolerance=1e-3), inputs=inputs_of(target, *UNSIGNED))
    assert worst(target, ticket) <= 1e-3
    zero = chain([Affine(np.zeros((2, 3, 1)), None)])
    assert worst(zero, construct(zero, Request(), inputs=inputs_of(zero, *SIGNED))) == 0


@pytest.mark.parametrize(("lift", "halves"), [("relu", 2), ("linear", 1)])
def test_progress_counts_every_problem_and_ends(lift, halves):
    seen = []
    target = random_target((4, 6, 3))
    construct(
        target,
        Request(lift=lift),
        inputs=inputs_of(target, *SIGNED),
        progress=lambda done, total: seen.append((done, total)),
    )
    total = halves * 4 * 6 + 6 + 6 * 3 + 3
    assert seen[-1] == (total, total)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"tolerance": 0.0}, "positive"),
        ({"tolerance": -1.0}, "positive"),
        ({"tolerance": float("nan")}, "positive"),
        ({"tolerance": float("inf")}, "positive"),
        ({"candidates": 0}, "from 1 to 64"),
        ({"candidates": 65}, "from 1 to 64"),
        ({"seed": -1}, "non-negative"),
        ({"tolerance": 0.1, "epsilon": 0.1}, "one of the two"),
        ({"epsilon": 0.0}, "positive"),
        ({"failure_probability": 0.0}, "between 0 and 1"),
        ({"failure_probability": 1.0}, "between 0 and 1"),
        ({"retries": -1}, "counted from 0"),
    ],
)
def test_an_impossible_plan_is_refused(options, sentence):
    with pytest.raises(InputError, match=sentence):
        Request(**options)


def test_targets_that_are_no_network_are_refused():
    good = random_target((3, 4, 2))
    layers = list(good.coefficients.values())
    for bad, sentence in [([], "no layers"), ([layers[0], layers[0]], "do not chain")]:
        with pytest.raises(InputError, match=sentence):
            chain(bad)
    large = chain([Affine(np.full((1, 1, 1), 2.0**101), None)])
    with pytest.raises(InputError, match="rescale"):
        construct(large, Request(), inputs=inputs_of(large, *SIGNED))
    for other in (random_target((4, 2)), random_target((2, 2))):
        for plan in (Request(), Request(epsilon=0.1)):
            with pytest.raises(InputError, match=r"layers/0: a dense map of 3 inputs was given values of shape"):
                construct(good, plan, inputs=inputs_of(other, *SIGNED))
    with pytest.raises(InputError, match="1 or 3 numbers"):
        inputs_of(good, *MIXED)
