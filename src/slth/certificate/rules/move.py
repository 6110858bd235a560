"""Entries that only move: Reshape, Permute, Slice, Concat, Pad, Constant. Bounds move with them, see `spread`."""

import math

import numpy as np

from slth.certificate.reach import Reach, norm_over, tightened, times
from slth.certificate.rules.combine import root_of_squares
from slth.certificate.rules.rule import Facts, shape_after
from slth.graph import Concat, Constant, Pad, Permute, Reshape, Slice, spread
from slth.numerics import above


def through_reshape(op: Reshape, inputs: tuple[Reach, ...], _: Facts) -> Reach:
    """The entries in C order."""
    (x,) = inputs
    lower, upper, error = (spread.reshape(part, x.shape, op.shape) for part in (x.lower, x.upper, x.error))
    return tightened(Reach(lower, upper, x.norm, error, x.error_norm, op.shape))


def through_permute(op: Permute, inputs: tuple[Reach, ...], facts: Facts) -> Reach:
    """Other axes."""
    (x,) = inputs
    lower, upper, error = (spread.permute(part, op.order) for part in (x.lower, x.upper, x.error))
    return tightened(Reach(lower, upper, x.norm, error, x.error_norm, shape_after(op, inputs, facts)))


def through_slice(op: Slice, inputs: tuple[Reach, ...], facts: Facts) -> Reach:
    """Some of the entries: their norm is no larger."""
    (x,) = inputs
    indices = slice(op.start, op.stop, op.step)
    lower, upper, error = (spread.take(part, op.axis, indices) for part in (x.lower, x.upper, x.error))
    return tightened(Reach(lower, upper, x.norm, error, x.error_norm, shape_after(op, inputs, facts)))


def through_concat(op: Concat, inputs: tuple[Reach, ...], facts: Facts) -> Reach:
    """Side by side: norms add up as squares."""
    shapes = [x.shape for x in inputs]
    lower, upper, error = (
        spread.join([getattr(x, part) for x in inputs], shapes, op.axis) for part in ("lower", "upper", "error")
    )
    norm, error_norm = (root_of_squares([getattr(x, part) for x in inputs]) for part in ("norm", "error_norm"))
    return tightened(Reach(lower, upper, norm, error, error_norm, shape_after(op, inputs, facts)))


def through_pad(op: Pad, inputs: tuple[Reach, ...], facts: Facts) -> Reach:
    """A number around: no error there."""
    (x,) = inputs
    shape = shape_after(op, inputs, facts)
    lower, upper, error = (
        spread.surround(part, x.shape, op.padding, value)
        for part, value in ((x.lower, op.value), (x.upper, op.value), (x.error, 0.0))
    )
    added = math.sqrt(math.prod(shape) - math.prod(x.shape))
    norm = root_of_squares([x.norm, times(abs(op.value), above(added, 1))])
    return tightened(Reach(lower, upper, norm, error, x.error_norm, shape))


def through_constant(op: Constant, _: tuple[Reach, ...], facts: Facts) -> Reach:
    """The same in both networks."""
    value = facts.carried[op.value].astype(np.float64)
    small = spread.smallest(value)
    none = np.zeros((1,) * value.ndim)
    return Reach(small, small, norm_over(small, value.shape), none, 0.0, value.shape)
