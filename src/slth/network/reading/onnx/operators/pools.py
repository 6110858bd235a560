"""Windows, means and sums along axes, interpolation."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from slth.graph import AxisMap, AxisMatrix, MaxPool
from slth.network.reading.here import Value
from slth.network.reading.onnx.call import Call, Operator
from slth.network.reading.onnx.operators.maps import window_padding, window_steps
from slth.network.reading.operators import pools
from slth.network.reading.operators.parts import MOST_NUMBERS


@dataclass(frozen=True, slots=True)
class Window:
    """The windows of a pool along one axis."""

    kernel: int
    stride: int
    dilation: int
    padding: tuple[int, int]
    count: int
    end: int  # padding behind with which there are so many

    @property
    def reach(self) -> int:
        """From the first entry of a window to behind the last."""
        return self.dilation * (self.kernel - 1) + 1


def max_pool(call: Call) -> tuple[Value, None]:
    """The largest entry of each window."""
    windows = _windows(call)
    kernel, stride, dilation, before, ends = zip(
        *((w.kernel, w.stride, w.dilation, w.padding[0], w.end) for w in windows), strict=True
    )
    return call.here.add(MaxPool(kernel, stride, (*before, *ends), dilation), call.x), None


def average_pool(call: Call) -> Value:
    """The mean of each window, of its entries or of padding too."""
    x, whole = call.x, bool(call.whole("count_include_pad", 0))
    matrices: dict[int, Any] = {}
    for axis, w in enumerate(_windows(call), 1):
        length = x.shape[axis]
        padded = any(w.padding) or w.count * w.stride - w.stride + w.reach > length
        plain = AxisMatrix(
            axis,
            "average",
            kernel=w.kernel,
            stride=w.stride,
            padding=(w.padding[0], w.end),
            length=w.count,
            count="real" if padded and not whole else "all",
        )
        if w.dilation == 1 and not padded:
            matrices[axis] = plain
            continue
        _check_matrix(call, w.count, max(length, w.kernel))
        matrix = _averages(length, w, behind=w.padding[1] if whole else None)
        same = w.dilation == 1 and np.array_equal(plain.matrix(length, {}), matrix)
        matrices[axis] = plain if same else matrix
    return pools.along(call.here, x, matrices)


def global_average(call: Call) -> Value:
    """The mean over all axes behind the channels."""
    axes = range(1, len(call.x.shape))
    return call.here.add(AxisMap(tuple(AxisMatrix(axis, "mean", length=1) for axis in axes)), call.x)


def global_max(call: Call) -> Value:
    """The largest entry over all axes behind the channels."""
    return pools.amax(call.here, SimpleNamespace(self=call.x, dim=list(range(2, len(call.x.shape) + 1)), keepdim=True))


def reduction(take: Any) -> Operator:
    """Mean, sum or extremes along axes."""

    def operator(call: Call) -> Value:
        axes = call.wholes("axes", 1)
        if not axes and call.whole("noop_with_empty_axes", 0):
            return call.x
        return take(call.here, SimpleNamespace(self=call.x, dim=axes, keepdim=bool(call.whole("keepdims", 1))))

    return operator


def sum_of_squares(call: Call) -> Value:
    """Σ x² along axes."""
    square = call.here.product(call.x, call.x)
    axes = call.wholes("axes", 1)
    if not axes and call.whole("noop_with_empty_axes", 0):
        return square
    return pools.total(call.here, SimpleNamespace(self=square, dim=axes, keepdim=bool(call.whole("keepdims", 1))))


def cumulated(call: Call) -> Value:
    """Sums of the entries up to each; exclusive: before each; reverse: from each on."""
    axis = call.known(1, "axes")
    assert axis is not None
    axis = call.axis(int(axis.tensor.reshape(())))
    _check_matrix(call, call.x.shape[axis], call.x.shape[axis])
    matrix = np.tri(call.x.shape[axis], k=-call.whole("exclusive", 0))
    return pools.along(call.here, call.x, {axis: matrix.T if call.whole("reverse", 0) else matrix})


def resize(call: Call) -> Value:
    """Interpolation along axes."""
    x, here = call.x, call.here
    sizes, scales = call.known(3, "sizes"), call.known(2 if call.opset >= 11 else 1, "scales")
    rank = len(x.shape) + 1
    axes = call.wholes("axes") or list(range(rank))
    if call.whole("antialias", 0) or call.text("keep_aspect_ratio_policy", "stretch") != "stretch":
        here.refuse("interpolates with antialias, or by a ratio; plain interpolation is read")
    lengths = [0, *x.shape]
    given = [float(n) for part in (sizes, scales) if part is not None for n in part.tensor.reshape(-1)]
    by_size = sizes is not None and sizes.tensor.numel() > 0
    matrices: dict[int, Any] = {}
    for dim, number in zip(axes, given, strict=False):
        axis = dim % rank
        if axis == 0:
            if number not in ((1.0,) if not by_size else (float(call.batch), float(call.fixed or 0))):
                here.refuse("interpolates along the batch; the examples of a batch must stay apart, on axis 0")
            continue
        length = lengths[axis]
        count = int(number) if by_size else int(np.floor(np.float32(length) * np.float32(number)))
        if count < 1:
            here.refuse(f"leaves nothing of an axis of length {length}")
        if count != length or number not in (1.0, float(length)):
            matrices[axis - 1] = _kind(call, axis - 1, length, count, count / length if by_size else number)
    return pools.along(here, x, matrices) if matrices else x


def _kind(call: Call, axis: int, length: int, count: int, scale: float) -> Any:
    """The kind of matrix that an interpolation is, or the matrix."""
    _check_matrix(call, count, length)
    matrix = _interpolation(call, length, count, scale)
    kinds = [AxisMatrix(axis, "nearest", length=count)]
    kinds += [AxisMatrix(axis, "linear", length=count, corners=corners) for corners in (False, True)]
    same = (kind for kind in kinds if np.allclose(kind.matrix(length, {}), matrix, rtol=0, atol=1e-14))
    return next(same, matrix)


def _interpolation(call: Call, length: int, count: int, scale: float) -> np.ndarray:
    """The matrix (count, length), see the operator Resize of ONNX."""
    mode = call.text("mode", "nearest")
    old = "asymmetric" if call.opset < 11 else "half_pixel"
    where = call.text("coordinate_transformation_mode", old)
    own: Any = np.float32 if mode == "nearest" else np.float64  # whether 12/2.4 reaches 5 is a matter of rounding
    i, scale = np.arange(count, dtype=own), own(scale)
    half = (i + 0.5) / scale - 0.5
    positions = {
        "half_pixel": half,
        "pytorch_half_pixel": half if count > 1 else np.zeros(1),
        "half_pixel_symmetric": half + length / 2 * (1 - count / (scale * length)),
        "align_corners": i * (length - 1) / max(count - 1, 1),
        "asymmetric": i / scale,
    }.get(where)
    if positions is None:
        call.here.refuse(f"has the coordinates {where}; half_pixel, align_corners and asymmetric are read")
    base = np.floor(positions)
    a = np.zeros((count, length))
    rows = np.arange(count)
    if mode == "nearest":
        old = "floor" if call.opset < 11 else "round_prefer_floor"
        nearest = {
            "floor": base,
            "ceil": np.ceil(positions),
            "round_prefer_floor": np.ceil(positions - 0.5),
            "round_prefer_ceil": np.floor(positions + 0.5),
        }[call.text("nearest_mode", old)]
        a[rows, np.clip(nearest, 0, length - 1).astype(int)] = 1.0
        return a
    fraction = positions - base
    if mode == "linear":
        weights = {0: 1 - fraction, 1: fraction}
    else:
        c = call.number("cubic_coeff_a", -0.75)
        near, next_to = ((c + 2) * t**3 - (c + 3) * t**2 + 1 for t in (fraction, 1 - fraction))
        before, behind = (c * t**3 - 5 * c * t**2 + 8 * c * t - 4 * c for t in (1 + fraction, 2 - fraction))
        weights = {-1: before, 0: near, 1: next_to, 2: behind}
    if call.whole("exclude_outside", 0):
        inside = {k: (base + k >= 0) & (base + k < length) for k in weights}
        total = sum(np.where(inside[k], w, 0.0) for k, w in weights.items())
        weights = {k: np.where(inside[k], w, 0.0) / total for k, w in weights.items()}
    for k, weight in weights.items():
        np.add.at(a, (rows, np.clip(base + k, 0, length - 1).astype(int)), weight)
    return a


def _check_matrix(call: Call, rows: int, columns: int) -> None:
    """A matrix along an axis can be held."""
    if rows * columns > MOST_NUMBERS:
        call.here.refuse(f"needs a matrix of {rows:,} times {columns:,} numbers; at most {MOST_NUMBERS:,} are read")


def _windows(call: Call) -> list[Window]:
    """Of a pool: with `ceil_mode` a last window that is not whole, unless it would begin behind the values."""
    x, kernel = call.x, tuple(call.wholes("kernel_shape") or [])
    axes = len(kernel)
    if len(x.shape) != axes + 1:
        call.here.refuse(f"of {axes} axes is given values of shape {x.shape} without the batch")
    stride, dilation = window_steps(call, axes)
    padding = window_padding(call, kernel, stride, dilation, x.shape[1:])
    found: list[Window] = []
    for k, s, d, b, e, n in zip(kernel, stride, dilation, padding[:axes], padding[axes:], x.shape[1:], strict=True):
        reach, end = d * (k - 1) + 1, e
        count = (n + b + e - reach) // s + 1
        if call.whole("ceil_mode", 0):
            count = -(-(n + b + e - reach) // s) + 1
            count -= (count - 1) * s >= n + b
            end = max((count - 1) * s + reach - n - b, e)
        found.append(Window(k, s, d, (b, e), count, end))
    return found


def _averages(length: int, window: Window, *, behind: int | None) -> np.ndarray:
    """1/c in each window; c counts its entries, with `behind` also those in the padding, so much of it there."""
    starts = np.arange(window.count)[:, None] * window.stride - window.padding[0]
    places = starts + np.arange(window.kernel) * window.dilation  # (row, tap)
    inside = (places >= 0) & (places < length)
    counts = (inside if behind is None else places < length + behind).sum(1)
    a = np.zeros((window.count, length))
    np.add.at(a, (np.nonzero(inside)[0], places[inside]), 1.0)
    return a / counts[:, None]


TABLE: dict[str, Operator] = {
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "GlobalAveragePool": global_average,
    "GlobalMaxPool": global_max,
    "ReduceMean": reduction(pools.mean),
    "ReduceSum": reduction(pools.total),
    "ReduceMax": reduction(pools.amax),
    "ReduceMin": reduction(pools.amin),
    "ReduceSumSquare": sum_of_squares,
    "CumSum": cumulated,
    "Resize": resize,
    "Upsample": resize,
}
