r"""Linear maps. With S = |P|, and max(|P|, |N|) where an input can be negative (letters as in `errors`):

    fresh, output o        the exact range over the box, cut by Cauchy-Schwarz;    all: η r + ‖Δb‖₂
    propagated, output o   min(Σ S e, ‖S_o‖₂ a);    all: m a,  m = ‖P‖₂, or ‖W‖₂ + η where there is an N

Every output position reads entries of a channel, or means of them, all between that channel's bounds: so bounds over
positions come first, and nothing depends on the size of the image. Where taps share entries, ‖S_o‖₂ counts `row_norm`
times. A transposed convolution has s positions of different kinds per axis; the worst counts. Rows do not meet, so some
are looked at at a time: nothing of the size of W is allocated.
"""

import math
from dataclasses import replace

import numpy as np

from slth._shapes import Coefficient
from slth.certificate.errors import MapErrors
from slth.certificate.reach import Numbers, Reach, norm_over, tightened, times
from slth.certificate.rules.rule import Facts
from slth.certificate.rules.tables import through_one_hot
from slth.graph import Basis, Linear, OneHot, Shape
from slth.numerics import above, matmul_bound, norm_bound, product_bound, slack

Stencil = np.ndarray  # (group, row, own input · tap): what one output position adds
Entries = np.ndarray  # (group, 1, own input · tap): the numbers of the entries it reads


def through_map(op: Linear, inputs: tuple[Reach, ...], facts: Facts) -> Reach | None:
    """The rule of a map: what is known of its errors is in the facts."""
    errors = facts.errors[op.map]
    if isinstance(op.basis, OneHot):
        return through_one_hot(errors, inputs[0])
    return through_linear(errors, inputs[0], eta=errors.eta)


def through_linear(errors: MapErrors, x: Reach, *, eta: float) -> Reach:
    """From x to z = W x + b, ẑ = P x̂⁺ + N x̂⁻ + b̂; `eta` bounds ‖[E⁺ E⁻]‖₂."""
    basis = errors.basis
    shape = basis.shape(_of_channels(errors, x.shape))
    lower, upper, error = _per_channel(errors, x)
    if errors.copies > 1:  # ‖x‖₂ of one copy of each channel, for all are equal
        x = replace(x, norm=times(x.norm, above(1 / math.sqrt(errors.copies), 2)))
    met = _met(basis, x)
    groups, outputs = basis.groups, basis.outputs
    bias, bias_error, bias_lost = (b.reshape(groups, -1) for b in (errors.bias, errors.bias_error, errors.bias_lost))

    found: list[tuple[np.ndarray, ...]] = []
    for taps in basis.stencils():
        low_x, high_x, error_x = (_entries(numbers, groups, len(taps)) for numbers in (lower, upper, error))
        given = low_x, high_x, error_x, met
        parts = [
            _by_rows(part, taps, given, (bias[:, rows], bias_error[:, rows], bias_lost[:, rows]))
            for rows, part in errors.chunks()
        ]
        found.append(tuple(np.concatenate(columns, axis=1) for columns in zip(*parts, strict=True)))
    low, high = np.min([f[0] for f in found], axis=0), np.max([f[1] for f in found], axis=0)
    fresh, moved, e = (np.max([f[i] for f in found], axis=0) for i in (2, 3, 4))

    along = tuple(outputs if axis == basis.channel_axis % len(shape) else 1 for axis in range(len(shape)))

    def norm_of(numbers: np.ndarray) -> float:
        return norm_over(numbers.reshape(along), shape)

    bias_size = np.abs(errors.bias_error) + errors.bias_lost
    fresh_norm = min(above(times(eta, x.norm) + norm_of(bias_size), 1), norm_of(fresh))
    moved_norm = norm_of(moved)
    if x.error_norm > 0:
        moved_norm = min(moved_norm, times(errors.norm(eta), x.error_norm))
    error_norm = above(fresh_norm + moved_norm, 1)
    norm = above(times(errors.size, x.norm) + norm_of(errors.bias), 1)
    return tightened(Reach(low.reshape(along), high.reshape(along), norm, e.reshape(along), error_norm, shape))


