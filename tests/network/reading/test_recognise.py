"""Activations that are spelled out are known by their values; what only resembles one is not."""

import math

import pytest
import torch
import torch.nn.functional as F
from references.zoo import Does
from torch import nn

from slth.graph import FUNCTIONS, Pointwise
from slth.network import read_target
from slth.network.reading.recognise import _agree, _candidates, _values

SPELLED = [
    (lambda x: x * torch.sigmoid(x), Pointwise("Swish", alpha=1.0)),
    (lambda x: torch.sigmoid(1.702 * x) * x, Pointwise("Swish", alpha=1.702)),
    (lambda x: x / (1 + torch.exp(-x)), Pointwise("Swish", alpha=1.0)),
    (lambda x: x * F.relu6(x + 3) / 6, Pointwise("HardSwish")),
    (lambda x: x * F.hardsigmoid(x), Pointwise("HardSwish")),
    (lambda x: x * (F.hardtanh(x + 3, 0, 6) * (1 / 6)), Pointwise("HardSwish")),
    (lambda x: F.relu6(x + 3) / 6, Pointwise("HardSigmoid", alpha=1 / 6, beta=0.5)),
    (lambda x: torch.clamp(0.2 * x + 0.5, 0, 1), Pointwise("HardSigmoid", alpha=0.2, beta=0.5)),
    (lambda x: 0.5 * x * (1 + torch.erf(x / math.sqrt(2.0))), Pointwise("Gelu")),
    (lambda x: x * 0.5 * (1.0 + torch.erf(x * 0.7071067811865476)), Pointwise("Gelu")),
    (
        lambda x: 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * torch.pow(x, 3)))),
        Pointwise("TanhGelu"),
    ),
    (lambda x: x * torch.tanh(F.softplus(x)), Pointwise("Mish")),
    (lambda x: x * torch.tanh(torch.log(1 + torch.exp(x))), Pointwise("Mish")),
    (lambda x: torch.where(x > 0, x, 0.1 * x), Pointwise("LeakyRelu", alpha=0.1)),
    (lambda x: torch.maximum(x, 0.2 * x), Pointwise("LeakyRelu", alpha=0.2)),
    (lambda x: F.relu(x) - 0.3 * F.relu(-x), Pointwise("LeakyRelu", alpha=0.3)),
    (lambda x: torch.where(x > 0, x, 0.5 * (torch.exp(x) - 1)), Pointwise("Elu", alpha=0.5)),
    (lambda x: 1 / (1 + torch.exp(-x)), Pointwise("Sigmoid")),
    (lambda x: x / (1 + x.abs()), Pointwise("Softsign")),
    (lambda x: x * (x > 0), Pointwise("Relu")),
    (lambda x: (x + x.abs()) / 2, Pointwise("Relu")),
    (lambda x: 2 * torch.sigmoid(2 * x) - 1, Pointwise("Tanh")),
]
RESEMBLING = [
    (lambda x: x * torch.sigmoid(x) * 1.0001, ["Swish", "Add"]),
    (lambda x: x * F.relu6(x + 3) / 6.001, None),
    (lambda x: 0.5 * x * (1 + torch.tanh(0.79788 * (x + 0.044715 * torch.pow(x, 3)))), None),
    (lambda x: torch.sigmoid(x).square(), ["Sigmoid", "Multiply"]),
    (lambda x: F.relu(x) * x, ["Relu", "Multiply"]),
]


def ops(act):
    model = Does(lambda s, x: act(s.fc(x)), fc=nn.Linear(3, 3))
    return [node.op for node in read_target(model, input_shape=(3,)).graph.nodes][1:]


@pytest.mark.parametrize(
    ("act", "op"), SPELLED, ids=lambda value: value.function if isinstance(value, Pointwise) else ""
)
def test_a_function_that_is_spelled_out_is_read_by_name(act, op):
    assert ops(act) == [op]


@pytest.mark.parametrize(("act", "kinds"), RESEMBLING)
def test_what_only_resembles_a_function_keeps_its_steps(act, kinds):
    found = [getattr(op, "function", type(op).__name__) for op in ops(act)]
    assert len(found) > 1
    assert kinds is None or found == kinds


def test_inside_a_larger_function_the_known_part_is_named():
    """Of u σ(u) with u = tanh(x) the outer part."""
    found = ops(lambda x: (lambda u: u * torch.sigmoid(u))(torch.tanh(x)))
    assert found == [Pointwise("Tanh"), Pointwise("Swish", alpha=1.0)]


def test_no_two_candidates_agree():
    """Or a chain could be given either name."""
    found = list(_candidates({1.0, 0.3, 1.702}))
    pairs = [(a, b) for i, a in enumerate(found) for b in found[:i] if _agree(_values(a), _values(b))]
    assert pairs == []
    assert {op.function for op in found if isinstance(op, Pointwise)} <= set(FUNCTIONS)
