"""Every gadget: its pruned network computes what is realised; linear lifts; the order of ranks."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from conformance.gadget_examples import (
    EVERY,
    PATH,
    SEED,
    blocks,
    coins,
    copies_of,
    dense,
    every_gadget,
    fitted,
    input_shape,
    is_centred,
    of_channels,
    ticket_of,
)
from helpers.gadgets import one_stage

from slth.graph import Realised
from slth.network import realised, source
from slth.ticket import Edges
from slth.ticket.format.v2_gadgets import RANKED
from slth.ticket.gadgets import bit_groups

# --- linear lifts ---


@pytest.mark.parametrize(("gadget", "op"), [param for param in EVERY if param.values[0].linear])
def test_a_linear_lift_takes_no_more_than_one_of_unsigned_inputs(gadget, op):
    """Whatever the signs: the same problems, mask bits, live neurons as without any; never more neurons in all."""
    unsigned = replace(gadget, signed_ranges=(), linear=False)
    cost, other = gadget.cost(op), unsigned.cost(op)
    assert (cost.mask_bits, cost.problems, cost.live) == (other.mask_bits, other.problems, other.live)
    assert gadget.neurons <= unsigned.fitted(PATH, op, SEED).neurons
    if gadget.signed_ranges:
        relu = replace(gadget, linear=False).cost(op)
        signed = int(gadget.signed(op).sum())
        rows, inputs, taps = op.coefficients
        assert relu.problems - cost.problems == rows * taps * signed
        assert relu.mask_bits - cost.mask_bits == rows * taps * signed * gadget.candidates
        assert signed < inputs or not op.bias or relu.live - cost.live == gadget.candidates * inputs


def test_neurons_of_both_signs_serve_a_linear_lift():
    gadget, op = fitted(one_stage, *dense(2, 7, signed=((1, 2),), candidates=64, constants=64, linear=True))
    values = gadget.lift(PATH, op, SEED).value
    assert (np.abs(values) >= 0.5).all()
    for slot in np.split(values[gadget.lift(PATH, op, SEED).by_slot], 3):  # two inputs, the constant
        assert 16 < (slot < 0).sum() < 48
    assert len(values) / gadget.neurons > len(values) / replace(gadget, linear=False).fitted(PATH, op, SEED).neurons


# --- the two views ---


def rounding(gadget, op):
    """What float32 may lose for inputs in [-1, 1]: 2⁻²⁴ of the sum, once per neuron and tap and a few times."""
    summed = sum(np.abs(block.gain * block.candidates()).sum(axis=(0, 2)).max() for block in blocks(gadget, op))
    taps, copies = op.basis.taps, 2 if is_centred(gadget) else 1
    return 2.0**-24 * (taps * copies * coins(gadget, op).shape[1] + 4) * taps * summed


@every_gadget
def test_the_pruned_network_computes_what_is_realised(gadget, op):
    """Source and realised view, in float32."""
    ticket = ticket_of(gadget, op, coins(gadget, op))
    part = ticket.realised(PATH)
    x = np.random.default_rng(3).uniform(-1, 1, (50, *input_shape(op)))
    x = np.where(of_channels(gadget.signed(op), op), x, np.abs(x)).astype(np.float32)
    exact = part.apply(op.basis, x.astype(np.float64))
    for view in (source, realised):
        with torch.inference_mode():
            found = view(ticket)(torch.from_numpy(x)).numpy()
        assert np.abs(found - exact).max() <= rounding(gadget, op)


@pytest.mark.parametrize(
    ("gadget", "op"), [param for param in EVERY if param.values[0].signed_ranges and copies_of(param.values[0]) == 1]
)
def test_a_view_that_reads_another_half_is_noticed(gadget, op):
    """What the test above must not pass: P in place of N; of edges, whose N is that, and linear lifts its negative."""
    part = ticket_of(gadget, op, coins(gadget, op, 1.0)).realised(PATH)
    x = -np.ones((1, *input_shape(op))) * of_channels(gadget.signed(op), op)
    wrong = part.positive if isinstance(gadget, Edges) or gadget.linear else -part.positive
    swapped = Realised(part.positive, np.where(_by_input(part, op), wrong, 0.0), part.bias, part.signed)
    assert np.abs(swapped.apply(op.basis, x) - part.apply(op.basis, x)).max() > rounding(gadget, op)


def _by_input(part, op):
    return np.broadcast_to(part.signed[None, :, None], op.coefficients)


@pytest.mark.parametrize(("gadget", "op"), [example for example in EVERY if example.values[0].kind in RANKED])
def test_every_bit_is_one_candidate_of_one_subset(gadget, op):
    """Those of a file's ranks are the problems: half by half, pairs outermost, whatever the blocks that list them."""
    groups = bit_groups(gadget, PATH, op, SEED)
    assert list(groups) == list(gadget.mask_bits(PATH, op))
    for tensor, bits in gadget.mask_bits(PATH, op).items():
        places = [
            np.where(start < 0, ~start + part.columns[1], start + part.columns[0])
            for part in groups[tensor]
            for start in part.starts
        ]
        assert sorted(np.concatenate([place.reshape(-1) for place in places])) == list(range(bits))
        rng = np.random.default_rng(0)
        own = [block for block in blocks(gadget, op) if block.tensor == tensor]
        for half, part in zip(dict.fromkeys(block.half for block in own), groups[tensor], strict=True):
            listed = [block for block in own if block.half == half]
            assert part.count == sum(len(block.inputs) * len(block.pairs) for block in listed)
            pairs = range(0, listed[0].places.rows * op.basis.taps, listed[0].pairs.step)
            slots = list(dict.fromkeys(int(i) for block in listed for i in block.inputs))
            for block, bit in ((block, int(bit)) for block in listed for bit in rng.integers(0, bits, 20)):
                mask = np.zeros(-(-bits // 8), np.uint8)
                mask[bit // 8] = 1 << bit % 8
                for s, w, k in zip(*np.nonzero(block.kept({tensor: mask})), strict=True):
                    start, slot = part.starts[pairs.index(block.pairs[w])], slots.index(int(block.inputs[s]))
                    far = int(start < 0)
                    assert (~start if far else start) + part.columns[far, slot, k] == bit
