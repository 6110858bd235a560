"""What a page says about a sweep: curves over its grid with intervals, its table, its cells and their tickets."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from slth.records import INTERVAL, Average, Grid, GridCell, duration, number_in
from slth.reporting.curves import MOST_CURVES, Curve, plot
from slth.reporting.exhibit import file_word
from slth.reporting.html import Html, join, number, pairs, plural, table, tag, tiles
from slth.reporting.svg import FAR, evenly
from slth.reporting.tables import value_text

_MOST_ROWS, _MOST_FAILURES = 500, 50
Section = tuple[str, str, Html]


@dataclass(frozen=True, slots=True)
class _Axes:
    """Names of the grid as a page shows them: over the picture, as one curve each, and averaged."""

    across: str | None
    series: str | None
    over: tuple[str, ...]


def name_of(grid: Grid) -> str:
    """For a heading."""
    return grid.folder.resolve().name


def opening(grid: Grid) -> Html:
    """One sentence, and the numbers that matter most."""
    done = [cell.record for cell in grid.cells if cell.record is not None]
    names = " × ".join(f"{name} ({len(values)})" for name, values in grid.asked.grid.items()) or "one cell"
    lead = f"A grid of slth {grid.asked.verb}: {names}. {len(done):,} of {plural(len(grid.cells), 'cell')} are done."
    failed = sum(cell.failure is not None and cell.record is None for cell in grid.cells)
    shown = [(f"{len(done):,}", f"of {plural(len(grid.cells), 'cell')} done" + (f", {failed:,} failed" * (failed > 0)))]
    best = _best(grid)
    if best is not None:
        where, found = best
        shown.append((_mean(found), f"the largest value of {grid.asked.value}{_averaged(found, grid)}: {where}"))
    seconds = math.fsum(record.seconds.get("total", 0.0) for record in done)
    shown.append((duration(seconds), "of work in the finished cells, one after the other"))
    return join([tag("p", lead, class_="lead"), tiles(shown)])


def sections(grid: Grid, place: Path | None) -> tuple[Section, ...]:
    """Keys, titles and contents; `place` is the folder of the page, from which tickets are linked."""
    return (
        ("curves", f"{grid.asked.value[:1].upper()}{grid.asked.value[1:]} over the grid", _curves(grid)),
        ("table", "The table", _table(grid)),
        ("cells", "Cell by cell", _cells(grid, place)),
        ("failed", "What failed", _failed(grid)),
        ("repeat", "How to repeat it", _repeat(grid)),
    )


def _axes(grid: Grid) -> _Axes:
    """The axis with most numbers goes across; of the table's two the other one makes the curves."""
    asked = grid.asked
    named = [name for name in (asked.columns, asked.rows) if name is not None]
    across = max(named, key=lambda name: (_numeric(asked.grid[name]), len(asked.grid[name])), default=None)
    series = next((name for name in named if name != across), None)
    return _Axes(across, series, tuple(name for name in asked.grid if name not in named))


def _averages(grid: Grid, *names: str | None) -> dict[tuple[int, ...], Average]:
    """The value averaged over all but some names of the grid, by the place in those."""
    found: dict[tuple[int, ...], list[float]] = {}
    for cell in grid.cells:
        value = None if cell.record is None else number_in(cell.record, grid.asked.value)
        if value is not None and math.isfinite(value):
            found.setdefault(tuple(cell.at[name] for name in names if name is not None), []).append(value)
    return {at: Average.of(values) for at, values in sorted(found.items())}


