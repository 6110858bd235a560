"""Axes of values: views, orders, repetition; sizes as constants."""

from types import SimpleNamespace

import numpy as np
import torch

from slth.graph import Shape
from slth.network.reading.here import Known, Value
from slth.network.reading.onnx.call import Call, Moved, Operator
from slth.network.reading.operators import axes


def reshape(call: Call) -> Value:
    """The entries of each example in another shape: 0 copies a length, −1 is what is left."""
    wanted = call.wholes("shape", 1)
    if wanted is None:
        call.here.refuse("has no shape")
    whole = (call.batch, *call.x.shape)
    keeps = not call.whole("allowzero", 0)
    shape = [whole[i] if n == 0 and keeps and i < len(whole) else n for i, n in enumerate(wanted)]
    rest = int(np.prod([n for n in shape if n != -1], dtype=np.int64))
    if shape.count(-1) == 1 and call.fixed is not None and shape[0] == call.fixed:
        rest = rest // call.fixed * call.batch  # the file spells out the batch
    shape = [int(np.prod(whole, dtype=np.int64)) // max(rest, 1) if n == -1 else n for n in shape]
    return _apart(call, shape)


def flatten(call: Call) -> Value:
    """Axes from one on as one."""
    axis = call.whole("axis", 1) % (len(call.x.shape) + 1)
    if axis != 1:
        call.here.refuse(f"flattens up to axis {axis}, the batch with others; examples must stay apart, on axis 0")
    return call.here.reshape(call.x, (int(np.prod(call.x.shape, dtype=np.int64)),))


def squeeze(call: Call) -> Value:
    """Axes of length 1 gone."""
    dims = call.wholes("axes", 1)
    shape = call.x.shape
    gone = {i for i, n in enumerate(shape) if n == 1} if dims is None else {call.axis(dim) for dim in dims}
    return call.here.reshape(call.x, tuple(n for i, n in enumerate(shape) if i not in gone))


def unsqueeze(call: Call) -> Value:
    """New axes of length 1."""
    dims = call.wholes("axes", 1) or []
    rank = len(call.x.shape) + len(dims)
    new = {call.axis(dim, rank) for dim in dims}
    old = iter(call.x.shape)
    return call.here.reshape(call.x, tuple(1 if i in new else next(old) for i in range(rank)))


def transpose(call: Call) -> Value | Moved:
    """Axes in another order; without one backwards. The batch may move where indexing brings it back."""
    x = call.moved
    perm = call.wholes("perm") or list(reversed(range(len(x.order))))
    order = tuple(x.order[axis] for axis in perm)
    return placed(call, x.value, order)


def placed(call: Call, value: Value, order: tuple[int, ...]) -> Value | Moved:
    """A value with its axes in another order, in which the batch may not be the first."""
    return Moved(value, order) if order[0] != 0 else call.here.permute(value, tuple(axis - 1 for axis in order[1:]))


def expand(call: Call) -> Value:
    """Axes of length 1 repeated."""
    wanted = call.wholes("shape", 1) or []
    full = (call.batch, *call.x.shape)
    rank = max(len(wanted), len(full))
    padded = [[1] * (rank - len(shape)) + list(shape) for shape in (full, wanted)]
    if rank > len(full):
        call.here.refuse("puts axes before the batch; examples must stay apart, on axis 0")
    shape = [max(own, new) for own, new in zip(*padded, strict=True)]
    if padded[1][0] not in (1, call.batch, call.fixed):
        call.here.refuse("repeats the batch; the examples of a batch must stay apart, on axis 0")
    call.here.shape = tuple(shape[1:])
    return axes.expand(call.here, SimpleNamespace(self=call.x))


def tile(call: Call) -> Value:
    """Copies side by side."""
    return axes.repeat(call.here, SimpleNamespace(self=call.x, repeats=call.wholes("repeats", 1)))


def depth_to_space(call: Call) -> Value:
    """Channels become places: blocks first (DCR), or channels first (CRD)."""
    here, x, r = call.here, call.x, call.whole("blocksize", 1)
    channels, high, wide = x.shape
    inner = channels // r**2
    blocks = call.text("mode", "DCR") == "DCR"
    y = here.reshape(x, (r, r, inner, high, wide) if blocks else (inner, r, r, high, wide))
    y = here.permute(y, (2, 3, 0, 4, 1) if blocks else (0, 3, 1, 4, 2))
    return here.reshape(y, (inner, high * r, wide * r))


def space_to_depth(call: Call) -> Value:
    """Places become channels, blocks first."""
    here, x, r = call.here, call.x, call.whole("blocksize", 1)
    channels, high, wide = x.shape
    y = here.reshape(x, (channels, high // r, r, wide // r, r))
    return here.reshape(here.permute(y, (2, 4, 0, 1, 3)), (channels * r**2, high // r, wide // r))


def shape_of(call: Call) -> Known:
    """The lengths of axes, that of the batch by the number that stands for it."""
    whole = [call.batch, *call.x.shape]
    end = call.attributes.get("end")
    return Known(torch.tensor(whole[call.whole("start", 0) : None if end is None else int(end)], dtype=torch.int64))


def size_of(call: Call) -> Known:
    """How many entries a value has."""
    return Known(torch.tensor(int(np.prod((call.batch, *call.x.shape), dtype=np.int64))))


def _apart(call: Call, shape: list[int]) -> Value:
    """A new shape in which every example keeps its entries."""
    own: Shape = call.x.shape
    fixed = shape and shape[0] in (call.batch, call.fixed)
    if not fixed or np.prod(shape[1:], dtype=np.int64) != np.prod(own, dtype=np.int64):
        text = ", ".join("batch" if n == call.batch else str(n) for n in shape)
        call.here.refuse(f"gives values of shape ({text}); the examples of a batch must stay apart, on axis 0")
    return call.here.reshape(call.x, tuple(shape[1:]))


TABLE: dict[str, Operator] = {
    "Reshape": reshape,
    "Flatten": flatten,
    "Squeeze": squeeze,
    "Unsqueeze": unsqueeze,
    "Transpose": transpose,
    "Expand": expand,
    "Tile": tile,
    "DepthToSpace": depth_to_space,
    "SpaceToDepth": space_to_depth,
    "Shape": shape_of,
    "Size": size_of,
}
