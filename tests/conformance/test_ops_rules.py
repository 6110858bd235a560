"""Every op's rule, one op at a time: a line of `OPS` for each, and rules that are wrong, each of which is noticed."""

import numpy as np
import pytest
from conformance.op_rules import Tried, rounding, trials, violations

from slth.certificate.reach import Reach
from slth.certificate.rules import RULES, Facts, combine, linear, windows
from slth.graph import (
    BASES,
    FUNCTIONS,
    Add,
    Attention,
    AxisMap,
    AxisMatrix,
    Concat,
    Constant,
    Conv,
    ConvTranspose,
    Dense,
    Embedding,
    Linear,
    LogSoftmax,
    MatMul,
    MaxPool,
    Multiply,
    Normalise,
    OneHot,
    Pad,
    Permutation,
    Permute,
    Pointwise,
    Reshape,
    Scale,
    Slice,
    Softmax,
    Standardise,
    Steerable,
)
from slth.graph.evaluation import log_softmax

ARRAYS = {
    "g": np.array([0.5, -2.0, 0.0]),
    "t": np.array([1.0, -0.3, 0.7]),
    "square": np.array([0.25, 1.0, 3.0]),
    "slopes": np.array([0.2, -1.5, 3.0]),
    "matrix": np.array([[1.0, -2.0, 0.5], [0.0, 1.0, 1.0]]),
    "entries": np.array([[0, 0, 1.0], [0, 2, -2.0], [2, 1, 0.5], [2, 2, 1.0]]),
    "value": np.array([[1.0, -2.0], [0.5, 0.0]]),
    "visible": np.array([[1.0, 0.0, 1.0], [1.0, 0.0, 0.0]]),
    "one for all": np.array([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]),
    "bias": np.array([[[1.0, -2.0, 0.5], [0.0, 0.3, 0.2]], [[-1.0, 0.0, 0.0], [2.0, 0.0, 0.0]]]),
}


def dense(shape, outputs, *signed, bias=True):
    return Tried(Linear("map", Dense(len(signed), outputs), bias), (shape,), {}, signed)


def conv(shape, outputs, kernel, *signed, stride=1, padding=0, dilation=1, groups=1, extra=None):
    """A convolution, or a transposed one if `extra`, its output padding, is given."""
    axes = len(kernel)
    sizes = (kernel, (stride,) * axes, (padding,) * (2 * axes), (dilation,) * axes, groups)
    ends = () if extra is None else ((extra,) * axes,)
    basis = (Conv if extra is None else ConvTranspose)(len(signed), outputs, *sizes, *ends)
    return Tried(Linear("map", basis, True), (shape,), {}, signed)


def steerable(shape, outputs, kernel, *signed, group="C4", stride=1, padding=0):
    basis = Steerable(len(signed), outputs, group, kernel, stride, padding, len(shape) == 3)
    return Tried(Linear("map", basis, True), (shape,), {}, signed)


def permutation(shape, outputs, writes, *signed):
    basis = Permutation(len(signed), outputs, len(shape) - 1, writes, shape[0])
    return Tried(Linear("map", basis, True), (shape,), {}, signed)


def function(name, **parameters):
    return Tried(Pointwise(name, **parameters), ((2, 3),), ARRAYS, wide=3.0)


def axis_map(*axes):
    return Tried(AxisMap(axes), ((2, 4, 3),), ARRAYS)


def average(axis, length, count):
    return AxisMatrix(axis, "average", kernel=3, stride=1, padding=(1, 1), length=length, count=count)


def attention(queries, keys, width, *, scale=1.0, wide=1.0, **masks):
    """Values are as many as keys, of a width of their own."""
    op = Attention(scale, **masks)
    return Tried(op, (queries, keys, (*keys[:-1], width)), ARRAYS, wide=wide)


