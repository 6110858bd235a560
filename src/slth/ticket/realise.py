"""From seed and masks to coefficients: what a pruned random layer computes, exactly.

Uniform values are multiples of 2⁻²³, so the products v u are multiples of 2⁻⁴⁶ of size at most 1, and a float64 sum of
up to 64 of them is exact in any order. Gains are powers of two. The numbers below are therefore facts about integers.
"""

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Bool, Float64, Int64

from slth._shapes import Bits
from slth.certificate import Affine, Realised
from slth.numerics import Stream, draw, uniform_rows
from slth.ticket.lift import Lift
from slth.ticket.spec import LayerSpec, TensorSpec

HEAD = 4096  # values of each tensor whose digest a ticket stores
_BLOCK = 1 << 20  # products formed at a time


def products(
    layer: LayerSpec, lift: Lift, seed: int, members: Int64[np.ndarray, "slot n"]
) -> Float64[np.ndarray, "slot n outtap"]:
    """The candidates v u of some slots for every output and tap, exact in float64 and not yet scaled by the gain."""
    width = layer.outputs * layer.taps
    mixing = uniform_rows(Stream(seed, f"{layer.path}/mixing"), lift.neuron[members].reshape(-1), width)
    return mixing.astype(np.float64).reshape(*members.shape, width) * lift.value[members][..., None]


def slot_blocks(layer: LayerSpec, lift: Lift) -> Iterator[tuple[slice, Int64[np.ndarray, "slot n"]]]:
    """The input slots in blocks of bounded size: (which slots, ranks of their candidates)."""
    members = lift.members(slice(None))
    size = max(1, _BLOCK // (lift.spec.candidates * layer.outputs * layer.taps))
    for start in range(0, len(members), size):
        yield slice(start, start + size), members[start : start + size]


def realise(layer: LayerSpec, lift: Lift, seed: int, mask: Bool[np.ndarray, "outtap live"]) -> Realised:
    """The coefficients P, N and b̂ that a masked layer realises. Cost: generating the mixing layer once, in blocks."""
    spec = lift.spec
    kept = np.ascontiguousarray(mask.T)
    sums = np.empty((len(lift.members(slice(None))), kept.shape[1]))
    for slots, members in slot_blocks(layer, lift):
        sums[slots] = np.einsum("snw,snw->sw", products(layer, lift, seed, members), kept[members])
    signed = spec.signed_mask
    shape = (-1, layer.outputs, layer.taps)
    positive = np.moveaxis(sums[: spec.inputs].reshape(shape), 0, 1) * layer.gain
    negative = None
    if signed.any():
        negative = np.zeros_like(positive)
        negative[:, signed] = np.moveaxis(sums[spec.inputs :].reshape(shape), 0, 1) * layer.gain
    bias = None
    if spec.constants:
        constant = lift.constant_members[None]
        totals = np.einsum("snw,snw->w", products(layer, lift, seed, constant), kept[constant])
        bias = totals.reshape(layer.outputs, layer.taps)[:, 0] * layer.bias_gain
    return Realised(positive=np.ascontiguousarray(positive), negative=negative, bias=bias, signed=signed)


def realised_digest(realised: Realised) -> str:
    """SHA-256 of P, then N, then b̂, each as little-endian float64 in C order."""
    digest = hashlib.sha256()
    for part in (realised.positive, realised.negative, realised.bias):
        if part is not None:
            digest.update(np.ascontiguousarray(part + 0.0, "<f8").tobytes())  # + 0.0: one zero, not two
    return digest.hexdigest()


def head_digest(tensor: TensorSpec, seed: int) -> str:
    """SHA-256 of the first 4,096 values of a tensor, little-endian float32."""
    count = min(HEAD, int(np.prod(tensor.shape, dtype=np.float64)))
    values = draw(Stream(seed, tensor.path), tensor.law, (count,)) * np.float32(tensor.scale)
    return hashlib.sha256(np.ascontiguousarray(values, "<f4").tobytes()).hexdigest()


def pack(mask: Bool[np.ndarray, "outtap live"]) -> Bits:
    """Mask bits in one run, output outermost, then tap, then neuron; least significant bit first, zero padding."""
    return np.packbits(mask.reshape(-1), bitorder="little")


def unpack(layer: LayerSpec, bits: Bits) -> Bool[np.ndarray, "outtap live"]:
    """Inverse of `pack`."""
    flat = np.unpackbits(bits, count=layer.mask_bits, bitorder="little")
    return flat.reshape(layer.outputs * layer.taps, layer.lift.live).view(np.bool_)


def target_digest(target: Sequence[Affine]) -> str:
    """SHA-256 that names a target: per layer its shape in decimal, W, and b or nothing; little-endian float64."""
    digest = hashlib.sha256()
    for layer in target:
        digest.update(f"{layer.weight.shape} {layer.bias is not None}".encode())
        for part in (layer.weight, layer.bias):
            if part is not None:
                digest.update(np.ascontiguousarray(part + 0.0, "<f8").tobytes())
    return digest.hexdigest()
