"""The scan is part of the file format: this plain loop is its definition."""

import numpy as np
import pytest

from slth import InputError
from slth.numerics import Stream, draw
from slth.ticket import LiftSpec, scan, signed_ranges


def plain_scan(spec, seed, layer, neurons):
    """The rule of lift.py, word by word, on materialised tensors."""
    u = draw(Stream(seed, f"{layer}/lift"), spec.law, (neurons, spec.inputs))
    beta = draw(Stream(seed, f"{layer}/lift_bias"), spec.law, (neurons,))
    slots = [("+", j) for j in range(spec.inputs)] + [("-", j) for j in spec.signed_inputs if not spec.linear]
    need = [spec.candidates] * len(slots)
    if spec.constants:
        slots.append(("1", 0))
        need.append(spec.constants)
    served, after = [], 0
    for h in range(neurons):
        if not any(need):
            return served, h
        for step in range(len(slots)):
            s = (after + step) % len(slots)
            kind, j = slots[s]
            value = u[h, j] if kind == "+" else -u[h, j] if kind == "-" else beta[h]
            if need[s] and (abs(value) if spec.linear else value) >= 0.5:
                served.append((h, s, float(value)))
                need[s] -= 1
                after = (s + 1) % len(slots)
                break
    raise AssertionError("too few neurons")


SPECS = [
    LiftSpec(inputs=1, candidates=5, constants=0, signed=()),
    LiftSpec(inputs=1, candidates=3, constants=4, signed=((0, 1),)),
    LiftSpec(inputs=3, candidates=7, constants=9, signed=((0, 3),)),
    LiftSpec(inputs=10, candidates=4, constants=0, signed=((2, 5), (9, 10))),
    LiftSpec(inputs=40, candidates=12, constants=12, signed=()),
    *(
        LiftSpec(inputs=4, candidates=6, constants=5, signed=((1, 3),), law=law)
        for law in ("sign", "normal/20", "grid/1", "grid/7", "hyperbolic/4", "pruned/0.25", "mixture/0.5/sign")
    ),
    *(
        LiftSpec(inputs=4, candidates=6, constants=5, signed=((1, 3),), law=law, linear=True)
        for law in ("uniform", "sign", "normal/20", "grid/7", "hyperbolic/4", "pruned/0.25", "mixture/0.5/sign")
    ),
    LiftSpec(inputs=1, candidates=3, constants=0, signed=(), linear=True),
]


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("seed", [0, 1, 12345678901234567890])
def test_the_compiled_scan_follows_the_rule(spec, seed):
    lift = scan(spec, seed, "layers/0")
    served, neurons = plain_scan(spec, seed, "layers/0", lift.neurons + 1)
    assert lift.neurons == neurons
    assert list(zip(lift.neuron, lift.slot, lift.value, strict=True)) == served


def test_candidate_k_of_a_slot_is_the_kth_neuron_that_serves_it():
    spec = SPECS[2]
    lift = scan(spec, 0, "layers/1")
    for slot, ranks in enumerate(lift.members(slice(None))):
        assert (lift.slot[ranks] == slot).all()
        assert (np.diff(ranks) > 0).all()
    assert (lift.slot[lift.constant_members] == 6).all()
    assert spec.live == len(lift.neuron) == 7 * 6 + 9


def test_almost_no_neuron_is_wasted_on_a_wide_layer():
    """H / needs is about 1.001 at d = 784; a single slot waits 1 / P(u >= 1/2) = 4 neurons for each."""
    wide = scan(LiftSpec(inputs=784, candidates=30, constants=0, signed=()), 0, "layers/0")
    assert wide.neurons / wide.spec.live < 1.002
    narrow = scan(LiftSpec(inputs=1, candidates=2000, constants=0, signed=()), 0, "layers/0")
    assert abs(narrow.neurons / narrow.spec.live - 4) < 0.4


def test_of_a_linear_lift_every_second_neuron_serves_a_single_input():
    """P(|u| >= 1/2) = 1/2; with both signs of one input to serve, a ReLU lift takes two of four."""
    alone = scan(LiftSpec(inputs=1, candidates=2000, constants=0, signed=((0, 1),), linear=True), 0, "layers/0")
    assert abs(alone.neurons / alone.spec.live - 2) < 0.2
    assert alone.spec.live == 2000


def test_a_scan_that_does_not_fit_its_width_is_refused():
    spec = SPECS[1]
    neurons = scan(spec, 0, "layers/0").neurons
    assert scan(spec, 0, "layers/0", most=neurons).neurons == neurons
    with pytest.raises(InputError, match="width is wrong"):
        scan(spec, 0, "layers/0", most=neurons - 1)


def test_signed_ranges_are_the_half_open_runs_of_a_mask():
    mask = np.array([False, True, True, False, True])
    ranges = signed_ranges(mask)
    assert ranges == ((1, 3), (4, 5))
    assert (LiftSpec(5, 1, 0, ranges).signed_mask == mask).all()
    assert signed_ranges(np.zeros(3, np.bool_)) == ()
