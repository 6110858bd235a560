"""Parts of values: slices, pieces side by side, constant indices, padding."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np

from slth.network.reading.here import Value
from slth.network.reading.onnx.call import Call, Operator, Pieces
from slth.network.reading.operators import parts

MODES = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}
LAST = 2**31 - 2  # an end from here on is that of the axis


def sliced(call: Call) -> Value:
    """x[start:end:step] along axes."""
    starts, ends = call.wholes("starts", 1) or [], call.wholes("ends", 2) or []
    dims = call.wholes("axes", 3) or list(range(len(starts)))
    steps = call.wholes("steps", 4) or [1] * len(starts)
    x = call.x
    for dim, start, end, step in zip(dims, starts, ends, steps, strict=True):
        if dim % (len(x.shape) + 1) == 0:
            if (start, step) != (0, 1) or end < min(LAST, call.fixed or LAST):
                call.here.refuse("takes some examples of a batch; they must stay apart, on axis 0")
            continue
        axis = call.axis(dim)
        indices = range(x.shape[axis])[slice(start, end, step)]
        x = parts.taken(call.here, x, axis, list(indices)) if step < 0 else parts.sliced(call.here, x, axis, indices)
    return x


def split(call: Call) -> tuple[Value, ...]:
    """Parts along an axis."""
    axis = call.axis(call.whole("axis", 0))
    length, sizes = call.x.shape[axis], call.wholes("split", 1)
    if sizes is None:
        count = call.whole("num_outputs", call.outputs)
        size = -(-length // count)
        sizes = [min(size, length - i * size) for i in range(count)]
    ends = np.cumsum([0, *sizes])
    return tuple(parts.sliced(call.here, call.x, axis, range(int(i), int(j))) for i, j in pairwise(ends))


def split_to_sequence(call: Call) -> Pieces:
    """Parts along an axis as a sequence; without lengths one for each index, whose axis is gone without `keepdims`."""
    here, x, axis, given = call.here, call.x, call.axis(call.whole("axis", 0)), call.known(1, "lengths")
    length = x.shape[axis]
    sizes = [1] * length if given is None else [int(n) for n in given.tensor.reshape(-1)]
    if given is not None and given.tensor.ndim == 0:
        sizes = [min(sizes[0], length - start) for start in range(0, length, sizes[0])]
    values = [parts.sliced(here, x, axis, range(int(i), int(j))) for i, j in pairwise(np.cumsum([0, *sizes]))]
    if given is None and not call.whole("keepdims", 1):
        values = [here.reshape(value, (*value.shape[:axis], *value.shape[axis + 1 :])) for value in values]
    return Pieces(tuple(values))


def sequence_at(call: Call) -> Value:
    """One value of a sequence."""
    pieces, index = call.inputs[0], call.known(1, "positions")
    assert isinstance(pieces, Pieces)
    assert index is not None
    return pieces.values[int(index.tensor.reshape(()))]


def concat(call: Call) -> Value:
    """Side by side along an axis."""
    return parts.cat(call.here, SimpleNamespace(tensors=call.inputs, dim=call.whole("axis", 0)))


def gather(call: Call) -> Value:
    """Constant indices along one axis."""
    if not isinstance(call.inputs[0], Value):
        call.here.refuse("looks up a table, and a network of real numbers is read; begin behind it, --from NODE")
    index = call.known(1, "indices")
    assert index is not None
    x, axis = call.x, call.axis(call.whole("axis", 0))
    flat = [int(i) % x.shape[axis] for i in index.tensor.reshape(-1)]
    y = parts.taken(call.here, x, axis, flat)
    return call.here.reshape(y, (*x.shape[:axis], *index.tensor.shape, *x.shape[axis + 1 :]))


def pad(call: Call) -> Value:
    """Entries around values: a number, the border, its mirror image, the other end."""
    x, amounts = call.x, call.wholes("pads", 1) or []
    rank = len(x.shape) + 1
    dims = call.wholes("axes", 3) or list(range(rank))
    ends = [(0, 0)] * rank
    for i, dim in enumerate(dims):
        ends[dim % rank] = amounts[i], amounts[len(dims) + i]
    if ends[0] != (0, 0):
        call.here.refuse("pads the batch; the examples of a batch must stay apart, on axis 0")
    number = call.known(2, "numbers")
    value = call.number("value", 0.0) if number is None else float(number.numbers.reshape(()))
    flat = [n for pair in reversed(ends[1:]) for n in pair]
    mode = MODES[call.text("mode", "constant")]
    return parts.pad(call.here, SimpleNamespace(self=x, pad=flat, mode=mode, value=value))


TABLE: dict[str, Operator] = {
    "Slice": sliced,
    "Split": split,
    "SplitToSequence": split_to_sequence,
    "SequenceAt": sequence_at,
    "Concat": concat,
    "Gather": gather,
    "Pad": pad,
}
