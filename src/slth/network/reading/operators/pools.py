"""Windows and means: max pools, average pools, adaptive pools, sums and extremes along axes, upsampling.

What averages or interpolates is a matrix along each axis. Where the matrix that PyTorch applies is none of the kinds
that `AxisMatrix` knows, it is carried.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from slth.graph import AxisMap, AxisMatrix, Concat, MaxPool, Permute, Slice
from slth.network.reading.here import Here, Operator, Value
from slth.network.reading.operators.maps import spatial

MOST_BINS = 64  # of an adaptive max pool with windows of several lengths


def max_pool(here: Here, a: Any) -> Value:
    """The largest entry of each window; a window that starts behind the values is left out."""
    x = a.self
    axes = _axes(here, x)
    kernel, padding, dilation = (spatial(n, axes) for n in (a.kernel_size, a.padding, a.dilation))
    stride = spatial(a.stride, axes) if a.stride else kernel
    ends = [
        max((n - 1) * s + d * (k - 1) + 1 - length - p, p) if a.ceil_mode else p
        for n, s, d, k, length, p in zip(
            _lengths(here, axes), stride, dilation, kernel, x.shape[-axes:], padding, strict=True
        )
    ]
    return here.add(MaxPool(kernel, stride, (*padding, *ends), dilation), x)


def adaptive_max_pool(here: Here, a: Any) -> Value:
    """The largest entry of each bin, axis after axis."""
    x: Value = a.self
    for axis, count in enumerate(_lengths(here, _axes(here, x)), 1):
        length = x.shape[axis]
        bins = [(i * length // count, -(-(i + 1) * length // count)) for i in range(count)]
        sizes = {stop - start for start, stop in bins}
        steps = {after[0] - before[0] for before, after in pairwise(bins)}
        if len(sizes) == 1 and len(steps) <= 1:
            x = _extreme(here, x, axis, sizes.pop(), steps.pop() if steps else 1)
        elif count <= MOST_BINS:
            parts = [_extreme(here, here.add(Slice(axis, *ends), x), axis, ends[1] - ends[0], 1) for ends in bins]
            x = here.add(Concat(axis), *parts)
        else:
            here.refuse(f"has {count} bins of several lengths; at most {MOST_BINS} are read")
    return x


def avg_pool(here: Here, a: Any) -> Value:
    """The mean of each window."""
    x = a.self
    axes = _axes(here, x)
    kernel, padding = spatial(a.kernel_size, axes), spatial(a.padding, axes)
    stride = spatial(a.stride, axes) if a.stride else kernel
    divisor = getattr(a, "divisor_override", None)
    count = "all" if a.count_include_pad else "real"
    maps = [
        AxisMatrix(1 + i, "average", kernel=k, stride=s, padding=(p, p), length=n, count=count)
        for i, (k, s, p, n) in enumerate(zip(kernel, stride, padding, _lengths(here, axes), strict=True))
    ]
    if divisor is None:
        return here.add(AxisMap(tuple(maps)), x)
    sums = [(m.matrix(length, {}) > 0).astype(np.float64) for m, length in zip(maps, x.shape[1:], strict=True)]
    sums[0] /= divisor
    return along(here, x, dict(enumerate(sums, 1)))


def adaptive_avg_pool(here: Here, a: Any) -> Value:
    """The mean of each bin."""
    counts = _lengths(here, _axes(here, a.self))
    maps = (AxisMatrix(axis, "mean", length=n) for axis, n in enumerate(counts, 1) if n != a.self.shape[axis])
    maps = tuple(maps)
    return here.add(AxisMap(maps), a.self) if maps else a.self


def mean(here: Here, a: Any) -> Value:
    """The mean along axes."""
    axes = _dims(here, a)
    y = here.add(AxisMap(tuple(AxisMatrix(axis, "mean", length=1) for axis in axes)), a.self)
    return _without(here, y, axes, keep=a.keepdim)


def total(here: Here, a: Any) -> Value:
    """The sum along axes."""
    count = int(np.prod([a.self.shape[axis] for axis in _dims(here, a)]))
    return here.diagonal(mean(here, a), float(count), 0.0)


def cumulated(here: Here, a: Any) -> Value:
    """Sums of the entries up to each: a matrix of ones below the diagonal."""
    axis = here.axis(a.dim, len(a.self.shape))
    return along(here, a.self, {axis: np.tri(a.self.shape[axis])})


def amax(here: Here, a: Any) -> Value:
    """The largest entry along axes."""
    x, axes = a.self, _dims(here, a)
    for axis in axes:
        x = _extreme(here, x, axis, x.shape[axis], 1)
    return _without(here, x, axes, keep=a.keepdim)


def amin(here: Here, a: Any) -> Value:
    """The smallest: −max(−x)."""
    axes = _dims(here, a)
    x = here.diagonal(a.self, -1.0, 0.0)
    for axis in axes:
        x = _extreme(here, x, axis, x.shape[axis], 1)
    return _without(here, here.diagonal(x, -1.0, 0.0), axes, keep=a.keepdim)


def upsample(mode: str) -> Any:
    """Interpolation along every axis but the first."""

    def operator(here: Here, a: Any) -> Value:
        x = a.input
        counts = _lengths(here, _axes(here, x))
        factors = a.scale_factors or [None] * len(counts)
        corners = getattr(a, "align_corners", None)
        matrices: dict[int, np.ndarray | AxisMatrix] = {}
        for axis, (count, factor) in enumerate(zip(counts, factors, strict=True), 1):
            matrix = _interpolation(mode, x.shape[axis], count, factor=factor, corners=corners)
            kind = {"nearest": "nearest", "linear": "linear"}.get(mode)
            known = None if kind is None else AxisMatrix(axis, kind, length=count, corners=corners)
            if known is not None and np.allclose(known.matrix(x.shape[axis], {}), matrix, rtol=0, atol=1e-14):
                matrices[axis] = known
            else:
                matrices[axis] = matrix
        return along(here, x, matrices)

    return operator


def along(here: Here, x: Value, matrices: dict[int, Any]) -> Value:
    """y[..., i, ...] = Σ_l A[i, l] x[..., l, ...] along axes; matrices of no kind are carried."""
    arrays = {f"matrix{axis}": matrix for axis, matrix in matrices.items() if isinstance(matrix, np.ndarray)}
    maps = (
        AxisMatrix(axis, "matrix", value=f"matrix{axis}") if isinstance(matrix, np.ndarray) else matrix
        for axis, matrix in sorted(matrices.items())
    )
    return here.add(AxisMap(tuple(maps)), x, arrays=arrays)


def _interpolation(mode: str, length: int, count: int, *, factor: float | None, corners: bool | None) -> np.ndarray:
    """The matrix (count, length) of PyTorch: what it makes of unit vectors. Nearest: in float32, as for float32."""
    lines = torch.eye(length, dtype=torch.float32 if mode.startswith("nearest") else torch.float64)[:, None]
    how: dict[str, Any] = {"size": count} if factor is None else {"scale_factor": factor}
    if mode == "bicubic":
        how = {"size": (count, 1)} if factor is None else {"scale_factor": (factor, 1.0)}
        y = functional.interpolate(lines[..., None], mode=mode, align_corners=corners, **how)[..., 0]
    else:
        y = functional.interpolate(lines, mode=mode, align_corners=corners, **how)
    return y[:, 0].T.double().numpy().copy()


def _extreme(here: Here, x: Value, axis: int, size: int, step: int) -> Value:
    """The largest entry of windows along one axis, which a pool needs to be the last."""
    last = len(x.shape) - 1
    order = (*(i for i in range(last + 1) if i != axis), axis)
    moved = x if axis == last else here.add(Permute(order), x)
    y = here.add(MaxPool((size,), (step,), (0, 0), (1,)), moved)
    back = tuple(order.index(i) for i in range(last + 1))
    return y if axis == last else here.add(Permute(back), y)


def _axes(here: Here, x: Value) -> int:
    """How many axes stand behind the channels."""
    axes = len(x.shape) - 1
    wanted = next((n for n in (1, 2, 3) if f"{n}d" in here.op), axes)
    if axes != wanted:
        here.refuse(f"of {wanted} axes is given values of shape {x.shape} without the batch; the batch must be axis 0")
    return axes


def _lengths(here: Here, axes: int) -> Sequence[int]:
    assert here.shape is not None
    return here.shape[-axes:]


def _dims(here: Here, a: Any) -> list[int]:
    rank = len(a.self.shape)
    dims = a.dim if isinstance(a.dim, (list, tuple)) else [a.dim]
    if a.dim is None or not dims:
        here.refuse("goes over the batch too; the examples of a batch must stay apart, on axis 0")
    return sorted(here.axis(dim, rank) for dim in dims)


def _without(here: Here, y: Value, axes: list[int], *, keep: bool) -> Value:
    """The axes, of length 1 now, dropped unless they are kept."""
    return y if keep else here.reshape(y, tuple(n for axis, n in enumerate(y.shape) if axis not in axes))


TABLE: dict[str, Operator] = {
    **{f"max_pool{n}d.default": max_pool for n in (1, 2, 3)},
    **{f"max_pool{n}d_with_indices.default": lambda here, a: (max_pool(here, a), None) for n in (1, 2, 3)},
    **{f"adaptive_max_pool{n}d.default": lambda here, a: (adaptive_max_pool(here, a), None) for n in (1, 2, 3)},
    **{f"avg_pool{n}d.default": avg_pool for n in (1, 2, 3)},
    **{f"adaptive_avg_pool{n}d.default": adaptive_avg_pool for n in (1, 2, 3)},
    **{f"_adaptive_avg_pool{n}d.default": adaptive_avg_pool for n in (2, 3)},
    "mean.dim": mean,
    "sum.dim_IntList": total,
    "cumsum.default": cumulated,
    "amax.default": amax,
    "amin.default": amin,
    "max.dim": lambda here, a: (amax(here, a), None),
    "min.dim": lambda here, a: (amin(here, a), None),
    **{
        f"{name}.vec": upsample(mode)
        for name, mode in (
            *((f"upsample_nearest{n}d", "nearest") for n in (1, 2, 3)),
            *((f"_upsample_nearest_exact{n}d", "nearest-exact") for n in (1, 2, 3)),
            ("upsample_linear1d", "linear"),
            ("upsample_bilinear2d", "linear"),
            ("upsample_trilinear3d", "linear"),
            ("upsample_bicubic2d", "bicubic"),
        )
    },
}
