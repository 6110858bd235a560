"""The picture of a comparison: bits a weight against the error of the weights, and against accuracy."""

from pathlib import Path
from typing import TYPE_CHECKING

from slth.records import Compared, Comparison
from slth.reporting.pictures import save_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKS = {
    "ticket": ("o", "#2a6fbb"),
    "masks": ("s", "#8fb4dc"),
    "quantiser": ("^", "#c26a10"),
    "bound": ("_", "#6e7781"),
}
_WORDS = {
    "ticket": "tickets, whole file",
    "masks": "their masks and moves, packed",
    "quantiser": "quantisers",
    "bound": "Gaussian bound",
}


def draw_comparison(found: Comparison, path: Path) -> Path:
    """Write it; the suffix says the format."""
    from matplotlib.figure import Figure

    both = any(row.accuracy is not None for row in found.rows)
    figure = Figure(figsize=(10.5 if both else 6.0, 4.4), layout="constrained")
    axes = figure.subplots(1, 2 if both else 1, squeeze=False)[0]
    _points(axes[0], found, "rms_error", "rms error of the weights, relative")
    axes[0].set_yscale("log")
    if both:
        _points(axes[1], found, "accuracy", f"accuracy on {found.data}")
    axes[0].legend(frameon=False, fontsize=8)
    tickets = [row for row in found.rows if row.kind == "ticket"]
    about = "; ".join(f"{row.name}: {row.bits:.1f} bits a weight" for row in tickets)
    title = "Bits a weight against error: tickets beside quantisers of the same weights"
    return save_picture(figure, path, title=title, about=about)


def _points(axes: "Axes", found: Comparison, value: str, label: str) -> None:
    for kind, (mark, colour) in _MARKS.items():
        rows = [row for row in found.rows if row.kind == kind and getattr(row, value) not in (None, 0.0)]
        if rows:
            points = [row.bits for row in rows], [getattr(row, value) for row in rows]
            axes.scatter(*points, marker=mark, c=colour, s=36, label=_WORDS[kind])
        for row in rows:
            if kind in ("ticket", "quantiser"):
                axes.annotate(
                    _short(row), (row.bits, getattr(row, value)), (4, 4), textcoords="offset points", fontsize=7
                )
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("bits a weight")
    axes.set_ylabel(label)
    axes.spines[["top", "right"]].set_visible(False)


def _short(row: Compared) -> str:
    """A name that fits beside a point."""
    name = row.name.partition(" (of ")[0].replace(", round to nearest", "")
    return name.replace(": uniform + entropy coder, as exact", " coded")
