"""`slth evaluate`: what a ticket does on data."""

import time
from typing import Any

from slth import api
from slth._errors import InputError
from slth.cli import _print
from slth.records import verbs


def run(asked: verbs.Evaluate) -> int:
    """Print accuracy, distance and proofs."""
    start = time.perf_counter()
    ticket = api.load(asked.ticket)
    if asked.out is not None and ticket.claims is None:
        raise InputError("--out writes the ticket with a claim about its target; a learned ticket stands for none")
    arguments: dict[str, Any] = {**verbs.keywords(asked), "ticket": ticket}
    with _print.progress("proving predictions", quiet=False, unit="inputs") as report:
        found = api.evaluate(**arguments, progress=report)
    seconds = {"evaluate": time.perf_counter() - start}
    claiming = None if asked.out is None else api.with_claim(ticket, found)  # refused before anything is kept
    _print.keep(api.record(asked, found, seconds=seconds), asked)
    if claiming is not None and asked.out is not None:
        api.save(claiming, asked.out)
    if not asked.as_json:
        written = [] if asked.out is None else [("wrote", str(asked.out))]
        _print.table(f"{asked.ticket}", [*api.evaluation_rows(found), *api.search_rows(ticket), *written])
    return 0
