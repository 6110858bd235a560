"""Records as tables: what all of a kind share is said once, what differs becomes columns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

from slth.records import Record
from slth.reporting.html import Html, join, number, pairs, percent, plural, table, tag

_MOST_ROWS, _MOST_COLUMNS, _MOST_TEXT = 500, 60, 200
_UNSAID = {  # what holds where an entry was left open
    "activation": "relu",
    "augment": "as the data set has it",
    "candidates": "planned",
    "commit": "no checkout",
    "data": "digits",
    "epsilon": "not asked for",
    "explained": "not defined",
    "first": "as the other layers",
    "input_range": "not stated",
    "last": "as the other layers",
    "last_rate": "as rate",
    "mean": "data as it is",
    "method": "edge-popup",
    "model": "none but the target",
    "relative_tolerance": "not asked for",
    "source": "a random network of its own",
    "std": "data as it is",
    "target": "none",
    "tolerance": "not asked for, or 1e-4 where nothing else is",
    "weight": "chosen by the page",
}


def records(rows: Sequence[Record]) -> Html:
    """One table for each kind of record, in the order in which the kinds first appear."""
    kinds = list(dict.fromkeys(record.kind for record in rows))
    return join(_kind(kind, [record for record in rows if record.kind == kind]) for kind in kinds)


def _kind(kind: str, rows: Sequence[Record]) -> Html:
    flat = [dict(_cells(record)) for record in rows]
    columns = list(dict.fromkeys(key for row in flat for key in row))
    differ = [key for key in columns if len({row.get(key) for row in flat}) > 1]
    same = [(key, flat[0][key]) for key in columns if key not in differ]
    parts = [tag("h3", f"{plural(len(rows), 'record')} of kind {kind}")]
    if differ:
        body = ([f"{i}", *(row.get(key, "–") for key in differ[:_MOST_COLUMNS])] for i, row in enumerate(flat, 1))
        shown = [row for row, _ in zip(body, range(_MOST_ROWS), strict=False)]
        parts.append(table(["", *differ[:_MOST_COLUMNS]], shown, label=f"Records of kind {kind}"))
        if len(rows) > _MOST_ROWS or len(differ) > _MOST_COLUMNS:
            rest = (
                f"{len(shown):,} of {len(rows):,} records, {min(len(differ), _MOST_COLUMNS)} of {len(differ)} columns"
            )
            parts.append(tag("p", f"Shown: {rest}.", class_="note"))
        parts.append(tag("h4", "The same in all"))
    elif len(rows) > 1:
        parts.append(tag("p", "All records say the same.", class_="note"))
    return join([*parts, pairs(same)])


def _cells(record: Record) -> Iterator[tuple[str, str]]:
    """A record as names and texts: what was asked, what came out, how long it took, where it ran."""
    yield from flat("asked", record.asked, grouped=False)
    yield from flat("", record.outcome)
    yield from flat("seconds", record.seconds)
    yield from flat("", asdict(record.environment), grouped=False)


def flat(name: str, value: object, *, grouped: bool = True) -> Iterator[tuple[str, str]]:
    """Nested entries as names and texts."""
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, Any]", value)
        if set(entries) == {"hits", "count", "value", "interval"}:
            yield name, _share(entries)
            return
        for key, part in entries.items():
            yield from flat(f"{name}\xa0·\xa0{key}" if name else str(key), part, grouped=grouped)
    elif value is None:
        yield name, _UNSAID.get(name.rpartition("\xa0")[2], "none")
    else:
        yield name, _text(value, grouped)


def _share(entries: Mapping[str, Any]) -> str:
    try:
        low, high = entries["interval"]
        return f"{percent(entries['value'])} [{percent(low)}, {percent(high)}] of {entries['count']:,}"
    except (TypeError, ValueError):  # a stranger's record
        return _text(str(dict(entries)), grouped=False)


def value_text(value: object) -> str:
    """A value as somebody asked for it."""
    return _text(value, grouped=False)


def _text(value: object, grouped: bool) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if grouped else str(value)
    if isinstance(value, float):
        return number(value, 6)
    if isinstance(value, (list, tuple)):
        items = cast("Sequence[object]", value)
        if items and all(isinstance(item, Mapping) for item in items):
            return plural(len(items), "row")
        rest = f" and {len(items) - 8:,} more" if len(items) > 8 else ""
        return ", ".join(_text(item, grouped) for item in items[:8]) + rest if items else "none"
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, object]", value)
        return "; ".join(f"{key} {_text(part, grouped)}" for key, part in entries.items())[:_MOST_TEXT]
    text = str(value)
    return text if len(text) <= _MOST_TEXT else text[:_MOST_TEXT] + "…"
