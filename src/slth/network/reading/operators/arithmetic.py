"""Sums and products: of values, and with constants."""

from typing import Any

import numpy as np

from slth.graph import Pointwise
from slth.network.reading.here import Batch, Here, Known, Operator, Value
from slth.network.reading.hidden import hide


def add(here: Here, a: Any) -> Value:
    """x + α y; a constant y may be −∞ where it hides an entry from a softmax."""
    x, mask = (a.self, a.other) if isinstance(a.self, Value) else (a.other, a.self)
    if isinstance(mask, Known) and (mask.numbers == -np.inf).any() and _alpha(here, a) == 1:
        visible = mask.numbers != -np.inf
        return hide(here, here.sum([(1.0, x), (1.0, np.where(visible, mask.numbers, 0.0))]), visible)
    return here.sum([(1.0, a.self), (_alpha(here, a), a.other)])


def sub(here: Here, a: Any) -> Value:
    """x − α y."""
    return here.sum([(1.0, a.self), (-_alpha(here, a), a.other)])


def rsub(here: Here, a: Any) -> Value:
    """y − α x."""
    return here.sum([(-_alpha(here, a), a.self), (1.0, a.other)])


def mul(here: Here, a: Any) -> Value:
    """x y."""
    return here.product(a.self, a.other)


def div(here: Here, a: Any) -> Value:
    """x / c."""
    if getattr(a, "rounding_mode", None) is not None:
        here.refuse("rounds its quotient")
    if isinstance(a.other, Value):
        here.refuse("divides by a value of the network; quotients by constants are read")
    if isinstance(a.other, Batch):
        here.refuse("reads the size of the batch; what a network computes must not depend on it")
    divisor = np.asarray(a.other.numbers if isinstance(a.other, Known) else a.other, np.float64)
    if (divisor == 0).any():
        here.refuse("divides by 0")
    return here.product(a.self, 1.0 / divisor)


def power(here: Here, a: Any) -> Value:
    """xⁿ for n = 1, 2, 3, 4."""
    if a.exponent not in (1, 2, 3, 4):
        here.refuse(f"has the exponent {a.exponent}; products, exponents 1 to 4, are read")
    x = y = a.self
    for _ in range(int(a.exponent) - 1):
        y = here.product(y, x)
    return y


def addcmul(here: Here, a: Any) -> Value:
    """x + c y z."""
    return here.sum([(1.0, a.self), (float(a.value), here.product(a.tensor1, a.tensor2))])


def maximum(here: Here, a: Any) -> Value:
    """max(x, y) = y + (x − y)⁺; y is the constant, if there is one, so that x stands there once."""
    x, y, number = _value_first(a)
    if number is not None:
        return here.add(Pointwise("Relu") if number == 0 else Pointwise("Clip", low=number), x)
    difference = here.sum([(1.0, x), (-1.0, y)])
    return here.sum([(1.0, here.add(Pointwise("Relu"), difference)), (1.0, y)])


def minimum(here: Here, a: Any) -> Value:
    """min(x, y) = y − (y − x)⁺; y is the constant, if there is one."""
    x, y, number = _value_first(a)
    if number is not None:
        return here.add(Pointwise("Clip", high=number), x)
    difference = here.sum([(1.0, y), (-1.0, x)])
    return here.sum([(-1.0, here.add(Pointwise("Relu"), difference)), (1.0, y)])


def _value_first(a: Any) -> tuple[Value, Any, float | None]:
    """A value, what it is compared with, and that as one finite number, if it is one."""
    x, y = (a.self, a.other) if isinstance(a.self, Value) else (a.other, a.self)
    numbers = y.numbers if isinstance(y, Known) else np.asarray(np.nan)
    same = numbers.size > 0 and bool((numbers == numbers.flat[0]).all()) and bool(np.isfinite(numbers.flat[0]))
    fits = isinstance(y, Known) and y.tensor.ndim <= len(x.shape) + 1 and _fits(y.tensor.shape, x.shape)
    return x, y, float(numbers.flat[0]) if same and fits else None


def _fits(own: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """A constant that does not enlarge a value of a shape."""
    whole = (1, *shape)
    return np.broadcast_shapes(own, whole) == whole


def _alpha(here: Here, a: Any) -> float:
    alpha = getattr(a, "alpha", 1)
    if isinstance(alpha, Batch):
        here.refuse("reads the size of the batch; what a network computes must not depend on it")
    return float(alpha)


TABLE: dict[str, Operator] = {
    **{f"add.{kind}": add for kind in ("Tensor", "Scalar")},
    **{f"sub.{kind}": sub for kind in ("Tensor", "Scalar")},
    **{f"rsub.{kind}": rsub for kind in ("Tensor", "Scalar")},
    **{f"mul.{kind}": mul for kind in ("Tensor", "Scalar")},
    **{f"div.{kind}": div for kind in ("Tensor", "Scalar", "Tensor_mode", "Scalar_mode")},
    "neg.default": lambda here, a: here.sum([(-1.0, a.self)]),
    "pow.Tensor_Scalar": power,
    "square.default": lambda here, a: here.product(a.self, a.self),
    "addcmul.default": addcmul,
    "maximum.default": maximum,
    "max.other": maximum,
    "minimum.default": minimum,
    "min.other": minimum,
}
