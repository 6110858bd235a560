"""What a target calls its parts: the chain that version 1 knows, nodes, maps, the tensors that maps are."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers.targets import differences, numbers
from references.zoo import Does, conv_bn, trained
from torch import nn

from slth.graph import Dense, Linear, Reshape, chain, chain_of
from slth.network import read_target


def test_a_plain_chain_is_the_chain_of_version_one():
    model = nn.Sequential(
        nn.Linear(3, 4), nn.ReLU(), nn.Dropout(), nn.Sequential(nn.Linear(4, 4), nn.ReLU()), nn.Linear(4, 2, bias=False)
    )
    layers = [model[0], model[3][0], model[4]]
    names = [("0.weight", "0.bias"), ("3.0.weight", "3.0.bias"), ("4.weight", None)]
    assert differences(read_target(model), chain(list(map(numbers, layers)), names=names)) == []


def test_a_subclass_of_a_chain_is_the_chain_as_well():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc2, self.fc1 = nn.Linear(4, 2), nn.Linear(3, 4)

        def forward(self, x):
            return self.fc2(F.relu(self.fc1(x)))

    model = Net()
    names = [("fc1.weight", "fc1.bias"), ("fc2.weight", "fc2.bias")]
    assert (
        differences(read_target(model, input_shape=(3,)), chain([numbers(model.fc1), numbers(model.fc2)], names=names))
        == []
    )


def test_flatten_in_front_needs_no_shape_and_is_nothing_on_flat_inputs():
    model = nn.Sequential(nn.Flatten(), nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 2))
    assert chain_of(read_target(model).graph) == ([6, 4, 2], [True, True])
    graph = read_target(model, input_shape=(1, 2, 3)).graph
    assert [node.name for node in graph.nodes] == ["0", "1", "2", "3"]
    assert graph.nodes[0].op == Reshape((6,))
    assert list(graph.maps) == ["1", "3"]


def test_a_norm_that_folds_into_a_chain_leaves_a_chain_with_names():
    model = trained(nn.Sequential(nn.Linear(3, 4, bias=False), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2)))
    target = read_target(model)
    assert chain_of(target.graph) == ([3, 4, 2], [True, True])
    assert target.names == {"layers/0": ("0.weight", "0.bias"), "layers/1": ("3.weight", "3.bias")}


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)), (3,)),
        (nn.Sequential(nn.Linear(3, 4), nn.ReLU()), (3,)),
        (nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)), (3,)),
        (nn.Sequential(nn.ReLU(), nn.Linear(3, 4)), (3,)),
        (nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), (5, 3)),
    ],
    ids=["tanh", "ends in relu", "two in a row", "begins with relu", "on sequences"],
)
def test_what_is_no_chain_of_version_one_names_its_maps_by_module(model, shape):
    graph = read_target(model, input_shape=shape).graph
    assert all(path.isdecimal() for path in graph.maps)


def test_a_single_linear_layer_is_a_chain():
    model = nn.Linear(3, 2)
    target = read_target(model)
    assert target.graph.nodes[0].op == Linear("layers/0", Dense(3, 2), True)
    assert target.names == {"layers/0": ("weight", "bias")}


def test_nodes_are_called_as_modules_or_by_what_they_do_inside_them():
    def forward(s, x):
        y = s.relu(s.body(x))
        return s.relu(y + F.avg_pool2d(s.gate(y), 1) * y) + 0.5 * y

    model = Does(
        forward,
        body=nn.Sequential(nn.Conv2d(2, 2, 1), nn.MaxPool2d(1)),
        relu=nn.ReLU(),
        gate=nn.Sequential(nn.Sigmoid()),
    )
    whole = nn.Sequential(model, nn.Flatten(), nn.Linear(18, 2))
    names = [node.name for node in read_target(whole, input_shape=(2, 3, 3)).graph.nodes]
    assert names == [
        "0.body.0", "0.body.1", "0.relu/relu", "0.gate.0", "0/axismap", "0/multiply", "0/add", "0.relu/relu:2",
        "0/add:2",
        "1", "2",
    ]  # fmt: skip


def test_a_module_called_input_is_no_input():
    target = read_target(Does(lambda s, x: torch.tanh(s.input(x)), input=nn.Linear(2, 2)), input_shape=(2,))
    assert [node.name for node in target.graph.nodes] == ["input:2", "tanh"]
    assert list(target.graph.maps) == ["input"]


def test_a_tied_weight_is_one_map_by_its_first_name():
    encoder, decoder = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
    decoder.weight = encoder.weight
    model = Does(lambda s, x: s.decoder(torch.tanh(s.encoder(x))), encoder=encoder, decoder=decoder)
    target = read_target(model, input_shape=(4,))
    assert list(target.graph.maps) == ["encoder"]
    assert [node.name for node in target.graph.nodes] == ["encoder", "tanh", "encoder:2"]
    assert target.names == {"encoder": ("encoder.weight", None)}


def test_a_transposed_tied_weight_is_a_map_of_its_own():
    model = Does(lambda s, x: F.linear(torch.tanh(s.fc(x)), s.fc.weight.t()), fc=nn.Linear(4, 3))
    target = read_target(model, input_shape=(4,))
    assert list(target.graph.maps) == ["fc", "fc:2"]
    assert target.names == {"fc": ("fc.weight", "fc.bias")}
    assert (target.coefficients["fc:2"].weight[:, :, 0] == target.coefficients["fc"].weight[:, :, 0].T).all()


def test_maps_without_a_module_of_their_own_are_called_by_parameter_or_number():
    model = Does(
        lambda s, x: F.linear(torch.tanh(F.linear(torch.tanh(F.linear(x, s.w1, s.b1)), s.inner.w2)), s.a * s.b),
        w1=nn.Parameter(torch.randn(3, 3)),
        b1=nn.Parameter(torch.randn(3)),
        inner=Does(None, w2=nn.Parameter(torch.randn(3, 3))),
        a=nn.Parameter(torch.randn(3, 3)),
        b=nn.Parameter(torch.randn(3, 3)),
    )
    target = read_target(model, input_shape=(3,))
    assert list(target.graph.maps) == ["w1", "inner.w2", "map/2"]
    assert target.names == {"w1": ("w1", "b1"), "inner.w2": ("inner.w2", None)}


def test_a_block_that_normalises_folds_inside_a_bigger_model():
    target = read_target(trained(nn.Sequential(conv_bn(3, 4), conv_bn(4, 4))).double(), input_shape=(3, 6, 6))
    assert [node.name for node in target.graph.nodes] == ["0.0", "0.2", "1.0", "1.2"]


TABLE = torch.randn(3, 4)


@pytest.mark.parametrize(
    ("forward", "parts", "paths"),
    [
        (lambda s, x: F.linear(x, s.w), {"w": torch.randn(3, 4)}, ["layers/0"]),
        (lambda s, x: torch.tanh(F.linear(x, TABLE)), {}, ["map/0"]),
        (lambda s, x: F.linear(torch.tanh(x @ s.w), s.w.t()), {"w": torch.randn(4, 4)}, ["w"]),
        (
            lambda s, x: F.linear(torch.tanh(F.linear(x, s.l[0])), s.l[1]),
            {"l": [torch.eye(4), TABLE]},
            ["map/0", "map/1"],
        ),
        (lambda s, x: F.linear(torch.tanh(x), torch.from_numpy(s.n)), {"n": np.eye(4, dtype=np.float32)}, ["map/0"]),
    ],
    ids=["attribute", "global", "attribute, transposed", "list", "array"],
)
def test_weights_that_are_no_parameters_are_read_and_are_no_tensors_of_a_state_dict(forward, parts, paths):
    target = read_target(Does(forward, **parts), input_shape=(4,))
    assert list(target.graph.maps) == paths
    assert target.names.keys() <= {"layers/0"}  # a chain has names of its own
