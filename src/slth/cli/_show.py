"""`slth show`: what is inside a ticket, or one weight taken apart."""

import json

from rich.text import Text

from slth import api
from slth.cli import _print
from slth.records import verbs


def run(asked: verbs.Show) -> int:
    """Print the summary of a ticket, or one coefficient."""
    found = api.show(**verbs.keywords(asked))
    if asked.as_json:
        print(json.dumps(found.counts, allow_nan=False))
        return 0
    for section in found.sections:
        _print.table(section.title, [(row.name, _styled(row)) for row in section.rows])
    if found.picture is not None:
        _print.note(f"wrote {found.picture}")
    return 0


def _styled(row: api.Row) -> str | Text:
    return row.text if row.kept is None else Text(row.text, style="blue" if row.kept else "dim")
