"""Records as the rows of one table: a column for each thing that a record says.

| column | is |
| --- | --- |
| file, kind, question | where the record stands; its verb; the digest of what was asked |
| seconds | the whole time: `total`, or the sum of the parts |
| asked_..., outcome_..., seconds_... | what stands in those parts; of mappings in them a column for each key |
| cpu, threads, commit, version_... | the environment |
| asked, outcome | those parts whole, as JSON |

What is no letter, digit or underscore in a key is an underscore in the column; two keys that come out alike are
numbered. Lists, and mappings below the fourth level, are JSON.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from slth._errors import InputError
from slth.records.grid import is_grid, read_grid
from slth.records.record import Record, read

_DEPTH = 4  # levels of mappings that become columns
_INT64 = 1 << 63


@dataclass(frozen=True, slots=True)
class Rows:
    """A table of records. `columns` maps a name to its type in SQL; a row holds what a record says, plain JSON data."""

    columns: Mapping[str, str]
    rows: tuple[Mapping[str, Any], ...]


def read_rows(paths: Iterable[Path]) -> Rows:
    """The records of JSON lines files and of sweeps' folders, finished cells and failed ones.

    Raises:
        InputError: a file or folder that holds no records.
    """
    said = [dict(_said(name, record)) for path in paths for name, record in _records(path)]
    if not said:
        raise InputError("expected files of records or folders of sweeps, at least one, got none")
    keys = list(dict.fromkeys(key for row in said for key in row))
    parents = {key[:i] for key in keys for i in range(2, len(key))}
    values = {key: [row[key] for row in said if row.get(key) is not None] for key in keys}
    named = _names([key for key in sorted(keys, key=_place) if values[key] or key not in parents])
    columns = {name: "JSON" if key in _WHOLE else _type(values[key]) for key, name in named.items()}
    rows = tuple({name: row.get(key) for key, name in named.items()} for row in said)
    return Rows(columns, rows)


_Key = tuple[str, ...]
_ORDER = ("file", "kind", "question", "seconds", "asked", "outcome", "cpu", "threads", "commit", "version")
_WHOLE: tuple[_Key, ...] = (("asked",), ("outcome",))


def _records(path: Path) -> Iterator[tuple[str, Record]]:
    """With the name of the file that each stands in."""
    if not path.exists():
        raise InputError(f"cannot read {path}: no such file")
    if path.is_dir() and not is_grid(path):
        raise InputError(f"cannot read {path}: it is a folder, and no sweep's; give its files")
    if path.is_dir():
        cells = ((cell, cell.record or cell.failure) for cell in read_grid(path).cells)
        found = [(f"{path / cell.question}.json", record) for cell, record in cells if record is not None]
    else:
        _check_no_ticket(path)
        found = [(str(path), record) for record in read(path)]
    if not found:
        raise InputError(f"{path} holds no records; slth construct and slth evaluate write them with --records")
    yield from found


def _check_no_ticket(path: Path) -> None:
    if path.suffix == ".slth":
        raise InputError(f"{path} is a ticket, and holds no records; slth evaluate {path} --records FILE writes one")


def _said(file: str, record: Record) -> Iterator[tuple[_Key, Any]]:
    where = record.environment
    total: Any = record.seconds.get("total")
    yield ("file",), file
    yield ("kind",), record.kind
    yield ("question",), record.question
    yield ("seconds",), sum(filter(_is_number, record.seconds.values())) if total is None else total
    yield from _parts(("asked",), record.asked)
    yield from _parts(("outcome",), record.outcome)
    yield from _parts(("seconds",), record.seconds)
    yield ("cpu",), where.cpu
    yield ("threads",), where.threads
    yield ("commit",), where.commit
    yield from _parts(("version",), where.versions)
    yield ("asked",), record.asked
    yield ("outcome",), record.outcome


def _parts(path: _Key, values: Mapping[str, Any]) -> Iterator[tuple[_Key, Any]]:
    for key, value in values.items():
        here = (*path, key)
        if isinstance(value, Mapping) and len(here) <= _DEPTH:
            yield from _parts(here, cast("Mapping[str, Any]", value))
        else:
            yield here, value


def _place(key: _Key) -> tuple[int, int]:
    """What was asked and what came out stand whole at the end."""
    return (1, 0) if key in _WHOLE else (0, 2 * _ORDER.index(key[0]) + (len(key) > 1))


def _names(keys: Iterable[_Key]) -> dict[_Key, str]:
    """Names of columns, which SQL reads without regard to case."""
    found: dict[_Key, str] = {}
    taken: set[str] = {key[0] for key in _WHOLE}
    for key in keys:
        name = first = re.sub(r"\W", "_", "_".join(key))
        number = 2
        while name.lower() in taken and key not in _WHOLE:
            name, number = f"{first}_{number}", number + 1
        taken.add(name.lower())
        found[key] = name
    return found


def _type(values: Iterable[Any]) -> str:
    """The type in SQL that holds them all.

    >>> _type([1, 2]), _type([1, 2.5]), _type(["a"]), _type([True]), _type([True, 1]), _type([[1]]), _type([])
    ('BIGINT', 'DOUBLE', 'VARCHAR', 'BOOLEAN', 'JSON', 'JSON', 'VARCHAR')
    """
    listed = list(values)
    if all(isinstance(value, str) for value in listed):
        return "VARCHAR"
    if all(isinstance(value, bool) for value in listed):
        return "BOOLEAN"
    if all(map(_is_number, listed)):
        whole = all(isinstance(value, int) and -_INT64 <= value < _INT64 for value in listed)
        return "BIGINT" if whole else "DOUBLE"
    return "JSON"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def as_lines(rows: Rows) -> bytes:
    """JSON lines, every column in every row; a JSON column as the data it is.

    Half a character, which names of files may hold, is a question mark.
    """
    lines = (json.dumps(dict(row), allow_nan=True, ensure_ascii=False) + "\n" for row in rows.rows)
    return "".join(lines).encode(errors="replace")
