"""Normalisations go into linear maps where the function stays the same, and stay a Scale where it would not.

Every "no" has its counterexample: the fold that one would do without thinking, and how far it is off.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from references.zoo import Does, trained
from torch import nn

from slth.graph import Add, Affine, Graph, evaluate
from slth.network import read_target


def read(model, *shape):
    """The target of a module in float64 with random statistics, compared with it on inputs of its own."""
    torch.manual_seed(0)
    trained(model).double()
    target = read_target(model, input_shape=shape)
    expected = outputs(model, shape)
    assert abs(values(target, shape) - expected).max() <= 1e-12 * abs(expected).max()
    return target


def inputs(shape):
    return np.random.default_rng(5).normal(size=(3, *shape))


def outputs(model, shape):
    with torch.no_grad():
        return model(torch.from_numpy(inputs(shape))).numpy()


def values(target, shape):
    return evaluate(target.graph, target.coefficients, inputs(shape), target.carried)


def kinds(target):
    """Functions and ops in order, maps as "Linear"."""
    return [getattr(node.op, "function", type(node.op).__name__) for node in target.graph.nodes]


def gains(norm):
    """g and t of a BatchNorm in evaluation mode."""
    g = norm.weight / (norm.running_var + norm.eps).sqrt()
    return g.detach().numpy(), (norm.bias - norm.running_mean * g).detach().numpy()


def without(target, name):
    """A graph that skips one node."""
    step = next(node for node in target.graph.nodes if node.name == name)
    nodes = [
        replace(node, inputs=tuple(step.inputs[0] if value == name else value for value in node.inputs))
        for node in target.graph.nodes
        if node.name != name
    ]
    return Graph(tuple(nodes))


def folded_forwards(target, scale, into, g, t):
    """Without thinking: C g, b + Σ C t, whatever the map is."""
    old, graph = target.coefficients[into], without(target, scale)
    weight, shift = old.weight * g[:, None], (old.weight * t[:, None]).sum(axis=(1, 2))
    nodes = [replace(node, op=replace(node.op, bias=True)) if node.name == into else node for node in graph.nodes]
    bias = shift if old.bias is None else old.bias + shift
    return Graph(tuple(nodes)), {**target.coefficients, into: Affine(weight, bias)}


def folded_backwards(target, scale, into, g, t):
    """Without thinking: g C, g b + t."""
    old, graph = target.coefficients[into], without(target, scale)
    nodes = [replace(node, op=replace(node.op, bias=True)) if node.name == into else node for node in graph.nodes]
    bias = t if old.bias is None else g * old.bias + t
    return Graph(tuple(nodes)), {**target.coefficients, into: Affine(old.weight * g[:, None, None], bias)}


def off(model, shape, naive, carried=None):
    """How far a naive fold is from the module."""
    graph, coefficients = naive
    return abs(evaluate(graph, coefficients, inputs(shape), carried) - outputs(model, shape)).max()


CONVOLUTIONS = [
    nn.Conv2d(4, 6, 3),
    nn.Conv2d(4, 6, 3, stride=2, padding=1, bias=False),
    nn.Conv2d(4, 6, (3, 2), dilation=2, padding=(1, 2)),
    nn.Conv2d(4, 6, 3, groups=2),
    nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1),
    nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2, bias=False),
]


@pytest.mark.parametrize("conv", CONVOLUTIONS, ids=str)
def test_a_norm_behind_a_convolution_goes_into_it(conv):
    target = read(nn.Sequential(conv, nn.BatchNorm2d(6)), 4, 9, 8)
    assert kinds(target) == ["Linear"]
    assert target.coefficients["0"].bias is not None
    assert target.names == {}  # these are nobody's tensors


def test_a_norm_behind_a_linear_layer_goes_into_it():
    assert kinds(read(nn.Sequential(nn.Linear(5, 4, bias=False), nn.BatchNorm1d(4)), 5)) == ["Linear"]


@pytest.mark.parametrize("conv", [nn.Conv2d(4, 6, 3), nn.Conv2d(4, 6, 3, stride=2, groups=2, bias=False)], ids=str)
def test_a_norm_before_an_unpadded_convolution_goes_into_it(conv):
    assert kinds(read(nn.Sequential(nn.BatchNorm2d(4), conv), 4, 9, 8)) == ["Linear"]


def test_a_norm_before_a_padded_convolution_stays():
    """Behind the norm the padding is 0; before it, it would be −t/g: the naive fold is off at the border."""
    model = nn.Sequential(nn.BatchNorm2d(4), nn.Conv2d(4, 6, 3, padding=1))
    target = read(model, 4, 6, 6)
    assert kinds(target) == ["Scale", "Linear"]
    assert target.names == {"1": ("1.weight", "1.bias")}
    naive = folded_forwards(target, "0", "1", *gains(model[0]))
    assert off(model, (4, 6, 6), naive) > 0.3
    inner = evaluate(*naive, inputs((4, 6, 6)))[:, :, 1:-1, 1:-1]
    assert abs(inner - outputs(model, (4, 6, 6))[:, :, 1:-1, 1:-1]).max() < 1e-12


def test_zero_padding_by_a_layer_of_its_own_is_padding_all_the_same():
    model = nn.Sequential(nn.BatchNorm2d(4), nn.ZeroPad2d(1), nn.Conv2d(4, 6, 3))
    assert kinds(read(model, 4, 6, 6)) == ["Scale", "Linear"]


def test_a_factor_without_a_shift_passes_zero_padding():
    model = Does(
        lambda s, x: s.conv(x * s.gain), conv=nn.Conv2d(4, 3, 3, padding=1), gain=nn.Parameter(torch.randn(4, 1, 1))
    )
    assert kinds(read(model, 4, 6, 6)) == ["Linear"]


def test_a_norm_before_a_transposed_convolution_stays():
    model = nn.Sequential(nn.BatchNorm2d(4), nn.ConvTranspose2d(4, 2, 3, stride=2))
    target = read(model, 4, 5, 5)
    assert kinds(target) == ["Scale", "Linear"]
    assert off(model, (4, 5, 5), folded_forwards(target, "0", "1", *gains(model[0]))) > 0.3


def test_a_norm_before_flatten_and_linear_goes_into_the_layer():
    assert kinds(read(nn.Sequential(nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(24, 3)), 4, 2, 3)) == [
        "Reshape",
        "Linear",
    ]


def test_a_norm_behind_flatten_goes_back_into_the_convolution_if_it_is_one_number_per_channel():
    class PerChannel(nn.BatchNorm1d):
        """Statistics that are shared by the places of a channel."""

    norm = PerChannel(24)
    model = trained(nn.Sequential(nn.Conv2d(2, 4, 1), nn.Flatten(), norm))
    for numbers in (norm.weight.data, norm.bias.data, norm.running_mean, norm.running_var):
        numbers.copy_(numbers[::6].repeat_interleave(6))
    target = read_target(model.double(), input_shape=(2, 2, 3))
    assert kinds(target) == ["Linear", "Reshape"]
    norm.running_mean[0] += 1
    assert kinds(read_target(model, input_shape=(2, 2, 3))) == ["Linear", "Reshape", "Scale"]


def test_a_norm_before_relu_goes_back_into_its_own_map_and_not_forward():
    model = nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 3, 1))
    target = read(model, 4, 5, 5)
    assert kinds(target) == ["Scale", "Relu", "Linear"]
    assert off(model, (4, 5, 5), folded_forwards(target, "0", "2", *gains(model[0]))) > 0.3
    assert kinds(read(nn.Sequential(nn.Conv2d(4, 4, 1), *model), 4, 5, 5)) == ["Linear", "Relu", "Linear"]


def test_a_norm_between_relu_and_a_padded_convolution_stays():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 3, padding=1))
    target = read(model, 3, 8, 8)
    assert kinds(target) == ["Linear", "Relu", "Scale", "Linear"]
    assert off(model, (3, 8, 8), folded_backwards(target, "2", "0", *gains(model[2]))) > 0.3


@pytest.mark.parametrize(
    ("factor", "left"), [(2.0, ["Linear", "Relu", "Linear"]), (-2.0, ["Linear", "Relu", "Add", "Linear"])]
)
def test_only_positive_factors_pass_a_relu(factor, left):
    """Of y = 2 relu(x) the factor goes into either map; −2 relu(x) is not relu(−2 x)."""
    model = Does(
        lambda s, x: s.last(torch.tanh(factor * torch.relu(s.first(x)))), first=nn.Linear(4, 4), last=nn.Linear(4, 2)
    )
    target = read(model, 4)
    assert kinds(target) == [*left[:-1], "Tanh", "Linear"]
    first = target.coefficients["first"]
    naive = {**target.coefficients, "first": Affine(model.first.weight.detach().numpy()[:, :, None] * factor, None)}
    if factor < 0:
        assert target.names["first"] == ("first.weight", "first.bias")
        naive["first"] = Affine(factor * first.weight, factor * first.bias)
        assert off(model, (4,), (without(target, "add"), naive)) > 0.3


def test_a_shift_passes_no_relu_whatever_the_factors():
    model = trained(nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.BatchNorm1d(4), nn.Tanh()))
    nn.init.constant_(model[2].weight, 0.7)
    model.double()
    target = read_target(model, input_shape=(4,))
    assert kinds(target) == ["Linear", "Relu", "Scale", "Tanh"]
    assert off(model, (4,), folded_backwards(target, "2", "0", *gains(model[2]))) > 0.3


def test_a_norm_behind_a_sum_goes_into_a_map_and_another_norm():
    model = Does(
        lambda s, x: torch.tanh(s.outer(s.inner(x) + s.fc(x))),
        inner=nn.BatchNorm1d(4),
        outer=nn.BatchNorm1d(4),
        fc=nn.Linear(4, 4),
    )
    assert kinds(read(model, 4)) == ["Scale", "Linear", "Add", "Tanh"]


def test_a_norm_behind_the_sum_of_two_maps_goes_into_both_its_shift_into_one():
    model = Does(
        lambda s, x: s.norm(s.a(x) - s.b(x)),
        a=nn.Conv2d(2, 4, 3),
        b=nn.Conv2d(2, 4, 3, bias=False),
        norm=nn.BatchNorm2d(4),
    )
    target = read(model, 2, 6, 6)
    assert kinds(target) == ["Linear", "Linear", "Add"]
    assert target.coefficients["b"].bias is None
    both = {**target.coefficients, "b": Affine(target.coefficients["b"].weight, gains(model.norm)[1])}
    nodes = [replace(node, op=replace(node.op, bias=True)) if node.name == "b" else node for node in target.graph.nodes]
    assert off(model, (2, 6, 6), (Graph(tuple(nodes)), both)) > 0.3  # t twice


def test_a_norm_behind_a_sum_with_an_identity_stays():
    """As in pre-activation networks."""
    model = Does(
        lambda s, x: torch.tanh(s.norm(x + s.conv(x))), conv=nn.Conv2d(4, 4, 3, padding=1), norm=nn.BatchNorm2d(4)
    )
    target = read(model, 4, 6, 6)
    assert kinds(target) == ["Linear", "Add", "Scale", "Tanh"]
    assert off(model, (4, 6, 6), folded_backwards(target, "norm", "conv", *gains(model.norm))) > 0.3


def test_a_shift_alone_goes_into_one_term_of_a_sum():
    model = Does(
        lambda s, x: torch.tanh(x + s.conv(x) + s.t), conv=nn.Conv2d(4, 4, 1), t=nn.Parameter(torch.randn(4, 1, 1))
    )
    assert kinds(read(model, 4, 5, 5)) == ["Linear", "Add", "Tanh"]


def test_a_factor_of_a_term_goes_into_the_sum_and_changes_no_weight():
    model = Does(lambda s, x: torch.tanh(0.5 * (x + 0.1 * s.conv(x))), conv=nn.Conv2d(4, 4, 1))
    target = read(model, 4, 5, 5)
    assert kinds(target) == ["Linear", "Add", "Tanh"]
    assert target.graph.nodes[1].op == Add((0.5, 0.05))
    assert target.names == {"conv": ("conv.weight", "conv.bias")}


def test_a_norm_behind_parts_side_by_side_is_split():
    model = Does(
        lambda s, x: torch.tanh(s.norm(torch.cat([s.a(x), s.b(x)], 1))),
        a=nn.Conv2d(2, 3, 1),
        b=nn.Conv2d(2, 4, 1),
        norm=nn.BatchNorm2d(7),
    )
    assert kinds(read(model, 2, 5, 5)) == ["Linear", "Linear", "Concat", "Tanh"]


def test_a_norm_behind_parts_that_others_read_stays():
    """As in DenseNet."""

    def forward(s, x):
        y = s.a(x)
        return torch.cat([torch.tanh(s.norm(torch.cat([x, y], 1))), y], 1)

    model = Does(forward, a=nn.Conv2d(2, 3, 1), norm=nn.BatchNorm2d(5))
    target = read(model, 2, 5, 5)
    assert kinds(target) == ["Linear", "Concat", "Scale", "Tanh", "Concat"]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_norm_passes_a_max_pool_only_if_no_factor_is_negative(sign):
    model = trained(nn.Sequential(nn.Conv2d(2, 3, 3), nn.MaxPool2d(2, padding=1), nn.BatchNorm2d(3), nn.Tanh()))
    nn.init.constant_(model[2].weight, sign * 0.7)
    model.double()
    target = read_target(model, input_shape=(2, 9, 9))
    assert kinds(target) == ["Linear", "MaxPool", *(["Scale"] if sign < 0 else []), "Tanh"]
    if sign < 0:
        assert off(model, (2, 9, 9), folded_backwards(target, "2", "0", *gains(model[2]))) > 0.3


POOLS = [
    (nn.AvgPool2d(2), True),
    (nn.AvgPool2d(3, 2, 1, count_include_pad=False), True),
    (nn.AvgPool2d(3, 2, 1), False),  # rows at the border sum to 2/3
    (nn.AdaptiveAvgPool2d((3, 2)), True),
    (nn.Upsample(scale_factor=2), True),
    (nn.Upsample(size=(5, 9), mode="bilinear"), True),
]


@pytest.mark.parametrize(("pool", "passes"), POOLS, ids=str)
def test_a_norm_passes_means_whose_weights_sum_to_one(pool, passes):
    model = nn.Sequential(nn.Conv2d(2, 3, 1), pool, nn.BatchNorm2d(3), nn.Tanh())
    target = read(model, 2, 7, 8)
    assert kinds(target) == ["Linear", "AxisMap", *([] if passes else ["Scale"]), "Tanh"]
    if not passes:
        assert off(model, (2, 7, 8), folded_backwards(target, "2", "0", *gains(model[2]))) > 0.3


def test_two_norms_are_one():
    model = nn.Sequential(nn.Tanh(), nn.BatchNorm1d(4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2))
    target = read(model, 4)
    assert kinds(target) == ["Tanh", "Scale", "Tanh", "Linear"]
    (g1, t1), (g2, t2) = gains(model[1]), gains(model[2])
    scale = target.graph.nodes[1].op
    np.testing.assert_allclose(target.carried[scale.scale], g2 * g1, rtol=1e-15)
    np.testing.assert_allclose(target.carried[scale.shift], g2 * t1 + t2, rtol=1e-15)


def test_a_norm_over_the_length_of_a_sequence_stays():
    """On (length, features) BatchNorm1d(length) scales axis 0, the layer's outputs are axis 1."""
    model = nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.Tanh())
    target = read(model, 4, 5)
    assert kinds(target) == ["Linear", "Scale", "Tanh"]
    assert target.graph.nodes[1].op.axis == 0
    assert off(model, (4, 5), folded_backwards(target, "1", "0", *gains(model[1]))) > 0.3


