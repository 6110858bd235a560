"""The table as a picture: one colour scale, the numbers written into it."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from slth.reporting import picture_bytes
from slth.sweeps._table import Table

_MOST_NUMBERS = 400  # entries with their number written in; beyond, colour alone
_MOST_TICKS = 40


def draw_heatmap(table: Table, form: str = "svg") -> bytes:
    """A heat map, "svg" or "png": light is small, dark is large, hatched is missing. The same bytes every time."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    rows, columns = table.mean.shape
    written = table.mean.size <= _MOST_NUMBERS
    wide = max(len(text) for text in (*table.column_labels, "0.0000"))
    size = (2.6 + min(max(columns * (0.09 * wide + 0.25), 1.5), 14.0), 1.4 + min(max(0.42 * rows, 1.0), 12.0))
    known = table.mean[np.isfinite(table.mean)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    if low == high:
        low, high = low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0)
    with rc_context({"svg.hashsalt": "slth", "svg.fonttype": "none", "font.size": 10}):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        axes.set_facecolor("#dddddd")
        axes.patch.set_hatch("///")
        axes.patch.set_edgecolor("#999999")
        image = axes.imshow(np.ma.masked_invalid(table.mean), cmap="Blues", vmin=low, vmax=high, aspect="auto")
        _ticks(axes.set_xticks, table.column_labels, 45.0 if wide * columns > 90 else 0.0)
        _ticks(axes.set_yticks, table.row_labels, 0.0)
        axes.set_xlabel(table.columns or "")
        axes.set_ylabel(table.rows or "")
        for side in axes.spines.values():
            side.set_visible(False)
        axes.set_xticks(np.arange(columns - 1) + 0.5, minor=True)
        axes.set_yticks(np.arange(rows - 1) + 0.5, minor=True)
        axes.grid(which="minor", color="white", linewidth=1.5 if written else 0.0)
        axes.tick_params(which="both", length=0)
        if written:
            for (i, j), mean in np.ndenumerate(table.mean):
                if not math.isnan(mean):
                    dark = (mean - low) / (high - low) > 0.6
                    axes.text(j, i, f"{mean:.4g}", ha="center", va="center", color="white" if dark else "#111111")
        most, least = int(table.count.max()), int(table.count[table.count > 0].min(initial=10**9))
        averaged = f", mean of {'up to ' * (least < most)}{most}" if most > 1 else ""
        figure.colorbar(image, ax=axes, label=table.value + averaged)
        return picture_bytes(
            figure, form, title=f"{table.value} over the grid", about=f"A heat map with {rows} rows, {columns} columns."
        )


def _ticks(place: Callable[..., Any], labels: tuple[str, ...], rotation: float) -> None:
    """At most `_MOST_TICKS` labels, evenly spread."""
    step = math.ceil(len(labels) / _MOST_TICKS)
    place(range(0, len(labels), step), labels[::step], rotation=rotation)