def _curves(grid: Grid) -> Html:
    asked, axes = grid.asked, _axes(grid)
    if axes.across is None:
        return Html()
    found = _averages(grid, axes.across, axes.series)
    if not found:
        return tag("p", f"No finished cell has a number under {asked.value}.", class_="note")
    values = asked.grid[axes.across]
    numeric = _numeric(values)
    positive = numeric and min(values) > 0
    even = not numeric or (not positive and max(values) - min(values) > 0 and _uneven(values))
    places = [float(i) for i in range(len(values))] if even else [float(value) for value in values]
    curves: list[Curve] = []
    labels = [""] if axes.series is None else [f"{axes.series} {_label(v)}" for v in asked.grid[axes.series]]
    for j, label in enumerate(labels):
        own = ((at[0], mean) for at, mean in found.items() if axes.series is None or at[1] == j)
        points = sorted((places[i], mean.mean, mean.half) for i, mean in own)
        if points:
            curves.append(Curve(label or asked.value, tuple(points)))
    drawn = evenly(curves, MOST_CURVES)
    ticks = [(place, _label(value)) for place, value in zip(places, values, strict=True)]
    across = axes.across + (" (kept fraction)" if axes.across == "density" else "")
    about = "; ".join(
        f"{curve.name}: from {number(curve.points[0][1])} to {number(curve.points[-1][1])}" for curve in drawn
    )
    picture = plot(
        drawn,
        x_label=across,
        y_label=asked.value,
        label=f"{asked.value} over {across}",
        about=f"Means from the first to the last place on the axis. {about}.",
        ticks=sorted(ticks) if not even else ticks,
        joined=numeric,
    )
    text = _meaning(grid, found.values())
    if len(curves) > len(drawn):
        text += f" {len(drawn)} of {len(curves)} curves are drawn, evenly chosen; the table has all."
    if even and numeric:
        text += " Places stand evenly, whatever their distance."
    return join([tag("figure", tag("figcaption", text), picture)])


def _meaning(grid: Grid, found: Any, thing: str = "point") -> str:
    """What a point or an entry is, and what stands around it."""
    counts = sorted({average.count for average in found})
    over = " and ".join(_axes(grid).over)
    if counts[-1] == 1:
        return f"Each {thing} is one cell; one cell has no interval."
    several = f"{counts[0]}" if counts[0] == counts[-1] else f"{counts[0]} to {counts[-1]}"
    around = "the bars around it" if thing == "point" else "±"
    return f"Each {thing} is the mean of {several} cells that differ in {over}; {around}: {INTERVAL}."


def _table(grid: Grid) -> Html:
    """Rows and columns as in table.csv."""
    asked = grid.asked
    found = _averages(grid, asked.rows, asked.columns)
    if not found:
        return Html()
    rows = [("", 0)] if asked.rows is None else [(_label(v), i) for i, v in enumerate(asked.grid[asked.rows])]
    columns = [] if asked.columns is None else [_label(v) for v in asked.grid[asked.columns]]
    corner = asked.rows or ""
    head = [f"{corner} \\ {asked.columns}", *columns] if columns else [corner, asked.value]
    body: list[list[str]] = []
    for label, i in rows:
        places = [
            (*((i,) if asked.rows is not None else ()), *((j,) if columns else ())) for j in range(len(columns) or 1)
        ]
        body.append([label, *(_entry(found.get(place)) for place in places)])
    note = tag("p", f"Entries: {asked.value}. {_meaning(grid, found.values(), 'entry')}", class_="note")
    return join([table(head, body, label=f"{asked.value} over the grid"), note])


def _cells(grid: Grid, place: Path | None) -> Html:
    """Every finished cell with its value, its time and its ticket."""
    names = list(grid.asked.grid)
    kept = any(cell.ticket is not None for cell in grid.cells)
    done = [cell for cell in grid.cells if cell.record is not None]
    rows: list[list[str]] = []
    for cell in done[:_MOST_ROWS]:
        record = cell.record
        assert record is not None
        value = number_in(record, grid.asked.value)
        row = [_label(grid.asked.grid[name][cell.at[name]]) for name in names]
        row += ["none" if value is None else number(value), duration(record.seconds.get("total", 0.0))]
        rows.append([*row, *([_link(cell, place)] if kept else [])])
    if not rows:
        return tag("p", "No cell is finished.", class_="note")
    head = [*names, grid.asked.value, "time", *(["ticket"] if kept else [])]
    more = len(done) - len(rows)
    notes = [f"{plural(more, 'further cell')} not listed."] if more > 0 else []
    if not kept:
        notes.append("No tickets were kept; slth sweep --keep-tickets keeps that of each cell.")
    listed = table(head, rows, label="The finished cells", words=len(names))
    return join([listed, *(tag("p", note, class_="note") for note in notes)])


def _link(cell: GridCell, place: Path | None) -> Html:
    """To the file, from where the page lies."""
    if cell.ticket is None:
        return Html("–")
    if place is None:
        return tag("span", cell.ticket.name)
    way = Path(os.path.relpath(cell.ticket.resolve(), place.resolve())).as_posix()
    return tag("a", "ticket", href=quote(way), title=cell.ticket.name)


