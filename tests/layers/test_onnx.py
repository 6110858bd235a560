"""Tickets with symmetry as ONNX files: ordinary operators, checked against onnxruntime when they are written."""

import pytest
import torch
from torch import nn

import slth
from slth.layers import GraphLinear, GroupConv2d, PermutationLinear, SetLinear, adjacency

pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")
ENTRIES = adjacency(torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), 3)
NETWORKS = {
    "turns": (lambda: [GroupConv2d(1, 2, 3, lifting=True), nn.ReLU(), GroupConv2d(2, 2, 3, stride=2)], (1, 7, 7)),
    "sets": (lambda: [SetLinear(2, 3), nn.ReLU(), SetLinear(3, 2)], (4, 2)),
    "pairs": (lambda: [PermutationLinear(2, 3, reads=2, writes=2), nn.ReLU()], (3, 3, 2)),
    "graphs": (lambda: [GraphLinear(2, 3, ENTRIES, 3), nn.ReLU()], (3, 2)),
}


@pytest.mark.slow
@pytest.mark.parametrize("view", ["realised", "source"])
@pytest.mark.parametrize("name", NETWORKS)
def test_both_views_are_written(name, view, tmp_path):
    torch.manual_seed(0)
    make, shape = NETWORKS[name]
    model = nn.Sequential(*make()).eval().requires_grad_(False)
    ticket = slth.construct(model, input_shape=shape, input_range=(0, 1), relative_tolerance=1e-2)
    slth.export(ticket, out=tmp_path / "ticket.onnx", view=view)
    assert (tmp_path / "ticket.onnx").stat().st_size > 0
