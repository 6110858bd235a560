r"""How far two networks can drift apart over a box of inputs, one layer at a time.

Layer i, for activations x with lower ≤ x ≤ upper and ‖x‖₂ ≤ r, and x̂ with |x̂ - x| ≤ e, ‖x̂ - x‖₂ ≤ a:

$$\hat z - z = \underbrace{E^+x^+ + E^-x^- + \Delta b}_{\text{fresh}}
+ \underbrace{P(\hat x - x)}_{\text{propagated}}.$$

Fresh, row o: the exact range over the box, cut by Cauchy-Schwarz; all rows: $\eta r + \lVert\Delta b\rVert_2$.
Propagated, row o: $\min(\sum_j |P_{oj}| e_j, \lVert P_o\rVert_2\,a)$; all rows: $\lVert P\rVert_2\,a$. It has no N:
x̂ = x in the first layer, and later both are at least 0. ‖P‖₂ ≤ ‖W‖₂ + η, so the latter never helps.
A bound in one norm bounds the other, too: $|v_o| \le \lVert v\rVert_2$, and ‖v‖₂ is at most the norm of the bounds on
its entries. Each time the smaller wins.
"""

from dataclasses import dataclass

import numpy as np

from slth._errors import InputError
from slth._shapes import Bias, Matrix
from slth.certificate.layers import Box, Pair, check_signs
from slth.certificate.norms import spectral_norm_bound
from slth.certificate.rounding import Vector, above, matmul_bound, norm_bound, product_bound, slack


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """What holds of v = x or z in the target, and of its difference v̂ - v, for all inputs in the box."""

    lower: Vector  # lower ≤ v
    upper: Vector  # v ≤ upper
    norm: float  # r ≥ ‖v‖₂
    error: Vector  # e ≥ |v̂ - v|
    error_norm: float  # a ≥ ‖v̂ - v‖₂


def at_inputs(box: Box, first: Pair) -> Reach:
    """Both networks read the same inputs: e = 0, a = 0."""
    if box.lower.shape != first.signed.shape:
        raise InputError(f"the box has {box.lower.size} coordinates, the network {first.signed.size} inputs")
    check_signs(box.lower, first.signed)
    return Reach(box.lower, box.upper, _norm(_sizes(box.lower, box.upper)), np.zeros_like(box.lower), 0.0)


def through_affine(pair: Pair, x: Reach, *, eta: float) -> Reach:
    """From activations to pre-activations z = W x + b, ẑ = P x̂⁺ + N x̂⁻ + b̂; `eta` bounds ‖[E⁺ E⁻]‖₂."""
    low, high = _extremes(pair.error, pair.negative_error, pair.bias_error, x)
    fresh = np.maximum(high, -low)
    fresh_norm = min(above(_times(eta, x.norm) + _norm(pair.bias_error), 1), _norm(fresh))

    moved = np.minimum(
        matmul_bound(np.abs(pair.positive), x.error), product_bound(norm_bound(pair.positive), x.error_norm)
    )
    moved_norm = _norm(moved)
    if x.error_norm > 0:
        moved_norm = min(moved_norm, _times(spectral_norm_bound(pair.positive), x.error_norm))

    error = above(fresh + moved, 1)
    error_norm = min(above(fresh_norm + moved_norm, 1), _norm(error))

    lower, upper = _extremes(pair.weight, -pair.weight, pair.bias, x)
    norm = above(_times(spectral_norm_bound(pair.weight), x.norm) + _norm(pair.bias), 1)
    norm = min(norm, _norm(_sizes(lower, upper)))
    return Reach(lower, upper, norm, np.minimum(error, error_norm), error_norm)


def through_relu(z: Reach) -> Reach:
    """x = max(z, 0) and x̂ = max(ẑ, 0) are no further apart than z and ẑ, and both lie in [0, max(upper + e, 0)].

    So they differ by at most min(e, max(upper + e, 0)): a neuron that no input wakes passes no error on.
    """
    error = np.minimum(z.error, above(np.maximum(z.upper + z.error, 0.0), 1))
    upper = np.maximum(z.upper, 0.0)
    return Reach(np.maximum(z.lower, 0.0), upper, min(z.norm, _norm(upper)), error, min(z.error_norm, _norm(error)))


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
