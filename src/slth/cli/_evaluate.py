"""`slth evaluate`: what a ticket does on data."""

import time

from slth import api
from slth._files import check_writable
from slth.cli import _print
from slth.records import verbs


def run(asked: verbs.Evaluate) -> int:
    """Print accuracy, distance and proofs."""
    for place in (asked.out, asked.records):
        if place is not None:
            check_writable(place)
    start = time.perf_counter()
    found = api.evaluate(**verbs.keywords(asked))
    _print.keep(api.record(asked, found, seconds={"evaluate": time.perf_counter() - start}), asked)
    if asked.out is not None:
        api.save(api.with_claim(asked.ticket, found), asked.out)
    if not asked.as_json:
        written = [] if asked.out is None else [("wrote", str(asked.out))]
        _print.table(f"{asked.ticket}", [*api.evaluation_rows(found), *written])
    return 0
