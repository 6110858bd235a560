r"""How far two networks can drift apart over a box of inputs: one rule for each op.

For a value v of the target with lower ≤ v ≤ upper and ‖v‖₂ ≤ r, and the realisation's v̂ with |v̂ - v| ≤ e and
‖v̂ - v‖₂ ≤ a. Through a linear map (letters as in `errors`), with S = |P|, and max(|P|, |N|) where an input can be
negative:

    fresh, row o        the exact range over the box, cut by Cauchy-Schwarz;    all rows: η r + ‖Δb‖₂
    propagated, row o   min(Σ_j S_oj e_j, ‖S_o‖₂ a);    all rows: m a,  m = ‖P‖₂, or ‖W‖₂ + η where inputs have signs

A bound in one norm bounds the other, too: |v_o| ≤ ‖v‖₂, and ‖v‖₂ is at most the norm of the bounds on its entries.
Each time the smaller wins. An op without a rule is an op through which nothing is claimed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from slth._errors import InputError
from slth._shapes import Bias, Matrix
from slth.certificate.errors import MapErrors, check_signs
from slth.graph import Box, Linear, Node, Pointwise, Shape
from slth.numerics import above, matmul_bound, norm_bound, product_bound, slack, spectral_norm_bound

Vector = np.ndarray  # (count,)


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """What holds of a value v in the target, and of its difference v̂ - v, for all inputs in the box."""

    lower: Vector  # lower ≤ v
    upper: Vector  # v ≤ upper
    norm: float  # r ≥ ‖v‖₂
    error: Vector  # e ≥ |v̂ - v|
    error_norm: float  # a ≥ ‖v̂ - v‖₂


def at_inputs(box: Box, shape: Shape) -> Reach:
    """Both networks read the same inputs: e = 0, a = 0."""
    lower, upper = (np.ascontiguousarray(np.broadcast_to(end, shape)) for end in (box.lower, box.upper))
    return Reach(lower, upper, _norm(_sizes(lower, upper)), np.zeros_like(lower), 0.0)


def through_linear(errors: MapErrors, x: Reach, *, eta: float) -> Reach:
    """From x to z = W x + b, ẑ = P x̂⁺ + N x̂⁻ + b̂; `eta` bounds ‖[E⁺ E⁻]‖₂."""
    if x.lower.shape != errors.signed.shape:
        raise InputError(f"the box has {x.lower.size} coordinates, the map {errors.signed.size} inputs")
    check_signs(x.lower, errors.signed)
    low, high = _extremes(errors.error, errors.negative_error, errors.bias_error, x)
    fresh = np.maximum(high, -low)
    fresh_norm = min(above(_times(eta, x.norm) + _norm(errors.bias_error), 1), _norm(fresh))

    slopes = errors.slopes
    moved = np.minimum(matmul_bound(slopes, x.error), product_bound(norm_bound(slopes), x.error_norm))
    moved_norm = _norm(moved)
    if x.error_norm > 0:
        moved_norm = min(moved_norm, _times(errors.norm(eta), x.error_norm))

    error = above(fresh + moved, 1)
    error_norm = min(above(fresh_norm + moved_norm, 1), _norm(error))

    lower, upper = _extremes(errors.weight, -errors.weight, errors.bias, x)
    norm = above(_times(spectral_norm_bound(errors.weight), x.norm) + _norm(errors.bias), 1)
    norm = min(norm, _norm(_sizes(lower, upper)))
    return Reach(lower, upper, norm, np.minimum(error, error_norm), error_norm)


def through_relu(z: Reach) -> Reach:
    """x = max(z, 0) and x̂ = max(ẑ, 0) are no further apart than z and ẑ, and both lie in [0, max(upper + e, 0)].

    So they differ by at most min(e, max(upper + e, 0)): a neuron that no input wakes passes no error on.
    """
    error = np.minimum(z.error, above(np.maximum(z.upper + z.error, 0.0), 1))
    upper = np.maximum(z.upper, 0.0)
    return Reach(np.maximum(z.lower, 0.0), upper, min(z.norm, _norm(upper)), error, min(z.error_norm, _norm(error)))


@dataclass(frozen=True, slots=True, eq=False)
class MapRule:
    """What the rule of a linear map needs to know beyond its inputs."""

    errors: MapErrors
    eta: float  # η ≥ ‖[E⁺ E⁻]‖₂


Rule = Callable[[Any, Mapping[str, MapRule], tuple[Reach, ...]], Reach]


def _linear(op: Linear, maps: Mapping[str, MapRule], inputs: tuple[Reach, ...]) -> Reach:
    (x,) = inputs
    return through_linear(maps[op.map].errors, x, eta=maps[op.map].eta)


def _pointwise(_op: Pointwise, _maps: Mapping[str, MapRule], inputs: tuple[Reach, ...]) -> Reach:
    (z,) = inputs
    return through_relu(z)


RULES: Mapping[type, Rule] = {Linear: _linear, Pointwise: _pointwise}


def through(node: Node, maps: Mapping[str, MapRule], inputs: tuple[Reach, ...]) -> Reach:
    """The rule of a node's op."""
    return RULES[type(node.op)](node.op, maps, inputs)


def _extremes(positive: Matrix, negative: Matrix | None, bias: Bias, x: Reach) -> tuple[Vector, Vector]:
    """The range of P x⁺ + N x⁻ + b, rounded outwards, over the box of x; row by row cut by the ball ‖x‖₂ ≤ r.

    Each term is linear on either side of 0, so its extremes lie at the ends of the range or, if inside, at 0.
    """
    term_low, term_high = positive * np.maximum(x.lower, 0.0), positive * np.maximum(x.upper, 0.0)
    slopes = np.abs(positive)
    size = matmul_bound(slopes, np.maximum(x.upper, 0.0))
    if negative is not None and (x.lower < 0).any():
        term_low, term_high = (
            term_low + negative * np.maximum(-x.lower, 0.0),
            term_high + negative * np.maximum(-x.upper, 0.0),
        )
        size += matmul_bound(np.abs(negative), np.maximum(-x.lower, 0.0))
        slopes = np.maximum(slopes, np.abs(negative))  # |f_j(x_j)| <= max(|P|, |N|) |x_j|
    least, most = np.minimum(term_low, term_high), np.maximum(term_low, term_high)
    inside = (x.lower < 0) & (x.upper > 0)
    least[:, inside] = np.minimum(least[:, inside], 0.0)
    most[:, inside] = np.maximum(most[:, inside], 0.0)

    ball = product_bound(norm_bound(slopes), x.norm)
    rounding = slack(size + np.abs(bias), positive.shape[1] + 2)
    low = np.maximum(least.sum(axis=1), -ball) + bias - rounding
    return low, np.minimum(most.sum(axis=1), ball) + bias + rounding


def _sizes(lower: Vector, upper: Vector) -> Vector:
    return np.maximum(np.abs(lower), np.abs(upper))


def _norm(vector: Vector) -> float:
    return float(norm_bound(vector))


def _times(left: float, right: float) -> float:
    return float(product_bound(np.asarray(left), right))
