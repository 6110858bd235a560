"""Attention as one operator, and tables: what tokens look up."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np

from slth.graph import Attention, Embedding
from slth.network.reading.here import Here, Known, Operator, Value
from slth.network.reading.hidden import SAID, fills_in, heads_of, split_mask
from slth.network.reading.operators.axes import expand


def attention(here: Here, a: Any) -> Value:
    """softmax(c q kᵀ + m) v, c = 1/√d unless it is given; a mask m is constant."""
    if isinstance(a.attn_mask, Value):
        here.refuse("has a mask that depends on the input; constant masks, and causal ones, are read")
    if a.dropout_p:
        here.refuse("drops entries in evaluation mode, too; a network must compute the same each time")
    given = [x if isinstance(x, Value) else here.constant(_one_example(here, x)) for x in (a.query, a.key, a.value)]
    leading = np.broadcast_shapes(*(x.shape[:-3] for x in given))
    query, key, value = (expand(_at(here, (*leading, *x.shape[-3:])), SimpleNamespace(self=x)) for x in given)
    scale = 1 / math.sqrt(query.shape[-1]) if a.scale is None else float(a.scale)
    heads, logits = heads_of(query.shape), (query.shape[-2], key.shape[-2])
    arrays: dict[str, np.ndarray] = {}
    if isinstance(a.attn_mask, Known):
        mask = a.attn_mask.tensor
        numbers = np.where(a.attn_mask.numbers != 0, 0.0, -np.inf) if mask.dtype == mask.bool().dtype else None
        arrays = split_mask(here, a.attn_mask.numbers if numbers is None else numbers, heads, logits)
    op = Attention(scale, bool(a.is_causal), *(name if name in arrays else None for name in ("visible", "bias")))
    y = here.add(op, query, key, value, arrays=arrays)
    if isinstance(a.attn_mask, Known) and fills_in(a.attn_mask.numbers):
        here.draft.steps[y.name].assumed = SAID
    return y


def embedding(here: Here, a: Any) -> Value:
    """Rows of a constant table."""
    if not isinstance(a.weight, Known):
        here.refuse("looks up a table that depends on the input")
    names = (a.weight.names, frozenset[str]())
    return here.add(Embedding("table"), a.indices, arrays={"table": a.weight.kept}, tensors=names)


def _at(here: Here, shape: tuple[int, ...]) -> Here:
    return Here(here.draft, here.op, here.place, here.kind, here.leaf, shape)


def _one_example(here: Here, tensor: Any) -> np.ndarray:
    if not isinstance(tensor, Known) or tensor.tensor.shape[0] != 1:
        here.refuse("reads a constant whose size along the batch is fixed")
    return tensor.numbers[0]


TABLE: dict[str, Operator] = {
    "scaled_dot_product_attention.default": attention,
    "embedding.default": embedding,
}
