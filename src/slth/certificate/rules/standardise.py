r"""Standardise: y = u/s over n entries of each example, u = x less its mean, or x, and s² = ‖u‖²/n + ε.

(u/√n, √ε) has length s, so that y/√n is a part of a unit vector, and two unit vectors w/s, ŵ/ŝ are no further apart
than 2 ‖ŵ − w‖/(s + ŝ) (Dunkl and Williams, 1964). With δ = ‖û − u‖ ≤ ‖x̂ − x‖:

    ‖ŷ − y‖ ≤ 2 δ/(s + ŝ),    ŝ ≥ max(√ε, s − δ/√n),    |ŷ_i − y_i| ≤ (|û_i − u_i| + |y_i| δ/√n)/ŝ,    or with ŷ_i and s

and both have |y_i| ≤ √n, √(n − 1) if a mean is taken off, and ‖y‖ ≤ √n. Everywhere s ≥ √ε; a larger floor is proved
where intervals keep entries away from their mean. Where ε = 0 and none is proved, y itself is undefined somewhere:
claims stop there.
"""

import math

import numpy as np

from slth.certificate.reach import Numbers, Reach, tightened, times
from slth.certificate.rules.rule import Facts
from slth.graph import Standardise
from slth.numerics import FLOOR, above, norm_bound, product_bound, slack

_FEW = 2.0**-50  # what a square root and a quotient are off by, relative


def through_standardise(op: Standardise, inputs: tuple[Reach, ...], _: Facts) -> Reach | None:
    """The rule; None where nothing keeps the variance away from 0."""
    (x,) = inputs
    axes, count = op.axes, math.prod(x.shape[axis] for axis in op.axes)
    low, high, moved = _without_mean(x, axes, count) if op.centred else (x.lower, x.upper, x.error)
    floor = _floor(np.maximum(np.maximum(low, -high), 0.0), op, count)
    if not (floor > 0).all():
        return None
    largest = np.maximum(np.abs(low), np.abs(high))
    square = above(np.mean(largest * largest, axis=axes, keepdims=True), count + 2)
    square = np.minimum(square, above(times(x.norm, x.norm) / count, 1)) + FLOOR
    most = above(np.sqrt(above(square + op.epsilon, 1)), 4)  # s, at most

    end = above(math.sqrt(count - 1 if op.centred else count), 1)
    lower = np.maximum(np.where(low < 0, low / floor, low / most) * _outward(low), -end)
    upper = np.minimum(np.where(high > 0, high / floor, high / most) * _outward(-high), end)
    sizes = np.maximum(np.abs(lower), np.abs(upper))

    delta = np.minimum(_norm_within(x.error, axes, x), x.error_norm)
    root = math.sqrt(count)
    hat = _floor_moved(floor, above(delta / root, 2), op)
    steepness = above(2.0 / (floor + hat), 2)
    together = np.minimum(product_bound(steepness, delta), 2.0 * above(root, 1))
    part = above(delta / root, 2)
    alone = np.minimum(
        _quotient(above(moved + product_bound(sizes, part), 1), hat),
        _quotient(above(moved + end * part, 2), floor),
    )
    error = np.minimum(np.minimum(together, alone), 2.0 * end)
    lines = math.sqrt(math.prod(x.shape) // count)
    error_norm = min(times(float(steepness.max()), x.error_norm), times(2.0 * root, lines))
    norm = min(times(float(above(1.0 / floor, 2).max()), x.norm), above(times(root, lines), 1))
    return tightened(Reach(lower, upper, norm, error, error_norm, x.shape))


def _floor(nearest: Numbers, op: Standardise, count: int) -> Numbers:
    """s is at least this, if each |u_i| is at least `nearest`."""
    square = np.mean(nearest * nearest, axis=op.axes, keepdims=True)
    return np.sqrt(square * (1 - 2.0**-50 * (count + 4)) + op.epsilon) * (1 - _FEW)


def _floor_moved(floor: Numbers, moved: Numbers, op: Standardise) -> Numbers:
    """ŝ is at least this, if it is no further from s than δ/√n."""
    return np.maximum(math.sqrt(op.epsilon) * (1 - _FEW), (floor - moved) * (1 - _FEW))


def _without_mean(x: Reach, axes: tuple[int, ...], count: int) -> tuple[Numbers, Numbers, Numbers]:
    """x_i less the mean: h_i − mean l − (h_i − l_i)/n, for x_i counts in the mean, too; and by how much it moves."""
    means = [np.mean(part, axis=axes, keepdims=True) for part in (x.lower, x.upper, x.error)]
    width = (x.upper - x.lower) / count
    room = slack(x.sizes + np.mean(x.sizes, axis=axes, keepdims=True) + width, count + 6)
    moved = np.maximum(x.error * (1.0 - 1.0 / count), 0.0) + np.maximum(means[2] - x.error / count, 0.0)
    return x.lower - means[1] + width - room, x.upper - means[0] - width + room, above(moved, count + 6)


def _norm_within(numbers: Numbers, axes: tuple[int, ...], x: Reach) -> Numbers:
    """‖·‖₂ over the entries of each group, which may share some."""
    own = math.prod(numbers.shape[axis] for axis in axes)
    count = math.prod(x.shape[axis] for axis in axes)
    last = np.moveaxis(numbers, axes, range(-len(axes), 0))
    norms = norm_bound(np.ascontiguousarray(last).reshape(*last.shape[: -len(axes)], own))
    whole = tuple(1 if axis in axes else size for axis, size in enumerate(numbers.shape))
    return product_bound(norms.reshape(whole), math.sqrt(count // own))


def _quotient(numbers: Numbers, below: Numbers) -> Numbers:
    """Numbers ≥ 0 by others, from above; infinite where those are 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = above(numbers / below, 1)
    return np.where(np.isnan(found), np.inf, found)


def _outward(low: Numbers) -> Numbers:
    """A factor that brings a lower end down."""
    return np.where(low < 0, 1.0 + 4 * _FEW, 1.0 - 4 * _FEW)
