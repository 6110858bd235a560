"""Functions of one number, and softmax."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from slth.graph import Pointwise
from slth.network.reading.here import Known, Value
from slth.network.reading.onnx.call import FLOATS_END, Call, Operator, decimal
from slth.network.reading.onnx.files import FLOATS
from slth.network.reading.operators import pointwise
from slth.network.reading.operators.choices import where

SIXTH = 1 / 6  # in float32 0.16666667, the slope of PyTorch's hardsigmoid
SELU = (pointwise.SELU_ALPHA, pointwise.SELU_SCALE)


def function(op: Pointwise) -> Operator:
    """An operator that is one function, whatever its attributes."""
    return lambda call: call.here.add(op, call.x)


def hard_sigmoid(call: Call) -> Value:
    """αx + β between 0 and 1."""
    alpha, beta = call.number("alpha", 0.2), call.number("beta", 0.5)
    alpha = SIXTH if alpha == decimal(SIXTH) else alpha
    return call.here.add(Pointwise("HardSigmoid", alpha=alpha, beta=beta), call.x)


def selu(call: Call) -> Value:
    """γx, below 0 γα (eˣ − 1)."""
    numbers = call.number("alpha", SELU[0]), call.number("gamma", SELU[1])
    alpha, gamma = SELU if numbers == (decimal(SELU[0]), decimal(SELU[1])) else numbers
    return call.here.add(Pointwise("Selu", alpha=alpha, gamma=gamma), call.x)


def prelu(call: Call) -> Value:
    """x, below 0 times slopes that may differ along any axes: x⁺ − s (−x)⁺ where they differ along several."""
    here, x, slopes = call.here, call.x, call.known(1, "slopes")
    assert slopes is not None
    numbers, rank = slopes.numbers, len(x.shape)
    while numbers.ndim > rank and len(numbers) == 1:
        numbers = numbers[0]
    if numbers.ndim > rank or np.broadcast_shapes(numbers.shape, x.shape) != x.shape:
        here.refuse(f"has slopes of shape {numbers.shape} for values of shape {x.shape} (without the batch)")
    if numbers.size == 1:
        return here.add(Pointwise("LeakyRelu", alpha=float(numbers.reshape(()))), x)
    wide = [axis for axis, length in enumerate(numbers.shape, rank - numbers.ndim) if length > 1]
    if len(wide) == 1:
        return here.add(Pointwise("PRelu", slope="slope", axis=wide[0]), x, arrays={"slope": numbers.reshape(-1)})
    below = here.add(Pointwise("Relu"), here.diagonal(x, -1.0, 0.0))
    return here.sum([(1.0, here.add(Pointwise("Relu"), x)), (-1.0, here.product(below, slopes))])


def clip(call: Call) -> Value:
    """Between two bounds, or one; beyond the largest number of float32 there is none."""
    ends: list[Any] = []
    for i, (name, sign) in enumerate((("min", -1), ("max", 1)), 1):
        given: Any = call.attributes.get(name)
        given = call.known(i, "bounds") if given is None else decimal(given)
        number = given.numbers if isinstance(given, Known) else np.asarray(given, np.float64)
        ends.append(None if given is None or (sign * number >= FLOATS_END).all() else given)
    return pointwise.clip(call.here, SimpleNamespace(self=call.x, min=ends[0], max=ends[1]))


def soft(log: bool) -> Operator:
    """Softmax or its logarithm; before opset 13 over all axes from the named one on."""

    def operator(call: Call) -> Value:
        x, here = call.x, call.here
        take = pointwise.log_softmax if log else pointwise.softmax
        if call.opset >= 13:
            return take(here, SimpleNamespace(self=x, dim=call.whole("axis", -1)))
        axis = call.axis(call.whole("axis", 1))
        lengths = [int(np.prod(part, dtype=np.int64)) for part in (x.shape[:axis], x.shape[axis:])]
        flat = here.reshape(x, tuple(lengths)) if axis < len(x.shape) - 1 else x
        return here.reshape(take(here, SimpleNamespace(self=flat, dim=-1)), x.shape)

    return operator


def dropout(call: Call) -> Any:
    """Nothing, in inference."""
    training = call.known(2, "its mode")
    if training is not None and bool(training.tensor.any()):
        call.here.refuse("stays active; a network must compute the same each time: export it in evaluation mode")
    return (call.x, None)


def cast(call: Call) -> Value:
    """Another floating-point type: nothing in real arithmetic."""
    kind = call.whole("to", 1)
    if kind not in FLOATS:
        call.here.refuse("rounds to whole numbers or bits; a network of real numbers is read")
    return call.x


def cast_like(call: Call) -> Value | Known:
    """A value, or a constant, in the type of another value, which is a floating-point one."""
    x = call.inputs[0]
    return Known(x.tensor.float(), x.names) if isinstance(x, Known) else call.x


def shrink(call: Call) -> Value:
    """x − clip(x, −λ, λ), where the bias is λ."""
    most, bias = call.number("lambd", 0.5), call.number("bias", 0.0)
    if most != bias:
        call.here.refuse(f"jumps at {most:g}: such a function has no Lipschitz constant; a bias of {most:g} is read")
    return pointwise.shrunk(call.here, call.x, most)


def thresholded(call: Call) -> Value:
    """x above α, else 0: continuous where α is 0."""
    return pointwise.threshold(call.here, SimpleNamespace(self=call.x, threshold=call.number("alpha", 1.0), value=0.0))


def chosen(call: Call) -> Value:
    """m x + (1 − m) y, with a constant mask."""
    condition, x, y = call.inputs
    return where(call.here, SimpleNamespace(condition=condition, self=x, other=y))


TABLE: dict[str, Operator] = {
    "Relu": function(Pointwise("Relu")),
    "LeakyRelu": lambda call: call.here.add(Pointwise("LeakyRelu", alpha=call.number("alpha", 0.01)), call.x),
    "Abs": function(Pointwise("LeakyRelu", alpha=-1.0)),
    "PRelu": prelu,
    "Clip": clip,
    "Sigmoid": function(Pointwise("Sigmoid")),
    "HardSigmoid": hard_sigmoid,
    "Tanh": function(Pointwise("Tanh")),
    "Softplus": function(Pointwise("Softplus")),
    "Softsign": function(Pointwise("Softsign")),
    "HardSwish": function(Pointwise("HardSwish")),
    "Swish": lambda call: call.here.add(Pointwise("Swish", alpha=call.number("alpha", 1.0)), call.x),
    "Mish": function(Pointwise("Mish")),
    "Gelu": lambda call: call.here.add(
        Pointwise("TanhGelu" if call.text("approximate", "none") == "tanh" else "Gelu"), call.x
    ),
    "Elu": lambda call: call.here.add(Pointwise("Elu", alpha=call.number("alpha", 1.0)), call.x),
    "Celu": lambda call: call.here.add(Pointwise("Celu", alpha=call.number("alpha", 1.0)), call.x),
    "Selu": selu,
    "Shrink": shrink,
    "ThresholdedRelu": thresholded,
    "Softmax": soft(log=False),
    "LogSoftmax": soft(log=True),
    "Identity": lambda call: call.x,
    "Cast": cast,
    "CastLike": cast_like,
    "Dropout": dropout,
    "Where": chosen,
}