NO, YES = False, True
OPS = {
    "dense, no sign": dense((3,), 2, NO, NO, NO),
    "dense, one sign": dense((3,), 2, YES, NO, NO),
    "dense, all signs": dense((3,), 2, YES, YES, YES),
    "dense, three positions": dense((3, 2), 2, YES, YES),
    "conv": conv((2, 4), 2, (3,), NO, NO),
    "conv, all signs, padded": conv((2, 4), 2, (3,), YES, YES, padding=1),
    "conv, one sign, padded": conv((2, 3, 3), 2, (2, 2), YES, NO, padding=1),
    "conv, stride": conv((2, 5), 2, (3,), NO, YES, padding=1, stride=2),
    "conv, kernel as long as the stride": conv((1, 6), 2, (2,), YES, stride=2),
    "conv, dilation and stride": conv((1, 8), 1, (3,), YES, stride=2, dilation=2, padding=2),
    "conv, groups": conv((4, 3), 4, (2,), YES, NO, YES, YES, groups=2, padding=1),
    "conv, depthwise": conv((2, 3, 3), 2, (2, 2), YES, NO, groups=2),
    "transposed": conv((2, 3), 2, (3,), NO, NO, stride=2, extra=0),
    "transposed, all signs": conv((2, 3), 2, (3,), YES, YES, stride=2, extra=1),
    "transposed, lines added": conv((2, 3), 2, (2,), YES, YES, stride=2, extra=1),
    "transposed, no overlap": conv((1, 3), 2, (2,), YES, stride=2, extra=0),
    "transposed, holes": conv((1, 3), 1, (1,), YES, stride=2, extra=0),
    "transposed, groups, dilation": conv((2, 4), 2, (3,), YES, YES, stride=2, dilation=3, padding=1, groups=2, extra=1),
    "transposed, two axes": conv((2, 2, 2), 1, (2, 3), YES, NO, stride=2, extra=0),
    "lifting, padded": steerable((1, 2, 2), 2, 2, YES, padding=1),
    "group convolution": steerable((2, 4, 1, 1), 2, 1, YES, NO),
    "sets": permutation((4, 2), 2, 1, YES, NO),
    "pairs": permutation((2, 2, 1), 1, 2, YES),
    "sets to one": permutation((4, 2), 2, 0, NO, YES),
    "relu": function("Relu"),
    "leaky relu": function("LeakyRelu", alpha=0.2),
    "leaky relu, steep": function("LeakyRelu", alpha=2.0),
    "leaky relu, turning": function("LeakyRelu", alpha=-0.5),
    "prelu": function("PRelu", slope="slopes", axis=1),
    "clip": function("Clip", low=0.0, high=1.5),
    "clip, away from 0": function("Clip", low=0.5, high=2.0),
    "clip, one end": function("Clip", high=1.0),
    "sigmoid": function("Sigmoid"),
    "hard sigmoid": function("HardSigmoid", alpha=0.2, beta=0.5),
    "softplus": function("Softplus"),
    "log sigmoid": function("LogSigmoid"),
    "elu": function("Elu", alpha=2.0),
    "elu, turning": function("Elu", alpha=-0.5),
    "celu": function("Celu", alpha=0.5),
    "selu": function("Selu", alpha=1.6732632423543772, gamma=1.0507009873554805),
    "tanh": function("Tanh"),
    "softsign": function("Softsign"),
    "swish": function("Swish", alpha=1.0),
    "swish, quick gelu": function("Swish", alpha=1.702),
    "hard swish": function("HardSwish"),
    "mish": function("Mish"),
    "gelu": function("Gelu"),
    "tanh gelu": function("TanhGelu"),
    "max pool": Tried(MaxPool((3,), (2,), (1, 1), (1,)), ((2, 6),)),
    "max pool, dilation": Tried(MaxPool((3,), (2,), (2, 2), (2,)), ((1, 8),)),
    "max pool, two axes": Tried(MaxPool((2, 2), (1, 1), (0, 1, 0, 0), (1, 1)), ((1, 3, 3),)),
    "average, padding counts": axis_map(average(1, 4, "all")),
    "average, padding does not count": axis_map(average(1, 4, "real"), average(2, 3, "real")),
    "mean": axis_map(AxisMatrix(1, "mean", length=1), AxisMatrix(2, "mean", length=1)),
    "mean, uneven": axis_map(AxisMatrix(1, "mean", length=3), AxisMatrix(2, "mean", length=7)),
    "nearest": axis_map(AxisMatrix(2, "nearest", length=5)),
    "linear": axis_map(
        AxisMatrix(1, "linear", length=7, corners=False), AxisMatrix(2, "linear", length=5, corners=True)
    ),
    "matrix": axis_map(AxisMatrix(2, "matrix", value="matrix")),
    "sparse": axis_map(AxisMatrix(2, "sparse", length=4, value="entries")),
    "add": Tried(Add((1.0, 1.0)), ((2, 3), (2, 3))),
    "add, repeated": Tried(Add((1.0, -2.0, 0.5)), ((2, 3), (2, 1), (1, 1))),
    "multiply": Tried(Multiply(), ((2, 2), (2, 2))),
    "multiply, repeated": Tried(Multiply(), ((2, 1), (2, 3))),
    "scale": Tried(Scale(1, "g", "t"), ((2, 3),), ARRAYS),
    "scale, no shift": Tried(Scale(0, "g", None), ((3, 2),), ARRAYS),
    "shift": Tried(Scale(0, None, "t"), ((3, 2),), ARRAYS),
    "normalise": Tried(Normalise(1, "t", "square", "g", "slopes", 1e-3), ((2, 3),), ARRAYS),
    "normalise, nothing else": Tried(Normalise(0, "g", "square", None, None, 0.0), ((3, 2),), ARRAYS),
    "concat": Tried(Concat(1), ((2, 2), (2, 3))),
    "reshape": Tried(Reshape((3, 2)), ((2, 3),)),
    "permute": Tried(Permute((2, 0, 1)), ((2, 3, 2),)),
    "slice": Tried(Slice(1, 1, 4, 2), ((2, 5),)),
    "pad": Tried(Pad((0, 1, 0, 2)), ((2, 2),)),
    "pad with a number": Tried(Pad((1, 0, 0, 1), -1.3), ((2, 2),)),
    "constant": Tried(Constant("value"), (), ARRAYS),
    "softmax": Tried(Softmax(1), ((2, 3),), wide=2.0),
    "softmax, two": Tried(Softmax(0), ((2, 2),), wide=2.0),
    "softmax of one": Tried(Softmax(0), ((1, 2),)),
    "log softmax": Tried(LogSoftmax(0), ((3, 2),), wide=2.0),
    "products": Tried(MatMul(), ((2, 3), (3, 2))),
    "products, heads": Tried(MatMul(), ((2, 1, 2), (1, 2, 2))),
    "attention": attention((1, 2), (3, 2), 2),
    "attention, two queries, causal": attention((2, 2), (2, 2), 1, causal=True),
    "attention, negative scale": attention((1, 1), (2, 1), 1, scale=-3.0),
    "attention, groups": attention((2, 1, 1), (1, 2, 1), 1, scale=2.0),
    "attention, hidden keys": attention((2, 1), (3, 1), 1, visible="visible"),
    "attention, bias": attention((2, 2, 1), (2, 3, 1), 1, bias="bias"),
    "attention to one key": attention((2, 1), (3, 1), 2, visible="one for all"),
    "attention, wide": attention((1, 2), (2, 2), 1, wide=3.0),
    "attention, small": attention((1, 1), (2, 1), 1, scale=0.5),
    "attention, small, wide": attention((1, 1), (2, 1), 1, scale=0.1, wide=3.0),
    "attention, four heads": attention((4, 1, 1), (2, 2, 1), 1),
    "standardise": Tried(Standardise((0,), 0.1), ((3,),)),
    "standardise, two": Tried(Standardise((0,), 0.01), ((2, 2),)),
    "standardise, groups": Tried(Standardise((1, 2), 0.3), ((2, 2, 2),)),
    "standardise, near 0": Tried(Standardise((0,), 0.3), ((2, 2),), wide=0.1),
    "root mean square": Tried(Standardise((1,), 0.1, False), ((2, 2),)),
    "root mean square, far": Tried(Standardise((0,), 1e-4, False), ((2,),)),
    "root mean square, small": Tried(Standardise((0,), 0.05, False), ((2,),), wide=0.2),
}


