"""Mutants of tickets of version 2, each named by its number; but for raw bytes, all carry a right digest.

So only validation and the checker can object to bytes of the text, the table of runs, the metadata's tree, the runs
themselves, and tickets that were forged and made consistent again.
"""

import copy
import random
from dataclasses import replace
from typing import Any

import numpy as np
from attacks import mutants
from attacks.forging import certified, consistent
from attacks.graph_specimens import Specimen
from attacks.mutants import stirred
from helpers.version2_files import parts, sealed, text_of

from slth import InputError
from slth.graph import Graph, Pointwise
from slth.ticket import Ticket, encode

NASTY = [
    *(None, True, False, 0, 1, -1, 2, 3, 64, 65, 2**20 + 1, 2**31, 2**53 + 1, 2**63, 2**64, 10**400),
    *(0.0, -0.0, 0.5, 1.0, -1.0, 5e-324, 2.0**-200, 1.7e308, float("nan"), float("inf")),
    *("", "0", "x", "\0", "\n", "\x1b[31m", "\ud800", "\u202e", "input", "../x", "0" * 64, "n" * 1001),
    *("Relu", "Linear", "Conv", "Dense", "MaxPool", "AxisMap", "Add", "bits", "rans", "uniform", "bias"),
    *("raw:1e999", "raw:-0", "raw:1E2", "raw:0.10", "raw:01", "raw:" + "9" * 5000),
    *([], [[]], [0], [1, 1], [None], {}, {"": 0}, [0.0], [[0, 1]], {"kind": "Constant", "value": "array.0"}),
]
File = tuple[dict, dict, bytes]  # metadata, table of runs, their bytes


def places(node: object) -> list[tuple]:
    """Every (container, key) of a tree."""
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    return [place for key in keys for place in ((node, key), *places(node[key]))]


def nudged(rng: random.Random, value: object) -> object:
    """Nearby, of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return max(value + rng.choice((-1, 1, 1, 2)), 0)
    if isinstance(value, float):
        return value * rng.choice((2.0, 0.5, -1.0, 1 - 1e-5, 1 + 1e-5)) if rng.random() < 0.7 else value + 0.5
    if isinstance(value, str) and value:
        at = rng.randrange(len(value))
        return value[:at] + rng.choice("0a/x") + value[at + rng.randrange(2) :]
    if isinstance(value, list) and value:
        return rng.choice((value[:-1], [*value, value[-1]], value[::-1], rng.sample(value, len(value))))
    return rng.choice(NASTY)


def mutated(rng: random.Random, meta: dict, other: dict) -> dict:
    """One to three members nudged, replaced, deleted, renamed, swapped, or taken from another file."""
    meta = copy.deepcopy(meta)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if not meta:  # nothing is left
            break
        node, key = rng.choice(places(meta))
        there, theirs = rng.choice(places(other))
        match rng.randrange(8):
            case 0 | 1 | 2:
                node[key] = nudged(rng, node[key])
            case 3:
                node[key] = rng.choice(NASTY)
            case 4:
                node[key] = copy.deepcopy(there[theirs])
            case 5:
                del node[key]
            case 6 if isinstance(node, dict):
                node[rng.choice((*node, "x"))] = node.pop(key)
            case _:
                mine, ours = rng.choice(places(meta))
                mine[ours], node[key] = copy.deepcopy(node[key]), copy.deepcopy(mine[ours])
    return meta


def mutant(number: int, specimens: list[Specimen], files: list[bytes], *, kind: str | None = None) -> tuple:
    """Kind, specimen and bytes of mutant `number`; no bytes where a forgery cannot be written."""
    return mutants.mutant(number, specimens, files, kind=kind, kinds=KINDS)


def _text(rng: random.Random, which: int, _, files: list[bytes]) -> bytes:
    """The metadata's text stirred as bytes."""
    meta, entries, body = parts(files[which])
    other = text_of(parts(rng.choice(files))[0]).encode()
    text = stirred(rng, bytearray(text_of(meta).encode()), other).decode("utf-8", "surrogateescape")
    return sealed(None, entries, body, text=text)


def _tree(rng: random.Random, which: int, _, files: list[bytes]) -> bytes:
    """Members of the metadata changed."""
    meta, entries, body = parts(files[which])
    return sealed(mutated(rng, meta, parts(rng.choice(files))[0]), entries, body)


