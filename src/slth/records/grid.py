"""A sweep's folder, read: which options its last run varied, and what is known of every cell.

The folder is told by its marker, slth-sweep.json; beside it stand QUESTION.json, the record of a finished cell,
QUESTION.failed.json of one that failed, and in tickets/ what `--keep-tickets` kept, *.QUESTION.slth by the first
`GRID_NAME` letters of the question.
"""

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from slth._errors import InputError
from slth.records.record import Record, read

GRID_MARKER = "slth-sweep.json"  # the file that tells a sweep's folder
GRID_FORMAT = 1  # of the marker
GRID_TICKETS = "tickets"  # the folder of the tickets that are kept
GRID_NAME = 12  # letters of a question in the name of its ticket
MOST_CELLS = 100_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What a recipe asks: a verb, options that are the same for all cells, a grid whose last name varies fastest."""

    verb: str
    options: Mapping[str, Any]
    grid: Mapping[str, Sequence[Any]]
    rows: str | None
    columns: str | None
    value: str
    questions: Sequence[str]  # of the cells, in their order

    def as_data(self) -> dict[str, Any]:
        """For the marker of the folder."""
        return {
            "verb": self.verb,
            "options": dict(self.options),
            "grid": {name: list(values) for name, values in self.grid.items()},
            "rows": self.rows,
            "columns": self.columns,
            "value": self.value,
            "questions": list(self.questions),
        }


@dataclass(frozen=True, slots=True)
class GridCell:
    """One combination of options: where it stands in the grid, and what is known of it."""

    at: Mapping[str, int]
    question: str
    record: Record | None  # of the finished cell
    failure: Record | None
    ticket: Path | None


@dataclass(frozen=True, slots=True)
class Grid:
    """A sweep: what was asked, and its cells."""

    folder: Path
    asked: Asked
    cells: tuple[GridCell, ...]


def is_grid(folder: Path) -> bool:
    """Whether a folder is a sweep's."""
    return (folder / GRID_MARKER).is_file()


def read_grid(folder: Path) -> Grid:
    """The cells of the last recipe that was run in a folder.

    Raises:
        InputError: not a sweep's folder, damaged, or written before sweeps kept their grid.
    """
    try:
        data = json.loads((folder / GRID_MARKER).read_bytes())
        last = data.get("last") if isinstance(data, dict) else None
    except OSError as error:
        raise InputError(f"cannot read {folder}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{folder / GRID_MARKER} is damaged; run slth sweep again into a new folder") from error
    if last is None:
        raise InputError(f"{folder} does not say which grid it holds; run slth sweep with its recipe again")
    asked = _asked(last, folder / GRID_MARKER)
    kept = kept_tickets(folder)
    places = itertools.product(*(range(len(values)) for values in asked.grid.values()))
    cells = [
        _cell(folder, dict(zip(asked.grid, place, strict=True)), question, kept)
        for place, question in zip(places, asked.questions, strict=True)
    ]
    return Grid(folder, asked, tuple(cells))


def kept_tickets(folder: Path) -> dict[str, Path]:
    """The tickets of a sweep's folder, by the first `GRID_NAME` letters of their questions."""
    return {file.suffixes[-2][1:]: file for file in (folder / GRID_TICKETS).glob("*.*.slth")}


def number_in(record: Record, value: str) -> float | None:
    """The number under a key of the outcome, dots leading into mappings; `seconds` is the time of the cell."""
    found: Any = {"seconds": record.seconds.get("total"), **record.outcome}
    for key in value.split("."):
        found = cast("Mapping[str, Any]", found).get(key) if isinstance(found, Mapping) else None
    return float(found) if isinstance(found, (bool, int, float)) else None


def _cell(folder: Path, at: Mapping[str, int], question: str, kept: Mapping[str, Path]) -> GridCell:
    def one(name: str) -> Record | None:
        path = folder / name
        return next(read(path), None) if path.is_file() else None

    ticket = kept.get(question[:GRID_NAME])
    return GridCell(at, question, one(f"{question}.json"), one(f"{question}.failed.json"), ticket)


def _asked(data: Any, place: Path) -> Asked:
    """Of a file that anybody may have written."""
    try:
        texts = [data["verb"], data["value"], *(data[name] for name in ("rows", "columns") if data[name] is not None)]
        grid, options, questions = data["grid"], data["options"], data["questions"]
        sound = isinstance(grid, dict) and isinstance(options, dict) and isinstance(questions, list)
        sound = sound and all(isinstance(part, str) for part in (*texts, *questions))
        sound = sound and all(isinstance(values, list) and values for values in grid.values())
        sound = sound and all(name is None or name in grid for name in (data["rows"], data["columns"]))
        sound = sound and len(questions) == math.prod(map(len, grid.values())) <= MOST_CELLS
        sound = sound and all(question.isalnum() for question in questions)  # each names a file of this folder
    except (TypeError, KeyError):
        sound = False
    if not sound:
        raise InputError(f"{place} is damaged; run slth sweep with its recipe again")
    return Asked(**{name: data[name] for name in Asked.__slots__})
