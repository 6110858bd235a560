"""Ops of transformers on tensors: products of values, attention, normalisation of each example, rows of a table."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional

from slth._errors import InputError
from slth.graph import Attention, Embedding, MatMul, Standardise

Tensors = tuple[Tensor, ...]
Arrays = Mapping[str, Tensor]


def mat_mul(_: MatMul, inputs: Tensors, __: Arrays) -> Tensor:
    """The product of the last two axes."""
    return inputs[0] @ inputs[1]


def attention(op: Attention, inputs: Tensors, carried: Arrays) -> Tensor:
    """By PyTorch's own kernel, which holds no logits where it need not, and reads shared key heads in place."""
    queries, keys, values = inputs
    shared = queries.ndim > 3 and queries.shape[-3] != keys.shape[-3]
    hidden = _mask(op, queries, keys, carried)
    causal = op.causal and hidden is None
    return functional.scaled_dot_product_attention(
        queries, keys, values, attn_mask=hidden, is_causal=causal, scale=op.scale, enable_gqa=shared
    )


def _mask(op: Attention, queries: Tensor, keys: Tensor, carried: Arrays) -> Tensor | None:
    """What is added to the logits, or where a key is visible; None where being causal says it all."""
    seen = None if op.visible is None else carried[op.visible] != 0
    added = None if op.bias is None else carried[op.bias]
    if seen is None and added is None:
        return None
    if op.causal:
        before = torch.ones(queries.shape[-2], keys.shape[-2], dtype=torch.bool, device=queries.device).tril()
        seen = before if seen is None else seen & before
    if added is None or seen is None:
        return seen if added is None else added
    return torch.where(seen, added, -torch.inf)


def standardise(op: Standardise, inputs: Tensors, _: Arrays) -> Tensor:
    """As the layers compute it where these axes are the last ones; else by mean and variance."""
    (x,) = inputs
    axes = [axis + 1 for axis in op.axes]
    if axes == list(range(x.ndim - len(axes), x.ndim)):
        shape = list(x.shape[axes[0] :])
        if op.centred:
            return functional.layer_norm(x, shape, eps=op.epsilon)
        return functional.rms_norm(x, shape, eps=op.epsilon)
    own = x - x.mean(axes, keepdim=True) if op.centred else x
    return own * torch.rsqrt((own * own).mean(axes, keepdim=True) + op.epsilon)


def embedding(op: Embedding, inputs: Tensors, carried: Arrays) -> Tensor:
    """Rows of what is carried."""
    return looked_up(carried[op.table], inputs[0])


def looked_up(table: Tensor, tokens: Tensor) -> Tensor:
    """Row x of a table for every token x."""
    return functional.embedding(checked(tokens, len(table)), table)


def checked(tokens: Tensor, count: int) -> Tensor:
    """Tokens as int64.

    Raises:
        InputError: one that is none of so many; of a network that is exported nobody asks.
    """
    rows = tokens.long()
    if not torch.compiler.is_compiling() and rows.numel():
        low, high = int(rows.min()), int(rows.max())
        whole = not tokens.is_floating_point() or bool((tokens == rows).all())
        if low < 0 or high >= count or not whole:
            got = f"{low if low < 0 else high}" if whole else "numbers that are none"
            raise InputError(f"expected tokens, integers from 0 to {count - 1}; got {got}")
    return rows


class ByTokens(nn.Module):
    """A map of vectors that is given tokens: the vector of one is 1 at its place, and 0 elsewhere."""

    def __init__(self, part: nn.Module, count: int) -> None:
        super().__init__()
        self.part, self.count = part, count

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of a batch."""
        return self.part(functional.one_hot(checked(x, self.count), self.count).float())


@runtime_checkable
class Tabled(Protocol):
    """A map that holds its coefficients as a matrix."""

    @property
    def table(self) -> Tensor: ...


def table_of(part: nn.Module, inputs: int) -> Tensor:
    """P of a dense map (out, inp), whose rows a tied embedding looks up: its weight, or what it makes of unit vectors.

    The two random layers in place of a map have no such matrix: x = e_j gives column j, and the bias goes off again.
    """
    if isinstance(part, Tabled):
        return part.table
    own = next(tensor for tensor in (*part.parameters(), *part.buffers()) if tensor.is_floating_point())
    unit = torch.eye(inputs, dtype=own.dtype, device=own.device)
    return (part(unit) - part(torch.zeros_like(unit[:1]))).T
