"""`slth query`: SQL about records."""

import json

from slth import api
from slth.cli import _print
from slth.records import verbs


def run(asked: verbs.Query) -> int:
    """Print the answer as a table, as JSON or as CSV."""
    found = api.query(**verbs.keywords(asked))
    if asked.as_json:
        print(json.dumps(found.as_plain(), allow_nan=False))
    elif asked.as_csv:
        print(found.as_csv(), end="")
    else:
        head, *lines = found.as_text().splitlines()
        _print.console().print(head, style="bold", markup=False)
        for line in lines:
            print(_print.printable(line))
        _print.note(f"{len(found.rows):,} row{'' if len(found.rows) == 1 else 's'}")
    return 0
