r"""Functions of one number: what they compute, how steep they are, where they turn, where they are negative.

A certificate needs of σ its Lipschitz constant L and its image of an interval. All of these are monotone but for at
most one interior minimum, so the image of [l, h] is spanned by σ(l), σ(h) and that minimum.

Sources: the constants are maxima of |σ'| (SiLU: 1.0998, GELU: 1.1290, tanh form 1.1291, Mish: 1.0885), rounded up; the
tests find them again on a grid.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Signs = Literal["never", "inherits", "everywhere"]  # can the value be negative: never; where x can; anywhere
Numbers = np.ndarray


@dataclass(frozen=True, slots=True)
class Function:
    """One function σ; `op` is the `Pointwise` with its parameters, `slope` the carried one of PRelu."""

    value: Callable[[Numbers, Any], Numbers]
    lipschitz: Callable[[Any], float]  # L, rounded up
    signs: Callable[[Any], Signs]
    parameters: tuple[str, ...] = ()
    turn: Callable[[Any], float | None] = lambda _op: None  # where σ has its interior minimum


def _constant(value: Any) -> Callable[[Any], Any]:
    return lambda _op: value


def _sigmoid(x: Numbers) -> Numbers:
    """1 / (1 + e⁻ˣ), without overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0 / (1.0 + small), small / (1.0 + small))


def _softplus(x: Numbers) -> Numbers:
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def _below(x: Numbers, other: Numbers) -> Numbers:
    """x where x ≥ 0, the other one below."""
    return np.where(x >= 0, x, other)


def _gelu(x: Numbers) -> Numbers:
    from scipy.special import ndtr

    return x * ndtr(x)


def _tanh_gelu(x: Numbers) -> Numbers:
    return 0.5 * x * (1.0 + np.tanh(np.sqrt(2.0 / np.pi) * (x + 0.044715 * x**3)))


def _clip_signs(op: Any) -> Signs:
    if op.low is not None and op.low >= 0:
        return "never"
    return "everywhere" if op.high is not None and op.high < 0 else "inherits"


_SWISH_TURN = -1.2784645427610738  # x of the minimum of x · sigmoid(x)

FUNCTIONS: dict[str, Function] = {  # of one variable, by the name that ONNX has for them
    "Relu": Function(lambda x, _: np.maximum(x, 0.0), _constant(1.0), _constant("never")),
    "LeakyRelu": Function(
        lambda x, op: _below(x, op.alpha * x),
        lambda op: max(1.0, abs(op.alpha)),
        _constant("inherits"),
        ("alpha",),
        lambda op: 0.0 if op.alpha < 0 else None,
    ),
    "PRelu": Function(lambda x, _: x, _constant(1.0), _constant("inherits"), ("slope", "axis")),  # see `interpreters`
    "Clip": Function(lambda x, op: np.clip(x, op.low, op.high), _constant(1.0), _clip_signs, ("low", "high")),
    "Sigmoid": Function(lambda x, _: _sigmoid(x), _constant(0.25), _constant("never")),
    "HardSigmoid": Function(
        lambda x, op: np.clip(op.alpha * x + op.beta, 0.0, 1.0),
        lambda op: abs(op.alpha),
        _constant("never"),
        ("alpha", "beta"),
    ),
    "Softplus": Function(lambda x, _: _softplus(x), _constant(1.0), _constant("never")),
    "LogSigmoid": Function(lambda x, _: -_softplus(-x), _constant(1.0), _constant("everywhere")),
    "Elu": Function(
        lambda x, op: _below(x, op.alpha * np.expm1(np.minimum(x, 0.0))),
        lambda op: max(1.0, abs(op.alpha)),
        _constant("inherits"),
        ("alpha",),
        lambda op: 0.0 if op.alpha < 0 else None,
    ),
    "Celu": Function(
        lambda x, op: _below(x, op.alpha * np.expm1(np.minimum(x, 0.0) / op.alpha)),
        _constant(1.0),
        _constant("inherits"),
        ("alpha",),
    ),
    "Selu": Function(
        lambda x, op: op.gamma * _below(x, op.alpha * np.expm1(np.minimum(x, 0.0))),
        lambda op: op.gamma * max(1.0, abs(op.alpha)),
        _constant("inherits"),
        ("alpha", "gamma"),
        lambda op: 0.0 if op.alpha < 0 else None,
    ),
    "Tanh": Function(lambda x, _: np.tanh(x), _constant(1.0), _constant("inherits")),
    "Softsign": Function(lambda x, _: x / (1.0 + np.abs(x)), _constant(1.0), _constant("inherits")),
    "Swish": Function(
        lambda x, op: x * _sigmoid(op.alpha * x),
        _constant(1.09984),
        _constant("inherits"),
        ("alpha",),
        lambda op: _SWISH_TURN / op.alpha,
    ),
    "HardSwish": Function(
        lambda x, _: x * np.clip(x / 6.0 + 0.5, 0.0, 1.0), _constant(1.5), _constant("inherits"), turn=_constant(-1.5)
    ),
    "Mish": Function(
        lambda x, _: x * np.tanh(_softplus(x)), _constant(1.08851), _constant("inherits"), turn=_constant(-1.1924312)
    ),
    "Gelu": Function(lambda x, _: _gelu(x), _constant(1.12905), _constant("inherits"), turn=_constant(-0.7517915)),
    "TanhGelu": Function(
        lambda x, _: _tanh_gelu(x), _constant(1.12908), _constant("inherits"), turn=_constant(-0.7524614)
    ),
}