SLOW = {  # beside others of their kind
    *("attention, negative scale", "attention, hidden keys", "attention, bias", "attention, wide", "attention, small"),
    *("attention, small, wide", "attention, four heads", "products, heads", "standardise, two", "standardise, groups"),
    *("standardise, near 0", "root mean square, far", "root mean square, small"),
}


def sampled(names):
    return [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in names]


def test_every_op_basis_and_function_is_tried():
    ops = [tried.op for tried in OPS.values()]
    assert {type(op) for op in ops} == set(RULES) - {Embedding}  # that takes tokens: see `test_tables`
    assert {type(op.basis) for op in ops if isinstance(op, Linear)} == set(BASES.values()) - {OneHot}
    assert {op.function for op in ops if isinstance(op, Pointwise)} == set(FUNCTIONS)


def met(found):
    """The share of bounds, one for each draw and side, that some input comes within a hundredth of."""
    close = dict[tuple, bool]()
    for draw, side, value, limit in found:
        close[draw, str(side)] = close.get((draw, str(side)), False) or value >= limit - 0.01 * abs(limit)
    return np.mean(list(close.values()))


@pytest.mark.parametrize("name", sampled(OPS))
def test_no_input_exceeds_what_the_rule_allows(name):
    """And the search is worth something: it meets 51 % of the bounds or more, 7 % where neighbours share theirs."""
    found = list(trials(OPS[name]))
    assert next(violations(found), None) is None
    print(f"{name}: {met(found):.0%} met")
    op = OPS[name].op
    alone = not isinstance(op, Linear) or op.basis.tap_bounds.row_norm == 1  # else taps meet in one entry
    assert met(found) > (0.05 if alone else 0.0)


