"""`slth search`: learn a ticket, or one for each of several seeds, and say what it is worth."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from slth import api
from slth.cli import _print
from slth.records import Record, append, verbs


def run(asked: verbs.Search) -> int:
    """Search with every seed; the ticket of the first one is written."""
    search = api.search  # says at once what to install
    if asked.listed:
        for section in api.choices():
            _print.columns(section.title, [(row.name, row.text) for row in section.rows])
        return 0
    api.use_threads(asked.threads)
    out = Path("ticket.slth") if asked.out is None else asked.out
    for one in _of_each_seed(replace(asked, out=out)):
        verbs.check_places(one)
    found: list[Any] = []
    records: list[Record] = []
    for one in _of_each_seed(asked):
        with _print.progress(f"{one.method or one.preset or 'searching'}, seed {one.seed}", asked.quiet) as report:
            found.append(search(**_keywords(one), progress=report))
        records.append(api.record(one, found[-1], seconds={"search": found[-1].seconds}))
        if api.first_process():
            if one.seed == asked.seed:
                api.save(found[-1].ticket, out)
            if asked.records is not None:
                append(asked.records, records[-1])
    if not api.first_process():
        return 0
    if asked.as_json:
        for record in records:
            print(record.as_json())
    else:
        _print.table(f"{out}", _rows(found, out))
    return 0


def _of_each_seed(asked: verbs.Search) -> list[verbs.Search]:
    """The same question with every seed, each with places of its own: run-0.ckpt, run-1.ckpt, ..."""
    if asked.seeds == 1:
        return [asked]

    def of(path: Path | None, seed: int) -> Path | None:
        return None if path is None else path.with_name(f"{path.stem}-{seed}{path.suffix}")

    seeds = range(asked.seed, asked.seed + asked.seeds)
    return [replace(asked, seed=s, checkpoint=of(asked.checkpoint, s), logs=of(asked.logs, s)) for s in seeds]


def _keywords(asked: verbs.Search) -> dict[str, Any]:
    """What `slth.search` takes: settings go to those who own them."""
    groups = {name: verbs.group(asked, name) for name in verbs.groups(asked)}
    groups["options"] = {**(asked.setting or {}), **groups["options"]}
    return {**verbs.keywords(asked), **groups}


def _rows(results: list[Any], out: Path) -> Iterator[tuple[str, str]]:
    found = results[0]
    yield from api.summary(found.ticket)
    yield "accuracy", api.accuracy([result.accuracy for result in results], found.count)
    for name in found.controls:
        measured = [result.controls[name] for result in results]
        yield f"control {name.replace('_', ' ')}", api.accuracy(measured, found.count)
    yield "time", f"{sum(result.seconds for result in results):.1f} s"
    yield "ticket", f"{out}, {out.stat().st_size:,} bytes"
