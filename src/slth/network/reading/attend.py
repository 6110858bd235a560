"""Attention that a model writes out itself becomes the one op: softmax(c q kᵀ + masks) v.

    MatMul(Softmax(... MatMul(q, Permute(k)) ...), v)

Between the product and the softmax stand factors, constants that are added, and entries that are hidden; they become
scale, bias and mask. Factors of q and k become part of the scale, key heads that are repeated are read in place. What
is not recognised stays products and a softmax, which are ops too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from slth._errors import InputError
from slth.graph import Add, Attention, AxisMap, Constant, MatMul, Permute, Reshape, Shape, Softmax
from slth.network.reading.draft import Diagonal, Draft, Step
from slth.network.reading.here import Here
from slth.network.reading.hidden import FAR, SAID, Hidden, fills_in, heads_of, split_mask


def attend(draft: Draft) -> None:
    """Recognise attention; every mask is part of one afterwards.

    Raises:
        InputError: entries are hidden from something that is no attention.
    """
    for name in list(draft.steps):
        _recognise(draft, name)
    draft.drop_dead()
    for step in list(draft.steps.values()):
        if isinstance(step.op, Attention):
            _without_factors(draft, step)
            _with_shared_heads(draft, step)
            _as_causal(step)
    draft.drop_dead()
    for step in draft.steps.values():
        if isinstance(step.op, Hidden):
            raise InputError(
                f"{step.place or 'the model'}: fills in infinity or NaN where no attention reads it; a finite number, "
                "such as -1e9 before a softmax, is read"
            )


@dataclass(slots=True)
class _Logits:
    """What stands between a product and a softmax: scale · product + mask."""

    product: str
    scale: float = 1.0
    mask: np.ndarray = field(default_factory=lambda: np.zeros(()))  # −∞ hides
    assumed: bool = False


def _recognise(draft: Draft, name: str) -> None:
    step = draft.steps[name]
    if not isinstance(step.op, MatMul):
        return
    shares = _behind_views(draft, step.inputs[0])
    softmax = draft.steps.get(shares)
    if softmax is None or not isinstance(softmax.op, Softmax) or softmax.op.axis != len(softmax.shape) - 1:
        return
    found = _logits(draft, softmax.inputs[0])
    if found is None:
        return
    query, transposed = draft.steps[found.product].inputs
    key, value = _transposed(draft, transposed), step.inputs[1]
    shapes = [draft.shape_of(part) for part in (query, value)]
    if softmax.shape[-3:] != draft.shape_of(step.inputs[0])[-3:] or any(len(s) > 4 for s in shapes):
        return
    groups = draft.shape_of(key)[:-2]
    if groups != shapes[1][:-2] or groups != shapes[0][:-2]:
        return
    here = Here(draft, "softmax", softmax.place, "", softmax.leaf)
    heads, logits = heads_of(shapes[0]), (shapes[0][-2], shapes[1][-2])
    try:
        arrays = split_mask(here, found.mask, heads, logits) if found.mask.ndim else {}
    except InputError:
        return
    op = Attention(found.scale, False, *(part if part in arrays else None for part in ("visible", "bias")))
    assumed = SAID if found.assumed else step.assumed
    made = Step(op, (query, key, value), (), softmax.place, softmax.leaf, arrays, assumed=assumed)
    draft.steps[name] = replace(made, shape=step.shape)
    _check(draft, draft.steps[name])


def _check(draft: Draft, step: Step) -> None:
    """An attention whose masks leave a row empty is refused, where it stands."""
    try:
        draft.checked(step)
    except InputError as error:
        raise InputError(f"{step.place or 'the model'}: {error}") from error


def _logits(draft: Draft, name: str) -> _Logits | None:
    """Through factors, sums with constants and masks, from a softmax up to the product."""
    scale, mask, assumed = 1.0, np.zeros(()), False
    while True:
        step = draft.steps.get(name)
        if step is None:
            return None
        match step.op:
            case MatMul():
                assumed = assumed or fills_in(mask)
                return _Logits(name, scale, mask, assumed)
            case Diagonal():
                g, t = step.scale, step.shift
                if g.size > 1:  # one number and, where another is filled in, 0
                    far = (g == 0) & (mask + scale * t <= FAR)
                    if not ((g == g.flat[np.argmax(g != 0)]) | far).all() or not (g != 0).any():
                        return None
                    hidden = np.broadcast_to(far, np.broadcast_shapes(far.shape, t.shape))
                    t = np.where(hidden, -np.inf, t)
                    assumed = assumed or bool(far.any())
                    g = g.flat[np.argmax(g != 0)]
                mask, scale = mask + scale * t, scale * float(np.asarray(g).reshape(()))
                if not scale > 0:
                    return None
            case Hidden():
                mask = mask + np.where(step.arrays["visible"] != 0, 0.0, -np.inf)
            case Add((first, second)):
                values = [draft.steps.get(value) for value in step.inputs]
                constant = next((i for i, own in enumerate(values) if own and isinstance(own.op, Constant)), None)
                if constant is None or (first, second)[1 - constant] <= 0:
                    return None
                array = values[constant].arrays["value"]  # pyright: ignore[reportOptionalMemberAccess]
                mask = mask + scale * (first, second)[constant] * array
                scale *= (first, second)[1 - constant]
                name = step.inputs[1 - constant]
                continue
            case Reshape() if _drops_ones(draft, step):
                return None
            case _:
                return None
        name = step.inputs[0]


def _drops_ones(draft: Draft, step: Step) -> bool:
    return [n for n in step.shape if n != 1] == [n for n in draft.shape_of(step.inputs[0]) if n != 1]


def _behind_views(draft: Draft, name: str) -> str:
    """A value, behind steps that only add or drop axes of length 1."""
    step = draft.steps.get(name)
    while step is not None and isinstance(step.op, Reshape) and _drops_ones(draft, step):
        name = step.inputs[0]
        step = draft.steps.get(name)
    return name


def _transposed(draft: Draft, name: str) -> str:
    """kᵀ as k: the value behind a step that swaps the last axes, or a new one that does."""
    shape = draft.shape_of(name)
    order = (*range(len(shape) - 2), len(shape) - 1, len(shape) - 2)
    step = draft.steps.get(name)
    if step is not None and isinstance(step.op, Permute) and step.op.order == order:
        return step.inputs[0]
    place = "" if step is None else step.place
    return draft.add(Step(Permute(order), (name,), (), place))


def _up(draft: Draft, name: str) -> Iterator[tuple[str, Step]]:
    """Steps above a value, as long as views alone stand between and nothing else reads them."""
    while (step := draft.steps.get(name)) is not None and len(draft.readers(name)) == 1:
        yield name, step
        if not isinstance(step.op, (Reshape, Permute)):
            return
        name = step.inputs[0]


def _without_factors(draft: Draft, step: Step) -> None:
    """Factors of queries and keys: part of the scale."""
    for place in (0, 1):
        for name, above in _up(draft, step.inputs[place]):
            if not isinstance(above.op, Diagonal) or above.scale.size > 1 or above.shift.any():
                continue
            factor = float(above.scale.reshape(()))
            if factor > 0:
                step.op = replace(step.op, scale=step.op.scale * factor)
                draft.replace(name, above.inputs[0])
            break


def _with_shared_heads(draft: Draft, step: Step) -> None:
    """Key and value heads that are repeated side by side are read where they are."""
    found = [_unrepeated(draft, name) for name in step.inputs[1:]]
    if None in found or len({draft.shape_of(str(name))[:-1] for name in found}) != 1:
        return
    step.inputs = (step.inputs[0], *(str(name) for name in found))


def _unrepeated(draft: Draft, name: str) -> str | None:
    """k (G, S, d) of its heads repeated (G · n, S, d); None if they are not."""
    shape = draft.shape_of(name)
    step = draft.steps.get(name)
    if len(shape) < 3 or step is None:
        return None
    if isinstance(step.op, Reshape):
        step = draft.steps.get(step.inputs[0])
        if step is None or len(step.shape) != len(shape) + 1 or step.shape[-2:] != shape[-2:]:
            return None
        axis, times = len(shape) - 2, step.shape[len(shape) - 2]
    else:
        axis, times = len(shape) - 3, None
    if not isinstance(step.op, AxisMap) or len(step.op.axes) != 1:
        return None
    (one,) = step.op.axes
    own = draft.shape_of(step.inputs[0])
    if one.axis != axis or one.kind != "nearest" or (times is not None and own[axis] != 1):
        return None
    if times is None:
        return step.inputs[0] if shape[axis] % own[axis] == 0 else None
    plain: Shape = (*own[:axis], *own[axis + 1 :])
    above = draft.steps.get(step.inputs[0])
    if above is not None and isinstance(above.op, Reshape) and draft.shape_of(above.inputs[0]) == plain:
        return above.inputs[0]
    return draft.add(Step(Reshape(plain), step.inputs, (), step.place))


def _as_causal(step: Step) -> None:
    """A mask of the keys up to each query is no array."""
    visible = step.arrays.get("visible")
    if visible is None:
        return
    if (visible == np.tri(*visible.shape[-2:])).all():
        del step.arrays["visible"]
        step.op = replace(step.op, visible=None, causal=True)
