"""Functions of one number, and sums along an axis of such: activations, softmax."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np

from slth.graph import LogSoftmax, Pointwise, Slice, Softmax
from slth.network.reading.here import Here, Known, Operator, Value
from slth.network.reading.operators.arithmetic import maximum, minimum

SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
STABLE = 15.0  # softplus returns x above a threshold; from here on that is e⁻¹⁵ away at most


def function(op: Pointwise) -> Operator:
    """An operator that is one function, whatever its arguments."""
    return lambda here, a: here.add(op, _input(a))


def clip(here: Here, a: Any) -> Value:
    """Between two numbers, or one; bounds that are tensors are numbers of their entries."""
    given = [getattr(a, first, getattr(a, second, None)) for first, second in (("min", "min_val"), ("max", "max_val"))]
    if any(isinstance(end, (Known, Value)) and (isinstance(end, Value) or end.tensor.numel() > 1) for end in given):
        x = _input(a)
        for end, of in zip(given, (maximum, minimum), strict=True):
            x = x if end is None else of(here, SimpleNamespace(self=x, other=end))
        return x
    ends = [_number(here, end) for end in given]
    low, high = (None if end == none else end for end, none in zip(ends, (-math.inf, math.inf), strict=True))
    if low == 0.0 and high is None:
        return here.add(Pointwise("Relu"), _input(a))
    if low is high is None:
        return _input(a)
    if low is not None and high is not None and low > high:
        here.refuse(f"has bounds {low:g} > {high:g}")
    if math.inf in (low, high) or -math.inf in (low, high):
        here.refuse("leaves infinity alone between its bounds")
    return here.add(Pointwise("Clip", low=low, high=high), _input(a))


def prelu(here: Here, a: Any) -> Value:
    """x, below 0 times a slope of its channel."""
    x, slopes = _input(a), a.weight
    if not isinstance(slopes, Known):
        here.refuse("has slopes that depend on the input")
    if slopes.tensor.numel() == 1:
        return here.add(Pointwise("LeakyRelu", alpha=float(slopes.numbers.reshape(()))), x)
    return here.add(Pointwise("PRelu", slope="slope", axis=0), x, arrays={"slope": slopes.numbers.reshape(-1)})


def elu(here: Here, a: Any) -> Value:
    """x, below 0 α (eˣ − 1)."""
    scale, inner = getattr(a, "scale", 1), getattr(a, "input_scale", 1)
    if inner != 1:
        here.refuse(f"scales its input by {inner}")
    if scale != 1:
        return here.add(Pointwise("Selu", alpha=float(a.alpha), gamma=float(scale)), _input(a))
    return here.add(Pointwise("Elu", alpha=float(a.alpha)), _input(a))


def softplus(here: Here, a: Any) -> Value:
    """ln(1 + e^βx)/β."""
    beta, threshold = float(a.beta), float(a.threshold)
    if threshold < STABLE:
        here.refuse(f"jumps at its threshold {threshold:g}; a threshold of 20, the default, is read")
    x = _input(a)
    y = here.add(Pointwise("Softplus"), x if beta == 1 else here.diagonal(x, beta, 0.0))
    here.draft.steps[y.name].assumed = (
        f"softplus is taken as ln(1 + exp(βx))/β everywhere; PyTorch gives x itself where βx > {threshold:g}, less "
        f"than {math.exp(-threshold) / beta:.0e} away"
    )
    return y if beta == 1 else here.diagonal(y, 1 / beta, 0.0)


def gelu(here: Here, a: Any) -> Value:
    """x Φ(x), or its tanh form."""
    return here.add(Pointwise("TanhGelu" if a.approximate == "tanh" else "Gelu"), _input(a))


def rrelu(here: Here, a: Any) -> Value:
    """In evaluation mode a leaky ReLU with the mean slope."""
    if a.training:
        here.refuse("draws random slopes; put it into evaluation mode")
    return here.add(Pointwise("LeakyRelu", alpha=(float(a.lower) + float(a.upper)) / 2), _input(a))


def softshrink(here: Here, a: Any) -> Value:
    """x − clip(x, −λ, λ)."""
    return shrunk(here, _input(a), float(a.lambd))


def shrunk(here: Here, x: Value, most: float) -> Value:
    """x − clip(x, −λ, λ): towards 0 by λ."""
    clipped = here.add(Pointwise("Clip", low=-most, high=most), x)
    return here.sum([(1.0, x), (-1.0, clipped)])


def threshold(here: Here, a: Any) -> Value:
    """x above t, else a number: continuous where that number is t."""
    t, other = float(a.threshold), float(a.value)
    if t != other:
        here.refuse(
            f"jumps from {other:g} to {t:g} at its threshold: such a function has no Lipschitz constant, so that "
            "nothing could be claimed behind it; a value equal to the threshold is read"
        )
    return here.add(Pointwise("Relu") if t == 0 else Pointwise("Clip", low=t), _input(a))


def logaddexp(here: Here, a: Any) -> Value:
    """ln(eˣ + eʸ) = y + ln(1 + eˣ⁻ʸ)."""
    difference = here.sum([(1.0, a.self), (-1.0, a.other)])
    return here.sum([(1.0, here.add(Pointwise("Softplus"), difference)), (1.0, a.other)])


def glu(here: Here, a: Any) -> Value:
    """The first half of an axis times the sigmoid of the second."""
    x = _input(a)
    axis = here.axis(a.dim, len(x.shape))
    half = x.shape[axis] // 2
    first, second = (here.add(Slice(axis, i * half, (i + 1) * half), x) for i in (0, 1))
    return here.product(first, here.add(Pointwise("Sigmoid"), second))


def softmax(here: Here, a: Any) -> Value:
    """eˣ / Σ eˣ along an axis."""
    x = _input(a)
    return here.add(Softmax(here.axis(a.dim, len(x.shape))), x)


def log_softmax(here: Here, a: Any) -> Value:
    """Its logarithm."""
    x = _input(a)
    return here.add(LogSoftmax(here.axis(a.dim, len(x.shape))), x)


def dropout_stays(here: Here, _: Any) -> Any:
    """Dropout that evaluation mode does not switch off."""
    here.refuse("stays active in evaluation mode; a network must compute the same each time: training=self.training")


def _input(a: Any) -> Value:
    return a.self if hasattr(a, "self") else a.input


def _number(here: Here, value: Any) -> float | None:
    """A plain number, also as a tensor of one entry."""
    if isinstance(value, Known) and value.tensor.numel() == 1:
        return float(value.numbers.reshape(()))
    if value is not None and not isinstance(value, (int, float, np.number)):
        here.refuse("has bounds that are no plain numbers")
    return None if value is None else float(value)


TABLE: dict[str, Operator] = {
    "relu.default": function(Pointwise("Relu")),
    "relu6.default": function(Pointwise("Clip", low=0.0, high=6.0)),
    "leaky_relu.default": lambda here, a: here.add(Pointwise("LeakyRelu", alpha=float(a.negative_slope)), _input(a)),
    "abs.default": function(Pointwise("LeakyRelu", alpha=-1.0)),
    "prelu.default": prelu,
    "_prelu_kernel.default": prelu,
    "rrelu.default": rrelu,
    **{
        f"{name}.{kind}": clip
        for name in ("clamp", "clip", "clamp_min", "clamp_max", "hardtanh")
        for kind in ("default", "Tensor")
    },
    "sigmoid.default": function(Pointwise("Sigmoid")),
    "hardsigmoid.default": function(Pointwise("HardSigmoid", alpha=1 / 6, beta=0.5)),
    "log_sigmoid.default": function(Pointwise("LogSigmoid")),
    "tanh.default": function(Pointwise("Tanh")),
    "silu.default": function(Pointwise("Swish", alpha=1.0)),
    "hardswish.default": function(Pointwise("HardSwish")),
    "mish.default": function(Pointwise("Mish")),
    "gelu.default": gelu,
    "elu.default": elu,
    "selu.default": function(Pointwise("Selu", alpha=SELU_ALPHA, gamma=SELU_SCALE)),
    "celu.default": lambda here, a: here.add(Pointwise("Celu", alpha=float(a.alpha)), _input(a)),
    "softplus.default": softplus,
    "softshrink.default": softshrink,
    "threshold.default": threshold,
    "logaddexp.default": logaddexp,
    "glu.default": glu,
    "softmax.int": softmax,
    "_softmax.default": softmax,
    "log_softmax.int": log_softmax,
    "_log_softmax.default": log_softmax,
    "native_dropout.default": dropout_stays,
    "dropout.default": lambda here, a: dropout_stays(here, a) if a.train and a.p else a.input,
}
