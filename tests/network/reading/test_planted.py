"""Wrong readings are planted and caught; modules whose rounding is large are read all the same."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from references.zoo import Does, trained
from torch import nn

from slth import InputError
from slth.graph import Pointwise
from slth.network import read_target
from slth.network.reading import folds, lines
from slth.network.reading.operators import OPERATORS

IMAGE = (2, 6, 6)


def conv_net(*before, padding=1, after=()):
    torch.manual_seed(0)
    return trained(
        nn.Sequential(*before, nn.Conv2d(2, 4, 3, padding=padding), *after, nn.Tanh(), nn.Flatten(), nn.LazyLinear(3))
    )


def built(model, shape=IMAGE):
    """With the lazy layer made."""
    model.eval()(torch.zeros(2, *shape))
    return trained(model)


def operator(name, change):
    """An operator that is given other arguments."""
    right = OPERATORS[name]
    return lambda patch: patch.setitem(
        OPERATORS, name, lambda here, a: right(here, SimpleNamespace(**{**vars(a), **change(a)}))
    )


def fold_without(name, change):
    """A fold with other numbers."""
    right = getattr(lines, name)
    return lambda patch: patch.setattr(folds, name, lambda step, g, t: right(step, *change(g, t)))


def always(name):
    """A condition of a fold that always holds."""
    return lambda patch: patch.setattr(folds, name, lambda *_: True)


BEFORE, AFTER = (nn.BatchNorm2d(2),), (nn.BatchNorm2d(4),)
PLANTED = {
    "a shift is lost backwards": (
        lambda: conv_net(after=AFTER), fold_without("scale_outputs", lambda g, t: (g, 0 * t))),
    "a shift is lost forwards": (
        lambda: conv_net(*BEFORE, padding=0), fold_without("scale_inputs", lambda g, t: (g, 0 * t))),
    "a factor is lost": (lambda: conv_net(after=AFTER), fold_without("scale_outputs", lambda g, t: (g**0, t))),
    "one factor is off by a millionth": (
        lambda: conv_net(after=AFTER), fold_without("scale_outputs", lambda g, t: (g * (1 + 1e-6 * (g == g[0])), t))),
    "a norm is folded into a padded map": (lambda: conv_net(*BEFORE), always("_shiftable")),
    "negative factors pass a relu": (
        lambda: conv_net(after=(nn.ReLU(), *AFTER)), always("_commutes")),
    "epsilon is forgotten": (
        lambda: conv_net(after=AFTER),
        operator("batch_norm.default", lambda a: {"eps": 0.0})),
    "a kernel is turned round": (
        lambda: conv_net(), operator("conv2d.default", lambda a: {"weight": type(a.weight)(a.weight.tensor.flip(2))})),
    "padding is counted in an average": (
        lambda: conv_net(after=(nn.AvgPool2d(3, 1, 1, count_include_pad=False),)),
        operator("avg_pool2d.default", lambda a: {"count_include_pad": True})),
    "gelu is taken for its tanh form": (
        lambda: conv_net(after=(nn.GELU(),)), operator("gelu.default", lambda a: {"approximate": "tanh"})),
    "a slope is off by a millionth": (
        lambda: conv_net(after=(nn.LeakyReLU(0.1),)),
        operator("leaky_relu.default", lambda a: {"negative_slope": a.negative_slope + 1e-6})),
    "parts change places": (
        lambda: Does(lambda s, x: s.fc(torch.cat([x, torch.tanh(x)], 1)), fc=nn.Conv2d(4, 2, 1)),
        operator("cat.default", lambda a: {"tensors": a.tensors[::-1]})),
    "a mask is the other way round": (
        lambda: Does(lambda s, x: s.fc(x.masked_fill(s.m, 0.5)), fc=nn.Conv2d(2, 2, 1), m=nn.Buffer(torch.eye(6) > 0)),
        operator("masked_fill.Scalar", lambda a: {"mask": type(a.mask)(~a.mask.tensor)})),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_wrong_reading_is_caught(name, monkeypatch):
    """Read rightly without the mistake; refused with it, by its size."""
    build, plant = PLANTED[name]
    model = built(build())
    read_target(model, input_shape=IMAGE)
    plant(monkeypatch)
    with pytest.raises(InputError, match=r"differs from the model by .* where rounding allows"):
        read_target(model, input_shape=IMAGE)


def scaled(factor, depth=6):
    layers = [part for _ in range(depth) for part in (nn.Linear(16, 16), nn.ReLU())]
    model = nn.Sequential(*layers, nn.Linear(16, 4))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(factor)
    return model


def small_variance():
    model = trained(nn.Sequential(nn.Linear(16, 16), nn.BatchNorm1d(16, eps=1e-12), nn.Tanh(), nn.Linear(16, 4)))
    model[1].running_var.mul_(1e-12)
    return model


LARGE = {
    "activations of 1e24": lambda: scaled(1e4),
    "weights of 1e30": lambda: scaled(1e30, depth=1),
    "weights of 1e-30": lambda: scaled(1e-30),
    "weights below what float32 holds": lambda: scaled(1e-45),
    "only zeros": lambda: scaled(0.0),
    "a variance of 1e-12": small_variance,
    "a softmax of large logits": lambda: nn.Sequential(scaled(30.0), nn.Softmax(1)),
    "what cancels": lambda: Does(lambda s, x: 1e6 + s.body(x) - 1e6, body=scaled(1.0)),
    "norms of weights": lambda: nn.Sequential(
        nn.utils.parametrizations.weight_norm(nn.Linear(16, 16)), nn.ReLU(), scaled(100.0)
    ),
    "a product of two large values": lambda: Does(lambda s, x: s.body(x) * s.body(x), body=scaled(50.0)),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("name", LARGE)
def test_a_module_that_rounds_a_lot_is_read(name, dtype):
    torch.manual_seed(1)
    target = read_target(LARGE[name]().to(dtype).eval(), input_shape=(16,))
    assert all(np.isfinite(affine.weight).all() for affine in target.coefficients.values())


def huge():
    model = scaled(1.0, depth=5).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1e60)
    return model


def test_outputs_beyond_float64_are_no_network():
    with pytest.raises(InputError, match="the model gives infinity, NaN or numbers beyond what float64 holds"):
        read_target(huge(), input_shape=(16,))


@pytest.mark.parametrize(
    ("forward", "op"),
    [
        (lambda s, x: torch.clamp(F.relu(s.fc(x)), max=1000.0), Pointwise("Clip", high=1000.0)),
        (lambda s, x: torch.clamp(F.relu(s.fc(x)), -65504, 65504), Pointwise("Clip", low=-65504.0, high=65504.0)),
    ],
)
def test_a_bound_beyond_every_random_input_is_read(forward, op):
    """No random input gets there: read as a ReLU alone it would pass the comparison."""
    target = read_target(Does(forward, fc=nn.Linear(3, 3)), input_shape=(3,))
    assert op in [node.op for node in target.graph.nodes]
