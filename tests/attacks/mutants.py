"""Mutants of honest tickets, each named by its number: bytes, headers, metadata trees, masks, and forged tickets.

All but the first kind carry a right digest and a header that fits, so that only validation and the checker can object.
"""

import random
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import references.rans
from attacks.forging import certified, consistent, forged
from attacks.sealing import parts, sealed, text_of
from helpers.gadgets import staged
from helpers.tickets import ASKED

from slth import InputError
from slth.graph import Target
from slth.ticket import Inputs, Ticket, encode

NASTY = [
    *(None, True, False, 0, 1, -1, 2, 3, 64, 65, 255, 256, 2**31, 2**32, 2**53 + 1, 2**63, 2**64, 10**400),
    *(0.0, -0.0, 0.5, 1.0, -1.0, 2.0, 5e-324, 1e-308, 2.0**-200, 2.0**200, 1e300, 1.7e308, float("nan"), float("inf")),
    *("", "0", "1", "-1", "x", "\0", "\n", "\x1b[31m", "\ud800", "\u202e", "０", "../x", "0" * 64),
    *("f" * 64, "n" * 1001),
    *("raw:1e999", "raw:-0", "raw:1E2", "raw:0.10", "raw:01", "raw:" + "9" * 5000, "bits", "deflate", "rans"),
    *([], [[]], [0], [0, 0], [None], {}, {"": 0}, [[0.0], [1.0]], [[0, 1]], [["w", "b"]]),
]
Specimen = tuple[Ticket, Target]
Kinds = dict[str, tuple[Callable[..., bytes], int]]  # what makes a mutant, and how often, in percent


def mutant(
    number: int, specimens: list, files: list[bytes], *, kind: str | None = None, kinds: Kinds | None = None
) -> tuple[str, int, bytes]:
    """Kind, specimen and bytes of mutant `number`; `files` are the specimens' own."""
    kinds = kinds or KINDS
    rng = random.Random(number)
    which = rng.randrange(len(specimens))
    kind = kind or rng.choices(list(kinds), weights=[weight for _, weight in kinds.values()])[0]
    return kind, which, kinds[kind][0](rng, which, specimens, files)


def _bytes(rng: random.Random, which: int, _, files: list[bytes]) -> bytes:
    """One to four changes of raw bytes, the digest left as it was."""
    data = bytearray(files[which])
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        data = stirred(rng, data, rng.choice(files))
    return bytes(data)


def stirred(rng: random.Random, data: bytearray, other: bytes) -> bytearray:
    """Flip, set, insert, delete, repeat, splice or cut."""
    at, size = rng.randrange(len(data) + 1), rng.choice((1, 1, 2, 8, 64))
    piece, there = data[at : at + size], rng.randrange(len(other))
    match rng.randrange(7):
        case 0 if piece:
            data[at] ^= 1 << rng.randrange(8)
        case 1 if piece:
            data[at] = rng.randrange(256)
        case 2:
            data[at:at] = rng.randbytes(size)
        case 3:
            del data[at : at + size]
        case 4:
            data[at:at] = piece * rng.randrange(1, 4)
        case 5:
            data[at : at + size] = other[there : there + size]
        case _:
            return data[:at] + bytearray(other[at:]) if rng.random() < 0.5 else data[:at] or bytearray(b"\0")
    return data or bytearray(b"\0")


def _text(rng: random.Random, which: int, _, files: list[bytes]) -> bytes:
    """The metadata's text stirred as bytes."""
    meta, masks = parts(files[which])
    text = bytearray(text_of(meta).encode())
    other = text_of(parts(rng.choice(files))[0]).encode()
    return sealed(None, masks, text=stirred(rng, text, other).decode("utf-8", "surrogateescape"))


def _header(rng: random.Random, which: int, _, files: list[bytes]) -> bytes:
    """The header's bytes outside the metadata stirred."""
    meta, masks = parts(files[which])

    def stir(raw: bytes) -> bytes:
        start = raw.rindex(b'"},"layers/0')
        changed = bytes(stirred(rng, bytearray(raw[start:]), raw[start:]))
        return raw[:start] + changed + b" " * (-(start + len(changed)) % 8)

    return sealed(meta, masks, header=stir)