@pytest.mark.parametrize(("padding", "left"), [(0, ["Linear"]), (1, ["Scale", "Linear"])])
def test_normalised_inputs_go_into_a_convolution_that_does_not_pad(padding, left):
    model = Does(lambda s, x: s.conv((x - s.mean) / 0.25), conv=nn.Conv2d(3, 4, 3, padding=padding))
    model.register_buffer("mean", torch.tensor([0.4, 0.5, 0.6]).view(3, 1, 1))
    target = read(model, 3, 6, 6)
    assert kinds(target) == left
    if padding:
        naive = folded_forwards(target, "scale", "conv", np.full(3, 4.0), -4 * model.mean.numpy().reshape(-1))
        assert off(model, (3, 6, 6), naive) > 0.3


def test_a_map_that_two_read_keeps_its_numbers():
    model = Does(
        lambda s, x: (lambda y: torch.tanh(s.norm(y)) + y)(s.conv(x)), conv=nn.Conv2d(2, 3, 1), norm=nn.BatchNorm2d(3)
    )
    target = read(model, 2, 4, 4)
    assert kinds(target) == ["Linear", "Scale", "Tanh", "Add"]
    assert off(model, (2, 4, 4), folded_backwards(target, "norm", "conv", *gains(model.norm))) > 0.3


