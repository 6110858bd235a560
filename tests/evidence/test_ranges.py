"""Data is held against the range of its own entries: one for all, one per channel, one per entry."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import slth
from slth import InputError

LOWER, UPPER = np.array([-2.0, 0.0]), np.array([-1.0, 3.0])  # of two channels that have nothing in common


@pytest.mark.parametrize("entries", [1, 9])
def test_data_is_compared_with_the_range_of_its_own_channel_or_entry(entries):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Flatten())
    ends = np.repeat(LOWER, entries), np.repeat(UPPER, entries)
    ticket = slth.construct(model, input_shape=(2, 3, 3), input_range=ends, tolerance=1e-3, threads=1)
    share = np.random.default_rng(0).random((4, 2, 3, 3))
    x = (LOWER + share.transpose(0, 2, 3, 1) * (UPPER - LOWER)).transpose(0, 3, 1, 2).astype(np.float32)
    y = np.zeros(4, int)
    assert slth.evaluate(ticket, (x, y), target=model).measured_error <= ticket.claims.sup_error + 1e-6
    for channel, value in ((0, 0.5), (1, -1.5)):  # inside the range of the other channel
        bad = x.copy()
        bad[3, channel, 2, 2] = value
        with pytest.raises(InputError, match="outside the input range"):
            slth.evaluate(ticket, (bad, y))


ENDS = (-0.1, 3.3)  # float32 rounds the lower end down, the upper one down, too


def tenths(**more):
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2))
    return slth.construct(model, tolerance=1e-3, threads=1, **more), model


@pytest.mark.parametrize("ends", [ENDS, (0.1, 3.3), (-3.3, -0.1), (np.array([-0.1, 0.1]), np.array([0.7, 0.3]))])
def test_data_at_the_ends_of_a_range_is_in_it(ends):
    """As float64 and as float32, which rounds an end to either side; a number further out is not."""
    ticket, model = tenths(input_range=ends)
    low, high = (np.broadcast_to(end, 2) for end in ends)
    x = np.stack([low, high])
    assert (ticket.inputs.spread(ticket.inputs.lower) <= low).all()
    assert (ticket.inputs.spread(ticket.inputs.upper) >= high).all()
    for data in (x, x.astype(np.float32)):
        found = slth.evaluate(ticket, (data, np.array([0, 1])), target=model)
        assert found.measured_error <= found.certified_error + 1e-6
    for row, towards in ((0, -9), (1, 9)):
        beyond = x.astype(np.float32)
        beyond[row] = np.nextafter(np.nextafter(beyond[row], np.float32(towards)), np.float32(towards))
        with pytest.raises(InputError, match="outside the input range"):
            slth.evaluate(ticket, (beyond, np.array([0, 1])))


def test_a_data_set_that_states_its_range_in_float64_is_in_it():
    from slth.data import Examples

    x = np.array([[-0.1, 3.3], [0.2, 0.1]], np.float32)
    y = np.array([0, 1])
    data = Examples("ours", x, y, x, y, classes=2, mean=(0.0,), std=(1.0,), input_range=ENDS)
    seen = data.inputs().normalised(x)
    assert (seen.min(), seen.max()) == (np.float32(-0.1), np.float32(3.3))
    assert data.inputs().lower[0] <= float(seen.min())
    assert data.inputs().upper[0] >= float(seen.max())


def test_an_end_of_an_older_ticket_is_read_in_the_precision_of_the_data():
    """Its box ends at -0.1, and float32(-0.1) is less: measured like any other input, and not proved by the box."""
    ticket, model = tenths(input_range=ENDS)
    older = replace(ticket, inputs=replace(ticket.inputs, lower=(-0.1,), upper=(3.3,)))
    x = np.array([[-0.1, 1.0], [1.0, 1.0]], np.float32)
    assert float(x[0, 0]) < -0.1
    found = slth.evaluate(older, (x, np.array([0, 1])), target=model)
    whole = slth.evaluate(ticket, (x, np.array([0, 1])), target=model)
    assert whole.unchanged_on_box.hits == 2
    assert found.unchanged_on_box.hits == 1