def _tree(rng: random.Random, which: int, _, files: list[bytes]) -> bytes:
    """One to three nodes of the metadata replaced, moved, copied, deleted, repeated or nudged."""
    meta, masks = parts(files[which])
    edit_nodes(rng, meta, parts(rng.choice(files))[0], times=(1, 1, 1, 2, 3))
    return sealed(meta, masks)


def edit_nodes(rng: random.Random, meta: dict, other: dict, *, times: tuple[int, ...]) -> None:
    """Nudge a node of the metadata or replace it by something of `other`, as often as one of `times` says."""
    for _ in range(rng.choice(times)):
        node, key = rng.choice(_places(meta))
        if rng.random() < 0.4:
            node[key] = _nudged(rng, node[key])
        else:
            _edit(rng, node, key, other)


def _places(node: object) -> list[tuple]:
    """Every (container, key) of a tree."""
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    return [place for key in keys for place in ((node, key), *_places(node[key]))]


def _edit(rng: random.Random, node, key, other: dict) -> None:
    there, theirs = rng.choice(_places(other))
    match rng.randrange(6):
        case 0 | 1:
            node[key] = rng.choice(NASTY)
        case 2:
            node[key] = there[theirs]
        case 3:
            del node[key]
        case 4 if isinstance(node, list):
            node.insert(key, node[rng.randrange(len(node))])
        case 4:
            node[rng.choice(("x", "", *node))] = node[key]
        case _:
            swap = rng.choice(list(node) if isinstance(node, dict) else range(len(node)))
            node[key], node[swap] = node[swap], node[key]


