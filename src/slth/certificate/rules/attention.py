r"""Products of values: MatMul, Attention.

MatMul, ẑ − z = x₁ (x̂₂ − x₂) + (x̂₁ − x₁) x̂₂: e' = ū₁ e₂ + e₁ ū₂ + e₁ e₂ as matrices, ū = max(|l|, |h|), and in norm
r' = r₁ r₂, a' = r₁ a₂ + a₁ (r₂ + a₂) or the same with 1 and 2 exchanged, however many matrices there are.

Attention, b = Σ_s p_s v_s with p the softmax of the logits of one query:

    b̂ − b = Σ p̂_s (v̂_s − v_s) + Σ (p̂_s − p_s) v_s

Weights sum to 1, so the first sum is at most the largest error of a value, and the second, whose weights sum to 0, at
most ½ Σ |p̂ − p| times how far values are apart. If no two logits move apart by more than osc, ½ Σ |p̂ − p| ≤
tanh(osc/4). They move by scale (⟨q̂ − q, k_s⟩ + ⟨q̂, k̂_s − k_s⟩), of which only what differs from key to key counts:

    osc ≤ scale Σ_i (e_q,i (max_s k_s,i − min_s k_s,i) + 2 (|q_i| + e_q,i) max_s e_k,i)
    osc ≤ scale (a_q ‖max k − min k‖₂ + (r_q + a_q) √2 a_k)

since of two keys ‖Δk_s − Δk_t‖ ≤ √2 a_k. No length of a sequence appears, and no mask, but for keys that no row sees,
and rows that see one key, whose softmax is 1. Source: Otsuka et al. (2025) for the argument, with e^{2β} − 1 in place
of 2 tanh(osc/4).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from slth.certificate.reach import Numbers, Reach, norm_over, tightened, times
from slth.certificate.rules.rule import Facts, shape_after
from slth.graph import Attention, MatMul, visible_keys
from slth.numerics import above, matmul_bound, norm_bound, product_bound, slack

_FEW = 2.0**-49  # what tanh is off by, relative
_ROOT = above(math.sqrt(2.0), 1)
MOST_WORK = 2**26  # products of numbers one by one; a larger product of intervals is that of their hulls


def through_mat_mul(op: MatMul, inputs: tuple[Reach, ...], facts: Facts) -> Reach:
    """x₁ x₂ over the last two axes."""
    shape = shape_after(op, inputs, facts)
    x, y = inputs
    terms = x.shape[-1]
    low, high = _interval(x, y, terms)
    off = slack(dot(x.sizes, y.sizes, terms), terms + 1)
    e = dot(x.sizes, y.error, terms) + dot(x.error, y.sizes, terms) + dot(x.error, y.error, terms)
    a = min(
        above(times(x.norm, y.error_norm) + times(x.error_norm, above(y.norm + y.error_norm, 1)), 1),
        above(times(y.norm, x.error_norm) + times(y.error_norm, above(x.norm + x.error_norm, 1)), 1),
    )
    return tightened(Reach(low - off, high + off, times(x.norm, y.norm), above(e, 2), a, shape))


def _interval(x: Reach, y: Reach, terms: int) -> tuple[Numbers, Numbers]:
    """The sums of the smallest and of the largest corners of each term, before rounding."""
    ends = [x.lower, x.upper], [y.lower, y.upper]
    rows, columns = (math.prod(np.broadcast_shapes(*(end.shape for end in each))) for each in ends)
    if terms > 1 and rows * columns > MOST_WORK:  # at least as much as there are products
        ends = (
            [_over(x.lower, np.min, -1), _over(x.upper, np.max, -1)],
            [
                _over(y.lower, np.min, -2),
                _over(y.upper, np.max, -2),
            ],
        )
    left, right = ([np.broadcast_to(end, _alike(each)) for end in each] for each in ends)
    own = max(left[0].shape[-1], right[0].shape[-2])
    low, high = np.zeros(()), np.zeros(())
    for k in range(own):
        i, j = min(k, left[0].shape[-1] - 1), min(k, right[0].shape[-2] - 1)
        corners = [a[..., :, i : i + 1] * b[..., j : j + 1, :] for a in left for b in right]
        low, high = low + np.minimum.reduce(corners), high + np.maximum.reduce(corners)
    return low * (terms // own), high * (terms // own)


def _alike(each: list[Numbers]) -> tuple[int, ...]:
    return np.broadcast_shapes(*(end.shape for end in each))


def _over(numbers: Numbers, join: Callable[..., Numbers], axis: int) -> Numbers:
    return join(numbers, axis=axis, keepdims=True)


def dot(left: Numbers, right: Numbers, terms: int) -> Numbers:
    """An upper bound on left @ right, both ≥ 0, where either may share its entries along the axis that is summed."""
    if left.shape[-1] == right.shape[-2] == 1:
        return product_bound(matmul_bound(left, right), float(terms))
    left = np.broadcast_to(left, (*left.shape[:-1], terms))
    return matmul_bound(left, np.broadcast_to(right, (*right.shape[:-2], terms, right.shape[-1])))


@dataclass(frozen=True, slots=True, eq=False)
class _Keys:
    """Keys or values, over all that are seen: shared along them, one for each query head or for all."""

    apart: Numbers  # at least max − min
    lower: Numbers
    upper: Numbers
    error: Numbers  # the largest

    @classmethod
    def of(cls, x: Reach, heads: int, seen: np.ndarray | None) -> "_Keys":
        """`seen`: (H, S), by which head a key is seen; None: by all."""

        def over(numbers: Numbers, join: Callable[..., Numbers]) -> Numbers:
            groups = x.shape[-3] if len(x.shape) > 2 else 1
            if numbers.ndim > 2 and numbers.shape[-3] > 1:
                numbers = numbers.repeat(heads // groups, axis=-3)
            if seen is None or numbers.shape[-2] == 1:
                return join(numbers, axis=-2, keepdims=True)
            shown = seen[..., None] if numbers.ndim > 2 else seen[0][:, None]
            none = np.inf if join is np.min else -np.inf
            return join(np.where(shown, numbers, none), axis=-2, keepdims=True)

        lower, upper = over(x.lower, np.min), over(x.upper, np.max)
        return cls(above(upper - lower, 1), lower, upper, over(x.error, np.max))


def through_attention(op: Attention, inputs: tuple[Reach, ...], facts: Facts) -> Reach:
    """Means of values; see above."""
    shape = shape_after(op, inputs, facts)
    q, k, v = inputs
    heads, groups = (q.shape[-3], k.shape[-3]) if len(shape) > 2 else (1, 1)
    seen, single = _seen(op, (q.shape[-2], k.shape[-2]), heads, facts)
    keys, values = _Keys.of(k, heads, seen), _Keys.of(v, heads, seen)

    scale, size = abs(op.scale), q.shape[-1]

    def over_entries(left: Numbers, right: Numbers) -> Numbers:
        return dot(left, right.swapaxes(-1, -2), size)

    moved = over_entries(q.error, keys.apart) + 2.0 * over_entries(above(q.sizes + q.error, 1), keys.error)
    k_apart, v_apart = (_norm_apart(x, own.apart) for x, own in ((k, keys), (v, values)))
    queries = above(q.norm + q.error_norm, 1)
    in_norm = above(times(q.error_norm, k_apart) + times(queries, times(_ROOT, k.error_norm)), 1)
    osc = product_bound(np.minimum(above(moved, 1), in_norm), scale)
    further = np.zeros_like(osc) if single else np.minimum((1 + _FEW) * np.tanh(osc / 4.0), 1.0)

    turned = product_bound(further, values.apart)
    turned_norm = times(times(0.25 * scale, in_norm), v_apart)
    repeats = math.sqrt(q.shape[-2] * heads // groups)
    moved_norm = min(times(repeats, v.error_norm), norm_over(values.error, shape))
    error_norm = above(moved_norm + min(0.0 if single else turned_norm, norm_over(turned, shape)), 1)
    error = above(values.error + turned, 1)
    return tightened(Reach(values.lower, values.upper, times(repeats, v.norm), error, error_norm, shape))


def _norm_apart(x: Reach, apart: Numbers) -> float:
    """How far two keys or values of one head can be apart in norm."""
    length = x.shape[-1]
    norm = float(norm_bound(np.broadcast_to(apart, (*apart.shape[:-1], length))).max())
    return min(times(_ROOT, x.norm), norm)


def _seen(op: Attention, logits: tuple[int, int], heads: int, facts: Facts) -> tuple[np.ndarray | None, bool]:
    """(H, S), which keys a head sees in some row, None if all; and whether every row sees one key alone."""
    if op.visible is None:
        return None, logits[1] == 1 or (op.causal and logits[0] == 1)
    seen = visible_keys(op, logits, facts.carried)
    assert seen is not None
    by_head = np.broadcast_to(seen.any(axis=-2), (heads, logits[1]))
    return by_head, bool(seen.sum(axis=-1).max() == 1)