def _table(rng: random.Random, which: int, _, files: list[bytes]) -> bytes:
    """The table of runs changed, where no metadata stands."""
    meta, entries, body = parts(files[which])
    return sealed(meta, {**mutated(rng, entries, parts(rng.choice(files))[1])}, body)


def _runs(rng: random.Random, which: int, _, files: list[bytes]) -> bytes:
    """One run stirred, or exchanged for noise, for that of another file, or for another encoding; lengths stated."""
    meta, entries, body = parts(files[which])
    name = rng.choice(list(entries))
    start, stop = entries[name]["data_offsets"]
    run, other = body[start:stop], rng.choice(files)
    match rng.randrange(4):
        case 0:
            run = rng.randbytes(len(run))
        case 1:
            run = bytes(stirred(rng, bytearray(run or b"\0"), other))
        case 2 if run:
            flipped = bytearray(run)
            flipped[rng.randrange(len(run))] ^= 1 << rng.randrange(8)
            run = bytes(flipped)
        case _:
            run = rng.choice([piece for _, piece in _pieces(parts(other))])
    for tensor in meta["tensors"]:
        if f"{tensor['path']}.mask" == name:
            tensor["mask"]["bytes"] = len(run)
            if rng.random() < 0.3:
                tensor["mask"]["encoding"] = rng.choice(("bits", "rans"))
            if tensor["mask"]["encoding"] == "bits" and rng.random() < 0.8:
                tensor["kept"] = int(np.bitwise_count(np.frombuffer(run, np.uint8)).sum())
    pieces = [(key, run if key == name else piece) for key, piece in _pieces((meta, entries, body))]
    at, table = 0, {}
    for key, piece in pieces:
        shape = entries[key]["shape"]
        shape = [len(piece)] if key == name and len(shape) == 1 and entries[key]["dtype"] == "U8" else shape
        table[key] = {**entries[key], "shape": shape, "data_offsets": [at, at + len(piece)]}
        at += len(piece)
    return sealed(meta, table, b"".join(piece for _, piece in pieces))


def _pieces(file: File) -> list[tuple[str, bytes]]:
    _, entries, body = file
    return [(name, body[slice(*entry["data_offsets"])]) for name, entry in entries.items()]


def _forged(rng: random.Random, which: int, specimens: list[Specimen], files: list[bytes]) -> bytes:
    """Another seed, mask, gain, range, layout or claim, all else made consistent; or another network or array."""
    ticket, target = specimens[which]
    if not ticket.gadgets:
        return _runs(rng, which, specimens, files)
    if ticket.claims is None or rng.random() < 0.4:
        try:
            return encode(_renetworked(rng, ticket, target))
        except (InputError, LookupError):  # no such thing to change
            return b""
    return mutants.KINDS["forged"][0](rng, which, specimens, files)


def _renetworked(rng: random.Random, ticket: Ticket, target: Any) -> Ticket:
    """One function exchanged for another, a node skipped, or a carried number changed; consistent otherwise."""
    changes: dict[str, Any] = {}
    nodes = list(ticket.network.nodes)
    match rng.randrange(3):
        case 0 if ticket.carried:
            name = rng.choice(list(ticket.carried))
            array = ticket.carried[name].copy()
            array.reshape(-1)[rng.randrange(array.size)] *= rng.choice((-1, 0, 0.5, 2, 1 + 2**-9))
            changes["carried"] = {**ticket.carried, name: array}
        case 1:
            i = rng.choice([i for i, node in enumerate(nodes) if isinstance(node.op, Pointwise)])
            nodes[i] = replace(
                nodes[i], op=Pointwise(rng.choice(("Relu", "Tanh", "Sigmoid", "LogSigmoid", "Softsign")))
            )
        case _:
            i = rng.randrange(len(nodes) - 1)
            if not nodes[i].inputs:
                raise KeyError("it reads nothing")
            after = {nodes[i].name: nodes[i].inputs[0]}
            del nodes[i]
            nodes = [replace(n, inputs=tuple(after.get(name, name) for name in n.inputs)) for n in nodes]
    found = replace(ticket, network=Graph(tuple(nodes)), **changes)
    found = consistent(found)
    return certified(found, target) if target is not None and rng.random() < 0.3 else found


KINDS: mutants.Kinds = {
    "bytes": (mutants.KINDS["bytes"][0], 20),
    "text": (_text, 15),
    "table": (_table, 5),
    "tree": (_tree, 35),
    "runs": (_runs, 10),
    "forged": (_forged, 15),
}
