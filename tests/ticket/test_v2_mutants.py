"""Hundreds of mutants of the metadata: none crashes, hangs, or is read as anything but what it says."""

import json
import random

import pytest
from attacks.graph_mutants import mutated
from helpers.graph_tickets import graph_ticket
from helpers.version2_files import entries_of, parts, sealed, text_of

from slth.ticket import Ticket, TicketError, decode, encode
from slth.ticket.format import v2
from slth.ticket.format.runs import carried_types, encodings_of, runs_of

SEEDS = range(8)


@pytest.fixture(scope="module")
def files():
    return [parts(encode(graph_ticket(seed)[0])) for seed in SEEDS]


def said(ticket: Ticket) -> str:
    """The text that version 2 writes of a ticket."""
    stored = encodings_of(v2.stored_masks(ticket))
    return text_of(v2.metadata_of(ticket, stored, "0" * 64))


@pytest.mark.parametrize("count", [200, pytest.param(20_000, marks=pytest.mark.slow)])
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
