r"""Windows and matrices along axes: MaxPool, AxisMap.

A maximum moves no further than the entry that moves furthest, and an entry is in at most ⌈k / (s / gcd(s, d))⌉ windows
per axis: the norm grows by at most the root of their product. An axis map is a Kronecker product of matrices A, one per
axis; norms and sums are those of the A, multiplied. Averages are such matrices: at a border a row may have other sums.
"""

import math
from collections.abc import Callable

import numpy as np

from slth.certificate.reach import Numbers, Reach, tightened, times
from slth.certificate.rules.rule import Facts, shape_after
from slth.graph import AxisMap, MaxPool, Shape, Sparse, apply_along, max_pool
from slth.numerics import FLOOR, above, norm_bound, slack, spectral_norm_bound

Matrix = np.ndarray | Sparse
_POWERS = 512  # of |A|ᵀ|A|
_SMALLEST = 2.0**-200  # of an entry of v


def through_max_pool(op: MaxPool, inputs: tuple[Reach, ...], facts: Facts) -> Reach:
    """The largest entry of each window; padding is −∞ and never wins."""
    (x,) = inputs
    shape = shape_after(op, inputs, facts)
    first = len(x.shape) - len(op.kernel)

    def pooled(numbers: Numbers) -> Numbers:
        if all(size == 1 for size in numbers.shape[first:]):
            return numbers
        return max_pool(op, np.broadcast_to(numbers, (*numbers.shape[:first], *x.shape[first:])))

    growth = above(math.sqrt(overlap(op, shape)), 1)
    norm, error_norm = (times(growth, number) for number in (x.norm, x.error_norm))
    return tightened(Reach(pooled(x.lower), pooled(x.upper), norm, pooled(x.error), error_norm, shape))


def overlap(op: MaxPool, shape: Shape) -> int:
    """How many windows can hold one entry; `shape` is that of the outputs."""
    ends = zip(op.kernel, op.stride, op.dilation, shape[-len(op.kernel) :], strict=True)
    return math.prod(min(-(-k // (s // math.gcd(s, d))), count) for k, s, d, count in ends)


def through_axis_map(op: AxisMap, inputs: tuple[Reach, ...], facts: Facts) -> Reach:
    """[A⁺l − A⁻h, A⁺h − A⁻l], axis by axis; e' = min(|A| e, a · largest ‖row‖₂). Shared bounds stay shared."""
    (x,) = inputs
    lower, upper, error, shape = x.lower, x.upper, x.error, list(x.shape)
    norm, reach = 1.0, x.error_norm
    for part in op.axes:
        axis = part.axis
        a, off = part.operator(shape[axis], facts.carried), part.rounding(shape[axis])
        shape[axis] = a.shape[0]
        plus, minus, both = (entrywise(a, act) for act in (_plus, _minus, np.abs))
        sizes = np.maximum(np.abs(lower), np.abs(upper))
        room = slack(_along(both, sizes, axis) + FLOOR, a.shape[1] + 1) + off * float(sizes.max())
        low = _along(plus, lower, axis) - _along(minus, upper, axis) - room
        high = _along(plus, upper, axis) - _along(minus, lower, axis) + room
        if lower.shape[axis] == upper.shape[axis] == 1:
            low, high = low.min(axis, keepdims=True), high.max(axis, keepdims=True)
        moved = above(_along(both, error, axis) + off * float(error.max()), a.shape[1])
        moved = np.maximum(moved, FLOOR) if error.any() else moved
        error = moved.max(axis, keepdims=True) if error.shape[axis] == 1 else moved
        lower, upper = low, high
        norm = times(norm, matrix_norm(a, off))
        reach = times(reach, above(largest_row(a) + off, 1))
    return tightened(
        Reach(lower, upper, times(norm, x.norm), np.minimum(error, reach), times(norm, x.error_norm), tuple(shape))
    )


def entrywise(a: Matrix, act: Callable[[np.ndarray], np.ndarray]) -> Matrix:
    """A function that is 0 at 0, of every entry."""
    return a.each(act) if isinstance(a, Sparse) else act(a)


def _plus(a: np.ndarray) -> np.ndarray:
    return np.maximum(a, 0.0)


def _minus(a: np.ndarray) -> np.ndarray:
    return np.maximum(-a, 0.0)


def largest_row(a: Matrix) -> float:
    """A bound on ‖row‖₂ of every row."""
    if isinstance(a, Sparse):
        return above(math.sqrt(float(a.each(np.square).sums().max())), a.columns) + FLOOR
    return float(norm_bound(a).max())


def matrix_norm(matrix: Matrix, off: float) -> float:
    """A bound on ‖A‖₂ if each row of A may be off by so much."""
    if isinstance(matrix, Sparse):
        return sparse_norm_bound(matrix)
    return above(spectral_norm_bound(matrix) + off * math.sqrt(len(matrix)), 2)


def sparse_norm_bound(matrix: Sparse) -> float:
    r"""A number not below ‖A‖₂: of |A|, by any v > 0, $\lVert A\rVert_2^2 \le \max_l (|A|^T |A| v)_l / v_l$.

    Exact for the v of the largest eigenvalue (Collatz and Wielandt), to which powers of |A|ᵀ|A| come close; of a
    normalised adjacency with self-loops 1. What is added up is ≥ 0, so that every sum is off by its roundings alone.
    """
    a = matrix.each(np.abs)
    back = a.transposed()
    terms = int(max(np.bincount(a.row).max(initial=0), np.bincount(a.column).max(initial=0)))
    v, best = np.ones(a.columns), math.inf
    for i in range(_POWERS):
        w = back.along(a.along(v, 0), 0)
        if not i % 64 or i == _POWERS - 1:
            best = min(best, float((above(w, 2 * terms + 4) / v).max()))
        largest = float(w.max())
        if largest == 0.0 or not math.isfinite(largest):
            break
        v = np.maximum(w / largest, _SMALLEST)
    return above(math.sqrt(best), 2) + FLOOR


def _along(matrix: Matrix, numbers: Numbers, axis: int) -> Numbers:
    """Σ_l A[i, l] x[l], one for each row i, whether the numbers along that axis are shared or not."""
    if numbers.shape[axis] == 1:
        sums = matrix.sums() if isinstance(matrix, Sparse) else matrix.sum(axis=1)
        return sums.reshape(*(-1 if i == axis else 1 for i in range(numbers.ndim))) * numbers
    return apply_along(matrix, numbers, axis)
