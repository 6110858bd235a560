"""Hundreds of mutants of the metadata: none crashes, hangs, or is read as anything but what it says."""

import copy
import json
import random

import pytest
from helpers.graph_tickets import graph_ticket
from helpers.version2_files import entries_of, parts, sealed, text_of

from slth.ticket import Ticket, TicketError, decode, encode
from slth.ticket.format import v2
from slth.ticket.format.runs import carried_types, encodings_of, runs_of

NASTY = [
    *(None, True, False, 0, 1, -1, 2, 3, 64, 65, 2**20 + 1, 2**31, 2**53 + 1, 2**63, 2**64, 10**400),
    *(0.0, -0.0, 0.5, 1.0, -1.0, 5e-324, 2.0**-200, 1.7e308, float("nan"), float("inf")),
    *("", "0", "x", "\0", "\n", "\x1b[31m", "\ud800", "\u202e", "input", "../x", "0" * 64, "n" * 1001),
    *("Relu", "Linear", "Conv", "Dense", "MaxPool", "AxisMap", "Add", "bits", "rans", "uniform", "bias"),
    *("raw:1e999", "raw:-0", "raw:1E2", "raw:0.10", "raw:01", "raw:" + "9" * 5000),
    *([], [[]], [0], [1, 1], [None], {}, {"": 0}, [0.0], [[0, 1]], {"kind": "Constant", "value": "array.0"}),
]
SEEDS = range(8)


def places(node) -> list[tuple]:
    """Every (container, key) of a tree."""
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    return [place for key in keys for place in ((node, key), *places(node[key]))]


def nudged(rng, value):
    """Nearby, of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return max(value + rng.choice((-1, 1, 1, 2)), 0)
    if isinstance(value, float):
        return value * rng.choice((2.0, 0.5, -1.0)) if rng.random() < 0.7 else value + 0.5
    if isinstance(value, str) and value:
        at = rng.randrange(len(value))
        return value[:at] + rng.choice("0a/x") + value[at + rng.randrange(2) :]
    if isinstance(value, list) and value:
        return rng.choice((value[:-1], [*value, value[-1]], value[::-1], rng.sample(value, len(value))))
    return rng.choice(NASTY)


def mutated(rng, meta, other):
    """One to three members nudged, replaced, deleted, renamed, swapped, or taken from another file."""
    meta = copy.deepcopy(meta)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
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


@pytest.fixture(scope="module")
def files():
    return [parts(encode(graph_ticket(seed)[0])) for seed in SEEDS]


def said(ticket: Ticket) -> str:
    """The text that version 2 writes of a ticket."""
    stored = encodings_of(v2.stored_masks(ticket))
    return text_of(v2.metadata_of(ticket, stored, "0" * 64))


@pytest.mark.parametrize("count", [400, pytest.param(20_000, marks=pytest.mark.slow)])
def test_a_mutant_is_refused_or_is_exactly_what_it_says(files, count):
    """The runs of the mutants are those of the honest file."""
    read = 0
    for number in range(count):
        rng = random.Random(number)
        meta, entries, body = rng.choice(files)
        mutant = mutated(rng, meta, rng.choice(files)[0])
        try:
            ticket = decode(sealed(mutant, entries, body))
        except TicketError:
            continue
        assert said(ticket) == text_of(mutant), number
        read += 1
    assert 0 < read < count / 2


@pytest.mark.parametrize("count", [100, pytest.param(5_000, marks=pytest.mark.slow)])
def test_a_mutant_of_the_text_is_refused_or_is_exactly_what_it_says(files, count):
    """Bytes of the text deleted, repeated, exchanged."""
    for number in range(count):
        rng = random.Random(number)
        meta, entries, body = rng.choice(files)
        text = text_of(meta)
        at, size = rng.randrange(len(text)), rng.choice((1, 1, 2, 8, 64))
        piece = rng.choice(("", text[at : at + size] * 2, rng.choice('{}[]",:0\\e-n'), text[-at : -at + size]))
        stirred = text[:at] + piece + text[at + size :]
        try:
            ticket = decode(sealed(None, entries, body, text=stirred))
        except TicketError:
            continue
        assert said(ticket) == json.dumps({**json.loads(stirred), "digest": "0" * 64}, separators=(",", ":")), number


@pytest.mark.parametrize("seed", SEEDS)
def test_any_run_exchanged_for_noise_is_refused_or_is_another_ticket(files, seed):
    """Masks and carried numbers are what the file is about: other ones are another ticket, which says so."""
    rng = random.Random(seed)
    meta, entries, body = files[seed]
    for name, entry in entries.items():
        start, stop = entry["data_offsets"]
        noise = body[:start] + rng.randbytes(stop - start) + body[stop:]
        try:
            ticket = decode(sealed(meta, entries, noise))
        except TicketError:
            continue
        assert noise != body, name
        stored = v2.stored_masks(ticket)
        runs = entries_of(runs_of(ticket.tensors, encodings_of(stored), carried_types(ticket)))
        assert runs.keys() == entries.keys()
