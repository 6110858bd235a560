"""Random small transformers: tokens or numbers in, attention of every kind, normalisations, tied and carried tables."""

import numpy as np

from slth.graph import (
    Add,
    Attention,
    Concat,
    Constant,
    Dense,
    Embedding,
    Linear,
    MatMul,
    Multiply,
    OneHot,
    Permute,
    Pointwise,
    Reshape,
    Scale,
    Slice,
    Softmax,
    Standardise,
)

TOKENS = 7


def transformer(b, rng, tables=("carried", "tied", "one-hot", "numbers")):
    """Nodes of a decoder or an encoder on a builder; its inputs: (length,) tokens, or (length, width) numbers."""
    length, heads = 5, int(rng.choice([1, 2, 4]))
    groups = int(rng.choice([g for g in (1, 2, 4) if heads % g == 0]))
    own = int(rng.choice([2, 4]))
    width = heads * own
    table = str(rng.choice(tables))
    b.shapes = {"input": (length,) if table != "numbers" else (length, width)}
    x = _embedded(b, table, width)
    x = b.add(Add((1.0, 1.0)), x, b.add(Constant(b.number(length, width))))
    for _ in range(int(rng.integers(1, 3))):
        x = _block(b, rng, x, heads, groups)
    x = b.add(Standardise((1,), 1e-3), x)
    b.add(Linear("head", Dense(width, TOKENS), bool(rng.integers(2))), x, name="out")


def _embedded(b, table, width):
    if table == "numbers":
        return "input"
    if table == "one-hot":
        return b.add(Linear("words", OneHot(TOKENS, width), False), "input")
    if table == "carried":
        return b.add(Embedding(b.number(TOKENS + 2, width, dtype=np.float16)), "input")
    return b.add(Embedding("head", tied=True), "input", shape=(*b.shapes["input"], width))


def _block(b, rng, x, heads, groups):
    """Attention and a perceptron, each in a residual."""
    path, centred, (length, width) = f"block{len(b.nodes)}", bool(rng.integers(2)), b.shapes[x]
    own = width // heads
    y = b.add(Standardise((1,), 1e-3, centred), x)
    y = b.add(Scale(1, b.number(width), b.number(width) if centred else None), y)

    def split(name, count):
        z = b.add(Linear(f"{path}.{name}", Dense(width, count * own), bool(rng.integers(2))), y)
        return b.add(Permute((1, 0, 2)), b.add(Reshape((length, count, own)), z))

    q, k, v = split("q", heads), split("k", groups), split("v", groups)
    if rng.integers(2):
        q, k = (_rotated(b, z) for z in (q, k))
    causal, kind = bool(rng.integers(2)), int(rng.integers(4))
    if kind == 3 and heads == groups:
        logits = b.add(MatMul(), q, b.add(Permute((0, 2, 1)), k))
        z = b.add(MatMul(), b.add(Softmax(2), b.add(Add((own**-0.5,)), logits)), v)
    else:
        visible = bias = None
        if kind == 1:
            visible = b.number(length, length)
            b.carried[visible] = ((b.carried[visible] > 0) | np.eye(length, dtype=bool)).astype(np.float16)
        if kind == 2:
            bias = b.number(heads, length, length)
        z = b.add(Attention(own**-0.5, causal, visible, bias), q, k, v)
    z = b.add(Reshape((length, width)), b.add(Permute((1, 0, 2)), z))
    x = b.add(Add((1.0, 1.0)), x, b.add(Linear(f"{path}.o", Dense(width, width), True), z))
    z = b.add(Standardise((1,), 1e-3, centred), x)
    z = b.add(Pointwise("Gelu"), b.add(Linear(f"{path}.up", Dense(width, 6), True), z))
    return b.add(Add((1.0, 1.0)), x, b.add(Linear(f"{path}.down", Dense(6, width), False), z))


def _rotated(b, x):
    """Rotary positions: x cos + (−x₂, x₁) sin."""
    _, length, own = b.shapes[x]
    first, last = (b.add(Slice(2, start, start + own // 2), x) for start in (0, own // 2))
    turned = b.add(Concat(2), b.add(Add((-1.0,)), last), first)
    angles = np.arange(length)[:, None] / 10.0 ** np.tile(np.arange(own // 2), 2)
    names = [b.number(1, length, own), b.number(1, length, own)]
    b.carried[names[0]][0], b.carried[names[1]][0] = np.cos(angles), np.sin(angles)
    cos, sin = (b.add(Constant(name)) for name in names)
    return b.add(Add((1.0, 1.0)), b.add(Multiply(), x, cos), b.add(Multiply(), turned, sin))


def examples_of(inputs, rng, count=3):
    """What a network may be given: tokens, or numbers of both signs; none below 0 where the range says so."""
    if inputs.tokens is not None:
        return rng.integers(0, inputs.tokens, (count, *inputs.shape))
    x = rng.normal(size=(count, *inputs.shape))
    return np.abs(x) if not inputs.negative.any() else x
