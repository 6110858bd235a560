"""Parts of values: slices, pieces side by side, constant indices, padding. Nothing is computed."""

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np

from slth.graph import Concat, Pad, Slice
from slth.network.reading.here import Batch, Here, Known, Operator, Value
from slth.network.reading.operators.axes import expand
from slth.network.reading.operators.pools import along

MOST_RUNS = 64  # slices of one gather; more become a carried matrix of zeros and ones
MOST_NUMBERS = 2**24  # of such a matrix


def cut(here: Here, a: Any) -> Value:
    """x[start:end:step] along an axis."""
    x, dim = a.self, a.dim % (len(a.self.shape) + 1)
    step = getattr(a, "step", 1)
    if dim == 0:
        whole = (
            a.start in (None, 0) and (a.end is None or (not isinstance(a.end, Batch) and a.end > 2**31)) and step == 1
        )
        if not (whole or isinstance(a.end, Batch)):
            here.refuse("takes some examples of a batch; they must stay apart, on axis 0")
        return x
    return sliced(here, x, dim - 1, range(x.shape[dim - 1])[slice(a.start, a.end, step)])


def narrow(here: Here, a: Any) -> Value:
    """`length` entries from `start` on."""
    axis = here.axis(a.dim, len(a.self.shape))
    start = a.start % a.self.shape[axis]
    return sliced(here, a.self, axis, range(start, start + a.length))


def select(here: Here, a: Any) -> Value:
    """One index of an axis, which is gone."""
    axis = here.axis(a.dim, len(a.self.shape))
    index = a.index % a.self.shape[axis]
    y = sliced(here, a.self, axis, range(index, index + 1))
    return here.reshape(y, (*y.shape[:axis], *y.shape[axis + 1 :]))


