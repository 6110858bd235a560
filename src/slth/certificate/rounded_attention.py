r"""What float64 loses in products of values, attention and normalisation of each example; arguments as in `rules`.

The logits of a query are known up to B_s, of every key: what queries and keys are off by moves them, rounding on the
way does, too. So ½ Σ |p̂ − p| ≤ tanh(max B / 2), and what exp, sum and quotient round is a relative error of each p.
"""

import math
from typing import Any

import numpy as np

from slth.certificate.rounded_values import Batch, Moved, Rounded, each, norms
from slth.graph import Attention, Carried, MatMul, Standardise, log_softmax, visible_keys
from slth.numerics import FLOOR, above, norm_bound, slack

_FEW = 2.0**-49


def mat_mul_step(_: MatMul, values: tuple[Rounded, ...], __: Batch, ___: Carried) -> Moved:
    """x y − x' y' = x (y − y') + (x − x') y', and |y'| ≤ |y| + ρ; so in norm."""
    x, y = values
    terms = x.value.shape[-1]
    moved = above(np.abs(x.value) @ y.off + x.off @ (np.abs(y.value) + y.off), terms + 1) + FLOOR
    norm = above(norms(x.value) * y.off_norm + x.off_norm * (norms(y.value) + y.off_norm), 3)
    return moved, norm, slack(np.abs(x.value) @ np.abs(y.value), terms)


def attention_step(op: Attention, values: tuple[Rounded, ...], value: Batch, carried: Carried) -> Moved:
    """Head by head, so that the logits of one are held at a time."""
    queries, keys, read = values
    seen = visible_keys(op, (queries.value.shape[-2], keys.value.shape[-2]), carried)
    bias = None if op.bias is None else carried[op.bias].astype(np.float64)
    if value.ndim == 3:
        moved, own = _head(op, _parts(queries, None), _parts(keys, None), _parts(read, None), (seen, bias))
        return moved, norms(moved), own
    moved, own = np.empty_like(value), np.empty_like(value)
    shared = value.shape[-3] // keys.value.shape[-3]
    for head in range(value.shape[-3]):
        extra = [part[head] if part is not None and part.ndim == 3 else part for part in (seen, bias)]
        parts = _parts(queries, head), _parts(keys, head // shared), _parts(read, head // shared)
        moved[..., head, :, :], own[..., head, :, :] = _head(op, *parts, (extra[0], extra[1]))
    return moved, norms(moved), own


def _parts(x: Rounded, head: int | None) -> tuple[Batch, Batch]:
    """Value and error of one head."""
    return (x.value, x.off) if head is None else (x.value[..., head, :, :], x.off[..., head, :, :])


@np.errstate(over="ignore", invalid="ignore")
def _head(op: Attention, queries: Any, keys: Any, read: Any, extra: Any) -> tuple[Batch, Batch]:
    (q, q_off), (k, k_off), (v, v_off), (seen, bias), scale = queries, keys, read, extra, abs(op.scale)

    def turned(x: Batch) -> Batch:
        return x.swapaxes(-1, -2)

    width, count = q.shape[-1], k.shape[-2]
    logits = op.scale * (q @ turned(k)) + (0.0 if bias is None else bias)
    size = scale * (np.abs(q) @ turned(np.abs(k))) + (0.0 if bias is None else np.abs(bias))
    moved = q_off @ turned(np.abs(k)) + (np.abs(q) + q_off) @ turned(k_off)
    moved = above(scale * moved, width + 3) + FLOOR
    rounded = slack(size, width + 3)
    if seen is not None:
        logits = np.where(seen, logits, -np.inf)
        moved, rounded = np.where(seen, moved, 0.0), np.where(seen, rounded, 0.0)
    apart = above(v.max(axis=-2, keepdims=True) - v.min(axis=-2, keepdims=True), 1)

    def carried_on(off: Batch) -> Batch:
        """What logits that are off by so much do to the mean."""
        return above((1 + _FEW) * np.tanh(off.max(axis=-1, keepdims=True) / 2.0) * apart, 2)

    shifted = logits - logits.max(axis=-1, keepdims=True)
    p = np.exp(log_softmax(logits, logits.ndim - 1))
    near = np.where(p > 0, np.abs(np.where(p > 0, shifted, 0.0)), 0.0)  # others are 0 in float64, up to `FLOOR`
    relative = slack(near + math.log(count) + 1.0, 2 * count + 16)
    weights = above((p * np.expm1(relative)).sum(axis=-1, keepdims=True), count + 16) + FLOOR
    largest = np.abs(v).max(axis=-2, keepdims=True)
    own = carried_on(rounded) + above(weights * largest, 2) + slack((p + FLOOR) @ np.abs(v), count + 2)
    return above(v_off.max(axis=-2, keepdims=True) + carried_on(moved), 1), above(own, 3)


def standardise_step(op: Standardise, values: tuple[Rounded, ...], value: Batch, _: Carried) -> Moved:
    """A point that is known up to ρ; and the mean is, up to its rounding."""
    (x,) = values
    axes = tuple(axis + 1 for axis in op.axes)
    count = math.prod(x.value.shape[axis] for axis in axes)
    root = math.sqrt(count)
    size = np.abs(x.value)
    u, lost, turned = x.value, np.zeros_like(size), x.off
    if op.centred:
        u = x.value - x.value.mean(axis=axes, keepdims=True)
        lost = slack(size + size.mean(axis=axes, keepdims=True), count + 2)
        others = np.maximum(x.off.mean(axis=axes, keepdims=True) - x.off / count, 0.0)
        turned = above(x.off * (1.0 - 1.0 / count) + others, count + 6)
    square = (u * u).mean(axis=axes, keepdims=True)
    s = np.sqrt(square * (1 - 2.0**-50 * (count + 4)) + op.epsilon) * (1 - _FEW)  # at least, of u as computed

    def least(norm: np.ndarray) -> np.ndarray:
        """ŝ is at least this, of a point with ‖û − u‖ ≤ norm."""
        return np.maximum(math.sqrt(op.epsilon) * (1 - _FEW), (s - above(norm / root, 2)) * (1 - _FEW))

    def moved(off: Batch, norm: np.ndarray) -> Batch:
        """How far y is from that of a point with |û − u| ≤ off and ‖û − u‖ ≤ norm."""
        hat = least(norm)
        with np.errstate(divide="ignore", invalid="ignore"):
            together = above(2.0 * norm / (s + hat), 3)
            alone = above((off + np.abs(value) * norm / root) / hat, 4)
        return np.nan_to_num(np.minimum(np.minimum(together, alone), 2.0 * above(root, 1)), nan=2.0 * root + 1.0)

    def within(off: Batch) -> np.ndarray:
        """‖·‖₂ over the entries of each group."""
        last = np.moveaxis(off, axes, range(-len(axes), 0))
        found = norm_bound(np.ascontiguousarray(last).reshape(*last.shape[: -len(axes)], count))
        return found.reshape(tuple(1 if axis in axes else length for axis, length in enumerate(off.shape)))

    norm = np.minimum(np.minimum(within(x.off), within(turned)), each(x.off_norm, value))
    with np.errstate(divide="ignore"):
        steepest = above(2.0 / (s + least(norm)), 3).reshape(len(value), -1).max(axis=1)
    own = moved(lost, within(lost)) + slack(np.abs(value), count + 12)
    return moved(turned, norm), above(steepest * x.off_norm, 1), above(own, 1)
