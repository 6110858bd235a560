"""Smaller before folding: what does nothing goes, what two steps do is done by one. No number changes."""

import math

from slth.graph import Concat, Constant, Conv, Linear, MaxPool, Pad, Permute, Reshape
from slth.network.reading.draft import Draft, Step


def simplify(draft: Draft) -> None:
    """Merge views with views and padding with what it pads, until nothing is left to merge."""
    draft.drop_dead()
    changed = True
    while changed:
        changed = False
        for name, step in list(draft.steps.items()):
            changed = _simpler(draft, name, step) or changed
        draft.drop_dead()


def _simpler(draft: Draft, name: str, step: Step) -> bool:
    before = draft.steps.get(step.inputs[0]) if step.inputs else None
    if _is_identity(draft, step):
        draft.replace(name, step.inputs[0])
        return True
    if isinstance(step.op, Concat) and _padded(draft, step):
        return True
    if isinstance(step.op, Permute) and _keeps_order(step.op.order, draft.shape_of(step.inputs[0])):
        step.op = Reshape(step.shape)
        return True
    if before is None:
        return False
    match step.op, before.op:
        case Reshape(), Reshape():
            step.inputs = before.inputs
        case Permute(outer), Permute(inner):
            step.inputs, step.op = before.inputs, Permute(tuple(inner[axis] for axis in outer))
        case Pad(outer, value), Pad(inner, same) if value == same:
            step.inputs, step.op = before.inputs, Pad(_sum(outer, inner), value)
        case Linear(basis=Conv() as basis), Pad(padding, 0.0) if _spares(padding, len(basis.kernel)):
            own = _last(padding, len(basis.kernel))
            merged = Conv(
                basis.inputs,
                basis.outputs,
                basis.kernel,
                basis.stride,
                _sum(basis.padding, own),
                basis.dilation,
                basis.groups,
            )
            step.inputs, step.op = before.inputs, Linear("", merged, step.op.bias)
        case MaxPool(kernel, stride, own, dilation), Pad(padding, value) if value == -math.inf and _spares(
            padding, len(kernel)
        ):
            op = MaxPool(kernel, stride, _sum(own, _last(padding, len(kernel))), dilation)
            step.inputs, step.op = before.inputs, op
        case _:
            return False
    return True


def _padded(draft: Draft, step: Step) -> bool:
    """A constant number at an end of a Concat is padding."""
    axis, axes = step.op.axis, len(step.shape)
    for end in (0, -1):
        edge = draft.steps.get(step.inputs[end])
        if edge is None or not isinstance(edge.op, Constant) or len(step.inputs) < 2:
            continue
        array = edge.arrays["value"]
        if (array == array.flat[0]).all():
            rest = step.inputs[1:] if end == 0 else step.inputs[:-1]
            inside = draft.add(Step(Concat(axis), rest, (), step.place))
            padding = [0] * (2 * axes)
            padding[axis if end == 0 else axes + axis] = array.shape[axis]
            step.op, step.inputs = Pad(tuple(padding), float(array.flat[0])), (inside,)
            return True
    return False


def _is_identity(draft: Draft, step: Step) -> bool:
    if len(step.inputs) != 1:
        return False
    own = draft.shape_of(step.inputs[0])
    match step.op:
        case Reshape():
            return step.shape == own
        case Permute(order):
            return order == tuple(range(len(order))) or (step.shape == own and _keeps_order(order, own))
        case Pad(padding):
            return not any(padding)
        case Concat():
            return True
        case _:
            return False


def _keeps_order(order: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """An order that moves axes of length 1 alone."""
    kept = [axis for axis in order if shape[axis] != 1]
    return kept == sorted(kept)


def _spares(padding: tuple[int, ...], axes: int) -> bool:
    """Only the last axes are padded."""
    half = len(padding) // 2
    return half > axes - 1 and not any(padding[: half - axes] + padding[half : 2 * half - axes])


def _last(padding: tuple[int, ...], axes: int) -> tuple[int, ...]:
    half = len(padding) // 2
    return padding[half - axes : half] + padding[2 * half - axes :]


def _sum(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a + b for a, b in zip(first, second, strict=True))
