"""Windows of values as values of their own: unfold, and its inverse where windows do not overlap."""

from itertools import product
from typing import Any

from slth.graph import Concat, Pad
from slth.network.reading.here import Here, Operator, Value
from slth.network.reading.operators.maps import spatial
from slth.network.reading.operators.parts import sliced

MOST_PLACES = 256  # entries of a window that overlaps others: a slice each


def unfold(here: Here, a: Any) -> Value:
    """y[..., i, ..., k] = x[..., i·step + k, ...]: the windows along one axis, their entries on a new last one."""
    x, size, step = a.self, a.size, a.step
    axis, rank = here.axis(a.dimension, len(a.self.shape)), len(a.self.shape)
    length = x.shape[axis]
    count = (length - size) // step + 1
    if size == step:
        x = sliced(here, x, axis, range(count * size))
        apart = here.reshape(x, (*x.shape[:axis], count, size, *x.shape[axis + 1 :]))
        return here.permute(apart, (*(i for i in range(rank + 1) if i != axis + 1), axis + 1))
    _check_places(here, size)
    parts = [sliced(here, x, axis, range(k, k + step * (count - 1) + 1, step)) for k in range(size)]
    return _joined(here, [here.reshape(part, (*part.shape, 1)) for part in parts], rank)


def im2col(here: Here, a: Any) -> Value:
    """y[c·K + k, l]: entry k of window l of channel c, windows in C order."""
    kernel, dilation, padding, stride = (spatial(n, 2) for n in (a.kernel_size, a.dilation, a.padding, a.stride))
    if len(a.self.shape) != 3:
        here.refuse(f"is given values of shape {a.self.shape} without the batch; the batch must be axis 0")
    x = here.add(Pad((0, *padding, 0, *padding)), a.self) if any(padding) else a.self
    channels, *lengths = x.shape
    counts = [(n - d * (k - 1) - 1) // s + 1 for n, d, k, s in zip(lengths, dilation, kernel, stride, strict=True)]
    if kernel == stride and set(dilation) == {1}:  # patches side by side
        for axis in (1, 2):
            x = sliced(here, x, axis, range(counts[axis - 1] * kernel[axis - 1]))
        x = here.reshape(x, (channels, counts[0], kernel[0], counts[1], kernel[1]))
        x = here.permute(x, (0, 2, 4, 1, 3))
    else:
        _check_places(here, kernel[0] * kernel[1])
        parts: list[Value] = []
        for place in product(*map(range, kernel)):
            part = x
            for axis in (0, 1):
                start, s = dilation[axis] * place[axis], stride[axis]
                part = sliced(here, part, axis + 1, range(start, start + s * (counts[axis] - 1) + 1, s))
            parts.append(here.reshape(part, (channels, 1, *counts)))
        x = _joined(here, parts, 1)
    return here.reshape(x, (channels * kernel[0] * kernel[1], counts[0] * counts[1]))


def col2im(here: Here, a: Any) -> Value:
    """The inverse of `im2col`, where every entry stands in one window."""
    kernel, dilation, padding, stride = (spatial(n, 2) for n in (a.kernel_size, a.dilation, a.padding, a.stride))
    size = spatial(a.output_size, 2)
    whole = all(n % k == 0 for n, k in zip(size, kernel, strict=True))
    if kernel != stride or set(dilation) != {1} or any(padding) or not whole or len(a.self.shape) != 2:
        here.refuse("adds windows that overlap or leave gaps; a transposed convolution that does the same is read")
    channels = a.self.shape[0] // (kernel[0] * kernel[1])
    counts = [n // k for n, k in zip(size, kernel, strict=True)]
    x = here.permute(here.reshape(a.self, (channels, *kernel, *counts)), (0, 3, 1, 4, 2))
    return here.reshape(x, (channels, *size))


def _joined(here: Here, parts: list[Value], axis: int) -> Value:
    return parts[0] if len(parts) == 1 else here.add(Concat(axis), *parts)


def _check_places(here: Here, count: int) -> None:
    if count > MOST_PLACES:
        here.refuse(f"has windows of {count} entries that overlap; at most {MOST_PLACES} are read")


TABLE: dict[str, Operator] = {"unfold.default": unfold, "im2col.default": im2col, "col2im.default": col2im}
