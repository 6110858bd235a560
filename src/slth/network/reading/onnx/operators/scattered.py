"""Entries at constant indices: taken, or replaced. Exporters bring the indexed axes to the front before, and back."""

import numpy as np

from slth.network.reading.here import Known, Value
from slth.network.reading.onnx.call import Call, Moved, Operator
from slth.network.reading.onnx.operators.axes import placed
from slth.network.reading.operators import parts


def gather_nd(call: Call) -> Value | Moved:
    """y[i..., rest] = x[index[i...], rest]: constant indices along the first axes, the batch not among them."""
    here, index = call.here, call.known(1, "indices")
    assert index is not None
    if call.whole("batch_dims", 0):
        here.refuse("has indices of its own for each example; the same ones for all are read")
    x = call.moved
    count = index.tensor.shape[-1]
    first, rest = x.order[:count], x.order[count:]
    if 0 in first:
        here.refuse("takes some examples of a batch; they must stay apart, on axis 0")
    inner = tuple(axis - 1 for axis in (*first, *(axis for axis in rest if axis)))
    lengths = [x.value.shape[axis - 1] for axis in first]
    y = here.permute(x.value, inner)
    shape = y.shape[count:]
    y = here.reshape(y, (int(np.prod(lengths)), *shape))
    flat = np.atleast_1d(
        np.ravel_multi_index(tuple(index.tensor.numpy().reshape(-1, count).T % np.array(lengths)[:, None]), lengths)
    )
    y = parts.taken(here, y, 0, [int(i) for i in flat])
    new = tuple(index.tensor.shape[:-1])
    y = here.reshape(y, (*new, *shape))
    axes = iter(range(len(new) + 1, len(y.shape) + 1))
    return placed(call, y, (*range(1, len(new) + 1), *(next(axes) if axis else 0 for axis in rest)))


def scatter_nd(call: Call) -> Value | Moved:
    """x with what stands at constant indices replaced: along the first axis, or entry by entry in every example."""
    here, index = call.here, call.known(1, "indices")
    assert index is not None
    if call.text("reduction", "none") != "none":
        here.refuse("adds or multiplies where it writes; plain writing is read")
    x, places = call.moved, index.tensor.numpy()
    if places.shape[-1] == 1 and places.ndim == 2 and x.order[0] != 0:
        axis = x.order[0] - 1
        shape = (*x.value.shape[:axis], len(places), *x.value.shape[axis + 1 :])
        source = _source(call, 2, shape, x.order)
        found = [int(i) % x.value.shape[axis] for i in places[:, 0]]
        return placed(call, parts.replaced(here, x.value, source, axis, found), x.order)
    if places.shape[-1] == 1 and x.order[0] == 0 and np.array_equal(places.reshape(-1), np.arange(call.batch)):
        return _source(call, 2, x.value.shape, x.order)  # all examples are written over
    alike = places.shape[-1] > 1 and x.order[0] == 0 and len(places) in (call.batch, call.fixed)
    own = alike and bool((places[..., 0].reshape(len(places), -1) == np.arange(len(places))[:, None]).all())
    if not own or (places[..., 1:] != places[:1, ..., 1:]).any():
        here.refuse("writes at indices of its own in each example; the same ones for all are read")
    count = places.shape[-1] - 1  # axes that are indexed, beside the batch
    lengths, rest = x.value.shape[:count], x.value.shape[count:]
    flat = np.ravel_multi_index(tuple(places[0, ..., 1:].reshape(-1, count).T), lengths)
    shape = (*places.shape[1:-1], *rest)
    source = _source(call, 2, shape, tuple(range(len(shape) + 1)))
    base = here.reshape(x.value, (int(np.prod(lengths)), *rest))
    y = parts.replaced(here, base, here.reshape(source, (len(flat), *rest)), 0, flat.tolist())
    return here.reshape(y, x.value.shape)


def scatter_elements(call: Call) -> Value:
    """x with some indices along one axis replaced, the same ones everywhere."""
    here, x, index = call.here, call.x, call.known(1, "indices")
    assert index is not None
    axis = call.axis(call.whole("axis", 0))
    places = np.moveaxis(index.tensor.numpy(), axis + 1, -1).reshape(-1, index.tensor.shape[axis + 1])
    shape = (*x.shape[:axis], places.shape[1], *x.shape[axis + 1 :])
    if (
        (places != places[0]).any()
        or tuple(index.tensor.shape[1:]) != shape
        or call.text("reduction", "none") != "none"
    ):
        here.refuse("writes at indices that differ from place to place, or adds; along one axis it is read")
    source = _source(call, 2, shape, tuple(range(len(shape) + 1)))
    return parts.replaced(here, x, source, axis, [int(i) % x.shape[axis] for i in places[0]])


def _source(call: Call, index: int, shape: tuple[int, ...], order: tuple[int, ...]) -> Value:
    """What is written, of this shape with its batch on axis 0; its axes stand in the same order as those of x."""
    found = call.inputs[index]
    if isinstance(found, Known):
        array = np.transpose(found.numbers, np.argsort(order)) if found.tensor.ndim == len(order) else found.numbers
        return call.here.constant(np.array(np.broadcast_to(call.here.against(array, Value("", shape)), shape)))
    value = found.value if isinstance(found, Moved) else call.value(index)
    if value.shape != shape or (isinstance(found, Moved) and found.order != order):
        call.here.refuse(f"writes values of shape {value.shape} over entries of shape {shape}")
    return value


TABLE: dict[str, Operator] = {
    "GatherND": gather_nd,
    "ScatterND": scatter_nd,
    "ScatterElements": scatter_elements,
}
