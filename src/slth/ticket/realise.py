"""From seed and masks to coefficients: what a pruned random map computes, exactly.

Uniform values are multiples of 2⁻²³, so the products v u are multiples of 2⁻⁴⁶ of size at most 1, and a float64 sum of
up to 64 of them is exact in any order. Gains are powers of two. The numbers below are therefore facts about integers.
"""

import hashlib
from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool

from slth._shapes import Bits
from slth.graph import Affine, Linear, Realised
from slth.numerics import Stream, draw
from slth.ticket.buffers import hash_numbers
from slth.ticket.gadgets import Gadget
from slth.ticket.tensors import RandomTensor

HEAD = 4096  # values of each tensor whose digest a ticket stores


def realise(gadget: Gadget, path: str, op: Linear, *, seed: int, mask: Bool[np.ndarray, "w live"]) -> Realised:
    """The coefficients P, N and b̂ of a masked map. Cost: generating its random numbers once, in blocks."""
    rows, inputs, taps = op.coefficients
    signed = gadget.signed(op)
    halves = {"positive": np.zeros((inputs, rows * taps))}
    if signed.any():
        halves["negative"] = np.zeros_like(halves["positive"])
    bias = None
    kept = np.ascontiguousarray(mask.T)
    for block in gadget.problems(path, op, seed):
        sums = block.sums(kept)
        if block.half == "bias":
            bias = np.ascontiguousarray(sums.reshape(-1))
        else:
            halves[block.half][block.inputs] = sums
    shaped = {half: _by_row(sums, rows, taps) for half, sums in halves.items()}
    return Realised(positive=shaped["positive"], negative=shaped.get("negative"), bias=bias, signed=signed)


def realised_digest(realised: Realised) -> str:
    """SHA-256 of P, then N, then b̂, each as little-endian float64 in C order."""
    digest = hashlib.sha256()
    for part in (realised.positive, realised.negative, realised.bias):
        if part is not None:
            digest.update(np.ascontiguousarray(part + 0.0, "<f8").tobytes())  # + 0.0: one zero, not two
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


def _by_row(sums: np.ndarray, rows: int, taps: int) -> np.ndarray:
    """(inp, row · tap) -> (row, inp, tap)."""
    return np.ascontiguousarray(np.moveaxis(sums.reshape(-1, rows, taps), 0, 1))
