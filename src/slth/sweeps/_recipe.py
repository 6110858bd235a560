"""A recipe: one verb, options for all cells, a grid of options, and what to show at the end."""

import hashlib
import itertools
import json
import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast

from slth._arguments import one_of
from slth._errors import InputError
from slth._files import check_readable
from slth.records import Asked, Environment, Record
from slth.sweeps._verb import Verb

_MOST_CELLS = 100_000
_NOWHERE = Environment({}, None, "", 1)


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination of options."""

    kind: str
    asked: dict[str, Any]  # what differs from the defaults, files by their content: a later option changes no name
    options: dict[str, Any]  # every option of the verb
    at: dict[str, int]  # its place in the grid: name -> index of the value

    @property
    def question(self) -> str:
        """SHA-256 of what is asked; names the cell's files. See `Record.question`."""
        return Record(self.kind, self.asked, {}, {}, _NOWHERE).question


@dataclass(frozen=True, slots=True)
class Recipe:
    """A grid of questions.

    options: the same for all cells. grid: name -> values; every combination is a cell, the last name varies fastest.
    rows, columns: names of the grid for the table. value: a key of the outcome, dots lead into nested ones; averaged
    over the rest of the grid. base: folder that file options start from.
    """

    verb: Verb
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict[str, Sequence[Any]])
    rows: str | None = None
    columns: str | None = None
    value: str | None = None
    base: Path = field(default_factory=Path)

    def __post_init__(self) -> None:
        for name in (*self.options, *self.grid):
            one_of(name, self.verb.options, f"option of {self.verb.name}")
        for name, value in self.options.items():
            self.verb.options[name].value(name, value)
            if name in self.grid:
                raise InputError(f"{name} stands in [options] and in [grid]; keep one of them")
        for name, values in self.grid.items():
            if not values:
                raise InputError(f"[grid] {name} must list at least one value, as in [0, 1, 2]")
            texts = [json.dumps(self.verb.options[name].value(name, value)) for value in values]
            if len(set(texts)) < len(texts):
                raise InputError(f"[grid] {name} lists a value twice: {', '.join(texts)}")
        for role in (self.rows, self.columns):
            if role is not None and role not in self.grid:
                one_of(role, self.grid, "axis of [table], not in [grid]:")
        if self.rows is not None and self.rows == self.columns:
            raise InputError(f"[table] rows and columns are both {self.rows!r}; choose two names of [grid]")
        count = math.prod(len(values) for values in self.grid.values())
        if count > _MOST_CELLS:
            raise InputError(f"the grid has {count:,} cells; at most {_MOST_CELLS:,} go into one sweep, so split it")

    @property
    def axes(self) -> tuple[str | None, str | None]:
        """Rows and columns of the table: as the recipe says, else the first names of the grid but for the seed."""
        rest = [name for name in self.grid if name not in (self.rows, self.columns)]
        rest = [name for name in rest if name != "seed"] or ([] if self.rows or self.columns else rest)
        rows = self.rows or (rest.pop(0) if rest else None)
        return rows, self.columns or (rest.pop(0) if rest else None)

    def asked(self, cells: Sequence[Cell]) -> Asked:
        """What the folder says of this recipe, for a page about it."""
        values = {name: [self.verb.options[name].value(name, v) for v in values] for name, values in self.grid.items()}
        rows, columns = self.axes
        return Asked(
            verb=self.verb.name,
            options={name: self.verb.options[name].value(name, value) for name, value in self.options.items()},
            grid=values,
            rows=rows,
            columns=columns,
            value=self.value or self.verb.value,
            questions=[cell.question for cell in cells],
        )

    def cells(self) -> list[Cell]:
        """Every combination.

        Raises:
            InputError: a value of the wrong kind, a missing file.
        """
        digest = cache(_digest)
        places = itertools.product(*(range(len(values)) for values in self.grid.values()))
        return [self._cell(dict(zip(self.grid, place, strict=True)), digest) for place in places]

    def _cell(self, at: dict[str, int], digest: Callable[[Path], str]) -> Cell:
        given = {**self.options, **{name: self.grid[name][i] for name, i in at.items()}}
        asked: dict[str, Any] = {}
        options: dict[str, Any] = {}
        for name, option in self.verb.options.items():
            options[name] = option.default if name not in given else option.value(name, given[name])
            if options[name] == option.default:
                continue
            asked[name] = options[name]
            if option.file and Path(options[name]).suffix:
                path = (self.base / options[name]).absolute()
                asked[name], options[name] = f"sha256:{digest(path)}", str(path)
        return Cell(self.verb.name, asked, options, at)


def read(path: str | Path, verbs: Mapping[str, Verb]) -> Recipe:
    """A recipe from its TOML file.

    Raises:
        InputError: the file cannot be read; an unknown key, named with the nearest valid one; a wrong value.
    """
    path = Path(path)
    check_readable(path)
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:  # wrong TOML, or no UTF-8
        raise InputError(f"{path} is no recipe in TOML: {error}") from error
    try:
        for name in data:
            one_of(name, ("verb", "options", "grid", "table"), "key")
        verb = data.get("verb")
        if type(verb) is not str:
            raise InputError(f'expected verb = "...", one of {", ".join(sorted(verbs))}, got {verb!r}')
        table = _section(data, "table")
        for name, text in table.items():
            one_of(name, ("rows", "columns", "value"), "key of [table]")
            if type(text) is not str:
                raise InputError(f"[table] {name} must be a text, got {text!r}")
        grid = _section(data, "grid")
        for name, values in grid.items():
            if type(values) is not list:
                raise InputError(f"[grid] {name} must list its values, as in [0, 1, 2], got {values!r}")
        chosen = verbs[one_of(verb, verbs, "verb")]
        return Recipe(chosen, _section(data, "options"), grid, **table, base=path.parent)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _section(data: dict[str, Any], name: str) -> dict[str, Any]:
    section = data.get(name, {})
    if type(section) is not dict:
        raise InputError(f"[{name}] must be a section of names and values, got {section!r}")
    return cast("dict[str, Any]", section)


def _digest(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
