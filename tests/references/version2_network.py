"""Shapes and signs of a network of version 2, written from FORMAT.md alone: entry by entry, no slth, no channels.

Where an entry of a value can be negative is a set of its places; `signed` of a map follows at the end.
"""

import math

import numpy as np


def signed(meta, arrays) -> dict[str, list[list[int]]]:
    """`signed` of every map, as half-open ranges; every shape is checked on the way."""
    inputs = meta["inputs"]
    shape = tuple(inputs["shape"])
    tokens = "tokens" in inputs
    lower = [0.0] if tokens else [-1.0] if inputs["lower"] is None else inputs["lower"]
    values = {"input": np.broadcast_to(spread(lower, shape) < 0, shape)}
    words = {"input": inputs["tokens"] - 1} if tokens else {}  # values that are tokens, and the largest of each
    dense = {
        node["op"]["map"]: node["op"]["basis"] for node in meta["network"]["nodes"] if node["op"]["kind"] == "Linear"
    }
    found: dict[str, np.ndarray] = {}
    for node in meta["network"]["nodes"]:
        op, xs = node["op"], [values[name] for name in node["inputs"]]
        if op["kind"] == "Embedding" or op.get("basis", {}).get("kind") == "OneHot":
            (x,), (name,) = xs, node["inputs"]
            values[node["name"]], count = looked_up(op, x, dense, arrays)
            assert words[name] < count
            if op["kind"] == "Linear":
                found[op["map"]] = np.zeros(count, bool)
            continue
        spoken_of(node, words, arrays)
        if op["kind"] == "Linear":
            (x,), basis = xs, op["basis"]
            channel = x.ndim - 1 if basis["kind"] == "Dense" else 0
            any_entry = x.any(axis=tuple(i for i in range(x.ndim) if i != channel))
            found[op["map"]] = found.get(op["map"], np.zeros(basis["inputs"], bool)) | any_entry
            values[node["name"]] = np.ones(linear_shape(basis, x.shape), bool)
        else:
            values[node["name"]] = np.array(OPS[op["kind"]](op, xs, arrays))
    return {path: ranges(where) for path, where in found.items()}


def spoken_of(node, words, arrays):
    """Whether a value is tokens, and that nothing else reads those of the input."""
    op = node["op"]
    if op["kind"] == "Constant":
        array = arrays[op["value"]].astype(float)
        if (array >= 0).all() and (array % 1 == 0).all():
            words[node["name"]] = array.max()
    elif op["kind"] in ("Reshape", "Permute", "Slice", "Concat", "Pad"):
        if all(name in words for name in node["inputs"]):
            words[node["name"]] = max(words[name] for name in node["inputs"])
    else:
        assert "input" not in words or "input" not in node["inputs"]


def looked_up(op, x, dense, arrays):
    """Where rows of a table can be negative, and how many there are."""
    if op["kind"] == "Linear":
        return np.ones((*x.shape, op["basis"]["outputs"]), bool), op["basis"]["inputs"]
    if op["tied"]:
        assert dense[op["table"]]["kind"] == "Dense"
        return np.ones((*x.shape, dense[op["table"]]["inputs"]), bool), dense[op["table"]]["outputs"]
    table = arrays[op["table"]]
    return np.broadcast_to((table < 0).any(axis=0), (*x.shape, table.shape[1])), len(table)


def spread(numbers, shape):
    """Values over a shape."""
    if len(numbers) == math.prod(shape):
        return np.reshape(numbers, shape)
    return np.reshape(numbers, (-1,) + (1,) * (len(shape) - 1))


def ranges(where):
    """Half-open ranges, ascending, not touching."""
    runs = []
    for j in np.flatnonzero(where).tolist():
        if runs and runs[-1][1] == j:
            runs[-1][1] = j + 1
        else:
            runs.append([j, j + 1])
    return runs