def _by_rows(
    errors: MapErrors,
    taps: tuple[int, ...],
    given: tuple[Entries, Entries, Entries, Reach],
    biases: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> tuple[np.ndarray, ...]:
    """l, h, fresh, propagated and all errors of some rows, (group, row), at one kind of position."""
    groups = errors.basis.groups
    low_x, high_x, e, x = given
    bias, bias_error, bias_lost = biases

    def at(coefficients: Coefficient) -> Stencil:
        return stencil(coefficients, groups, taps)

    error, half = at(errors.error), errors.negative_error
    negative = at(half) if half is not None else -error if (low_x < 0).any() else None  # of a linear map: E⁺ x
    low, high = _extremes(error, negative, bias_error, (low_x, high_x, x.norm))
    fresh = np.maximum(high, -low)
    if errors.rounded:
        fresh = above(fresh + bias_lost + _lost(at(errors.slopes), np.maximum(high_x, -low_x), x.norm), 2)
    moved = np.zeros_like(fresh)
    if x.error_norm > 0:
        slopes = at(errors.slopes)
        moved = matmul_bound(slopes, e.swapaxes(1, 2))[..., 0]
        moved = np.minimum(moved, product_bound(norm_bound(slopes), x.error_norm))
    weight = at(errors.weight)
    low, high = _extremes(weight, -weight if (low_x < 0).any() else None, bias, (low_x, high_x, x.norm))
    return low, high, fresh, moved, above(fresh + moved, 1)


def _lost(slopes: Stencil, size: Entries, norm: float) -> np.ndarray:
    """What rounding P and N hides of (E⁺ x⁺ + E⁻ x⁻)_o: u Σ S |x|, and no more than u ‖S_o‖₂ ‖x‖₂."""
    each = matmul_bound(slopes, size.swapaxes(1, 2))[..., 0]
    return 2.0**-53 * np.minimum(each, product_bound(norm_bound(slopes), norm))


def _met(basis: Basis, x: Reach) -> Reach:
    """What an output sees of a value, in norm, where several taps can read one entry."""
    most = basis.tap_bounds.row_norm
    norm, error_norm = (float(above(most * each, 2)) for each in (x.norm, x.error_norm))
    return x if most == 1 else replace(x, norm=norm, error_norm=error_norm)


def stencil(coefficients: Coefficient, groups: int, taps: tuple[int, ...]) -> Stencil:
    """What one output position adds, (group, row, own input · tap), of coefficients (row, inp, tap)."""
    rows, inputs, _ = coefficients.shape
    own = coefficients if taps == tuple(range(coefficients.shape[2])) else coefficients[:, :, list(taps)]
    own = own.reshape(rows, groups, inputs // groups * len(taps))
    return np.ascontiguousarray(own.swapaxes(0, 1))


def _entries(numbers: np.ndarray, groups: int, taps: int) -> Entries:
    """The same for numbers (inp,) of the inputs."""
    return np.repeat(numbers, taps).reshape(groups, 1, -1)


def _per_channel(errors: MapErrors, x: Reach) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The smallest l, largest h of each channel, (inp,), the largest e of each copy; with the zeros that a basis pads.

    What is not signed is never negative, see `slth.graph.signs`; bounds that were rounded outwards may be.
    """
    channel = errors.basis.channel_axis % len(x.shape)
    others = tuple(axis for axis in range(len(x.shape)) if axis != channel)

    def spread(numbers: Numbers) -> np.ndarray:
        return np.array(np.broadcast_to(numbers, (errors.basis.inputs * errors.copies,)))

    lower, upper, error = spread(x.lower.min(others)), spread(x.upper.max(others)), spread(x.error.max(others))
    if errors.copies > 1:  # equal in the target: bounds of one hold for all
        lower = lower.reshape(-1, errors.copies).max(axis=1)
        upper = upper.reshape(-1, errors.copies).min(axis=1)
    if errors.basis.pads:
        lower, upper = np.minimum(lower, 0.0), np.maximum(upper, 0.0)
    floor = np.where(errors.signed, -math.inf, 0.0)
    return np.maximum(lower, floor), np.maximum(upper, floor), error


def _of_channels(errors: MapErrors, shape: Shape) -> Shape:
    """The shape of a value with one copy of each channel."""
    axis = errors.basis.channel_axis % len(shape)
    return tuple(n // errors.copies if i == axis else n for i, n in enumerate(shape))


def _extremes(
    positive: Stencil, negative: Stencil | None, bias: np.ndarray, x: tuple[Entries, Entries, float]
) -> tuple[np.ndarray, np.ndarray]:
    """The range of P x⁺ + N x⁻ + b, rounded outwards, over l ≤ x ≤ h; row by row cut by the ball ‖x‖₂ ≤ r.

    Each term is linear on either side of 0, so its extremes lie at the ends of the range or, if inside, at 0.
    """
    lower, upper, norm = x
    term_low, term_high = positive * np.maximum(lower, 0.0), positive * np.maximum(upper, 0.0)
    slopes = np.abs(positive)
    size = matmul_bound(slopes, np.maximum(upper, 0.0).swapaxes(1, 2))[..., 0]
    if negative is not None and (lower < 0).any():
        term_low, term_high = (
            term_low + negative * np.maximum(-lower, 0.0),
            term_high + negative * np.maximum(-upper, 0.0),
        )
        size += matmul_bound(np.abs(negative), np.maximum(-lower, 0.0).swapaxes(1, 2))[..., 0]
        slopes = np.maximum(slopes, np.abs(negative))  # |f_j(x_j)| <= max(|P|, |N|) |x_j|
    least, most = np.minimum(term_low, term_high), np.maximum(term_low, term_high)
    inside = (lower < 0) & (upper > 0)
    if inside.any():
        least = np.where(inside, np.minimum(least, 0.0), least)
        most = np.where(inside, np.maximum(most, 0.0), most)

    ball = product_bound(norm_bound(slopes), norm)
    rounding = slack(size + np.abs(bias), positive.shape[-1] + 2)
    low = np.maximum(least.sum(axis=-1), -ball) + bias - rounding
    return low, np.minimum(most.sum(axis=-1), ball) + bias + rounding
