"""`slth reproduce`: measure, print table and verdict; without a name, list."""

import json
import math
from typing import Any

from slth import reproductions
from slth._errors import InputError
from slth.cli import _print
from slth.records import duration, verbs
from slth.reproductions import Reproduced


def run(asked: verbs.Reproduce) -> int:
    """Print what was found; exit code 0, whatever the verdict; 2 where one of all could not be measured."""
    if asked.name is None and not asked.every:
        _list(as_json=asked.as_json)
        return 0
    options = {key: value for key, value in verbs.keywords(asked).items() if key != "name"}
    names = list(reproductions.MODULES) if asked.name is None else [asked.name]
    done: list[Reproduced] = []
    refused: dict[str, str] = {}
    for name in names:
        try:
            done.append(_one(name, options, asked))
        except InputError as error:
            if not asked.every:
                raise
            refused[name] = str(error)  # the others may need no data
    if asked.every:
        written = reproductions.write_overview(done, asked.out)
        if not asked.as_json:
            _print.table("Verdicts", [(one.reproduction.name, one.conclusion.verdict.value) for one in done])
        _print.note(f"wrote {written}", asked.quiet or not written)
    for name, sentence in refused.items():
        _print.note(f"{name} was not measured: {sentence}")
    return 2 if refused else 0


def _one(name: str, options: dict[str, Any], asked: verbs.Reproduce) -> Reproduced:
    def progress(part: str, done: int, total: int) -> None:
        _print.note(f"{name} ({done} of {total}): {part}", asked.quiet)

    try:
        with _print.only_results():
            found = reproductions.reproduce(name, **options, progress=progress)
    except KeyboardInterrupt as stop:
        command = "the same command without --again" if asked.again else "the same command"
        stop.args = (f"finished parts are kept in {asked.out}, and {command} goes on from there",)
        raise
    if asked.as_json:
        print(json.dumps(_data(found), allow_nan=False))
        return found
    _print.table(found.reproduction.title, [("claim", found.reproduction.says)])
    rows = [reproductions.HEAD, *map(reproductions.cells, found.conclusion.rows)]
    if len(rows) > 1:
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        for row in rows:
            print("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
    verdict = f"{found.conclusion.verdict.value}. {found.conclusion.because}"
    _print.table("", [("verdict", verdict), ("measured in", duration(found.seconds))])
    _print.note(f"wrote {', '.join(map(str, found.files))}", asked.quiet or not found.files)
    return found


def _data(found: Reproduced) -> dict[str, Any]:
    rows = [
        {
            "what": row.what,
            "published": _plain(row.published),
            "ours": _plain(row.ours),
            "difference": _plain(row.difference),
            "note": row.note,
        }
        for row in found.conclusion.rows
    ]
    return {
        "name": found.reproduction.name,
        "scale": found.scale.value,
        "verdict": found.conclusion.verdict.name.lower(),
        "because": found.conclusion.because,
        "rows": rows,
        "seconds": found.seconds,
        "sources": list(found.reproduction.sources),
        "files": [str(path) for path in found.files],
    }


def _plain(value: float | str | None) -> float | str | None:
    """For JSON, which has no infinity, and no number of NumPy's."""
    if value is None or isinstance(value, str | int):
        return value
    return float(value) if math.isfinite(value) else None


def _list(*, as_json: bool) -> None:
    listed = list(reproductions.reproductions())
    if as_json:
        print(json.dumps([{"name": one.name, "title": one.title, "sources": list(one.sources)} for one in listed]))
        return
    _print.columns("Reproductions", [(one.name, one.title) for one in listed])
