"""`slth compare`: tickets beside other ways to store the same weights."""

import json

from rich.text import Text

from slth import api
from slth.cli import _print
from slth.records import verbs

_HEAD = ("", "bits/weight", "weight error", "rms error", "output error", "accuracy", "claim")


def run(asked: verbs.Compare) -> int:
    """Print one row for each, the dearest first, then the verdicts."""
    with _print.progress("comparing", asked.quiet, unit="ways") as report:
        found = api.compare(**verbs.keywords(asked), progress=report)
    if asked.as_json:
        print(json.dumps(found.as_plain()))
        return 0
    rows = [_HEAD, *(_cells(row) for row in found.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    shown = [i for i in range(len(_HEAD)) if i == 0 or any(row[i] for row in rows[1:])]
    for i, row in enumerate(rows):
        first, *others = (row[k].ljust(widths[k]) if k == 0 else row[k].rjust(widths[k]) for k in shown)
        line = _print.printable("  ".join([first, *others]))
        _print.console().print(Text(line, style="bold" if i == 0 else ""))
    print()
    for verdict in found.verdicts:
        print(_print.printable(verdict))
    _print.note(f"rms error: of the weights, relative; {found.parameters:,} parameters", asked.quiet)
    if asked.out is not None:
        _print.note(f"wrote {asked.out}", asked.quiet)
    return 0


def _cells(row: api.Compared) -> tuple[str, ...]:
    def number(value: float | None) -> str:
        return "" if value is None else f"{value:.3g}"

    accuracy = "" if row.accuracy is None else f"{row.accuracy:.2%}"
    errors = (number(value) for value in (row.weight_error, row.rms_error, row.measured_error))
    return (row.name, f"{row.bits:.2f}", *errors, accuracy, number(row.claimed_error))
