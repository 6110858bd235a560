"""The two-layer construction: every coefficient is within tolerance or listed, and nothing depends on chance."""

import itertools

import numpy as np
import pytest
from helpers.networks import random_target

from slth import InputError
from slth.certificate import Affine
from slth.construction import Plan, construct, gain
from slth.ticket import Domain, encode, products, unpack

UNSIGNED, SIGNED, ANY = Domain((0.0,), (1.0,)), Domain((-1.0,), (1.0,)), Domain()
MIXED = Domain((0.0, -1.0, 0.0, -2.0), (1.0, 1.0, 3.0, -1.0))


def worst(target, ticket):
    """Largest error of any coefficient, recomputed from seed and mask."""
    errors = []
    for i, layer in enumerate(target):
        part = ticket.realised(i)
        errors.append(np.abs(part.positive - layer.weight).max())
        if part.negative is not None:
            errors.append(np.abs((part.negative + layer.weight)[:, part.signed]).max())
        if layer.bias is not None:
            errors.append(np.abs(part.bias - layer.bias).max())
    return max(errors)


@pytest.mark.parametrize("domain", [UNSIGNED, SIGNED, MIXED, ANY], ids=["unsigned", "signed", "mixed", "any"])
@pytest.mark.parametrize("tolerance", [0.1, 1e-2, 1e-4, 1e-6])
@pytest.mark.parametrize("bias", [True, False])
def test_every_coefficient_is_within_tolerance(domain, tolerance, bias):
    target = random_target((4, 9, 7, 3), bias=bias)
    ticket = construct(target, Plan(tolerance=tolerance), domain=domain)
    assert ticket.misses == 0
    assert ticket.provenance.misses == ()
    assert worst(target, ticket) <= tolerance


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_gains_carry_any_scale_of_weights(scale):
    target = [Affine(layer.weight * scale, layer.bias * scale) for layer in random_target((3, 5, 2))]
    ticket = construct(target, Plan(tolerance=1e-4 * scale), domain=SIGNED)
    assert ticket.misses == 0
    assert worst(target, ticket) <= 1e-4 * scale


def test_the_gain_is_the_smallest_power_of_two_at_least_one_and_a_half_times_the_largest_weight():
    for largest in (0.32, 0.69, 2 / 3, np.nextafter(2 / 3, 1), 1e-30, 5e10):
        g = gain(np.array([-largest, largest / 2]))
        assert np.log2(g) == round(np.log2(g))
        assert g >= 1.5 * largest > g / 2
    assert (gain(np.array([0.32])), gain(np.array([0.69])), gain(np.zeros(3))) == (0.5, 2.0, 1.0)


def test_a_miss_is_a_coefficient_that_no_subset_reaches_and_only_that():
    """Against enumeration of all 2^n subsets, with few candidates so that many miss."""
    target = random_target((3, 6, 4))
    plan = Plan(tolerance=0.02, candidates=6)
    ticket = construct(target, plan, domain=SIGNED)
    subsets = np.array(list(itertools.product([0.0, 1.0], repeat=6)))
    expected = set()
    for i, (layer, spec) in enumerate(zip(target, ticket.layers, strict=True)):
        lift = ticket.lift(i)
        members = lift.members(slice(None))
        signed = spec.lift.signed_inputs
        halves = [("positive", 1, j) for j in range(spec.lift.inputs)] + [("negative", -1, int(j)) for j in signed]
        for ranks, (half, sign, j) in zip(members, halves, strict=True):
            sums = subsets @ (products(spec, lift, 0, ranks[None])[0] * spec.gain)
            closest = np.abs(sums - sign * layer.weight[:, j, 0]).min(axis=0)
            expected |= {(i, int(o), j, half, float(closest[o])) for o in np.flatnonzero(closest > 0.02)}
        sums = subsets @ (products(spec, lift, 0, lift.constant_members[None])[0] * spec.bias_gain)
        closest = np.abs(sums - layer.bias).min(axis=0)
        expected |= {(i, int(o), -1, "bias", float(closest[o])) for o in np.flatnonzero(closest > 0.02)}
    listed = {(m.layer, m.output, m.input, m.half, m.error) for m in ticket.provenance.misses}
    assert len(expected) > 5
    assert listed == expected
    assert ticket.misses == len(expected)


