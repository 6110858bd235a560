"""Functions of one number: constants that bounds rest on, found again on a grid, and rounding against 50 digits."""

import mpmath
import numpy as np
import pytest

from slth.certificate import functions
from slth.graph import FUNCTIONS, Pointwise, pointwise

SELU = (1.6732632423543772, 1.0507009873554805)
EXAMPLES = {  # the function, and σ in 50 digits
    "Relu": (Pointwise("Relu"), lambda x: max(x, 0)),
    "LeakyRelu": (Pointwise("LeakyRelu", alpha=0.01), lambda x: x if x >= 0 else mpmath.mpf(0.01) * x),
    "LeakyRelu, turning": (Pointwise("LeakyRelu", alpha=-2.0), lambda x: x if x >= 0 else -2 * x),
    "Clip": (Pointwise("Clip", low=0.0, high=6.0), lambda x: min(max(x, 0), 6)),
    "Sigmoid": (Pointwise("Sigmoid"), lambda x: 1 / (1 + mpmath.exp(-x))),
    "HardSigmoid": (
        Pointwise("HardSigmoid", alpha=1 / 6, beta=0.5),
        lambda x: min(max(mpmath.mpf(1 / 6) * x + mpmath.mpf(0.5), 0), 1),
    ),
    "Softplus": (Pointwise("Softplus"), lambda x: mpmath.log1p(mpmath.exp(x))),
    "LogSigmoid": (Pointwise("LogSigmoid"), lambda x: -mpmath.log1p(mpmath.exp(-x))),
    "Elu": (Pointwise("Elu", alpha=1.5), lambda x: x if x >= 0 else mpmath.mpf(1.5) * mpmath.expm1(x)),
    "Celu": (
        Pointwise("Celu", alpha=0.7),
        lambda x: x if x >= 0 else mpmath.mpf(0.7) * mpmath.expm1(x / mpmath.mpf(0.7)),
    ),
    "Selu": (
        Pointwise("Selu", alpha=SELU[0], gamma=SELU[1]),
        lambda x: mpmath.mpf(SELU[1]) * (x if x >= 0 else mpmath.mpf(SELU[0]) * mpmath.expm1(x)),
    ),
    "Tanh": (Pointwise("Tanh"), mpmath.tanh),
    "Softsign": (Pointwise("Softsign"), lambda x: x / (1 + abs(x))),
    "Swish": (Pointwise("Swish", alpha=1.0), lambda x: x / (1 + mpmath.exp(-x))),
    "Swish, quick": (Pointwise("Swish", alpha=1.702), lambda x: x / (1 + mpmath.exp(-mpmath.mpf(1.702) * x))),
    "HardSwish": (Pointwise("HardSwish"), lambda x: x * min(max(x / 6 + mpmath.mpf(0.5), 0), 1)),
    "Mish": (Pointwise("Mish"), lambda x: x * mpmath.tanh(mpmath.log1p(mpmath.exp(x)))),
    "Gelu": (Pointwise("Gelu"), lambda x: x * mpmath.ncdf(x)),
    "TanhGelu": (
        Pointwise("TanhGelu"),
        lambda x: x / 2 * (1 + mpmath.tanh(mpmath.sqrt(2 / mpmath.pi) * (x + mpmath.mpf("0.044715") * x**3))),
    ),
}
TURNS = {"Swish": -0.278465, "Gelu": -0.169972, "TanhGelu": -0.170041, "HardSwish": -0.375, "Mish": -0.308844}
GRID = np.linspace(-12, 12, 480_001)


@np.errstate(over="ignore")
def value(op, x):
    return pointwise(op, x[None], {})[0]


def test_every_function_has_an_example():
    assert {op.function for op, _ in EXAMPLES.values()} | {"PRelu"} == set(FUNCTIONS)  # a LeakyRelu for each index


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_lipschitz_constant_is_the_largest_slope(name):
    """Never exceeded between neighbours of a grid, and met within 2e-4."""
    op, _ = EXAMPLES[name]
    y = value(op, GRID)
    steepest = (np.abs(np.diff(y)) / np.diff(GRID)).max()
    constant = float(functions.lipschitz(op, {}, 1).max())
    assert constant * (1 - 2e-4) <= steepest <= constant + 1e-9


@pytest.mark.parametrize("name", EXAMPLES)
def test_values_between_the_ends_lie_in_the_image(name):
    """At most one turn, where `turn` says: the image of any interval holds what a grid finds inside, and is met."""
    op, _ = EXAMPLES[name]
    y = value(op, GRID)
    rng = np.random.default_rng(0)
    for _ in range(300):
        i, j = np.sort(rng.integers(0, len(GRID), 2))
        low, high = functions.image(op, GRID[[i]], GRID[[j]], {})
        inside = y[i : j + 1]
        assert low[0] <= inside.min() <= low[0] + 1e-9
        assert high[0] - 1e-9 <= inside.max() <= high[0]
    if name in TURNS:
        assert abs(y.min() - TURNS[name]) < 1e-6


@pytest.mark.parametrize("name", EXAMPLES)
def test_float64_is_as_close_to_the_real_value_as_is_said(name):
    """A tenth of what is allowed for is used, from 1e-300 to 1e5, on both sides of 0."""
    op, exact = EXAMPLES[name]
    rng = np.random.default_rng(1)
    x = np.concatenate(
        [rng.uniform(-20, 20, 600), rng.normal(size=300), rng.choice([-1, 1], 300) * 10 ** rng.uniform(-300, 5, 300)]
    )
    found = value(op, x)
    allowed = functions.rounding(op, x, found, functions.lipschitz(op, {}, 1))
    with mpmath.workdps(400):
        off = np.array(
            [float(abs(mpmath.mpf(v) - exact(mpmath.mpf(a)))) for a, v in zip(x.tolist(), found.tolist(), strict=True)]
        )
    used = (off / np.where(allowed == 0, 1.0, allowed)).max()
    print(f"{name}: {64 * used:.1f} of 64")
    assert used < 0.15


def test_a_wrong_constant_is_noticed(monkeypatch):
    monkeypatch.setattr(functions, "lipschitz", lambda op, carried, axes: np.ones((1,) * axes))
    with pytest.raises(AssertionError):
        test_the_lipschitz_constant_is_the_largest_slope("Gelu")


def test_a_forgotten_turn_is_noticed(monkeypatch):
    monkeypatch.setattr(functions, "turn", lambda op: None)
    with pytest.raises(AssertionError):
        test_values_between_the_ends_lie_in_the_image("Mish")


def test_an_allowance_that_is_too_small_is_noticed(monkeypatch):
    monkeypatch.setattr(functions, "ROUNDING", 2.0**-53)
    with pytest.raises(AssertionError):
        test_float64_is_as_close_to_the_real_value_as_is_said("Gelu")
