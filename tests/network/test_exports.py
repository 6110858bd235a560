"""State dicts of tickets: of the target's names wherever it has the target's architecture, elsewhere a reason."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.graph_tickets import ticket_of
from torch import nn
from torch.nn import functional

import slth
from slth._errors import InputError
from slth.graph import Add, Conv, Dense, Graph, Linear, MaxPool, Node, Pointwise, Reshape, Scale
from slth.network import state_dict
from slth.ticket import Inputs

SHAPE = (1, 6, 6)


class Small(nn.Module):
    """Two convolutions and a layer; everything in its state is a tensor of a map."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 4, 3, groups=2, bias=False)
        self.norm = nn.Identity()  # a BatchNorm that was taken in before training ended
        self.out = nn.Linear(16, 3)

    def forward(self, x):
        x = functional.max_pool2d(self.conv1(x).relu(), 2, stride=1)
        x = functional.max_pool2d(self.norm(self.conv2(x)).relu(), 2, stride=1)
        return self.out(x.flatten(1))


def small_graph(*, scale=False, twice=False):
    """The same as plain data; with a normalisation that no map takes in, or with a second map beside the first."""
    stride = (1, 1)
    nodes = [
        Node("conv1", Linear("conv1", Conv(1, 4, (3, 3), stride, (1, 1, 1, 1), stride), True), ("input",)),
        Node("relu", Pointwise("Relu"), ("conv1",)),
        Node("pool", MaxPool((2, 2), stride, (0, 0, 0, 0), stride), ("relu",)),
    ]
    if scale:
        nodes += [
            Node("norm", Scale(0, "norm/scale", None), ("pool",)),
            Node("norm/relu", Pointwise("Relu"), ("norm",)),
        ]
    nodes += [
        Node("conv2", Linear("conv2", Conv(4, 4, (3, 3), stride, (0, 0, 0, 0), stride, 2), False), (nodes[-1].name,)),
        Node("relu:2", Pointwise("Relu"), ("conv2",)),
        Node("pool:2", MaxPool((2, 2), stride, (0, 0, 0, 0), stride), ("relu:2",)),
        Node("flat", Reshape((16,)), ("pool:2",)),
        Node("out", Linear("out", Dense(16, 3), True), ("flat",)),
    ]
    if twice:
        nodes += [
            Node("out:2", Linear("out:2", Dense(16, 3), False), ("flat",)),
            Node("add", Add((1.0, 1.0)), ("out", "out:2")),
        ]
    return Graph(tuple(nodes))


def small_ticket(*, lower=0.0, scale=False, twice=False):
    carried = {"norm/scale": np.ones(4, np.float32)} if scale else {}
    graph = small_graph(scale=scale, twice=twice)
    return ticket_of(graph, Inputs(SHAPE, lower=(lower,), upper=(1.0,)), carried, misses=False)[0]


@pytest.fixture(scope="module")
def inputs():
    return torch.from_numpy(np.random.default_rng(0).uniform(0, 1, (5, *SHAPE)).astype(np.float32))


def test_the_exported_state_loads_strictly_into_the_target_s_architecture(inputs):
    """And computes what the ticket does; a normalisation that is the identity there has no state."""
    ticket = small_ticket()
    model = Small().eval()
    state = state_dict(ticket, "realised")
    assert set(state) == set(model.state_dict())
    model.load_state_dict({name: torch.from_numpy(value) for name, value in state.items()}, strict=True)
    with torch.no_grad():
        ours, theirs = slth.realised(ticket)(inputs), model(inputs)
    assert float(theirs.abs().max()) > 0
    assert torch.allclose(ours, theirs, rtol=1e-5, atol=1e-6 * float(theirs.abs().max()))


def test_the_exported_source_is_two_layers_for_each_map(inputs):
    """Pad, a convolution with a kernel of one entry, ReLU, the map's own convolution, in its groups."""
    ticket = small_ticket()
    parts = {name: torch.from_numpy(value) for name, value in state_dict(ticket, "source").items()}

    def conv(x, path, *, padding, groups):
        x = functional.pad(x, (padding,) * 4)
        lift = functional.conv2d(x, parts[f"{path}.lift.weight"], parts.get(f"{path}.lift.bias"), groups=groups)
        return functional.conv2d(lift.relu(), parts[f"{path}.mixing.weight"], groups=groups)

    x = functional.max_pool2d(conv(inputs, "conv1", padding=1, groups=1).relu(), 2, stride=1)
    x = functional.max_pool2d(conv(x, "conv2", padding=0, groups=2).relu(), 2, stride=1)
    lift = functional.linear(x.flatten(1), parts["out.lift.weight"], parts["out.lift.bias"]).relu()
    theirs = functional.linear(lift, parts["out.mixing.weight"])
    with torch.no_grad():
        ours = slth.source(ticket)(inputs)
    assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-5 * float(theirs.abs().max()))


def test_two_maps_of_one_tensor_have_no_state_dict():
    """The second would overwrite the first: y = W x + b and W x + 0, each a map with random numbers of its own."""
    ticket = small_ticket(twice=True)
    assert "out:2.weight" in state_dict(ticket, "realised")
    names = {**ticket.provenance.names, "out:2": ("out.weight", None)}
    shared = replace(ticket, provenance=replace(ticket.provenance, names=names))
    with pytest.raises(InputError, match="two of its maps stand for one tensor of the target"):
        state_dict(shared, "realised")


def test_folded_maps_and_carried_numbers_and_signed_inputs_are_said():
    ticket = small_ticket()
    names = {path: pair for path, pair in ticket.provenance.names.items() if path != "conv2"}
    unknown = replace(ticket, provenance=replace(ticket.provenance, names=names, folded={}))
    folded = replace(ticket, provenance=replace(ticket.provenance, names=names, folded={"conv2": ("bn2", "scale")}))
    cases = [
        (unknown, r"folded into its maps conv2, so that .* of a Hugging Face model out=FOLDER target=FOLDER"),
        (folded, r"folded into its maps conv2 \(with bn2, scale\), so that"),
        (small_ticket(scale=True), r"it carries numbers of the target, norm/scale, whose tensors have other names"),
        (small_ticket(lower=-1.0), r"its inputs can be negative"),
    ]
    for case, sentence in cases:
        with pytest.raises(InputError, match=sentence):
            state_dict(case, "realised")
        assert "conv1.lift.weight" in state_dict(case, "source")
