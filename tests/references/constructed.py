"""A reader of constructed tickets written from FORMAT.md alone, by loops.

Shares with `slth` the streams and the ticket's own record, and nothing that scans or realises.
"""

import hashlib
from collections.abc import Mapping
from functools import cache

import numpy as np

from slth.graph import Affine
from slth.numerics import Stream, uniform
from slth.ticket import Ticket


@cache
def scan(seed, path, spec, outputs):
    """The rule of FORMAT.md, word by word: per slot its (neuron, value)s; H; the heads of the tensors."""
    many = 8 * spec.live + 200
    u = uniform(Stream(seed, f"{path}/lift"), (many, spec.inputs)).astype(float)
    beta = uniform(Stream(seed, f"{path}/lift_bias"), (many,)).astype(float)
    slots = [(j, 1) for j in range(spec.inputs)]
    slots += [(j, -1) for start, stop in spec.signed for j in range(start, stop)]
    need = [spec.candidates] * len(slots) + ([spec.constants] if spec.constants else [])
    served = [[] for _ in need]
    after = h = 0
    while any(need):
        for step in range(len(need)):
            s = (after + step) % len(need)
            value = beta[h] if s == len(slots) else slots[s][1] * u[h, slots[s][0]]
            if need[s] and value >= 0.5:
                served[s].append((h, value))
                need[s] -= 1
                after = (s + 1) % len(need)
                break
        h += 1
    v = uniform(Stream(seed, f"{path}/mixing"), (h, outputs)).astype(float)
    tensors = [u[:h], *([beta[:h]] if spec.constants else []), v]
    heads = [hashlib.sha256(t.reshape(-1)[:4096].astype("<f4").tobytes()).hexdigest() for t in tensors]
    live = sorted(neuron for slot in served for neuron, _ in slot)
    rank = {neuron: k for k, neuron in enumerate(live)}
    return [[(rank[n], value * v[n]) for n, value in slot] for slot in served], h, heads


def coefficients(ticket: Ticket, path: str, served) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """P, N and b of FORMAT.md; float64 is exact here."""
    layer, outputs = ticket.gadgets[path], ticket.maps[path].basis.outputs
    spec = layer.lift_spec(ticket.maps[path])
    bits = np.unpackbits(ticket.masks[f"{path}/mixing"], bitorder="little")[: outputs * spec.live]
    mask = bits.reshape(outputs, spec.live).astype(float)
    sums = [sum((mask[:, rank] * row for rank, row in slot), np.zeros(outputs)) for slot in served]
    positive = layer.gain * np.stack(sums[: spec.inputs], axis=1)
    negative = None
    if spec.signed:
        negative = np.zeros_like(positive)
        for k, j in enumerate(j for start, stop in spec.signed for j in range(start, stop)):
            negative[:, j] = layer.gain * sums[spec.inputs + k]
    return positive, negative, layer.bias_gain * sums[-1] if spec.constants else None


def realised_digest(*arrays: np.ndarray | None) -> str:
    """SHA-256 of P, N and b, in this order, float64 little-endian; −0.0 as 0.0."""
    data = [np.ascontiguousarray(a + 0.0, "<f8").tobytes() for a in arrays if a is not None]
    return hashlib.sha256(b"".join(data)).hexdigest()


def target_digest(target: Mapping[str, Affine]) -> str:
    """SHA-256 of the layers, each its shape, whether it has a bias, and its numbers."""
    text = b""
    for layer in target.values():
        out, inp, tap = layer.weight.shape
        text += (
            f"({out}, {inp}, {tap}) {layer.bias is not None}".encode() + (layer.weight + 0.0).astype("<f8").tobytes()
        )
        text += b"" if layer.bias is None else (layer.bias + 0.0).astype("<f8").tobytes()
    return hashlib.sha256(text).hexdigest()
