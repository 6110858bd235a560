"""Judge mutants of honest tickets in a process of its own, as users run it: `python hunt.py START COUNT SECONDS`.

Prints one JSON object: how many of each kind ended how, seconds, and by how many KiB the memory grew. A mutant that
ends in any other way than these stops the hunt with a traceback that names it; so does a hundred that take SECONDS.
"""

import faulthandler
import json
import resource
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from attacks.forging import specimens
from attacks.mutants import mutant
from attacks.oracle import lies
from attacks.sealing import parts

from slth import InputError
from slth.evidence.verify import verify
from slth.graph import Target
from slth.ticket import DamagedTicketError, Ticket, TicketError, decode, encode, summary


def verdict(data: bytes, target: Target) -> str:
    """How a file ends: damaged, refused, fails (the checker objects) or true; any lie that holds is an error."""
    ticket = opened(data)
    if isinstance(ticket, str):
        return ticket
    assert summary(ticket)
    assert repr(ticket).isprintable()
    assert _reads_back(ticket, data)
    try:
        if not verify(ticket, target=target).holds:
            return "fails"
    except InputError:  # a bound that overflows
        return "fails"
    assert lies(ticket, target) == []
    return "true"


def opened(data: bytes) -> Ticket | str:
    """The ticket in a file; or how the file ends, damaged or refused in one sentence."""
    try:
        return decode(data)
    except DamagedTicketError:
        return "damaged"
    except TicketError as error:
        sentence = str(error)
        if sentence.isprintable() and 10 < len(sentence) < 600:
            return "refused"
        raise AssertionError("not one sentence") from error


def _reads_back(ticket: Ticket, data: bytes) -> bool:
    """The same bytes; where a mask was stored as slth would not, the same content, and the same bytes from then on."""
    again = encode(ticket)
    if again == data:
        return True
    metas = [parts(file)[0] for file in (data, again)]
    kinds = [tuple(layer["mask"]["encoding"] for layer in meta["layers"]) for meta in metas]
    free = kinds[0] != kinds[1] and "deflate" not in kinds[1]
    for meta in metas:
        meta["digest"] = None
        for layer in meta["layers"]:
            layer["mask"] = None
    masks = decode(again).masks
    same = masks.keys() == ticket.masks.keys() and all((masks[path] == ticket.masks[path]).all() for path in masks)
    return free and same and encode(decode(again)) == again and metas[0] == metas[1]


def hunt(start: int, count: int, seconds: int) -> Counter:
    """Ends of the mutants, by kind."""
    originals = specimens()
    files = [encode(ticket) for ticket, _ in originals]
    for (_, target), data in zip(originals, files, strict=True):
        assert verdict(data, target) == "true"
    ends: Counter = Counter()
    for number in range(start, start + count):
        if number % 100 == 0:
            faulthandler.dump_traceback_later(seconds, exit=True)
        try:
            kind, which, data = mutant(number, originals, files)
            end = "unchanged" if data in files else verdict(data, originals[which][1])
        except BaseException as error:
            error.add_note(f"mutant {number}")
            raise
        ends[f"{kind}, {end}"] += 1
    return ends


if __name__ == "__main__":
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = hunt(*map(int, sys.argv[1:]))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(json.dumps({"ends": found, "seconds": time.perf_counter() - begin, "KiB": grown}))
