"""Constant masks, thresholds, windows and sums by einsum: what is read of them, compared with the module."""

import pytest
import torch
import torch.nn.functional as F
from references.zoo import Does
from torch import nn

from slth import InputError
from slth.graph import Pointwise, evaluate
from slth.network import read_target


def kinds(forward, shape=(4,), **parts):
    model = Does(forward, fc=nn.Linear(4, 4), **parts).double().eval()
    target = read_target(model, input_shape=shape)
    x = torch.randn(3, *shape, dtype=torch.float64)
    found = evaluate(target.graph, target.coefficients, x.numpy(), target.carried)
    assert abs(found - model(x).detach().numpy()).max() < 1e-12
    return [
        node.op.function if isinstance(node.op, Pointwise) else type(node.op).__name__ for node in target.graph.nodes
    ]


MASK = torch.tensor([True, False, True, True])
MASKED = {
    "zeros for some": (lambda s, x: torch.where(s.m, s.fc(x), torch.zeros_like(x)), ["Linear"]),
    "a number for some": (lambda s, x: torch.where(s.m, s.fc(x), 2.5), ["Linear"]),
    "a number for the others": (lambda s, x: torch.where(s.m, -1.0, s.fc(x)), ["Linear"]),
    "another value for some": (lambda s, x: torch.where(s.m, s.fc(x), x), ["Linear", "Scale", "Add"]),
    "all the same value": (lambda s, x: torch.where(s.m | ~s.m, s.fc(x), x), ["Linear"]),
    "masked_fill": (lambda s, x: s.fc(x).masked_fill(s.m, 0.0), ["Linear"]),
    "masked_fill by a tensor": (lambda s, x: s.fc(x).masked_fill(s.m, torch.tensor(-3.0)), ["Linear"]),
    "before a softmax": (lambda s, x: s.fc(x).masked_fill(s.m, -1e9).softmax(1), ["Linear", "Softmax"]),
    "a product": (lambda s, x: s.fc(x) * s.m, ["Linear"]),
}


@pytest.mark.parametrize("name", MASKED)
def test_a_constant_mask_is_zeros_and_ones(name):
    forward, expected = MASKED[name]
    assert kinds(forward, m=nn.Buffer(MASK)) == expected


def test_a_mask_may_differ_along_several_axes():
    triangle = nn.Buffer(torch.ones(4, 4).tril() > 0)
    assert kinds(lambda s, x: s.fc(torch.where(s.m, x, 0.0)), (4, 4), m=triangle) == ["Constant", "Multiply", "Linear"]


WRITTEN = {
    "relu by where": (lambda y: torch.where(y > 0, y, torch.zeros_like(y)), ["Relu"]),
    "relu by an index": (lambda y: y.index_put([y < 0], torch.zeros((), dtype=y.dtype)), ["Relu"]),
    "relu by masked_fill": (lambda y: y.masked_fill(y < 0, 0.0), ["Relu"]),
    "relu by max": (lambda y: torch.max(torch.zeros_like(y), y), ["Relu"]),
    "hard tanh by where": (
        lambda y: torch.where(y > 1, torch.ones_like(y), torch.where(y < -1, -torch.ones_like(y), y)), ["Clip"]),
    "soft shrinking": (lambda y: torch.sign(y) * F.relu(y.abs() - 0.5), ["Clip", "Add"]),
    "F.softshrink": (lambda y: F.softshrink(y, 0.3), ["Clip", "Add"]),
    "F.threshold at 0": (lambda y: F.threshold(y, 0.0, 0.0), ["Relu"]),
    "F.threshold at its value": (lambda y: F.threshold(y, 0.25, 0.25), ["Clip"]),
    "log1p of exp": (lambda y: torch.log1p(torch.exp(y)), ["Softplus"]),
    "logaddexp": (lambda y: torch.logaddexp(y, torch.zeros_like(y)), ["Softplus"]),
    "logaddexp of two": (lambda y: torch.logaddexp(y, 2 * y), ["Add", "Softplus", "Add"]),
    "bounds for each entry": (
        lambda y: torch.clamp(y, max=torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=y.dtype)), ["Relu", "Scale"]),
    "a bound for all": (lambda y: torch.minimum(y, torch.full_like(y, 0.25)), ["Clip"]),
    "the larger of two": (lambda y: torch.max(y, -0.5 * y.flip(1)), ["Slice"] * 4 + ["Concat", "Add", "Relu", "Add"]),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
def test_functions_that_people_write_with_comparisons_are_read(name):
    act, expected = WRITTEN[name]
    assert kinds(lambda s, x: act(s.fc(x))) == ["Linear", *expected]


JUMPING = {
    "a step": lambda y: (y > 0).to(y.dtype),
    "a sign": torch.sign,
    "hard shrinking": F.hardshrink,
    "a threshold elsewhere": lambda y: F.threshold(y, 0.1, 20.0),
    "a cut far away": lambda y: torch.where(y > 2000, torch.zeros_like(y), F.relu(y)),
    "a notch": lambda y: torch.where((y > 0.3) & (y < 0.3003), 5 * y, F.relu(y)),
    "rounding": torch.round,
    "order": lambda y: torch.sort(y, dim=1).values,
    "a choice by another value": lambda y: torch.where(y[:, :1] > 0, y, -y.square()),
}


@pytest.mark.parametrize("name", JUMPING)
def test_what_jumps_is_refused_with_the_reason(name):
    with pytest.raises(InputError, match="has no Lipschitz constant, so that nothing could be claimed behind it"):
        kinds(lambda s, x: JUMPING[name](s.fc(x)))


