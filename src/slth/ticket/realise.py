"""From seed and masks to coefficients: what a pruned random map computes, exactly.

Uniform values are multiples of 2⁻²³, so the products v u are multiples of 2⁻⁴⁶ of size at most 1, and a float64 sum of
up to 64 of them is exact in any order. Other laws keep that (`numerics.laws`), and so do signed sums. Gains are powers
of two. The numbers below are therefore facts about integers, and what several stages add up to is rounded once.
"""

import hashlib
from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float64

from slth._shapes import Bits, Signed
from slth._threads import in_order
from slth.graph import Affine, Linear, Realised
from slth.numerics import Stream, draw
from slth.ticket.buffers import hash_numbers
from slth.ticket.gadgets import Gadget, Moves, Problems, moved_sums, moves_of_bits
from slth.ticket.tensors import RandomTensor

HEAD = 4096  # values of each tensor whose digest a ticket stores
_ALONE = 1 << 22  # mask bits of a map, about 10 ms of work, that are not worth a thread


def realise(
    gadget: Gadget,
    path: str,
    op: Linear,
    *,
    seed: int,
    masks: Mapping[str, Bits],
    moves: Mapping[str, Moves] | None = None,
    threads: int = 1,
) -> Realised:
    """The coefficients P, N and b̂ of a map with packed masks, and moves, by tensor. Cost: its random numbers once.

    They are the same for any number of threads, among which blocks of problems are shared out.

    Raises:
        InputError: a coefficient keeps another number of candidates than the gadget says of each.
    """
    sums = Sums(op, gadget.signed(op), linear=gadget.linear)
    moved = moves_of_bits({tensor: masks[tensor] for tensor in gadget.mask_bits(path, op)}, moves or {})

    def found(block: Problems) -> tuple[Problems, np.ndarray]:
        return block, moved_sums(block, masks, moved)

    several = threads if gadget.cost(op).mask_bits > _ALONE else 1
    for block, own in in_order(found, gadget.problems(path, op, seed), threads=several):
        sums.add(block, own)
    return sums.realised


class Sums:
    """The coefficients of a map while its blocks of problems come in, in any order: exact, stage by stage."""

    def __init__(self, op: Linear, signed: Signed, *, linear: bool = False) -> None:
        self._sizes = op.coefficients, op.basis.outputs if op.bias else None, signed
        self._linear, self._stages = linear, list[Realised]()

    def add(self, block: Problems, sums: Float64[np.ndarray, "slot w"]) -> None:
        """Those of a block."""
        while len(self._stages) <= block.stage:
            self._stages.append(Realised.zeros(*self._sizes, linear=self._linear))
        block.add(sums, self._stages[block.stage])

    @property
    def realised(self) -> Realised:
        """All of them, once every block was added: the sum over stages, rounded once."""
        return Realised.rounded_sum(self._stages)


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
        digest.update(f"{affine.shape} {affine.bias is not None}".encode())
        for part in (affine.kept, affine.bias):
            if part is not None:
                hash_numbers(digest, part)
    return digest.hexdigest()
