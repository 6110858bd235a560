r"""A network's values in float64, and how far each can be from the one that real arithmetic gives.

For a computed value x of one example ρ ≥ |x - x_real| in every entry and ‖x - x_real‖₂ ≤ n. An op adds what it rounds
itself, and moves what its inputs are off by no further than its Lipschitz constants say, entry by entry or in norm:

    ρ' = min(Lipschitz ρ, Lipschitz n) + own,    n' = Lipschitz n + ‖own‖₂,    then n ≤ ‖ρ‖₂, ρ ≤ n

So the difference of two networks at an input is known to 10⁻¹⁰ for networks of a few maps; each map multiplies what
came before by its norm: 2e-3 for a ResNet-20 on CIFAR-10. Entry by entry rounding would grow like products of |W|.
Running error analysis: Higham (2002), §3.3.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from slth.certificate.functions import images, lipschitz, rounding
from slth.certificate.rounded_attention import attention_step, mat_mul_step, standardise_step
from slth.certificate.rounded_values import Batch, Moved, Rounded, Step, each, norms
from slth.certificate.rules.linear import stencil
from slth.certificate.rules.windows import entrywise, matrix_norm, overlap
from slth.graph import (
    EVALUATE,
    Add,
    Affine,
    Attention,
    AxisMap,
    Carried,
    Concat,
    Constant,
    Embedding,
    Graph,
    Linear,
    LogSoftmax,
    MatMul,
    MaxPool,
    Multiply,
    Node,
    Normalise,
    OneHot,
    Pad,
    Permute,
    Pointwise,
    Realised,
    Reshape,
    Scale,
    Slice,
    Softmax,
    Standardise,
    along,
    apply_along,
    fold,
    looked_up,
    map_of_op,
    max_pool,
    square,
)
from slth.numerics import FLOOR, above, norm_bound, slack


@dataclass(frozen=True, slots=True, eq=False)
class MapOf:
    """One map of one network, with what rounding needs to know of it."""

    numbers: Affine | Realised
    slopes: np.ndarray  # |W|, or max(|P|, |N|): (row, inp, tap)
    rows: np.ndarray  # the ℓ2 norm of an output's slopes, (out,)
    norm: float  # a Lipschitz constant in ℓ2
    terms: int  # that one output adds up


def map_of(op: Linear, numbers: Affine | Realised, norm: float) -> MapOf:
    """One map; `norm` bounds how far ‖x̂ - x‖₂ carries."""
    if isinstance(numbers, Affine):
        slopes, halves = np.abs(numbers.weight), 1
    else:
        slopes, halves = np.abs(numbers.positive), 1
        if numbers.negative is not None:
            slopes, halves = np.maximum(slopes, np.abs(numbers.negative)), 2
    rows = [norm_bound(stencil(slopes, op.basis.groups, taps)).ravel() for taps in op.basis.stencils()]
    row, reads = np.max(rows, axis=0), op.basis.tap_bounds
    row = row if reads.row_norm == 1 else above(row * reads.row_norm, 2)
    _, inputs, taps = slopes.shape
    means = reads.summed + 2 if reads.summed > 1 else 0  # of a tap that adds up entries and divides
    return MapOf(numbers, slopes, row, norm, halves * (inputs // op.basis.groups * taps + 1) + means)


@np.errstate(over="ignore", invalid="ignore")  # an overflow makes a bound infinite or NaN: nothing is proved
def run(
    graph: Graph,
    maps: Callable[[str], MapOf],
    batches: Sequence[Batch],
    carried: Carried,
    *,
    done: Callable[[], None] = lambda: None,
) -> list[Rounded]:
    """The outputs for batches of inputs, which are taken as exact; each batch is computed as if it were alone.

    Node by node, so that a map is asked for once for all batches, and need not be kept. `done` is called after each.
    """

    def step(node: Node, values: tuple[list[Rounded], ...]) -> list[Rounded]:
        path = map_of_op(node.op)
        part = None if path is None else maps(path)
        found = [
            _value(node, part, tuple(value[i] for value in values), len(batch), carried)
            for i, batch in enumerate(batches)
        ]
        done()
        return found

    return fold(graph, [_exact(np.asarray(batch, np.float64)) for batch in batches], step)


def _value(node: Node, part: MapOf | None, values: tuple[Rounded, ...], count: int, carried: Carried) -> Rounded:
    op = node.op
    if isinstance(op, Linear):
        assert part is not None
        return _columns(op, part, values[0]) if isinstance(op.basis, OneHot) else _linear(op, part, values[0])
    if isinstance(op, Embedding):
        table = carried[op.table] if part is None else part.numbers.table
        return _exact(looked_up(table, values[0].value))
    if isinstance(op, Constant):
        value = carried[op.value].astype(np.float64)
        return _exact(np.broadcast_to(value, (count, *value.shape)))
    value = EVALUATE[type(op)](op, tuple(x.value for x in values), carried)
    return _bounded(value, *STEPS[type(op)](op, values, value, carried))


def _exact(value: Batch) -> Rounded:
    return Rounded(value, np.zeros_like(value), np.zeros(len(value)))


def _bounded(value: Batch, moved: Batch, moved_norm: np.ndarray, own: Batch | float) -> Rounded:
    """`above` covers the few roundings of the bounds themselves, FLOOR what underflow took from them."""
    own = np.broadcast_to(np.asarray(own, np.float64), value.shape)
    norm = above(moved_norm + norms(own), 4) + FLOOR
    off = above(np.minimum(moved, each(moved_norm, value)) + own, 4) + FLOOR
    norm = np.minimum(norm, norms(off))
    return Rounded(value, np.minimum(off, each(norm, value)), norm)


def _largest(numbers: Batch) -> np.ndarray:
    return numbers.max(axis=tuple(range(1, numbers.ndim)))


def _linear(op: Linear, part: MapOf, x: Rounded) -> Rounded:
    """A window holds at most `terms` entries: its norm is no larger than √terms times the largest."""
    value = part.numbers.apply(op.basis, x.value)
    axis = op.basis.channel_axis % (value.ndim - 1)
    rows = along(part.rows, axis, value.ndim - 1)
    largest = _largest(np.abs(x.value))
    window = np.minimum(norms(x.value), above(math.sqrt(part.terms) * largest, 2))
    own = rows * each(window, value)
    if part.numbers.bias is not None:
        own = own + along(np.abs(part.numbers.bias), axis, value.ndim - 1)
    moved = above(op.basis.apply(part.slopes, x.off), part.terms)
    moved = np.minimum(moved, above(rows * each(x.off_norm, value), 1))
    return _bounded(value, moved, above(part.norm * x.off_norm, 1), slack(own, part.terms + 2))


def _columns(op: Linear, part: MapOf, x: Rounded) -> Rounded:
    """A column, and the bias that is added to it; tokens are what they are."""
    value, bias = part.numbers.apply(op.basis, x.value), part.numbers.bias
    if bias is None:
        return _exact(value)
    return _bounded(value, np.zeros_like(value), np.zeros(len(value)), slack(np.abs(value) + 2.0 * np.abs(bias), 1))


def _pointwise(op: Pointwise, values: tuple[Rounded, ...], value: Batch, carried: Carried) -> Moved:
    """The real value lies in σ([x − ρ, x + ρ]), however far σ could move elsewhere: ReLU6 and sigmoids forget."""
    (x,) = values
    steepness = lipschitz(op, carried, value.ndim - 1)
    ends = np.nextafter(x.value - x.off, -np.inf), np.nextafter(x.value + x.off, np.inf)
    low, high = images(op, *ends, carried)
    moved = np.minimum(steepness * x.off, above(np.maximum(high - value, value - low), 1))
    return moved, steepness.max() * x.off_norm, rounding(op, x.value, value, steepness)


def _max_pool(op: MaxPool, values: tuple[Rounded, ...], value: Batch, _: Carried) -> Moved:
    (x,) = values
    return max_pool(op, x.off), math.sqrt(overlap(op, value.shape[1:])) * x.off_norm, 0.0


def _axis_map(op: AxisMap, values: tuple[Rounded, ...], _: Batch, carried: Carried) -> Moved:
    """Axis by axis, as the values are: what an axis rounds, the next ones move."""
    (x,) = values
    size, moved, norm, own = np.abs(x.value), x.off, x.off_norm, np.zeros_like(x.value)
    for part in op.axes:
        axis = part.axis + 1
        a, off = part.operator(size.shape[axis], carried), part.rounding(size.shape[axis])
        both, terms = entrywise(a, np.abs), a.shape[1]
        added = off * each(_largest(size + moved), size)
        size, moved, own = (above(apply_along(both, numbers, axis), terms) for numbers in (size, moved, own))
        own = own + slack(size, terms) + added
        norm = matrix_norm(a, off) * norm
    return moved, norm, own


def _add(op: Add, values: tuple[Rounded, ...], value: Batch, _: Carried) -> Moved:
    sizes = [abs(c) for c in op.coefficients]
    moved = sum((c * x.off for c, x in zip(sizes, values, strict=True)), np.zeros(()))
    norm = sum((c * _repeated(x, value) for c, x in zip(sizes, values, strict=True)), np.zeros(()))
    size = sum((c * np.abs(x.value) for c, x in zip(sizes, values, strict=True)), np.zeros(()))
    terms = len(values)
    return above(moved, terms), above(norm, terms), slack(size, 2 * terms)


def _multiply(_: Multiply, values: tuple[Rounded, ...], value: Batch, __: Carried) -> Moved:
    """x y - x' y' = x (y - y') + (x - x') y', and |y'| ≤ |y| + ρ."""
    x, y = values
    moved = np.abs(x.value) * y.off + (np.abs(y.value) + y.off) * x.off
    largest = [_largest(np.abs(z.value) + z.off) for z in values]
    norm = largest[0] * _repeated(y, value) + largest[1] * _repeated(x, value)
    return moved, norm, slack(np.abs(value), 1)


def _scale(op: Scale, values: tuple[Rounded, ...], value: Batch, carried: Carried) -> Moved:
    (x,) = values
    gain = np.ones(1) if op.scale is None else np.abs(along(carried[op.scale], op.axis, value.ndim - 1))
    size = gain * np.abs(x.value)
    if op.shift is not None:
        size = size + np.abs(along(carried[op.shift], op.axis, value.ndim - 1))
    return gain * x.off, gain.max() * x.off_norm, slack(size, 2)


def _normalise(op: Normalise, values: tuple[Rounded, ...], value: Batch, carried: Carried) -> Moved:
    """g (x − μ) + β; g meets four roundings, and the rest three more."""
    (x,) = values
    axes = value.ndim - 1
    gain = 1 / np.sqrt(square(op, carried))
    gain = along(gain if op.scale is None else np.abs(carried[op.scale]) * gain, op.axis, axes)
    size = gain * (np.abs(x.value) + np.abs(along(carried[op.mean], op.axis, axes)))
    if op.shift is not None:
        size = size + np.abs(along(carried[op.shift], op.axis, axes))
    gain = above(gain, 4)
    return gain * x.off, gain.max() * x.off_norm, slack(size, 8)


def _softmax(op: Softmax | LogSoftmax, values: tuple[Rounded, ...], value: Batch, _: Carried) -> Moved:
    """As `rules.softmax`: ln p moves by the two largest ρ, p = exp of that by as much, relative."""
    (x,) = values
    axis = op.axis + 1
    count = value.shape[axis]
    shifted = np.abs(x.value - x.value.max(axis=axis, keepdims=True))
    own = slack(shifted + math.log(count) + 1.0, 2 * count + 16)
    moved = x.off + x.off.max(axis=axis, keepdims=True)
    if isinstance(op, LogSoftmax):
        return moved, math.sqrt(count) * x.off_norm, own
    own = above(value * np.expm1(own), 16) + slack(value, 16)
    return (value + own) * np.expm1(moved), 0.5 * x.off_norm, own


def _repeated(x: Rounded, value: Batch) -> np.ndarray:
    """The norm of what an axis of length 1 is off by, when that is repeated."""
    return math.sqrt(math.prod(value.shape[1:]) // math.prod(x.value.shape[1:])) * x.off_norm


def _moves(op: Reshape | Permute | Slice | Concat, values: tuple[Rounded, ...], _: Batch, carried: Carried) -> Moved:
    off = EVALUATE[type(op)](op, tuple(x.off for x in values), carried)
    return off, norm_bound(np.stack([x.off_norm for x in values], axis=-1)), 0.0


def _pad(op: Pad, values: tuple[Rounded, ...], _: Batch, carried: Carried) -> Moved:
    (x,) = values
    return EVALUATE[Pad](Pad(op.padding), (x.off,), carried), x.off_norm, 0.0


STEPS: Mapping[type, Step] = {
    Pointwise: _pointwise,
    MaxPool: _max_pool,
    AxisMap: _axis_map,
    Add: _add,
    Multiply: _multiply,
    Scale: _scale,
    Normalise: _normalise,
    Concat: _moves,
    Reshape: _moves,
    Permute: _moves,
    Slice: _moves,
    Pad: _pad,
    Softmax: _softmax,
    LogSoftmax: _softmax,
    MatMul: mat_mul_step,
    Attention: attention_step,
    Standardise: standardise_step,
}