@pytest.mark.parametrize("name", sampled(name for name in OPS if not isinstance(OPS[name].op, Constant)))
def test_no_value_is_further_off_than_rounding_allows(name):
    """The same for one network at one point that it knows up to e and a: what a float64 evaluation is bounded by."""
    found = list(trials(OPS[name], point=True))
    assert next(violations(found), None) is None
    print(f"{name}: {met(found):.0%} met")
    assert met(found) > 0.1


def test_the_logarithm_of_softmax_is_as_steep_as_its_rule_says():
    """Where one p is nearly 1, I − 1pᵀ has norm √n: √((n−1)/n) more of that x and 1/√n less of the others, together."""
    n, a = 5, 1e-3
    x = np.array([12.0, 0.0, 0.0, 0.0, 0.0])
    d = a * np.array([np.sqrt((n - 1) / n), *([-1 / np.sqrt(n * (n - 1))] * (n - 1))])
    known = Reach(x, x, np.inf, np.full(n, 1.0), a, (n,))
    moved = np.linalg.norm(log_softmax(x + d, 0) - log_softmax(x, 0))
    assert moved <= RULES[LogSoftmax](LogSoftmax(0), (known,), Facts()).error_norm <= 1.0001 * moved


POINTS = [name for name in OPS if not isinstance(OPS[name].op, Constant) and name != "gelu"]  # SciPy: only 53 bits


@pytest.mark.skipif(np.finfo(np.longdouble).eps > 1e-18, reason="long doubles are no longer than doubles here")
@pytest.mark.parametrize("name", sampled(POINTS))
def test_bounds_are_rounded_outwards(name):
    """At one point a bound is the value itself, and rounding: never below it, against 64 bits."""
    op = OPS[name].op
    found = [side for seed in range(40) for side in rounding(OPS[name], np.random.default_rng([seed, 27]))]
    assert [side for side in found if not side[1] <= side[2]] == []
    if isinstance(op, Attention):  # whose interval is that of all values
        return
    if not isinstance(op, Linear) or not (op.basis.pads or len(op.basis.stencils()) > 1):
        assert max(float(limit - value) for side, value, limit in found if side in "hl") < 1e-10


@pytest.mark.skipif(np.finfo(np.longdouble).eps > 1e-18, reason="long doubles are no longer than doubles here")
@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("dense, all signs", linear),
        ("conv", linear),
        ("add, repeated", combine),
        ("scale", combine),
        ("matrix", windows),
    ],
)
def test_bounds_that_are_not_rounded_outwards_are_noticed(name, module, monkeypatch):
    monkeypatch.setattr(module, "slack", lambda size, roundings: 0.0 * size)
    with pytest.raises(AssertionError):
        test_bounds_are_rounded_outwards(name)
