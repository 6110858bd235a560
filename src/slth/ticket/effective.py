"""From seed, mask and moves to the weights a masked tensor computes with: float32, bit for bit, in blocks.

    w = draw · scale;   w ← w + Δ (moved);   w ← +1 if w ≥ 0 else −1 (binary);   w ← w · gain (gain ≠ 1);   0 if pruned

Every operation is one float32 operation in this order, so the same bits come out on every platform.
"""

import hashlib
from collections.abc import Iterator

import numpy as np

from slth._shapes import Bits, Draws
from slth.numerics import Stream, draw
from slth.ticket.buffers import buffer_of
from slth.ticket.tensors import RandomTensor

_BLOCK = 1 << 20  # weights at a time, a multiple of 8


def effective_blocks(tensor: RandomTensor, seed: int, bits: Bits | None, move: Draws | None) -> Iterator[np.ndarray]:
    """The effective weights of a tensor in C order, float32, at most 2²⁰ at a time.

    Args:
        bits: the packed mask; None keeps all.
        move: Δ of the kept weights, shape (kept,); None: nothing moved.
    """
    used = 0
    for start in range(0, tensor.size, _BLOCK):
        count = min(_BLOCK, tensor.size - start)
        w = _drawn(tensor, seed, start, count)
        kept = np.ones(count, np.bool_)
        if bits is not None:
            part = bits[start // 8 : -(-(start + count) // 8)]
            kept = np.unpackbits(part, count=count, bitorder="little").view(np.bool_)
        if move is not None:
            ones = int(kept.sum())
            w[kept] += move[used : used + ones]
            used += ones
        if tensor.binary:
            w = np.where(w >= 0, np.float32(1), np.float32(-1))
        if tensor.gain != 1.0:
            w *= np.float32(tensor.gain)
        w[~kept] = 0
        yield w


def random_weights(tensor: RandomTensor, seed: int) -> Draws:
    """The weights before any mask: draw · scale, float32."""
    return _drawn(tensor, seed, 0, tensor.size).reshape(tensor.shape)


def effective_digest(tensor: RandomTensor, seed: int, bits: Bits | None, move: Draws | None) -> str:
    """SHA-256 of the effective weights, little-endian float32, C order."""
    digest = hashlib.sha256()
    for block in effective_blocks(tensor, seed, bits, move):
        digest.update(buffer_of(block.astype("<f4", copy=False)))
    return digest.hexdigest()


def _drawn(tensor: RandomTensor, seed: int, start: int, count: int) -> Draws:
    return draw(Stream(seed, tensor.stream_path), tensor.law, (count,), start=start) * np.float32(tensor.scale)
