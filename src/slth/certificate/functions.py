r"""Functions of one number as bounds need them: an image of [l, h] and a Lipschitz constant, both on the safe side.

Rounding: σ(x) as `slth.graph.pointwise` computes it is within

$$2^{-47} (|\sigma(x)| + L |x|)$$

of the real σ(x), u = 2⁻⁵³. That is 64 roundings of the result, and 64 of what a formula makes of its argument (αx in
Swish, x/√2 in the normal distribution): a relative δ there moves σ by at most L |x| δ. NumPy and SciPy promise a few
units in the last place of exp, expm1, log1p, tanh and ndtr; the tests compare with 50 digits and find 2 of the 64.
The interior minimum is known to 8 digits, which costs its value 10⁻¹⁵ relative: covered, too.
"""

import math

import numpy as np

from slth.graph import FUNCTIONS, Carried, Pointwise, pointwise
from slth.numerics import FLOOR, product_bound

ROUNDING = 2.0**-47
EXACT = ("Relu", "Clip")  # comparisons only


def lipschitz(op: Pointwise, carried: Carried, axes: int) -> np.ndarray:
    """L of σ, of size 1 along each of so many axes; one for each index of PRelu's axis."""
    if op.slope is None:
        return np.full((1,) * axes, float(abs(FUNCTIONS[op.function].lipschitz(op))))
    assert op.axis is not None
    slopes = np.abs(carried[op.slope].astype(np.float64))
    return np.maximum(slopes, 1.0).reshape(*(-1 if i == op.axis else 1 for i in range(axes)))


def turn(op: Pointwise) -> float | None:
    """Where σ has an interior minimum or maximum, if it can have one."""
    return 0.0 if op.slope is not None else FUNCTIONS[op.function].turn(op)


def rounding(op: Pointwise, x: np.ndarray, found: np.ndarray, steepness: np.ndarray) -> np.ndarray:
    """A bound on |found - σ(x)|, for σ(x) found in float64 and a σ of this Lipschitz constant."""
    if op.function in EXACT:
        return np.zeros_like(found)
    return ROUNDING * (np.abs(found) + product_bound(steepness, np.abs(x))) + FLOOR


def image(op: Pointwise, lower: np.ndarray, upper: np.ndarray, carried: Carried) -> tuple[np.ndarray, np.ndarray]:
    """σ([lower, upper]), rounded outwards: spanned by the ends and the turn, where it lies between them."""
    lower, upper = np.broadcast_arrays(lower, upper)  # each may share other axes
    low, high = images(op, lower[None], upper[None], carried)
    return low[0], high[0]


@np.errstate(over="ignore")  # e^x of a large x is infinite on the way to a finite value
def images(op: Pointwise, lower: np.ndarray, upper: np.ndarray, carried: Carried) -> tuple[np.ndarray, np.ndarray]:
    """The same for each of a batch."""
    lows, highs = list[np.ndarray](), list[np.ndarray]()
    steepness = lipschitz(op, carried, lower.ndim - 1)

    def add(points: np.ndarray) -> None:
        found = pointwise(op, points, carried)
        off = rounding(op, points, found, steepness)
        lows.append(found - off)
        highs.append(found + off)

    add(lower)
    add(upper)
    at = turn(op)
    if at is not None:
        add(np.clip(at, lower, upper))
    low, high = np.minimum.reduce(lows), np.maximum.reduce(highs)
    if FUNCTIONS[op.function].signs(op) == "never":
        low = np.maximum(low, 0.0)
    return low, high


def at_zero(op: Pointwise, carried: Carried, axes: int) -> float:
    """A bound on |σ(0)|, whatever the index."""
    low, high = image(op, np.zeros((1,) * axes), np.zeros((1,) * axes), carried)
    return max(abs(float(low.min())), abs(float(high.max()))) if not math.isnan(float(low.min())) else math.inf
