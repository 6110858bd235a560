"""Density is what is kept of every entry of the random tensors, lift included; here each entry is counted."""

import numpy as np
import pytest
from attacks.forging import specimens
from helpers.learned import any_learned
from helpers.tickets import any_ticket


def kept_entries(ticket):
    """By tensor: True where an entry of it is not pruned, from scans and masks, entry by entry."""
    found = {}
    for path, op in ticket.maps.items():
        gadget, mask = ticket.gadgets[path], ticket.map_mask(path)
        lift = gadget.lift(path, op, ticket.seed)
        entries = {
            "lift": np.zeros((lift.neurons, op.basis.inputs), np.bool_),
            "lift_bias": np.zeros(lift.neurons, np.bool_),
            "mixing": np.zeros((lift.neurons, op.basis.outputs, op.basis.taps), np.bool_),
        }
        served = [*range(op.basis.inputs), *(j for a, b in gadget.signed_ranges for j in range(a, b))]
        for rank, (neuron, slot) in enumerate(zip(lift.neuron, lift.slot, strict=True)):
            if slot < len(served):
                entries["lift"][neuron, served[slot]] = True
            else:
                entries["lift_bias"][neuron] = True
            for row in range(op.basis.outputs * op.basis.taps):
                entries["mixing"][neuron, row // op.basis.taps, row % op.basis.taps] = mask[row, rank]
        found |= {f"{path}/{part}": array for part, array in entries.items() if part != "lift_bias" or op.bias}
    return found


@pytest.mark.parametrize("index", range(7))
def test_density_of_a_constructed_ticket_is_kept_by_all_entries(index):
    ticket, _ = specimens()[index]
    entries = kept_entries(ticket)
    assert {tensor.path: (tensor.shape, tensor.kept) for tensor in ticket.tensors} == {
        path: (array.shape, array.sum()) for path, array in entries.items()
    }
    kept, size = (
        sum(int(count) for count in counts)
        for counts in zip(*((a.sum(), a.size) for a in entries.values()), strict=True)
    )
    assert (ticket.kept, ticket.size) == (kept, size)
    assert ticket.density == kept / size


@pytest.mark.parametrize("density", [0.0, 0.3, 1.0])
def test_of_the_lift_each_live_neuron_keeps_one_number(density):
    ticket, _ = any_ticket((3, 4, 2), density=density)
    live = sum(gadget.lift_spec(ticket.maps[path]).live for path, gadget in ticket.gadgets.items())
    ones = sum(int(ticket.map_mask(path).sum()) for path in ticket.maps)
    assert ticket.kept == live + ones
    assert ones == (0 if density == 0.0 else ticket.mask_bits if density == 1.0 else ones)


def test_density_of_a_learned_ticket_is_kept_by_all_entries():
    ticket = any_learned()
    masks = [ticket.mask(tensor.path) for tensor in ticket.tensors]
    assert ticket.density == sum(mask.sum() for mask in masks) / sum(mask.size for mask in masks)
