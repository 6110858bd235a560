"""Rules that are wrong, each in one place as one would get it wrong: the search of `op_rules` notices every one."""

import math
from dataclasses import replace

import numpy as np
import pytest
from conformance.op_rules import plant, trials, violations
from conformance.test_ops_rules import OPS

from slth.certificate import functions, rounded
from slth.certificate.errors import MapErrors
from slth.certificate.reach import Reach
from slth.certificate.rules import RULES, combine, linear, move, pointwise, softmax, windows
from slth.graph import (
    Add,
    AxisMap,
    Conv,
    ConvTranspose,
    LogSoftmax,
    Multiply,
    Pad,
    Permutation,
    Scale,
    Softmax,
    Steerable,
    apply_along,
)
from slth.graph.bases import TapBounds, conv
from slth.numerics import spectral_norm_bound


def overlap_of_neighbours(op, shape):
    """⌈k/s⌉ windows per axis, whatever the dilation."""
    return math.prod(-(-k // s) for k, s in zip(op.kernel, op.stride, strict=True))


def norm_of_a_matrix(kernel, **_):
    """‖K as (row, inp · taps)‖₂: windows that do not overlap."""
    return max(spectral_norm_bound(group.reshape(len(group), -1)) for group in kernel)


def norm_by_the_inputs(self, coefficients):
    """Phases of a transposed convolution as if they belonged to its inputs."""
    kernel = conv._kernel(coefficients, self.groups, self.kernel)
    return conv.convolution_norm_bound(kernel, stride=self.stride, dilation=self.dilation)


def extremes_at_ends(positive, negative, bias, x):
    """The range of P x⁺ + N x⁻ + b as if no extreme lay at 0."""
    ends = [positive * np.maximum(v, 0) + (0 if negative is None else negative * np.maximum(-v, 0)) for v in x[:2]]
    return np.minimum(*ends).sum(axis=-1) + bias, np.maximum(*ends).sum(axis=-1) + bias


def ball_by_the_positive_half(positive, negative, bias, x, honest=linear._extremes):
    low, high = honest(positive, negative, bias, x)
    ball = np.linalg.norm(positive, axis=-1) * x[2]
    return np.maximum(low, bias - ball), np.minimum(high, bias + ball)


def no_bias(positive, negative, bias, x, honest=linear._extremes):
    return honest(positive, negative, np.zeros_like(bias), x)


def relu_of_the_target(z):
    """min(e, max(h, 0)): forgets that x̂ may be awake where x is not."""
    error = np.minimum(z.error, np.maximum(z.upper, 0.0))
    return replace(z, lower=np.maximum(z.lower, 0.0), upper=np.maximum(z.upper, 0.0), error=error)


def product_of_first_order(op, inputs, facts, honest=RULES[Multiply]):
    """u v: the error without e_u e_v."""
    u, v = inputs
    return replace(honest(op, inputs, facts), error=u.sizes * v.error + v.sizes * u.error)


def product_in_norm_of_first_order(op, inputs, facts, honest=RULES[Multiply]):
    """u v: a with v̄ in place of v̄ + e_v."""
    u, v = inputs
    a = min(u.sizes.max() * v.error_norm + v.sizes.max() * u.error_norm, np.inf)
    return replace(honest(op, inputs, facts), error_norm=float(a))


def changed(op, **change):
    """The rule of an op with one of its bounds replaced, by a function of (op, inputs, facts)."""
    honest = RULES[op]

    def rule(node, inputs, facts):
        return replace(honest(node, inputs, facts), **{k: make(node, inputs, facts) for k, make in change.items()})

    return [(RULES, op, rule)]


def interval_of_sizes(op, inputs, facts, honest=RULES[AxisMap]):
    """[|A| l, |A| h]."""
    found, (x,), (axis,) = honest(op, inputs, facts), inputs, op.axes
    a = np.abs(axis.matrix(x.shape[axis.axis], facts.carried))
    ends = [apply_along(a, np.broadcast_to(end, x.shape), axis.axis) for end in (x.lower, x.upper)]
    return Reach(ends[0], ends[1], found.norm, found.error, found.error_norm, found.shape)


def lse_of_all(numbers, axis, count):
    full = np.broadcast_to(numbers, (*numbers.shape[:axis], count, *numbers.shape[axis + 1 :]))
    return np.logaddexp.reduce(full, axis=axis, keepdims=True)


def overlaps_only(basis):
    """Without the lines that are added behind."""
    return any(d * (k - 1) >= s for k, d, s in zip(basis.kernel, basis.dilation, basis.stride, strict=True))


def lower_by_c(op, inputs, _):
    """Σ c l, whatever the sign of c."""
    return sum(c * x.lower for c, x in zip(op.coefficients, inputs, strict=True))


def norm_over_channels(numbers, shape):
    return float(np.linalg.norm(numbers))


E_MINUS = [(MapErrors, "all", lambda errors: errors.error)]
SLOPES = [(MapErrors, "slopes", property(lambda errors: np.abs(errors.positive)))]
POSITIVE_NORM = [(MapErrors, "norm", lambda errors, eta: errors._positive_size)]
NO_PADDING = [(Conv, "pads", property(lambda _: False))]


def basis_apart(basis, honest=Permutation.stencils):
    """Without the positions where more taps meet."""
    return honest(basis)[:1]


def norm_of_one_element(basis, coefficients, by=None):
    """That of a single convolution, as if the outputs of the others did not exist."""
    return basis._plain.norm(coefficients.reshape(len(coefficients), -1, basis.kernel**2))


WRONG = {  # name: the op that must notice, and what is replaced
    "η without E⁻": ("dense, all signs", E_MINUS),
    "η without E⁻, one sign": ("dense, one sign", E_MINUS),
    "η without E⁻, a convolution": ("conv, kernel as long as the stride", E_MINUS),
    "|P| alone": ("dense, all signs", SLOPES),
    "|P| alone, transposed": ("transposed, no overlap", SLOPES),
    "‖P‖ in spite of signs": ("dense, all signs", POSITIVE_NORM),
    "‖W‖ where P acts": ("dense, no sign", [(MapErrors, "norm", lambda errors, eta: errors.size)]),
    "0 does not join": ("conv, all signs, padded", NO_PADDING),
    "0 does not join, one sign": ("conv, one sign, padded", NO_PADDING),
    "0 does not join, transposed": ("transposed", [(ConvTranspose, "pads", property(lambda _: False))]),
    "0 does not join, lines added": ("transposed, lines added", [(ConvTranspose, "pads", property(overlaps_only))]),
    "an extreme at 0 is forgotten": ("dense, all signs", [(linear, "_extremes", extremes_at_ends)]),
    "the ball through |P| alone": ("dense, all signs", [(linear, "_extremes", ball_by_the_positive_half)]),
    "the bias does not err": ("dense, no sign", [(linear, "_extremes", no_bias)]),
    "one phase for all": ("transposed", [(ConvTranspose, "stencils", lambda basis: ((0,),))]),
    "a norm of windows that do not overlap": ("conv", [(conv, "convolution_norm_bound", norm_of_a_matrix)]),
    "phases of the inputs": ("transposed, no overlap", [(ConvTranspose, "norm", norm_by_the_inputs)]),
    "a bias once for all positions": ("conv", [(linear, "norm_over", norm_over_channels)]),
    "one element of the group": ("group convolution", [(Steerable, "norm", norm_of_one_element)]),
    "0 does not join, lifting": ("lifting, padded", [(Steerable, "pads", property(lambda _: False))]),
    "taps that meet count once": ("pairs", [(Permutation, "tap_bounds", property(lambda _: TapBounds()))]),
    "no diagonal": ("pairs", [(Permutation, "stencils", basis_apart)]),
    "relu asleep by the target": ("relu", [(pointwise, "through_relu", relu_of_the_target)]),
    "no interior minimum": ("gelu", [(functions, "turn", lambda op: None)]),
    "Lipschitz constant 1": ("gelu", [(pointwise, "lipschitz", lambda op, carried, axes: np.ones((1,) * axes))]),
    "one slope for all": ("prelu", [(pointwise, "lipschitz", lambda op, carried, axes: np.ones((1,) * axes))]),
    "σ(0) forgotten": ("softplus", [(pointwise, "at_zero", lambda op, carried, axes: 0.0)]),
    "⌈k/s⌉ with dilation": ("max pool, dilation", [(windows, "overlap", overlap_of_neighbours)]),
    "an entry in one window": ("max pool, two axes", [(windows, "overlap", lambda op, shape: 1)]),
    "an average has norm 1": ("mean, uneven", [(windows, "matrix_norm", lambda matrix, off: 1.0)]),
    "an average of 3 has norm 1 at a border, too": (
        "average, padding does not count",
        [(windows, "matrix_norm", lambda matrix, off: 1.0)],
    ),
    "an average has norm 1/√w": (
        "average, padding counts",
        [(windows, "matrix_norm", lambda matrix, off: float(np.linalg.norm(matrix, axis=1).max()))],
    ),
    "a negative entry of A": (
        "matrix",
        [(RULES, AxisMap, interval_of_sizes)],
    ),
    "a sparse matrix has norm 1": ("sparse", [(windows, "sparse_norm_bound", lambda matrix: 1.0)]),
    "a negative entry of a sparse matrix": ("sparse", [(windows, "_minus", np.zeros_like)]),
    "repeated entries counted once": ("add, repeated", [(combine, "repeated", lambda norm, shape, new: norm)]),
    "repeated factors counted once": ("multiply, repeated", [(combine, "repeated", lambda norm, shape, new: norm)]),
    "the sign of c": ("add, repeated", changed(Add, lower=lower_by_c)),
    "a product of first order": ("multiply", [(RULES, Multiply, product_of_first_order)]),
    "a product of first order, in norm": ("multiply", [(RULES, Multiply, product_in_norm_of_first_order)]),
    "the shift is missing in r": ("scale", changed(Scale, norm=lambda op, x, _: 2.0 * x[0].norm)),
    "the shift is missing": ("shift", changed(Scale, norm=lambda op, x, _: x[0].norm)),
    "side by side, the larger norm": ("concat", [(move, "root_of_squares", max)]),
    "a pad adds no norm": ("pad with a number", changed(Pad, norm=lambda op, x, _: x[0].norm)),
    "e of softmax by one entry": ("softmax", [(softmax, "_spread", lambda x, axis: x.error)]),
    "e of softmax halved": ("softmax", changed(Softmax, error=lambda op, x, _: np.tanh(softmax._spread(x[0], 0) / 8))),
    "a of softmax quartered": ("softmax, two", changed(Softmax, error_norm=lambda op, x, _: x[0].error_norm / 4)),
    "lse of all": ("softmax", [(softmax, "_lse_of_others", lse_of_all)]),
    "e of log softmax by one entry": ("log softmax", [(softmax, "_spread", lambda x, axis: x.error)]),
    "a of log softmax": ("log softmax", changed(LogSoftmax, error_norm=lambda op, x, _: x[0].error_norm)),
}


def map_by_the_positive_half(op, numbers, norm, honest=rounded.map_of):
    sizes = np.abs(numbers.positive)
    return replace(honest(op, numbers, norm), slopes=sizes, rows=np.linalg.norm(sizes[..., 0], axis=1))


def step_of_first_order(op, values, value, carried):
    """A product of two values that are off, without the product of what they are off by."""
    x, y = values
    off = np.abs(x.value) * y.off + np.abs(y.value) * x.off
    return off, np.linalg.norm(off.reshape(len(off), -1), axis=1), 0.0


def steps(op, change):
    """The step of an op with what it moves changed, entry by entry and in norm."""
    honest = rounded.STEPS[op]
    return [(rounded.STEPS, op, lambda *known: change(*honest(*known)))]


AT_A_POINT = {  # the same for the bounds on what one network computes at one input
    "|P| alone": ("dense, all signs", [(rounded, "map_of", map_by_the_positive_half)]),
    "‖P‖ in spite of signs": ("dense, all signs", POSITIVE_NORM),
    "a norm of windows that do not overlap": ("conv", [(conv, "convolution_norm_bound", norm_of_a_matrix)]),
    "an entry in one window": ("max pool", [(rounded, "overlap", lambda op, shape: 1)]),
    "Lipschitz constant 1": ("gelu", [(rounded, "lipschitz", lambda op, carried, axes: np.ones((1,) * axes))]),
    "an average has norm 1": ("mean, uneven", [(rounded, "matrix_norm", lambda matrix, off: 1.0)]),
    "a product of first order": ("multiply", [(rounded.STEPS, Multiply, step_of_first_order)]),
    "repeated entries counted once": ("add, repeated", [(rounded, "_repeated", lambda x, value: x.off_norm)]),
    "softmax by one entry": ("softmax, two", steps(Softmax, lambda off, norm, own: (off / 2, norm, own))),
    "softmax in norm": ("softmax, two", steps(Softmax, lambda off, norm, own: (off, norm / 2, own))),
    "scale without g": ("scale", steps(Scale, lambda off, norm, own: (off, norm / 2, own))),
}
CASES = [(wrong, *WRONG[wrong], False) for wrong in WRONG] + [(w, *AT_A_POINT[w], True) for w in AT_A_POINT]


@pytest.mark.parametrize(("wrong", "name", "changes", "point"), CASES)
def test_a_wrong_rule_is_noticed(wrong, name, changes, point, monkeypatch):
    plant(changes, monkeypatch)
    found = next((v for seed in range(3) for v in violations(trials(OPS[name], seed=seed, point=point))), None)
    print(f"{wrong}: {found}")
    assert found is not None
