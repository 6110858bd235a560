"""From seed and masks to coefficients: what a pruned random map computes, exactly.

Uniform values are multiples of 2⁻²³, so the products v u are multiples of 2⁻⁴⁶ of size at most 1, and a float64 sum of
up to 64 of them is exact in any order. Gains are powers of two. The numbers below are therefore facts about integers.
"""

import hashlib
from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float64

from slth._shapes import Bits, Signed
from slth.graph import Affine, Linear, Realised
from slth.numerics import Stream, draw
from slth.ticket.buffers import hash_numbers
from slth.ticket.gadgets import Gadget, Problems
from slth.ticket.tensors import RandomTensor

HEAD = 4096  # values of each tensor whose digest a ticket stores


def realise(gadget: Gadget, path: str, op: Linear, *, seed: int, bits: Bits) -> Realised:
    """The coefficients P, N and b̂ of a map with a packed mask. Cost: generating its random numbers once, in blocks."""
    sums = Sums(op, gadget.signed(op))
    for block in gadget.problems(path, op, seed):
        sums.add(block, block.sums(bits))
    return sums.realised


class Sums:
    """The coefficients of a map while its blocks of problems come in, in any order."""

    def __init__(self, op: Linear, signed: Signed) -> None:
        rows, signs = op.coefficients[0], ["positive", "negative"] if signed.any() else ["positive"]
        self._halves = {half: np.zeros(op.coefficients) for half in signs}
        self._bias = np.zeros((op.basis.outputs // rows, rows)) if op.bias else None
        self._signed = signed

    def add(self, block: Problems, sums: Float64[np.ndarray, "slot w"]) -> None:
        """Those of a block."""
        rows = slice(block.rows.start, block.rows.stop)
        if block.half == "bias":
            assert self._bias is not None
            self._bias[block.inputs, rows] = sums
        else:
            by_row = sums.reshape(len(sums), len(block.rows), -1).transpose(1, 0, 2)
            self._halves[block.half][rows, block.inputs] = by_row

    @property
    def realised(self) -> Realised:
        """All of them."""
        bias = None if self._bias is None else self._bias.reshape(-1)
        return Realised(self._halves["positive"], self._halves.get("negative"), bias, self._signed)


def realised_digest(realised: Realised) -> str:
    """SHA-256 of P, then N, then b̂, each as little-endian float64 in C order."""
    digest = hashlib.sha256()
    for part in (realised.positive, realised.negative, realised.bias):
        if part is not None:
            hash_numbers(digest, part)
    return digest.hexdigest()


def head_digest(tensor: RandomTensor, seed: int) -> str:
    """SHA-256 of the first 4,096 values of a tensor, draw · scale, little-endian float32."""
    count = min(HEAD, tensor.size)
    values = draw(Stream(seed, tensor.stream_path), tensor.law, (count,)) * np.float32(tensor.scale)
    return hashlib.sha256(np.ascontiguousarray(values, "<f4").tobytes()).hexdigest()


def pack(mask: Bool[np.ndarray, "..."]) -> Bits:
    """Mask bits in one run, C order: bit i is bit (i mod 8), least significant first, of byte i div 8; zero padding."""
    return np.packbits(mask.reshape(-1), bitorder="little")


def target_digest(coefficients: Mapping[str, Affine]) -> str:
    """SHA-256 that names a target: per map its shape in decimal, W, and b or nothing; little-endian float64."""
    digest = hashlib.sha256()
    for affine in coefficients.values():
        digest.update(f"{affine.weight.shape} {affine.bias is not None}".encode())
        for part in (affine.weight, affine.bias):
            if part is not None:
                hash_numbers(digest, part)
    return digest.hexdigest()
