"""Axes of values: views, orders, repetition. Nothing is computed."""

from collections.abc import Sequence
from typing import Any

from slth.graph import AxisMap, AxisMatrix, Concat, Permute
from slth.network.reading.here import Here, Known, Operator, Value

MOST_COPIES = 2**16  # side by side


def same(here: Here, a: Any) -> Value:
    """The input."""
    return next(iter(vars(a).values()))


def cast(here: Here, a: Any) -> Value:
    """Another floating-point type: nothing in real arithmetic."""
    if getattr(a, "dtype", None) is not None and not a.dtype.is_floating_point:
        here.refuse(f"rounds to {a.dtype}; a network of real numbers is read")
    return same(here, a)


def view(here: Here, a: Any) -> Value:
    """The entries of each example, in C order, in another shape."""
    assert here.shape is not None
    return here.reshape(same(here, a), here.shape)


def permute(here: Here, a: Any) -> Value:
    """Axes in another order."""
    rank = len(a.self.shape)
    order = [dim % (rank + 1) for dim in a.dims]
    if order[0] != 0:
        here.refuse("moves the batch away from axis 0; the examples of a batch must stay apart there")
    return here.permute(a.self, tuple(dim - 1 for dim in order[1:]))


def transpose(here: Here, a: Any) -> Value:
    """Two axes change places."""
    rank = len(a.self.shape)
    first, second = (here.axis(dim, rank) for dim in ((a.dim0, a.dim1) if hasattr(a, "dim0") else (0, 1)))
    order = list(range(rank))
    order[first], order[second] = second, first
    return here.permute(a.self, tuple(order))


def expand(here: Here, a: Any) -> Value:
    """Axes of length 1 repeated."""
    assert here.shape is not None
    x = here.reshape(a.self, (1,) * (len(here.shape) - len(a.self.shape)) + a.self.shape)
    maps = [
        AxisMatrix(axis, "nearest", length=n)
        for axis, (n, own) in enumerate(zip(here.shape, x.shape, strict=True))
        if n != own
    ]
    return here.add(AxisMap(tuple(maps)), x) if maps else x


def repeat(here: Here, a: Any) -> Value:
    """Copies side by side."""
    times = a.repeats if hasattr(a, "repeats") else a.dims
    missing = len(a.self.shape) + 1 - len(times)
    times = [1] * missing + list(times)
    if times[0] != 1 or missing < 0:
        here.refuse("repeats the batch; the examples of a batch must stay apart, on axis 0")
    if max(times) > MOST_COPIES:
        here.refuse(f"puts {max(times):,} copies side by side; at most {MOST_COPIES:,} are read")
    x = a.self
    for axis, count in enumerate(times[1:]):
        x = x if count == 1 else here.add(Concat(axis), *[x] * count)
    return x


def repeat_interleave(here: Here, a: Any) -> Value:
    """Every index several times in a row."""
    if a.dim is None or not isinstance(a.repeats, int):
        here.refuse("repeats the batch; give one number of repeats and an axis")
    axis = here.axis(a.dim, len(a.self.shape))
    return here.add(AxisMap((AxisMatrix(axis, "nearest", length=a.repeats * a.self.shape[axis]),)), a.self)


def pixel_shuffle(here: Here, a: Any) -> Value:
    """Channels become places: (c r², h, w) -> (c, h r, w r)."""
    channels, high, wide = a.self.shape
    r = a.upscale_factor
    x = here.reshape(a.self, (channels // r**2, r, r, high, wide))
    return here.reshape(here.add(Permute((0, 3, 1, 4, 2)), x), (channels // r**2, high * r, wide * r))


def pixel_unshuffle(here: Here, a: Any) -> Value:
    """Places become channels."""
    channels, high, wide = a.self.shape
    r = a.downscale_factor
    x = here.reshape(a.self, (channels, high // r, r, wide // r, r))
    return here.reshape(here.add(Permute((0, 2, 4, 1, 3)), x), (channels * r**2, high // r, wide // r))


def channel_shuffle(here: Here, a: Any) -> Value:
    """Channels dealt out among groups."""
    shape: Sequence[int] = a.self.shape
    x = here.reshape(a.self, (a.groups, shape[0] // a.groups, *shape[1:]))
    return here.reshape(here.add(Permute((1, 0, *range(2, len(shape) + 1))), x), tuple(shape))


def aggregate(here: Here, a: Any) -> Value:
    """A carried sparse matrix along the first axis, a layer of `slth.layers`."""
    entries = a.entries
    if not isinstance(entries, Known):
        here.refuse("has a matrix that depends on the input; only constant ones are read")
    op = AxisMap((AxisMatrix(0, "sparse", length=a.rows, value="value"),))
    return here.add(op, a.x, arrays={"value": entries.numbers})


TABLE: dict[str, Operator] = {
    "aggregate.default": aggregate,
    **{f"{name}.default": same for name in ("clone", "alias", "detach", "contiguous", "lift_fresh_copy", "lift_fresh")},
    **{f"{name}.{kind}": cast for name in ("_to_copy", "to") for kind in ("default", "dtype", "device")},
    **{
        f"{name}.{kind}": view
        for name, kinds in {
            "view": ("default",),
            "_unsafe_view": ("default",),
            "reshape": ("default",),
            "flatten": ("using_ints",),
            "unflatten": ("int",),
            "squeeze": ("default", "dim", "dims"),
            "unsqueeze": ("default",),
        }.items()
        for kind in kinds
    },
    "permute.default": permute,
    "transpose.int": transpose,
    "t.default": transpose,
    "expand.default": expand,
    "repeat.default": repeat,
    "tile.default": repeat,
    "repeat_interleave.self_int": repeat_interleave,
    "pixel_shuffle.default": pixel_shuffle,
    "pixel_unshuffle.default": pixel_unshuffle,
    "channel_shuffle.default": channel_shuffle,
}
