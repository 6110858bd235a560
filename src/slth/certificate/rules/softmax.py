r"""Softmax and its logarithm along an axis. With D_i = e_i + the largest e_j, j ≠ i:

    p_i = σ(x_i − lse_{j ≠ i} x_j)   in [σ(l_i − lse h_j), σ(h_i − lse l_j)],   |p̂_i − p_i| ≤ tanh(D_i/4),   a' = a / 2
    ln p_i                           in the logarithms,            |ln p̂_i − ln p_i| ≤ D_i,   a' = √n a

for x_i − lse_{j ≠ i} x_j, the logarithm of the odds of p_i, moves by at most D_i, and σ is steepest around 0; lse is
the logarithm of the sum of eˣ. The Jacobian of softmax has norm at most ½. That of its logarithm is I − 1pᵀ, and 1pᵀ is
a projection, since p sums to 1: unless it is all of R (n = 1) the other one, I − 1pᵀ, is as long, ‖1‖ ‖p‖ ≤ √n.
"""

import math

import numpy as np

from slth.certificate.reach import Numbers, Reach, tightened, times
from slth.certificate.rules.rule import Facts
from slth.graph import LogSoftmax, Softmax
from slth.numerics import FLOOR, above, slack

_FEW = 2.0**-49  # what exp, log1p, tanh and a division are off by, relative


def through_softmax(op: Softmax, inputs: tuple[Reach, ...], _: Facts) -> Reach:
    """Each line along the axis sums to 1: r ≤ √lines."""
    (x,) = inputs
    low, high = _odds(x, op.axis)
    lower, upper = (1 - _FEW) * _sigmoid(low), np.minimum((1 + _FEW) * _sigmoid(high) + FLOOR, 1.0)
    error = np.minimum((1 + _FEW) * np.tanh(_spread(x, op.axis) / 4.0), 1.0)
    lines = math.prod(x.shape) // x.shape[op.axis]
    norm = above(math.sqrt(lines), 1)
    return tightened(Reach(lower, upper, norm, error, times(0.5, x.error_norm), x.shape))


def through_log_softmax(op: LogSoftmax, inputs: tuple[Reach, ...], _: Facts) -> Reach:
    """−softplus of minus the logarithm of the odds."""
    (x,) = inputs
    low, high = _odds(x, op.axis)
    lower, upper = -(1 + _FEW) * _softplus(-low), -(1 - _FEW) * _softplus(-high)
    count = x.shape[op.axis]
    steepness = above(math.sqrt(count), 1) if count > 1 else 0.0
    error_norm = times(steepness, x.error_norm)
    return tightened(Reach(lower, upper, math.inf, _spread(x, op.axis), error_norm, x.shape))


def _odds(x: Reach, axis: int) -> tuple[Numbers, Numbers]:
    """Bounds on x_i − lse_{j ≠ i} x_j; ∞ if there is no other j."""
    count = x.shape[axis]
    others_low, others_high = (_lse_of_others(end, axis, count) for end in (x.lower, x.upper))
    size = np.abs(x.sizes).max() + math.log(count)
    room = float(slack(size, 4 * count + 8))  # each of the sums of two rounds four times, relative to what it gives
    return x.lower - others_high - room, x.upper - others_low + room


def _lse_of_others(numbers: Numbers, axis: int, count: int) -> Numbers:
    """lse over all but one, for each one: from both sides, so that nothing is subtracted."""
    if numbers.shape[axis] == 1:
        return numbers + math.log(count - 1) if count > 1 else np.full_like(numbers, -np.inf)
    return _of_others(np.logaddexp, numbers, axis, -np.inf)


def _spread(x: Reach, axis: int) -> Numbers:
    """D: e_i + the largest e_j of the others, 0 if there is none."""
    if x.shape[axis] == 1:
        return np.zeros_like(x.error)
    if x.error.shape[axis] == 1:
        return 2.0 * x.error
    return above(x.error + _of_others(np.maximum, x.error, axis, 0.0), 1)


def _of_others(join: np.ufunc, numbers: Numbers, axis: int, none: float) -> Numbers:
    """join over all entries along an axis but one, for each one."""
    lines = np.moveaxis(numbers, axis, 0)
    before, after = np.full_like(lines, none), np.full_like(lines, none)
    before[1:] = join.accumulate(lines[:-1], axis=0)
    after[:-1] = join.accumulate(lines[:0:-1], axis=0)[::-1]
    return np.moveaxis(join(before, after), 0, axis)


def _sigmoid(x: Numbers) -> Numbers:
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0 / (1.0 + small), small / (1.0 + small))


def _softplus(x: Numbers) -> Numbers:
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))
