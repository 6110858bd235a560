"""Sums, products, scales: Add, Multiply, Scale, Normalise. Nothing is known of how two values go together."""

import math

import numpy as np

from slth.certificate.reach import Numbers, Reach, norm_over, repeated, tightened, times
from slth.certificate.rules.rule import Facts, shape_after
from slth.graph import Add, Multiply, Normalise, Scale, square
from slth.numerics import above, product_bound, slack


def through_add(op: Add, inputs: tuple[Reach, ...], facts: Facts) -> Reach:
    """Σ c_i x_i: e' = Σ |c_i| e_i, the same for r and a."""
    shape = shape_after(op, inputs, facts)
    terms = len(inputs)
    low = high = error = size = np.zeros((1,) * len(shape))
    norm = error_norm = 0.0
    for c, x in zip(op.coefficients, inputs, strict=True):
        ends = c * x.lower, c * x.upper
        low, high = low + np.minimum(*ends), high + np.maximum(*ends)
        size = size + product_bound(x.sizes, abs(c))
        error = error + product_bound(x.error, abs(c))
        norm += times(abs(c), repeated(x.norm, x.shape, shape))
        error_norm += times(abs(c), repeated(x.error_norm, x.shape, shape))
    off = slack(size, terms + 1)
    return tightened(
        Reach(low - off, high + off, above(norm, terms), above(error, terms), above(error_norm, terms), shape)
    )


def through_multiply(op: Multiply, inputs: tuple[Reach, ...], facts: Facts) -> Reach:
    """u v: û v̂ - u v = u (v̂ - v) + (û - u) v̂, so e' = ū e_v + v̄ e_u + e_u e_v with ū = max(|l|, |h|)."""
    shape = shape_after(op, inputs, facts)
    u, v = inputs
    corners = np.broadcast_arrays(*(x * y for x in (u.lower, u.upper) for y in (v.lower, v.upper)))
    off = slack(product_bound(u.sizes, v.sizes), 1)
    error = product_bound(u.sizes, v.error) + product_bound(v.sizes, u.error) + product_bound(u.error, v.error)

    def largest(numbers: Numbers) -> float:
        return float(numbers.max())

    norms = [repeated(x.norm, x.shape, shape) for x in inputs]
    norm = min(times(largest(u.sizes), norms[1]), times(largest(v.sizes), norms[0]))
    apart = [repeated(x.error_norm, x.shape, shape) for x in inputs]
    moved = [above(largest(x.sizes + x.error), 1) for x in inputs]
    error_norm = min(
        above(times(largest(u.sizes), apart[1]) + times(moved[1], apart[0]), 1),
        above(times(largest(v.sizes), apart[0]) + times(moved[0], apart[1]), 1),
    )
    low, high = np.minimum.reduce(corners) - off, np.maximum.reduce(corners) + off
    return tightened(Reach(low, high, norm, above(error, 2), error_norm, shape))


def through_scale(op: Scale, inputs: tuple[Reach, ...], facts: Facts) -> Reach:
    """g x + t, one g and t for each index of an axis."""
    (x,) = inputs
    along = tuple(-1 if axis == op.axis else 1 for axis in range(len(x.shape)))

    def numbers(name: str | None, otherwise: float) -> Numbers:
        array = np.full(x.shape[op.axis], otherwise) if name is None else facts.carried[name].astype(np.float64)
        return array.reshape(along)

    g, t = numbers(op.scale, 1.0), numbers(op.shift, 0.0)
    ends = g * x.lower, g * x.upper
    off = slack(product_bound(np.abs(g), x.sizes) + np.abs(t), 2)
    largest = float(np.abs(g).max())
    norm = above(times(largest, x.norm) + norm_over(t, x.shape), 1)
    return tightened(
        Reach(
            np.minimum(*ends) + t - off,
            np.maximum(*ends) + t + off,
            norm,
            product_bound(np.abs(g), x.error),
            times(largest, x.error_norm),
            x.shape,
        )
    )


def through_normalise(op: Normalise, inputs: tuple[Reach, ...], facts: Facts) -> Reach:
    """g (x − μ) + β with g = γ/√(σ² + ε), which float64 gives with four roundings: e' = |g| e."""
    (x,) = inputs
    along = tuple(-1 if axis == op.axis else 1 for axis in range(len(x.shape)))
    length = x.shape[op.axis]

    def numbers(name: str | None, otherwise: float) -> Numbers:
        return np.full(length, otherwise) if name is None else facts.carried[name].astype(np.float64)

    g = (numbers(op.scale, 1.0) / np.sqrt(square(op, facts.carried))).reshape(along)
    mean, shift = (numbers(name, 0.0).reshape(along) for name in (op.mean, op.shift))
    gain = above(np.abs(g), 4)
    ends = g * (x.lower - mean), g * (x.upper - mean)
    off = slack(product_bound(gain, x.sizes + np.abs(mean)) + np.abs(shift), 7)
    largest = float(gain.max())
    away = product_bound(gain, np.abs(mean)) + np.abs(shift)
    norm = above(times(largest, x.norm) + norm_over(above(away, 1), x.shape), 1)
    return tightened(
        Reach(
            np.minimum(*ends) + shift - off,
            np.maximum(*ends) + shift + off,
            norm,
            product_bound(gain, x.error),
            times(largest, x.error_norm),
            x.shape,
        )
    )


def root_of_squares(norms: list[float]) -> float:
    """√Σ r_i², from above: the norm of values side by side."""
    largest = max(norms)
    if largest == 0.0 or not math.isfinite(largest):
        return largest
    return times(largest, above(math.sqrt(sum((norm / largest) ** 2 for norm in norms)), len(norms) + 2))
