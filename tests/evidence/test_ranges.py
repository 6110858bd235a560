"""Data is held against the range of its own entries: one for all, one per channel, one per entry."""

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
