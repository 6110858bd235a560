"""The numbers of a target are those of its module, bit for bit, whatever they are stored as."""

import pytest
import torch
import torch.nn.functional as F
from helpers.targets import differences, numbers
from references.zoo import Does, trained
from torch import nn
from torch.nn.utils import parametrizations, prune

from slth.graph import chain
from slth.network import read_target


@pytest.mark.parametrize("norm", ["weight_norm", "spectral_norm", "prune", "old"])
def test_a_computed_weight_is_the_modules_bit_for_bit_and_nobodys_tensor(norm):
    """In its own type: in float64 not one weight-normed number would be the module's."""
    conv = nn.Conv2d(2, 3, 3)
    if norm == "prune":
        prune.l1_unstructured(conv, "weight", 0.4)
    elif norm == "old":
        conv = nn.utils.weight_norm(conv)
    else:
        conv = getattr(parametrizations, norm)(conv)
    model = nn.Sequential(conv, nn.Tanh())
    model.eval()(torch.zeros(1, 2, 5, 5))
    target = read_target(model, input_shape=(2, 5, 5))
    weight = conv.weight.detach().double().numpy().reshape(3, 2, 9)
    assert list(target.graph.maps) == ["0"]
    assert target.names == {}
    assert (target.coefficients["0"].weight == weight).all()
    assert type(conv.weight) in (torch.Tensor, nn.Parameter)  # export leaves no tensor of its own behind


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_read_exactly(dtype):
    model = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2)).to(dtype)
    target = read_target(model)
    assert (target.coefficients["layers/0"].weight[:, :, 0] == model[0].weight.detach().double().numpy()).all()


def test_eight_bits_are_read_exactly():
    weight = torch.randn(3, 4).to(torch.float8_e4m3fn)
    model = Does(lambda s, x: F.linear(x, s.w.float()), w=nn.Parameter(weight, requires_grad=False))
    (affine,) = read_target(model, input_shape=(4,)).coefficients.values()
    assert (affine.weight[:, :, 0] == weight.double().numpy()).all()


@pytest.mark.parametrize("factor", [0.0, 1e-30, 1e30])
def test_weights_of_any_size_are_read_exactly(factor):
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(factor)
    assert (
        differences(
            read_target(model),
            chain([numbers(model[0]), numbers(model[2])], names=[("0.weight", "0.bias"), ("2.weight", "2.bias")]),
        )
        == []
    )


@pytest.mark.parametrize("value", [torch.tensor(float("nan")), torch.zeros(0)], ids=["NaN", "empty"])
def test_a_parameter_that_nothing_uses_may_hold_anything(value):
    model = Does(lambda s, x: s.fc(x), fc=nn.Linear(3, 2), unused=nn.Parameter(value))
    assert list(read_target(model, input_shape=(3,)).graph.maps) == ["layers/0"]


def test_carried_numbers_are_float32_where_that_is_exact():
    model = nn.Sequential(nn.PReLU(3), nn.Linear(3, 2), nn.Tanh(), trained(nn.BatchNorm1d(2)))
    target = read_target(model, input_shape=(3,))
    assert {name: array.dtype.name for name, array in target.carried.items()} == {
        "0/slope": "float32",
        "3/scale": "float64",
        "3/shift": "float64",
    }
