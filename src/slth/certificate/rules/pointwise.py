r"""Functions of one number. They move no two numbers apart by more than L times as far as these were:

    e' = min(L e, the furthest that σ([l - e, h + e]) can be from σ([l, h])),    a' = L a
    r' = L r + |σ(0)| √entries

With signs and zero at zero ReLU has L = 1, and its second term is max(h + e, 0): a neuron that no input wakes passes no
error on.
"""

import math

import numpy as np

from slth.certificate.functions import at_zero, image, lipschitz
from slth.certificate.reach import Reach, tightened, times
from slth.certificate.rules.rule import Facts
from slth.graph import Pointwise
from slth.numerics import above, product_bound, slack


def through_pointwise(op: Pointwise, inputs: tuple[Reach, ...], facts: Facts) -> Reach:
    """The rule of a function: ReLU by itself, the others by L and their image."""
    if op.function == "Relu":
        return through_relu(inputs[0])
    return _through_function(op, inputs[0], facts)


def through_relu(z: Reach) -> Reach:
    """x = max(z, 0) and x̂ = max(ẑ, 0) are no further apart than z and ẑ, and both lie in [0, max(h + e, 0)]."""
    error = np.minimum(z.error, above(np.maximum(z.upper + z.error, 0.0), 1))
    lower, upper = np.maximum(z.lower, 0.0), np.maximum(z.upper, 0.0)
    return tightened(Reach(lower, upper, z.norm, error, z.error_norm, z.shape))


def _through_function(op: Pointwise, z: Reach, facts: Facts) -> Reach:
    carried, axes = facts.carried, len(z.shape)
    lower, upper = image(op, z.lower, z.upper, carried)
    room = z.error + slack(z.sizes + z.error, 1)
    low, high = image(op, z.lower - room, z.upper + room, carried)
    steepness = lipschitz(op, carried, axes)
    apart = above(np.maximum(high - lower, upper - low), 1)
    error = np.minimum(product_bound(steepness, z.error), np.where(np.isnan(apart), np.inf, apart))
    steepest = float(steepness.max())
    still = times(at_zero(op, carried, axes), math.sqrt(math.prod(z.shape)))
    norm = above(times(steepest, z.norm) + still, 1)
    return tightened(Reach(lower, upper, norm, error, times(steepest, z.error_norm), z.shape))
