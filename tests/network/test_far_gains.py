"""Weights and biases of very different sizes: the source is finite, and computes what the realisation computes."""

import numpy as np
import pytest
import torch
from torch import nn

import slth


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("weights", [-66, -60, -20, 0, 20])
@pytest.mark.parametrize("biases", [-66, 0, 30, 66])
def test_a_source_is_finite_whatever_its_gains(weights, biases, tmp_path):
    """Of biases 2^132 times as large as the weights, the unit of the weights left NaN."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 3))
    with torch.no_grad():
        for layer in (model[0], model[2]):
            layer.weight.mul_(2.0**weights)
            layer.bias.uniform_(-1, 1).mul_(2.0**biases)
    ticket = slth.construct(model, input_range=(0, 1), tolerance=2.0 ** (max(weights, biases) - 8), candidates=30)
    x = torch.rand(7, 6)
    ours, source = slth.realised(ticket)(x), slth.source(ticket)(x)
    assert ours.isfinite().all()
    assert torch.allclose(source, ours, rtol=0, atol=1e-5 * float(ours.abs().max()))
    for name, tensor in slth.export(ticket, tmp_path / "s.safetensors", view="source").items():
        assert np.isfinite(tensor).all(), name