def test_infinity_is_filled_into_nothing():
    with pytest.raises(InputError, match="a finite number, such as -1e9 before a softmax, is read"):
        kinds(lambda s, x: s.fc(x).masked_fill(s.m, float("-inf")).softmax(1), m=nn.Buffer(MASK))


def matrix(*shape):
    return nn.Parameter(torch.randn(*shape))


WINDOWS = {
    "windows along an axis": (lambda s, x: s.fc(x.unfold(2, 4, 3)), (2, 11), {}),
    "patches along an axis": (lambda s, x: s.fc(x.unfold(2, 4, 4)), (2, 11), {}),
    "patches by two": (lambda s, x: s.fc(x.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)), (1, 6, 5), {}),
    "a convolution by unfold": (
        lambda s, x: s.w @ F.unfold(x, 3, padding=1, stride=2), (3, 6, 7), {"w": matrix(5, 27)}),
    "dilated": (
        lambda s, x: s.w @ F.unfold(x, (2, 3), dilation=2, padding=(1, 2)), (3, 6, 7), {"w": matrix(5, 18)}),
    "patches": (lambda s, x: s.fc(F.unfold(x, 2, stride=2).transpose(1, 2)), (1, 6, 5), {}),
    "patches and back": (
        lambda s, x: F.fold(s.fc(F.unfold(x, 2, stride=2).transpose(1, 2)).transpose(1, 2), (6, 4), 2, stride=2),
        (1, 6, 5), {}),
    "sums up to each": (lambda s, x: s.fc(torch.cumsum(x, 1)), (4,), {}),
}  # fmt: skip


@pytest.mark.parametrize("name", WINDOWS)
def test_windows_are_parts_of_values(name):
    forward, shape, parts = WINDOWS[name]
    assert kinds(forward, shape, **parts).count("Linear") == 1


def test_windows_that_overlap_are_not_added_back():
    with pytest.raises(InputError, match="fold adds windows that overlap"):
        kinds(lambda s, x: s.w @ F.fold(F.unfold(x, 3), (4, 4), 3), (1, 4, 4), w=matrix(4, 4))


EINSUMS = {
    "an ellipsis": ("...i,oi->...o", (3, 4), (2, 4)),
    "no arrow": ("bi,io", (4,), (4, 2)),
    "a vector": ("bi,i->b", (4,), (4,)),
    "a factor for each": ("bhwc,c->bchw", (2, 3, 4), (4,)),
    "one axis becomes two": ("bnd,dhk->bnhk", (5, 4), (4, 2, 3)),
    "two axes become one": ("bnhk,hkd->bnd", (5, 2, 3), (2, 3, 4)),
    "a letter of the constant alone": ("bi,oik->bo", (4,), (2, 4, 3)),
}


@pytest.mark.parametrize("name", EINSUMS)
def test_a_sum_over_letters_with_one_constant_is_read(name):
    equation, shape, size = EINSUMS[name]
    forward = (
        (lambda s, x: s.fc(torch.einsum(equation, x, s.w).permute(0, 2, 3, 1)))
        if "c" in equation
        else (lambda s, x: torch.einsum(equation, x, s.w))
    )
    assert kinds(forward, shape, w=matrix(*size)).count("Linear") == 1


@pytest.mark.parametrize(("equation", "result"), [("bij->bji", "Permute"), ("bij->bi", "AxisMap")])
def test_a_sum_over_letters_of_one_value_is_read(equation, result):
    assert result in kinds(lambda s, x: torch.einsum(equation, s.fc(x)), (3, 4))


@pytest.mark.parametrize(
    ("equation", "shape", "size", "sentence"),
    [
        ("bgi,goi->bgo", (3, 4), (3, 2, 4), "a stack of matrices; one matrix is a linear map"),
        ("bij,ok->bok", (3, 4), (2, 5), "a stack of matrices; one matrix is a linear map"),
        ("bi,bo->io", (4,), (2, 4), "fixes the size of the batch"),
        ("bi,oi->ob", (4,), (2, 4), "apart, on axis 0"),
    ],
)
def test_other_sums_over_letters_are_refused(equation, shape, size, sentence):
    with pytest.raises(InputError, match=sentence):
        kinds(lambda s, x: torch.einsum(equation, s.fc(x), s.w), shape, w=matrix(*size))


def at(indices, values):
    def forward(s, x):
        y = s.fc(x)
        y[:, indices] = values(y)
        return y

    return forward


@pytest.mark.parametrize(
    ("indices", "values"),
    [
        ([0, 2], lambda y: 0.5),
        ([3, 0], lambda y: torch.relu(y[:, :2])),
        ([1], lambda y: torch.tensor([[2.0]], dtype=y.dtype)),
        (torch.tensor([True, False, False, True]), lambda y: -1.0),
    ],
    ids=["a number", "a value", "a constant", "a mask"],
)
def test_entries_at_constant_indices_are_replaced(indices, values):
    assert "Concat" in kinds(at(indices, values))


def test_entries_of_several_axes_at_once_are_refused():
    def forward(s, x):
        y = s.fc(x)
        y[:, [0, 1], [1, 0]] = 0.0
        return y

    with pytest.raises(InputError, match="index_put writes along several axes at once"):
        kinds(forward, (4, 4))
    with pytest.raises(InputError, match="writes an entry twice, and PyTorch does not say which value stays"):
        kinds(at([1, 1], lambda y: y[:, 2:]))
