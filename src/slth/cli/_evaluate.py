"""`slth evaluate`: what a ticket does on data."""

import time

from slth import api
from slth._files import check_writable
from slth.cli import _print
from slth.records import verbs


def run(asked: verbs.Evaluate) -> int:
    """Print accuracy, distance and proofs."""
    if asked.records is not None:
        check_writable(asked.records)
    start = time.perf_counter()
    found = api.evaluate(**verbs.keywords(asked))
    _print.keep(api.record(asked, found, seconds={"evaluate": time.perf_counter() - start}), asked)
    if not asked.as_json:
        _print.table(f"{asked.ticket}", api.evaluation_rows(found))
    return 0