def _nudged(rng: random.Random, value: object) -> object:
    """A value of the same type, close by."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + rng.choice((-2, -1, 1, 2, 8, value))
    if isinstance(value, float):
        near = (np.nextafter(value, 0), np.nextafter(value, 1e9), value * 2, value / 2, value * (1 - 1e-5), value + 1)
        return float(rng.choice((*near, -value)))
    if isinstance(value, str) and value:
        return value.replace(value[0], rng.choice("0a9f"), 1) if rng.random() < 0.5 else value + rng.choice("0 \n")
    if isinstance(value, list):
        return [value[::-1], value + value, value[1:]][rng.randrange(3)]
    return rng.choice(NASTY)


def _masks(rng: random.Random, which: int, specimens: list[Specimen], files: list[bytes]) -> bytes:
    """Masks stirred, exchanged or encoded in another way, their lengths stated right."""
    meta, masks = parts(files[which])
    i = rng.randrange(len(masks))
    match rng.randrange(4):
        case 0:
            masks[i] = bytes(stirred(rng, bytearray(masks[i]), rng.choice(files)))
        case 1:
            masks = masks[::-1]
        case 2:
            encoding = rng.choice(("bits", "deflate", "rans"))
            masks[i] = _encoded(rng, specimens[which][0], f"layers/{i}", encoding)
            meta["layers"][i]["mask"]["encoding"] = encoding
        case _:
            meta["layers"][i]["mask"]["encoding"] = rng.choice(("bits", "deflate", "rans"))
    for layer, mask in zip(meta["layers"], masks, strict=True):
        layer["mask"]["bytes"] = len(mask)
    return sealed(meta, masks)


def _encoded(rng: random.Random, ticket: Ticket, path: str, encoding: str) -> bytes:
    """The mask of a map in any encoding, as any writer may choose it."""
    packed = ticket.masks[f"{path}/mixing"]
    if encoding == "bits":
        return packed.tobytes()
    if encoding == "deflate":
        return zlib.compress(packed.tobytes(), rng.randrange(10))
    mask_bits = ticket.gadgets[path].cost(ticket.maps[path]).mask_bits
    return references.rans.written(np.unpackbits(packed, count=mask_bits, bitorder="little").tolist())


def _forged(rng: random.Random, which: int, specimens: list[Specimen], _) -> bytes:
    """A ticket with another seed, mask, gain, domain, layout or claim, made consistent; sometimes certified anew."""
    ticket, target = specimens[which]
    changes: dict[str, Any] = {"gadgets": dict(ticket.gadgets), "masks": dict(ticket.masks), "seed": ticket.seed}
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        _forge(rng, ticket, changes)
    try:
        if rng.random() < 0.9:
            ticket = consistent(ticket, **changes)
            if rng.random() < 0.3:
                ticket = certified(ticket, target, tolerance=rng.choice((0.1, 0.5, 1.0)))
        else:
            ticket = forged(ticket, **changes)
        for _ in range(rng.choice((0, 0, 1, 2))):
            ticket = _claim(rng, ticket)
        return encode(ticket)
    except InputError:  # a bound that overflows, or a ticket that no reader would accept
        return b""


def _forge(rng: random.Random, ticket: Ticket, changes: dict[str, Any]) -> None:
    """One change more."""
    path = rng.choice(list(ticket.maps))
    gadget = changes["gadgets"][path]
    match rng.randrange(6):
        case 0:
            changes["seed"] += rng.choice((1, 2**32, 2**64))
        case 1:
            bits = changes["masks"][f"{path}/mixing"].copy()
            bits[rng.randrange(len(bits))] ^= 1 << rng.randrange(8)
            changes["masks"][f"{path}/mixing"] = bits
        case 2:
            name = rng.choice(("gain", "bias_gain"))
            gadget = staged(gadget, **{name: getattr(gadget, name) * rng.choice((0.5, 2.0, 2.0**-40, 2.0**100))})
        case 3:
            gadget = staged(gadget, candidates=rng.choice((1, gadget.candidates, 64)))
        case 4 if ticket.inputs is not None:
            ends = rng.choice(((-1.0, 1.0), (0.0, 1.0), (-0.0, 0.0), (-2.0, 2.0), (-0.5, 0.25), (1e-300, 1e300), None))
            mean, std = rng.choice(((None, None), ((0.0,), (1.0,)), ((1e308,), (5e-324,))))
            lower, upper = (None, None) if ends is None else ((ends[0],), (ends[1],))
            changes["inputs"] = Inputs(ticket.inputs.shape, mean, std, lower, upper)
        case _:
            gadget = staged(gadget, neurons=gadget.neurons + rng.choice((-1, 1, 1000, 2**40)))
    changes["gadgets"][path] = gadget


def _claim(rng: random.Random, ticket: Ticket) -> Ticket:
    """One number of the certificate or the provenance changed."""
    bounds, origin = ticket.claims, ticket.provenance
    factor = rng.choice((0.0, 0.5, 1 - 1e-5, 1 + 1e-5, 2.0, 1e6))
    path = rng.choice(list(bounds.maps))
    name = rng.choice(("weight_error", "bias_error", "operator_error", "sup_error", "l2_error", "tolerance"))
    match rng.randrange(5):
        case 0 if origin.misses:
            first, *rest = origin.misses
            lie = replace(first, error=first.error * factor, half=rng.choice((first.half, "negative", "bias")))
            return replace(ticket, provenance=replace(origin, misses=(lie, *rest)))
        case 1:
            epsilon = (bounds.sup_error or 1.0) * (factor or 1.0)
            asked = rng.choice(({"tolerance": 0.5}, {"tolerance": 0.25}, {"tolerance": None, "epsilon": epsilon}))
            return replace(ticket, provenance=replace(origin, asked=ASKED | asked))
        case 2 if bounds.output_error:
            outputs = tuple(error * factor for error in bounds.output_error)
            return replace(ticket, claims=replace(bounds, output_error=outputs))
        case 3 if bounds.sup_error:
            return replace(ticket, claims=replace(bounds, sup_error=bounds.sup_error * factor))
    claim = bounds.maps[path]
    value = getattr(claim, name)
    claim = claim if value is None else replace(claim, **{name: value * factor})
    return replace(ticket, claims=replace(bounds, maps={**bounds.maps, path: claim}))


KINDS: Kinds = {
    "bytes": (_bytes, 25),
    "text": (_text, 15),
    "header": (_header, 10),
    "tree": (_tree, 30),
    "masks": (_masks, 10),
    "forged": (_forged, 10),
}