def linear_shape(basis, shape):
    if basis["kind"] == "Dense":
        assert shape[-1] == basis["inputs"]
        return (*shape[:-1], basis["outputs"])
    axes = len(basis["kernel"])
    assert (shape[0], len(shape)) == (basis["inputs"], axes + 1)
    lengths = []
    for i, length in enumerate(shape[1:]):
        k, s, d = basis["kernel"][i], basis["stride"][i], basis["dilation"][i]
        a, e = basis["padding"][i], basis["padding"][axes + i]
        if basis["kind"] == "Conv":
            lengths.append((length + a + e - d * (k - 1) - 1) // s + 1)
        else:
            lengths.append((length - 1) * s + d * (k - 1) + 1 + basis["output_padding"][i] - a - e)
    assert min(lengths) >= 1
    return (basis["outputs"], *lengths)


def pointwise(op, xs, arrays):
    (x,) = xs
    if op["function"] in ("Relu", "Sigmoid", "HardSigmoid", "Softplus"):
        return np.zeros_like(x)
    if op["function"] == "LogSigmoid":
        return np.ones_like(x)
    if op["function"] == "Clip":
        if op["low"] is not None and op["low"] >= 0:
            return np.zeros_like(x)
        if op["high"] is not None and op["high"] < 0:
            return np.ones_like(x)
    if op["function"] == "PRelu":
        assert arrays[op["slope"]].shape == (x.shape[op["axis"]],)
    return x


def max_pool(op, xs, _):
    (x,), axes = xs, len(op["kernel"])
    fixed = x.ndim - axes
    lengths = []
    for i, length in enumerate(x.shape[fixed:]):
        reach = op["dilation"][i] * (op["kernel"][i] - 1)
        lengths.append((length + op["padding"][i] + op["padding"][axes + i] - reach - 1) // op["stride"][i] + 1)
    y = np.zeros((*x.shape[:fixed], *lengths), bool)
    for q in np.ndindex(*lengths):
        for p in np.ndindex(*op["kernel"]):
            at = [op["stride"][i] * q[i] + op["dilation"][i] * p[i] - op["padding"][i] for i in range(axes)]
            if all(0 <= i < n for i, n in zip(at, x.shape[fixed:], strict=True)):
                y[(..., *q)] |= x[(..., *at)]
    return y


def axis_matrix(entry, length, arrays):
    """A as rows of numbers."""
    if entry["kind"] == "matrix":
        return arrays[entry["value"]].astype(float)
    n = entry["length"]
    a = np.zeros((n, length))
    for i in range(n):
        if entry["kind"] == "average":
            start, (b, e) = i * entry["stride"] - entry["padding"][0], entry["padding"]
            window = range(start, start + entry["kernel"])
            counted = [j for j in window if (-b <= j < length + e if entry["count"] == "all" else 0 <= j < length)]
            for j in window:
                if 0 <= j < length:
                    a[i, j] = 1 / len(counted)
        elif entry["kind"] == "mean":
            first, last = i * length // n, -(-(i + 1) * length // n)
            a[i, first:last] = 1 / (last - first)
        elif entry["kind"] == "nearest":
            a[i, i * length // n] = 1
        else:
            p = (i * (length - 1) / (n - 1) if n > 1 else 0.0) if entry["corners"] else (i + 0.5) * length / n - 0.5
            p = min(max(p, 0.0), length - 1.0)
            a[i, math.floor(p)] = 1 - p + math.floor(p)
            if p != math.floor(p):
                a[i, math.floor(p) + 1] = p - math.floor(p)
        assert a[i].any()
    return a


def axis_map(op, xs, arrays):
    (x,) = xs
    for entry in op["axes"]:
        a = axis_matrix(entry, x.shape[entry["axis"]], arrays)
        x = np.moveaxis(x, entry["axis"], 0)
        rows = [(row < 0).any() | x[row > 0].any(axis=0) for row in a]
        x = np.moveaxis(np.array([np.broadcast_to(row, x.shape[1:]) for row in rows]), 0, entry["axis"])
    return x


def add(op, xs, _):
    shape = np.broadcast_shapes(*(x.shape for x in xs))
    if min(op["coefficients"]) < 0:
        return np.ones(shape, bool)
    return np.any([np.broadcast_to(x, shape) for x in xs], axis=0)


def scale(op, xs, arrays):
    (x,) = xs
    length = x.shape[op["axis"]]
    g = np.ones(length) if op["scale"] is None else arrays[op["scale"]]
    t = np.zeros(length) if op["shift"] is None else arrays[op["shift"]]
    assert g.shape == t.shape == (length,)
    g, t = (part.reshape(*(-1 if i == op["axis"] else 1 for i in range(x.ndim))) for part in (g, t))
    return (t < 0) | (g < 0) | ((g > 0) & x)


def normalise(op, xs, arrays):
    (x,) = xs
    length = x.shape[op["axis"]]
    assert all(
        arrays[op[key]].shape == (length,) for key in ("mean", "variance", "scale", "shift") if op[key] is not None
    )
    assert (arrays[op["variance"]].astype(np.float64) + op["epsilon"] > 0).all()
    return np.ones_like(x)


def pad(op, xs, _):
    (x,), axes = xs, xs[0].ndim
    ends = list(zip(op["padding"][:axes], op["padding"][axes:], strict=True))
    return np.pad(x, ends, constant_values=op["value"] < 0)


def part(op, xs, _):
    return xs[0][(slice(None),) * op["axis"] + (slice(op["start"], op["stop"], op["step"]),)]


def matmul(_, xs, __):
    rows, columns = xs[0].any(axis=-1)[..., :, None], xs[1].any(axis=-2)[..., None, :]
    assert xs[0].shape[-1] == xs[1].shape[-2]
    return rows | columns


def attention(op, xs, arrays):
    q, k, v = (x if x.ndim > 2 else x[None] for x in xs)
    heads, groups = q.shape[-3], k.shape[-3]
    assert heads % groups == 0
    assert (q.shape[-1], k.shape[:-1]) == (k.shape[-1], v.shape[:-1])
    shown = np.ones((heads, q.shape[-2], k.shape[-2]), bool)
    if op["causal"]:
        shown &= np.arange(k.shape[-2]) <= np.arange(q.shape[-2])[:, None]
    for name in ("visible", "bias"):
        assert op[name] is None or arrays[op[name]].shape in (shown.shape, shown.shape[1:])
    if op["visible"] is not None:
        shown &= arrays[op["visible"]] != 0
    assert shown.any(axis=-1).all()
    y = np.stack(
        [
            np.broadcast_to(
                v[..., h * groups // heads, :, :].any(axis=-2)[..., None, :], (*q.shape[:-3], q.shape[-2], v.shape[-1])
            )
            for h in range(heads)
        ],
        axis=-3,
    )
    return y if xs[0].ndim > 2 else y[0]


def standardise(op, xs, _):
    assert op["axes"] == sorted(set(op["axes"]))
    assert op["axes"][-1] < xs[0].ndim
    return np.ones_like(xs[0]) if op["centred"] else xs[0]


OPS = {
    "MatMul": matmul,
    "Attention": attention,
    "Standardise": standardise,
    "Pointwise": pointwise,
    "MaxPool": max_pool,
    "AxisMap": axis_map,
    "Add": add,
    "Multiply": lambda _, xs, __: xs[0] | xs[1],
    "Scale": scale,
    "Normalise": normalise,
    "Concat": lambda op, xs, _: np.concatenate(xs, axis=op["axis"]),
    "Reshape": lambda op, xs, _: xs[0].reshape(op["shape"]),
    "Permute": lambda op, xs, _: xs[0].transpose(op["order"]),
    "Slice": part,
    "Pad": pad,
    "Constant": lambda op, _, arrays: arrays[op["value"]] < 0,
    "Softmax": lambda _, xs, __: np.zeros_like(xs[0]),
    "LogSoftmax": lambda _, xs, __: np.ones_like(xs[0]),
}
