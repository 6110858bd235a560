"""Judge mutants of tickets of version 2 in a process of its own: `python graph_hunt.py START COUNT SECONDS [KIND]`.

Prints one JSON object: how many of each kind ended how, seconds, the slowest mutant, by how many KiB the memory grew.
What ends in any other way stops the hunt with a traceback that names the mutant; so does one that takes SECONDS.
"""

import faulthandler
import json
import resource
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from attacks.graph_mutants import mutant
from attacks.graph_oracle import lies
from attacks.graph_specimens import specimens
from attacks.hunt import opened
from helpers.version2_files import parts

from slth import InputError
from slth.evidence.verify import verify
from slth.graph import Target
from slth.ticket import Ticket, decode, encode, summary

SAID = ("assumed", "digest", "provenance")  # beside `inputs`' mean and std: what a reader cannot recompute
SAME = ("seed", "network", "gadgets", "tensors", "heads", "digests", "claims", "assumed")
RECOMPUTED = ("target", "misses")  # of the provenance


def verdict(data: bytes, target: Target | None, honest: bytes) -> str:
    """How a file ends: damaged, refused, fails, or true; and of what holds, whether it is another ticket."""
    ticket = opened(data)
    if isinstance(ticket, str):
        return ticket
    assert summary(ticket)
    assert repr(ticket).isprintable()
    meta = parts(data)[0]
    assert _reads_back(ticket, data)
    compared = target if ticket.claims is not None else None
    try:
        if not verify(ticket, target=compared).holds:
            return "fails"
    except InputError:  # a bound that overflows
        return "fails"
    assert lies(data, ticket, compared) == []
    return "true" if ticket.claims is None or target is None else f"true, {_other(meta, parts(honest)[0])}"


def _reads_back(ticket: Ticket, data: bytes) -> bool:
    """The same bytes; or the same content, where a mask was coded otherwise or version 1 says the ticket whole."""
    again = encode(ticket)
    if again == data:
        return True
    ours, theirs = (parts(file)[0] for file in (data, again))
    read = decode(again)
    masks = all((read.masks[path] == ticket.masks[path]).all() for path in ticket.masks)
    if ours["format"] != theirs["format"]:
        answers = [{key: x for key, x in t.provenance.asked.items() if x is not None} for t in (ticket, read)]
        records = [tuple(getattr(t, name) for name in SAME) for t in (ticket, read)]
        return masks and theirs["format"] == 1 and answers[0] == answers[1] and records[0] == records[1]
    for meta in (ours, theirs):
        meta["digest"] = None
        for tensor in meta["tensors"]:
            tensor["mask"] = None
    return masks and json.dumps(ours) == json.dumps(theirs) and encode(read) == again


def _other(meta: dict, honest: dict) -> str:
    """In what a ticket that is true differs from the honest one."""

    def kept(m: dict) -> dict:
        inputs = {key: value for key, value in (m["inputs"] or {}).items() if key not in ("mean", "std")}
        origin = {key: m["provenance"][key] for key in RECOMPUTED}
        return {key: value for key, value in m.items() if key not in SAID} | {"inputs": inputs, "provenance": origin}

    ours, theirs = kept(meta), kept(honest)
    if ours == theirs:
        return "only says other things"
    return "weaker or other claims" if {**ours, "claims": 0} == {**theirs, "claims": 0} else "another ticket"


def hunt(start: int, count: int, seconds: int, kind: str | None = None) -> tuple[Counter, tuple[float, int]]:
    """Ends of the mutants, by kind; the slowest, and its number."""
    originals = specimens()
    files = [encode(ticket) for ticket, _ in originals]
    for (ticket, target), data in zip(originals, files, strict=True):
        assert verdict(data, target, data).startswith("true"), ticket
    ends: Counter = Counter()
    slowest = (0.0, start)
    for number in range(start, start + count):
        faulthandler.dump_traceback_later(seconds, exit=True)
        try:
            made, which, data = mutant(number, originals, files, kind=kind)
            begun = time.process_time()
            end = "unchanged" if data in files else verdict(data, originals[which][1], files[which])
            slowest = max(slowest, (time.process_time() - begun, number))
        except BaseException as error:
            error.add_note(f"mutant {number}")
            raise
        ends[f"{made}, {end}"] += 1
    faulthandler.cancel_dump_traceback_later()
    return ends, slowest


if __name__ == "__main__":
    start, count, seconds, *kinds = sys.argv[1:]
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found, slowest = hunt(int(start), int(count), int(seconds), *kinds)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    took = time.perf_counter() - begin
    print(json.dumps({"ends": found, "seconds": took, "slowest": slowest, "KiB": grown}))