def test_all_readers_of_a_norm_may_take_it():
    model = Does(
        lambda s, x: (lambda y: s.a(y) + torch.tanh(s.b(y)))(s.norm(x)),
        norm=nn.BatchNorm1d(4),
        a=nn.Linear(4, 3),
        b=nn.Linear(4, 3),
    )
    assert kinds(read(model, 4)) == ["Linear", "Linear", "Tanh", "Add"]


def test_one_weight_behind_two_norms_is_two_maps_and_behind_one_norm_one():
    conv = nn.Conv2d(3, 3, 3, padding=1)
    two = Does(
        lambda s, x: s.b(s.conv(torch.relu(s.a(s.conv(x))))), conv=conv, a=nn.BatchNorm2d(3), b=nn.BatchNorm2d(3)
    )
    assert list(read(two, 3, 5, 5).graph.maps) == ["conv", "conv:2"]
    one = Does(lambda s, x: s.a(s.conv(torch.relu(s.a(s.conv(x))))), conv=conv, a=nn.BatchNorm2d(3))
    target = read(one, 3, 5, 5)
    assert list(target.graph.maps) == ["conv"]
    assert [node.name for node in target.graph.nodes] == ["conv", "relu", "conv:2"]


def test_a_constant_table_is_added_and_multiplied_entry_by_entry():
    """More axes than a Scale has; before a flat layer it goes into the layer."""
    model = Does(
        lambda s, x: torch.tanh(x * s.g + s.t), g=nn.Parameter(torch.randn(3, 4)), t=nn.Parameter(torch.randn(3, 4))
    )
    model.last = nn.Linear(4, 2)
    whole = nn.Sequential(model, model.last)
    assert kinds(read(whole, 3, 4)) == ["Constant", "Multiply", "Constant", "Add", "Tanh", "Linear"]
    flat = Does(lambda s, x: s.fc((x * s.g + s.t).flatten(1)), g=model.g, t=model.t, fc=nn.Linear(12, 2))
    assert kinds(read(flat, 3, 4)) == ["Reshape", "Linear"]


def test_folding_twice_changes_nothing():
    """What was read, built as a module and read again, has the same graph and the same numbers."""
    from slth.network.build import Network
    from slth.network.maps import TargetMap

    model = nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.BatchNorm2d(3), nn.Conv2d(3, 2, 3, padding=1)
    )
    target = read(model, 2, 7, 7)
    maps = {p: TargetMap(op.basis, target.coefficients[p], torch.float64) for p, op in target.graph.maps.items()}
    again = read_target(Network(target.graph, maps, target.carried, torch.float64), input_shape=(2, 7, 7))
    assert kinds(again) == kinds(target) == ["Linear", "Relu", "Scale", "Linear"]
    for old, new in zip(target.coefficients.values(), again.coefficients.values(), strict=True):
        assert (old.weight == new.weight).all()
        assert (old.bias == new.bias).all()
