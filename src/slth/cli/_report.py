"""`slth report`: one page about tickets and records."""

from slth import api
from slth.cli import _print
from slth.records import verbs


def run(asked: verbs.Report) -> int:
    """Write the page; exit code 1 if a check of a ticket fails (the page says which)."""
    if asked.data is not None:
        api.use_threads(1)  # so that the page has the same bytes again
    page = api.report(**verbs.keywords(asked))
    _print.note(f"wrote {page.path}: {page.size:,} bytes", asked.quiet)
    if page.refuted:
        _print.note(f"a claim does not hold: {', '.join(page.refuted)}; slth verify says which")
    return 1 if page.refuted else 0
