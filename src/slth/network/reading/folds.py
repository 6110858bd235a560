r"""Diagonal steps into linear maps: y = g x + t, where g and t are one number per channel, costs nothing there.

Backwards, into the map whose value is scaled: C'[o, ...] = g_o C[o, ...], b' = g b + t. Forwards, into the map that
reads: C'[o, j, t] = C[o, j, t] g_j, b'_o = b_o + Σ C[o, j, t] t_j. On the way it passes what it commutes with: views,
parts side by side, means whose weights sum to 1, and, if g ≥ 0, the largest of a window. Both only where the network
stays the same function in real arithmetic; elsewhere the step stays a Scale.

Nothing folds backwards past a value with two readers, nor forwards into a zero-padded map if t ≠ 0: the padding is 0,
not t. A sum takes g into every term and t into one. Nothing folds into a map over tokens: that stays the model's table,
and what stands behind it is carried, as it is where the table is.

Every map keeps the names of the steps whose numbers are in its own, in the order of the network: a line that another
line took goes where that one goes, one that is split goes to every map whose numbers it changes.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from slth.graph import (
    INPUT,
    Add,
    AxisMap,
    Concat,
    Conv,
    Dense,
    Linear,
    MaxPool,
    OneHot,
    Pad,
    Permutation,
    Permute,
    Pointwise,
    Reshape,
    Slice,
    Steerable,
    spread,
)
from slth.network.reading.draft import Diagonal, Draft, Step
from slth.network.reading.lines import Line, compose, compose_before, scale_inputs, scale_outputs, scale_terms, take

Edits = list[Callable[[], None]]  # applied only if every one is possible
HOMOGENEOUS = ("Relu", "LeakyRelu", "PRelu")  # σ(g x) = g σ(x) for g > 0
SUM_TO_ONE = 1e-14


def fold(draft: Draft) -> None:
    """Take every diagonal step into linear maps, where that is exact."""
    order = _name_diagonals(draft)
    changed = True
    while changed:
        changed = False
        for name in list(draft.steps):
            changed = _folded(draft, name) or changed
    for step in draft.linear:
        step.folded = tuple(sorted(set(step.folded), key=order.__getitem__))


def _name_diagonals(draft: Draft) -> dict[str, int]:
    """Each diagonal step stands for itself: by its module, if that is no linear map; the places of the names."""
    maps = {step.place for step in draft.linear}
    diagonal = [step for step in draft.steps.values() if isinstance(step.op, Diagonal)]
    for step in diagonal:
        step.folded = (step.name("scale", alone=step.place not in maps),)
    names = dict.fromkeys(name for step in diagonal for name in step.folded)
    return {name: i for i, name in enumerate(names)}


def _folded(draft: Draft, name: str) -> bool:
    step = draft.steps[name]
    if not isinstance(step.op, Diagonal):
        return False
    line = Line(step.scale, step.shift, step.folded)
    to_sums = all(reader and isinstance(draft.steps[reader].op, Add) for reader in draft.readers(name))
    edits = _forwards(draft, name, line) if to_sums else None  # a factor of a term changes no weight
    edits = _backwards(draft, step.inputs[0], line) if edits is None else edits
    edits = _forwards(draft, name, line) if edits is None else edits
    if edits is None:
        return False
    for edit in edits:
        edit()
    draft.replace(name, step.inputs[0])
    return True


def _backwards(draft: Draft, name: str, line: Line) -> Edits | None:
    """Edits after which a value is g x + t where it was x; None if there are none."""
    if line.nothing:
        return []
    if name == INPUT or len(draft.readers(name)) != 1:
        return None
    step = draft.steps[name]
    values = step.inputs
    match step.op:
        case Linear() if step.tensors[0] & draft.tied or isinstance(step.op.basis, OneHot):
            return None
        case Linear():
            channels = _per_channel(line, step.shape, _channel_axis(step))
            return None if channels is None else [lambda: scale_outputs(step, *channels), lambda: take(step, line)]
        case Diagonal():
            return [lambda: compose(step, line)]
        case Add():
            factor = line.factor
            return _into_terms(draft, step, line) if factor is None else [lambda: scale_terms(step, factor)]
        case Concat():
            parts = _split(line, step.op.axis, [draft.shape_of(value)[step.op.axis] for value in values])
            return _all([_backwards(draft, value, part) for value, part in zip(values, parts, strict=True)])
        case Reshape():
            own = draft.shape_of(values[0])
            return _backwards(draft, values[0], line.each(lambda array: spread.reshape(array, step.shape, own)))
        case Permute():
            back = tuple(int(axis) for axis in np.argsort(step.op.order))
            return _backwards(draft, values[0], line.each(lambda array: spread.permute(array, back)))
        case _:
            return _backwards(draft, values[0], line) if _commutes(draft, step, line) else None


def _forwards(draft: Draft, name: str, line: Line) -> Edits | None:
    """Edits after which the readers of a value want x where they wanted g x + t."""
    if line.nothing:
        return []
    readers = draft.readers(name)
    if not readers or "" in readers or len(set(readers)) != len(readers):
        return None
    return _all([_into(draft, reader, name, line) for reader in readers])


def _into(draft: Draft, reader: str, name: str, line: Line) -> Edits | None:
    step = draft.steps[reader]
    shape = draft.shape_of(name)
    match step.op:
        case Linear() if step.tensors[0] & draft.tied:
            return None
        case Linear():
            channels = _per_channel(line, shape, step.op.basis.channel_axis % len(shape))
            if channels is None or (line.shifts and not _shiftable(step)):
                return None
            return [lambda: scale_inputs(step, *channels), lambda: take(step, line)]
        case Diagonal():
            return [lambda: compose_before(step, line)]
        case Add():
            factor = line.factor
            return None if factor is None else [lambda: scale_terms(step, factor, name)]
        case Reshape():
            return _forwards(draft, reader, line.each(lambda array: spread.reshape(array, shape, step.shape)))
        case Permute():
            order = step.op.order
            return _forwards(draft, reader, line.each(lambda array: spread.permute(array, order)))
        case Slice():
            op = step.op
            part = slice(op.start, op.stop, op.step)
            return _forwards(draft, reader, line.each(lambda array: spread.take(array, op.axis, part)))
        case _:
            return _forwards(draft, reader, line) if _commutes(draft, step, line) else None


def _commutes(draft: Draft, step: Step, line: Line) -> bool:
    """op(g x + t) = g op(x) + t, with the same arrays before and behind."""
    own = draft.shape_of(step.inputs[0]) if step.inputs else ()
    both = (line.g, line.t)
    match step.op:
        case MaxPool(kernel):
            return bool((line.g >= 0).all()) and all(set(array.shape[-len(kernel) :]) == {1} for array in both)
        case AxisMap(axes):
            if any(array.shape[axis.axis] != 1 for axis in axes for array in both):
                return False
            matrices = [axis.matrix(own[axis.axis], step.arrays) for axis in axes]
            return not line.shifts or all(np.abs(m.sum(axis=1) - 1).max() <= SUM_TO_ONE for m in matrices)
        case Pad(padding, value):
            half = len(padding) // 2
            axes = [axis for axis in range(half) if padding[axis] or padding[half + axis]]
            return not line.shifts and value == 0 and all(line.g.shape[axis] == 1 for axis in axes)
        case Pointwise(function) if function in HOMOGENEOUS:
            return not line.shifts and bool((line.g > 0).all())
        case _:
            return False


def _into_terms(draft: Draft, step: Step, line: Line) -> Edits | None:
    """g into every term of a sum, t into the first that takes it."""
    lengths = [draft.shape_of(value) for value in step.inputs]
    if any(np.broadcast_shapes(array.shape, shape) != shape for array in (line.g, line.t) for shape in lengths):
        return None
    nowhere = np.zeros((1,) * line.t.ndim)
    for taker in range(len(step.inputs) if line.shifts else 1):
        shifts = [line.t / c if i == taker else nowhere for i, c in enumerate(step.op.coefficients)]
        lines = [Line(line.g, t, line.steps) for t in shifts]
        terms = [_backwards(draft, value, own) for value, own in zip(step.inputs, lines, strict=True)]
        edits = _all(terms)
        if edits is not None:
            return edits
    return None


def _all(parts: Sequence[Edits | None]) -> Edits | None:
    """Everything, or nothing."""
    return None if any(part is None for part in parts) else [edit for part in parts for edit in part or []]


def _split(line: Line, axis: int, lengths: Sequence[int]) -> list[Line]:
    ends = np.cumsum([0, *lengths])
    cuts = [slice(int(i), int(j)) for i, j in pairwise(ends)]
    return [line.each(lambda array, cut=cut: spread.take(array, axis, cut)) for cut in cuts]


def _channel_axis(step: Step) -> int:
    return step.op.basis.channel_axis % len(step.shape)


def _per_channel(line: Line, shape: tuple[int, ...], axis: int) -> tuple[np.ndarray, np.ndarray] | None:
    """g and t, one number each per index of an axis; None if they differ along others."""
    found: list[np.ndarray] = []
    for array in (line.g, line.t):
        if any(size != 1 for i, size in enumerate(array.shape) if i != axis):
            return None
        found.append(np.array(np.broadcast_to(array.reshape(-1), (shape[axis],))))
    return found[0], found[1]


def _shiftable(step: Step) -> bool:
    """A constant in the input is a constant in the output: nothing is padded, every output sums all taps."""
    basis = step.op.basis
    if isinstance(basis, Permutation):
        return basis.writes < 2  # on the diagonal of pairs more taps meet than elsewhere
    return isinstance(basis, Dense) or (isinstance(basis, Conv | Steerable) and not basis.pads)