def test_coefficients_below_the_tolerance_are_pruned_whole():
    target = random_target((4, 6, 2))
    target[0].weight[:, 1, 0] = 0.009
    ticket = construct(target, Plan(tolerance=0.01), domain=SIGNED)
    lift, mask = ticket.lift(0), unpack(ticket.layers[0], ticket.masks[0])
    assert not mask[:, lift.members(slice(None))[1]].any()
    assert not mask[:, lift.members(slice(None))[5]].any()
    assert mask[:, lift.members(slice(None))[0]].any()


def test_the_same_bytes_for_any_number_of_threads_and_in_every_run():
    target = random_target((20, 50, 10))
    plan = Plan(tolerance=1e-4)
    tickets = [encode(construct(target, plan, domain=SIGNED, threads=threads)) for threads in (1, 2, 3, 1)]
    assert len(set(tickets)) == 1
    assert encode(construct(target, Plan(tolerance=1e-4, seed=1), domain=SIGNED)) != tickets[0]


def test_the_random_network_is_fixed_before_the_target():
    """Two targets of one shape and scale get the same source; a wider source extends a narrower one."""
    one, two = (construct(random_target((5, 8, 3), seed=s), Plan(candidates=30), domain=SIGNED) for s in (0, 1))
    assert one.heads == two.heads
    assert all((one.lift(i).neuron == two.lift(i).neuron).all() for i in range(2))
    wide = construct(random_target((5, 8, 3)), Plan(candidates=40), domain=SIGNED).lift(0)
    narrow = one.lift(0)
    first = np.minimum(len(narrow.neuron), 100)
    assert (wide.neuron[:first] == narrow.neuron[:first]).all()
    assert (wide.value[:first] == narrow.value[:first]).all()


def test_negative_halves_exist_only_where_an_input_can_be_negative():
    target = random_target((4, 3, 2))
    for domain, signed in [(UNSIGNED, []), (SIGNED, [0, 1, 2, 3]), (MIXED, [1, 3]), (ANY, [0, 1, 2, 3])]:
        ticket = construct(target, Plan(), domain=domain)
        assert ticket.layers[0].lift.signed_inputs.tolist() == signed
        assert ticket.layers[1].lift.signed_inputs.tolist() == []


def test_a_single_layer_and_zero_weights_are_networks_too():
    target = [Affine(np.array([[[0.5], [0.0]]]), np.zeros(1))]
    ticket = construct(target, Plan(tolerance=1e-3), domain=UNSIGNED)
    assert worst(target, ticket) <= 1e-3
    zero = [Affine(np.zeros((2, 3, 1)), None)]
    assert worst(zero, construct(zero, Plan(), domain=SIGNED)) == 0


def test_progress_counts_every_problem_and_ends():
    seen = []
    target = random_target((4, 6, 3))
    construct(target, Plan(), domain=SIGNED, progress=lambda done, total: seen.append((done, total)))
    total = 2 * 4 * 6 + 6 + 6 * 3 + 3
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
        Plan(**options)


def test_targets_that_are_no_network_are_refused():
    good = random_target((3, 4, 2))
    for bad, sentence in [
        ([], "no layers"),
        ([good[0], good[0]], "do not chain"),
        ([Affine(np.full((1, 1, 1), 2.0**101), None)], "rescale"),
    ]:
        with pytest.raises(InputError, match=sentence):
            construct(bad, Plan(), domain=SIGNED)
    with pytest.raises(InputError, match="1 or 3 numbers"):
        construct(good, Plan(), domain=MIXED)
