"""A sweep in two axes: means over the rest of the grid, as text, CSV and a heat map."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from slth._arguments import one_of
from slth._errors import InputError
from slth.records import Record
from slth.sweeps._recipe import Cell, Recipe

_NOTHING = "–"


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Means of a value over finished cells. Without an axis there is one row or one column, without a label.

    mean: NaN where no cell is finished. spread: sample standard deviation, NaN below two cells. count: cells averaged.
    """

    value: str
    rows: str | None
    columns: str | None
    row_labels: tuple[str, ...]
    column_labels: tuple[str, ...]
    mean: Float64[np.ndarray, "rows columns"]
    spread: Float64[np.ndarray, "rows columns"]
    count: Int64[np.ndarray, "rows columns"]

    def as_text(self) -> str:
        """Columns side by side; with several cells behind a number also ± their standard deviation."""
        corner = f"{self.rows or ''} \\ {self.columns}" if self.columns else self.rows or ""
        head = [corner, *self.column_labels] if self.columns else [corner, self.value]
        body = [
            [label, *(self._entry(i, j) for j in range(len(self.column_labels)))]
            for i, label in enumerate(self.row_labels)
        ]
        widths = [max(map(len, column)) for column in zip(head, *body, strict=True)]
        lines = [
            "  ".join([line[0].ljust(widths[0]), *(t.rjust(w) for t, w in zip(line[1:], widths[1:], strict=True))])
            for line in (head, *body)
        ]
        return "\n".join(line.rstrip() for line in lines)

    def as_csv(self) -> str:
        """One line per entry: row, column, mean, spread, count; numbers in full, nothing where there is none."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        axes = [name for name in (self.rows, self.columns) if name]
        writer.writerow([*axes, self.value, "standard deviation", "cells"])
        for i, row in enumerate(self.row_labels):
            for j, column in enumerate(self.column_labels):
                labels = [label for label, name in ((row, self.rows), (column, self.columns)) if name]
                numbers = ["" if math.isnan(x) else repr(x) for x in (float(self.mean[i, j]), float(self.spread[i, j]))]
                writer.writerow([*labels, *numbers, int(self.count[i, j])])
        return out.getvalue()

    def _entry(self, row: int, column: int) -> str:
        mean, spread = self.mean[row, column], self.spread[row, column]
        if math.isnan(mean):
            return _NOTHING
        return f"{mean:.4g}" + ("" if math.isnan(spread) else f" ± {spread:.2g}")


def tabulate(recipe: Recipe, cells: Sequence[Cell], answers: Sequence[Record | None]) -> Table:
    """The table of a recipe.

    Raises:
        InputError: no finished cell has a number under the recipe's value; the nearest key is named.
    """
    rows, columns = recipe.axes
    value = recipe.value or recipe.verb.value
    labels = [
        [""] if axis is None else [_label(recipe, axis, v) for v in recipe.grid[axis]] for axis in (rows, columns)
    ]
    entries: dict[tuple[int, int], list[float]] = {}
    for cell, record in zip(cells, answers, strict=True):
        number = None if record is None else _number(record, value)
        if number is not None:
            where = [0 if axis is None else cell.at[axis] for axis in (rows, columns)]
            entries.setdefault((where[0], where[1]), []).append(number)
    if not entries and any(answers):
        keys = {key for record in answers if record is not None for key in _keys(record.outcome)}
        one_of(value, keys, "value of [table]")
        raise InputError(f"no finished cell has a number under {value!r}, the value of [table]")
    shape = (len(labels[0]), len(labels[1]))
    mean, spread, count = np.full(shape, math.nan), np.full(shape, math.nan), np.zeros(shape, np.int64)
    for at, numbers in entries.items():
        count[at] = len(numbers)
        mean[at] = np.mean(numbers)
        if len(numbers) > 1:
            spread[at] = np.std(numbers, ddof=1)
    return Table(value, rows, columns, tuple(labels[0]), tuple(labels[1]), mean, spread, count)


def _label(recipe: Recipe, axis: str, value: Any) -> str:
    value = recipe.verb.options[axis].value(axis, value)
    return value if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else json.dumps(value)


def _number(record: Record, value: str) -> float | None:
    """The number under a key, dots leading into mappings; `seconds` is the time of the cell."""
    found: Any = {"seconds": record.seconds.get("total"), **record.outcome}
    for key in value.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return float(found) if isinstance(found, (bool, int, float)) else None


def _keys(outcome: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Every key that leads to a number."""
    keys = [prefix + key for key, value in outcome.items() if isinstance(value, (bool, int, float))]
    for key, value in outcome.items():
        if isinstance(value, Mapping) and key != "options":
            keys += _keys(value, f"{prefix}{key}.")
    return keys
