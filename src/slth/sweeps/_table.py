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
from slth.records import INTERVAL, Average, Record, number_in
from slth.sweeps._recipe import Cell, Recipe

_NOTHING = "–"


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Means of a value over finished cells. Without an axis there is one row or one column, without a label.

    mean: NaN where no cell is finished. spread: sample standard deviation, NaN below two cells. half: of the 95 %
    interval of the mean, `slth.records.Average`; NaN likewise. count: cells averaged. over: names of the grid that
    those differ in.
    """

    value: str
    rows: str | None
    columns: str | None
    row_labels: tuple[str, ...]
    column_labels: tuple[str, ...]
    mean: Float64[np.ndarray, "rows columns"]
    spread: Float64[np.ndarray, "rows columns"]
    half: Float64[np.ndarray, "rows columns"]
    count: Int64[np.ndarray, "rows columns"]
    over: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """What stands behind the ± of the text; nothing if there is none."""
        several = self.count[self.count > 1]
        if not several.size:
            return ""
        low, high = int(several.min()), int(several.max())
        counts = f"{low}" if low == high else f"{low} to {high}"
        return f"±: {INTERVAL}, over {counts} cells that differ in {' and '.join(self.over)}"

    def as_text(self) -> str:
        """Columns side by side; with several cells behind a number also ± as `note` says."""
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
        """One line per entry: row, column, mean, spread, count, half; numbers in full, nothing where there is none."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        axes = [name for name in (self.rows, self.columns) if name]
        writer.writerow([*axes, self.value, "standard deviation", "cells", "half of the 95 % interval"])
        for i, row in enumerate(self.row_labels):
            for j, column in enumerate(self.column_labels):
                labels = [label for label, name in ((row, self.rows), (column, self.columns)) if name]
                found = (float(part[i, j]) for part in (self.mean, self.spread, self.half))
                mean, spread, half = ("" if math.isnan(x) else repr(x) for x in found)
                writer.writerow([*labels, mean, spread, int(self.count[i, j]), half])
        return out.getvalue()

    def _entry(self, row: int, column: int) -> str:
        mean, half = self.mean[row, column], self.half[row, column]
        if math.isnan(mean):
            return _NOTHING
        return f"{mean:.4g}" + ("" if math.isnan(half) else f" ± {half:.2g}")


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
        number = None if record is None else number_in(record, value)
        if number is not None:
            where = [0 if axis is None else cell.at[axis] for axis in (rows, columns)]
            entries.setdefault((where[0], where[1]), []).append(number)
    if not entries and any(answers):
        keys = {key for record in answers if record is not None for key in _keys(record.outcome)}
        one_of(value, keys, "value of [table]")
        raise InputError(f"no finished cell has a number under {value!r}, the value of [table]")
    shape = (len(labels[0]), len(labels[1]))
    mean, spread, half = (np.full(shape, math.nan) for _ in range(3))
    count = np.zeros(shape, np.int64)
    for at, numbers in entries.items():
        found = Average.of(numbers)
        count[at], mean[at] = found.count, found.mean
        if found.deviation is not None and found.half is not None:
            spread[at], half[at] = found.deviation, found.half
    over = tuple(name for name in recipe.grid if name not in (rows, columns))
    return Table(value, rows, columns, tuple(labels[0]), tuple(labels[1]), mean, spread, half, count, over)


def _label(recipe: Recipe, axis: str, value: Any) -> str:
    value = recipe.verb.options[axis].value(axis, value)
    return value if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else json.dumps(value)


def _keys(outcome: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Every key that leads to a number."""
    keys = [prefix + key for key, value in outcome.items() if isinstance(value, (bool, int, float))]
    for key, value in outcome.items():
        if isinstance(value, Mapping) and key != "options":
            keys += _keys(value, f"{prefix}{key}.")
    return keys
