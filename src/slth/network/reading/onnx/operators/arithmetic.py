"""Sums and products: of values, and with constants."""

from functools import reduce
from types import SimpleNamespace
from typing import Any

from slth.network.reading.here import Known, Value
from slth.network.reading.onnx.call import Call, Operator
from slth.network.reading.operators import arithmetic


def total(*coefficients: float) -> Operator:
    """Σ c_i x_i, of so many inputs; of any number without coefficients."""
    return lambda call: call.here.sum(list(zip(coefficients or (1.0,) * len(call.inputs), call.inputs, strict=True)))


def mean(call: Call) -> Value:
    """The mean of values."""
    return call.here.sum([(1.0 / len(call.inputs), x) for x in call.inputs])


def product(call: Call) -> Value:
    """x y."""
    return call.here.product(*call.inputs)


def quotient(call: Call) -> Value:
    """x / c."""
    x, y = call.inputs
    return arithmetic.div(call.here, SimpleNamespace(self=x, other=y))


def power(call: Call) -> Value:
    """xⁿ for n = 1, 2, 3, 4."""
    exponent = call.known(1, "exponents")
    assert exponent is not None
    if exponent.tensor.numel() != 1:
        call.here.refuse("has several exponents; one is read")
    return arithmetic.power(call.here, SimpleNamespace(self=call.x, exponent=float(exponent.numbers.reshape(()))))


def extreme(of: Any) -> Operator:
    """The largest or smallest of any number of values and constants."""

    def operator(call: Call) -> Value:
        parts = sorted(call.inputs, key=lambda part: isinstance(part, Known))  # values first
        return reduce(lambda x, y: of(call.here, SimpleNamespace(self=x, other=y)), parts)

    return operator


TABLE: dict[str, Operator] = {
    "Add": total(1.0, 1.0),
    "Sub": total(1.0, -1.0),
    "Neg": total(-1.0),
    "Sum": total(),
    "Mean": mean,
    "Mul": product,
    "Div": quotient,
    "Pow": power,
    "Max": extreme(arithmetic.maximum),
    "Min": extreme(arithmetic.minimum),
}
