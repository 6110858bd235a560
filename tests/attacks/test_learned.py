"""A mutant of a learned ticket is refused, or every word of it is true, by a reader that shares no code."""

import random
from collections import Counter

import references.learned
from attacks.hunt import opened
from attacks.learned import parts_of, sealed_runs
from attacks.mutants import edit_nodes, stirred
from helpers.learned import any_learned, mlp_ticket

from slth import InputError
from slth.evidence import verify
from slth.ticket import encode, summary


def mutant(number, files):
    """Metadata nodes replaced, copied, deleted or nudged; runs stirred; raw bytes changed."""
    rng = random.Random(number)
    data = rng.choice(files)
    if number % 5 == 0:
        return bytes(stirred(rng, bytearray(data), rng.choice(files)))
    meta, runs = parts_of(data)
    if number % 5 == 1:
        name = rng.choice(list(runs))
        dtype, shape, run = runs[name]
        return sealed_runs(meta, {**runs, name: (dtype, shape, bytes(stirred(rng, bytearray(run or b"\0"), data)))})
    edit_nodes(rng, meta, parts_of(rng.choice(files))[0], times=(1, 1, 2))
    return sealed_runs(meta, runs)


def verdict(data):
    """How a file ends; any lie that holds is an error."""
    ticket = opened(data)
    if isinstance(ticket, str):
        return ticket
    assert not ticket.gadgets
    assert encode(ticket) == data
    assert summary(ticket)
    try:
        if not verify(ticket).holds:
            return "fails"
    except InputError:
        return "fails"
    _, state, heads, digests = references.learned.read(data)
    assert heads == list(ticket.heads.values())
    assert digests == list(ticket.digests.values())
    assert all(ticket.effective(tensor.path).tobytes() == state[tensor.path].tobytes() for tensor in ticket.tensors)
    return "true"


def test_six_hundred_mutants_are_refused_or_true():
    files = [encode(any_learned()), encode(any_learned(moved=False)), encode(mlp_ticket((3,), inputs=(4,), classes=2))]
    ends: Counter = Counter()
    for number in range(600):
        try:
            ends[verdict(mutant(number, files))] += 1
        except BaseException as error:
            error.add_note(f"mutant {number}")
            raise
    assert ends["damaged"] > 10
    assert ends["refused"] > 200
    assert ends["fails"] > 10
    assert ends["true"] > 5, ends