def split(here: Here, a: Any) -> tuple[Value, ...]:
    """Parts along an axis."""
    axis = here.axis(a.dim, len(a.self.shape))
    length = a.self.shape[axis]
    sizes = getattr(a, "split_sizes", None) or getattr(a, "split_size", None)
    if sizes is None:  # chunk: parts of one length, the last one shorter
        sizes = -(-length // a.chunks)
    ends = np.cumsum([0, *sizes]) if isinstance(sizes, (list, tuple)) else [*range(0, length, sizes), length]
    return tuple(sliced(here, a.self, axis, range(int(i), int(j))) for i, j in pairwise(ends))


def tensor_split(here: Here, a: Any) -> tuple[Value, ...]:
    """`sections` parts, the first ones longer by one, or parts that end at indices."""
    axis = here.axis(a.dim, len(a.self.shape))
    length = a.self.shape[axis]
    parts = np.array_split(np.arange(length), a.sections if hasattr(a, "sections") else list(a.indices))
    return tuple(sliced(here, a.self, axis, range(int(part[0]), int(part[-1]) + 1)) for part in parts)


def unbind(here: Here, a: Any) -> tuple[Value, ...]:
    """Every index of an axis, which is gone."""
    axis = here.axis(a.dim, len(a.self.shape))
    parts = [sliced(here, a.self, axis, range(i, i + 1)) for i in range(a.self.shape[axis])]
    return tuple(here.reshape(part, (*part.shape[:axis], *part.shape[axis + 1 :])) for part in parts)


def cat(here: Here, a: Any) -> Value:
    """Side by side along an axis."""
    rank = next(len(part.shape) for part in a.tensors if isinstance(part, Value))
    axis = here.axis(getattr(a, "dim", 0), rank)
    return _joined(here, [_part(here, part, rank) for part in a.tensors], axis)


def stack(here: Here, a: Any) -> Value:
    """Side by side along a new axis."""
    rank = next(len(part.shape) for part in a.tensors if isinstance(part, Value))
    axis = here.axis(a.dim, rank + 1)
    parts = [_part(here, part, rank) for part in a.tensors]
    return _joined(here, [here.reshape(x, (*x.shape[:axis], 1, *x.shape[axis:])) for x in parts], axis)


def gather(here: Here, a: Any) -> Value:
    """Constant indices along one axis."""
    if hasattr(a, "index"):
        return taken(here, a.self, here.axis(a.dim, len(a.self.shape)), _indices(here, a.index))
    given = [(dim, index) for dim, index in enumerate(a.indices) if index is not None]
    if len(given) != 1:
        here.refuse("indexes several axes at once; one list of indices along one axis is read")
    dim, index = given[0]
    return taken(here, a.self, here.axis(dim, len(a.self.shape)), _indices(here, index))


def flip(here: Here, a: Any) -> Value:
    """Axes backwards."""
    x = a.self
    for dim in a.dims:
        axis = here.axis(dim, len(x.shape))
        x = taken(here, x, axis, list(range(x.shape[axis]))[::-1])
    return x


def roll(here: Here, a: Any) -> Value:
    """Axes turned by some places."""
    x = a.self
    if not a.dims:
        here.refuse("turns all entries of the batch; name the axes")
    for dim, shift in zip(a.dims, a.shifts, strict=True):
        axis = here.axis(dim, len(x.shape))
        length = x.shape[axis]
        x = taken(here, x, axis, [(i - shift) % length for i in range(length)])
    return x


def pad(here: Here, a: Any) -> Value:
    """Entries around the last axes: a number, the other end, the border, its mirror image. Negative: fewer entries."""
    x, rank = a.self, len(a.self.shape)
    ends = list(zip(a.pad[::2], a.pad[1::2], strict=True))
    if len(ends) > rank:
        here.refuse("pads the batch; the examples of a batch must stay apart, on axis 0")
    mode = getattr(a, "mode", "constant")
    number = float(getattr(a, "value", None) or 0.0)
    before, behind = [0] * rank, [0] * rank
    for i, (first, last) in enumerate(ends):
        axis = rank - 1 - i
        length = x.shape[axis]
        if min(first, last) < 0:
            x = sliced(here, x, axis, range(max(-first, 0), length + min(last, 0)))
            first, last, length = max(first, 0), max(last, 0), x.shape[axis]
        if mode == "constant":
            before[axis], behind[axis] = first, last
        elif first + length + last > MOST_NUMBERS:
            here.refuse(
                f"repeats {length:,} entries on {first + length + last:,} places; at most {MOST_NUMBERS:,} are read"
            )
        else:
            x = taken(here, x, axis, _around(mode, length, first, last))
    return here.add(Pad((*before, *behind), number), x) if any(before + behind) else x


def scatter(here: Here, a: Any) -> Value:
    """x with a slice of it replaced: x[start:end:step] = src."""
    rank = len(here.shape or ())
    base, source = _part(here, a.self, rank), a.src
    if a.dim == 0:
        return source if isinstance(source, Value) else here.refuse("writes a constant over the batch")
    axis = here.axis(a.dim, rank)
    if hasattr(a, "index"):
        index = a.index % base.shape[axis]
        places, shape = [index], (*base.shape[:axis], 1, *base.shape[axis + 1 :])
    else:
        places = list(range(base.shape[axis])[slice(a.start, a.end, a.step)])
        shape = (*base.shape[:axis], len(places), *base.shape[axis + 1 :])
    source = here.reshape(_part(here, source, rank - hasattr(a, "index")), shape)
    return replaced(here, base, source, axis, places)


def put(here: Here, a: Any) -> Value:
    """x with entries at constant indices along one axis replaced: x[:, [0, 2]] = values."""
    given = [(dim, index) for dim, index in enumerate(a.indices) if index is not None]
    if len(given) != 1 or a.accumulate:
        here.refuse("writes along several axes at once, or adds; one list of indices along one axis is read")
    (dim, index), rank = given[0], len(here.shape or ())
    base, axis = _part(here, a.self, rank), here.axis(dim, rank)
    places = _indices(here, index)
    if len(set(places)) < len(places):
        here.refuse("writes an entry twice, and PyTorch does not say which value stays")
    shape = (*base.shape[:axis], len(places), *base.shape[axis + 1 :])
    source = a.values
    if not isinstance(source, Value):
        source = here.constant(np.array(np.broadcast_to(here.against(source, Value("", shape)), shape)))
    if source.shape != shape:
        here.refuse(f"writes values of shape {source.shape} over entries of shape {shape}; they must have one shape")
    return replaced(here, base, source, axis, places) if places else base


def replaced(here: Here, base: Value, source: Value, axis: int, places: list[int]) -> Value:
    """Some entries along an axis from another value."""
    order = list(range(base.shape[axis]))
    for i, place in enumerate(places):
        order[place] = base.shape[axis] + i
    return taken(here, _joined(here, [base, source], axis), axis, order)


def written(here: Here, a: Any) -> Value:
    """A value that is written over another one, and spread over its shape."""
    source = a.src if hasattr(a, "src") else a.value
    assert here.shape is not None
    if not isinstance(source, Value):
        return here.constant(np.array(np.broadcast_to(here.against(source, Value("", here.shape)), here.shape)))
    return expand(here, SimpleNamespace(self=source))


def sliced(here: Here, x: Value, axis: int, indices: range) -> Value:
    """A run of indices along an axis."""
    if indices == range(x.shape[axis]):
        return x
    if not indices:
        here.refuse(f"takes nothing of an axis of length {x.shape[axis]}")
    return here.add(Slice(axis, indices[0], indices[-1] + 1, indices.step), x)


def taken(here: Here, x: Value, axis: int, indices: list[int]) -> Value:
    """x[indices] along an axis: runs of neighbours side by side, or a matrix of zeros and ones."""
    starts = [0, *(i for i in range(1, len(indices)) if indices[i] != indices[i - 1] + 1), len(indices)]
    runs = [range(indices[i], indices[j - 1] + 1) for i, j in pairwise(starts)]
    if len(runs) > MOST_RUNS:
        if len(indices) * x.shape[axis] > MOST_NUMBERS:
            here.refuse(
                f"takes {len(indices):,} of {x.shape[axis]:,} entries in {len(runs):,} runs of neighbours, as mirrored "
                f"padding does; at most {MOST_RUNS} runs, or {MOST_NUMBERS:,} pairs of entries, are read"
            )
        matrix = np.zeros((len(indices), x.shape[axis]))
        matrix[np.arange(len(indices)), indices] = 1.0
        return along(here, x, {axis: matrix})
    return _joined(here, [sliced(here, x, axis, run) for run in runs], axis)


def _joined(here: Here, parts: list[Value], axis: int) -> Value:
    return parts[0] if len(parts) == 1 else here.add(Concat(axis), *parts)


def _part(here: Here, part: Any, rank: int) -> Value:
    """A value; a constant spread over so many axes becomes one."""
    if isinstance(part, Value):
        return part
    if not isinstance(part, Known) or part.tensor.ndim != rank + 1 or part.tensor.shape[0] != 1:
        here.refuse("joins a constant whose size along the batch is fixed")
    return here.constant(part.numbers[0])


def _indices(here: Here, index: Any) -> list[int]:
    if not isinstance(index, Known) or index.tensor.ndim != 1 or index.tensor.is_floating_point():
        here.refuse("picks entries that depend on the input, or by a table; a constant list of indices is read")
    if index.tensor.dtype == index.tensor.bool().dtype:
        return [int(i) for i in index.tensor.nonzero().reshape(-1)]
    return [int(i) for i in index.tensor]


def _around(mode: str, length: int, before: int, behind: int) -> list[int]:
    """The indices of an axis with padding that repeats it."""
    places = range(-before, length + behind)
    if mode == "circular":
        return [i % length for i in places]
    if mode == "replicate":
        return [min(max(i, 0), length - 1) for i in places]
    return [abs(i) if i < length else 2 * (length - 1) - i for i in places]


TABLE: dict[str, Operator] = {
    "slice.Tensor": cut,
    "narrow.default": narrow,
    "select.int": select,
    "split.Tensor": split,
    "split_with_sizes.default": split,
    "chunk.default": split,
    "tensor_split.sections": tensor_split,
    "tensor_split.indices": tensor_split,
    "unbind.int": unbind,
    "cat.default": cat,
    "stack.default": stack,
    "index.Tensor": gather,
    "index_select.default": gather,
    "flip.default": flip,
    "roll.default": roll,
    "pad.default": pad,
    "constant_pad_nd.default": pad,
    "slice_scatter.default": scatter,
    "select_scatter.default": scatter,
    "index_put.default": put,
    "copy.default": written,
    "fill.Scalar": written,
    "fill.Tensor": written,
}
