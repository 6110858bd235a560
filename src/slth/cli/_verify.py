"""`slth verify`: does a ticket hold what it says?"""

import json

from rich.text import Text

from slth import api
from slth.cli import _print
from slth.records import verbs

_MARKS = {
    "HOLDS": ("holds", "green"),
    "FAILS": ("FAILS", "bold red"),
    "NOT_CHECKED": ("not checked", "yellow"),
    "SAYS": ("says", "dim"),
}


def run(asked: verbs.Verify) -> int:
    """Print one line per check; exit code 1 if one of them fails, or was asked for and not made."""
    with _print.progress("regenerating", asked.quiet, unit="weights") as report:
        found = api.verify(**verbs.keywords(asked), progress=report)
    if asked.as_json:
        checks = [{"name": c.name, "verdict": c.verdict.name.lower(), "detail": c.detail} for c in found.checks]
        print(json.dumps({"holds": found.holds, "complete": found.complete, "checks": checks}))
    else:
        _table(found)
        if not found.complete:
            claims = "1 claim needs" if found.unchecked == 1 else f"{found.unchecked} claims need"
            print(f"{claims} the target: give it with --target, or --model")
    return 0 if found.holds and (found.complete or not asked.require_all) else 1


def _table(found: api.Verification) -> None:
    width = max(len(check.name) for check in found.checks)
    for check in found.checks:
        mark, style = _MARKS[check.verdict.name]
        line = Text(f"{mark:<11}  ", style=style) + Text(f"{check.name:<{width}}  {_print.printable(check.detail)}")
        _print.console().print(line)