def _failed(grid: Grid) -> Html:
    failures = [cell for cell in grid.cells if cell.record is None and cell.failure is not None]
    if not failures:
        return Html()
    rows: list[list[str]] = []
    for cell in failures[:_MOST_FAILURES]:
        where = ", ".join(f"{name} {_label(grid.asked.grid[name][at])}" for name, at in cell.at.items())
        said = {} if cell.failure is None else cell.failure.outcome
        rows.append([where or "the cell", f"{said.get('error', '')}: {said.get('message', '')}"[:500]])
    more = len(failures) - len(rows)
    note = tag("p", f"{plural(more, 'further failure')} not listed.", class_="note") if more else Html()
    return join([table(["cell", "why"], rows, label="The cells that failed", words=2), note])


def _repeat(grid: Grid) -> Html:
    """The recipe, and where it ran."""
    done = [cell.record for cell in grid.cells if cell.record is not None]
    text = "Save the recipe and run it; what is finished in the folder is not done again."
    lines = [f"slth sweep recipe.toml --out {file_word(name_of(grid))}"]
    if any(cell.ticket is not None for cell in grid.cells):
        lines[0] += " --keep-tickets"
    code = (
        tag("pre", tag("code", join(tag("span", line or "\xa0", class_="line") for line in part)))
        for part in (recipe(grid), lines)
    )
    places = list(dict.fromkeys(_where(record.environment) for record in done))
    ran = [(("ran on" if i == 0 else ""), place) for i, place in enumerate(places[:8])]
    return join([tag("p", text), *code, pairs(ran)])


def recipe(grid: Grid) -> list[str]:
    """The lines of a recipe that asks the same.

    The values are what the recipe's own TOML held: numbers, texts, truths and lists of them.
    """
    asked = grid.asked
    lines = [f"verb = {_toml(asked.verb)}"]
    for title, entries in (("options", asked.options), ("grid", asked.grid)):
        if entries:
            lines += ["", f"[{title}]", *(f"{_toml_key(name)} = {_toml(value)}" for name, value in entries.items())]
    shown = {"rows": asked.rows, "columns": asked.columns, "value": asked.value}
    return [*lines, "", "[table]", *(f"{name} = {_toml(value)}" for name, value in shown.items() if value is not None)]


def _toml(value: Any) -> str:
    """JSON says numbers, texts, truths and lists as TOML does, but for the one control character DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _toml_key(name: str) -> str:
    return name if name.replace("_", "").isalnum() and name.isascii() else _toml(name)


def _where(environment: Any) -> str:
    versions = cast("Mapping[str, str]", environment.versions)
    parts = [f"{name} {version}" for name, version in versions.items()]
    commit = [f"commit {environment.commit}"] if environment.commit else []
    return ", ".join([str(environment.cpu), plural(int(environment.threads), "thread"), *parts, *commit])


def _best(grid: Grid) -> tuple[str, Average] | None:
    asked = grid.asked
    names = [name for name in (asked.rows, asked.columns) if name is not None]
    found = _averages(grid, *names)
    if not found:
        return None
    at = max(found, key=lambda place: found[place].mean)
    where = ", ".join(f"{name} {_label(asked.grid[name][i])}" for name, i in zip(names, at, strict=True))
    return where or "the only cell", found[at]


def _averaged(found: Average, grid: Grid) -> str:
    return f", mean of {found.count} cells ({INTERVAL})" if found.count > 1 and _axes(grid).over else ""


def _entry(found: Average | None) -> str:
    return "not finished" if found is None else _mean(found)


def _mean(found: Average) -> str:
    half = found.half
    return number(found.mean) + ("" if half is None else f" ± {number(half, 2)}")


def _numeric(values: Sequence[Any]) -> bool:
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)


def _uneven(values: Sequence[float]) -> bool:
    """Whether neighbours are so near, beside the whole axis, that they would stand on one another."""
    ordered = sorted(values)
    gap = min(b - a for a, b in pairwise(ordered))
    return gap * FAR < ordered[-1] - ordered[0]


def _label(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else value_text(value)
