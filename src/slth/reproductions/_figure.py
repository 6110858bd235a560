"""Figures of reproductions as plain data, drawn in one way: measured is a line with points, bounds are dashed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slth.reporting import picture_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

_COLOURS = ("#2a6fbb", "#c26a10", "#2e8b57", "#8e44ad", "#b03030", "#6e7781", "#0f7c8a", "#a0892a")
_FRAMES = ("#b03030", "#2a6fbb", "#e08a1e")
_PANEL = 4.6  # inches of a panel with others beside it
_MOST_INSIDE = 4  # labels, beyond which they stand below the axes
_BELOW, _LINE = 0.45, 0.17  # inches from the axes to the labels there, and of a line of them
_LETTER, _MARKS = 0.065, 0.9  # inches of a letter of a label, and of the marks of two columns
_MOST_NAMED, _SHORT = 6, 5  # values of x, up to which each is named on the axis; letters of such a name
_KINDS = {  # line style, mark
    "measured": ("-", "o"),
    "published": ("none", "D"),
    "bound": ("--", "none"),
    "estimate": (":", "none"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Points in the order of x. `kind`: measured, published, bound or estimate; `low` and `high`: an interval."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    kind: str = "measured"
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Boxes (row, column, rows, columns) around entries of a table, and what they mean."""

    label: str
    boxes: tuple[tuple[int, int, int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Numbers over two axes, drawn as a heat map with the numbers written in; NaN is left blank."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    marked: tuple[tuple[int, int], ...] = ()  # (row, column) of entries with a frame
    frames: tuple[Frame, ...] = ()  # in red, blue and orange, with a legend


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One diagram: series over x, or a table."""

    title: str
    x: str
    y: str
    content: tuple[Series, ...] | Table
    log_x: bool = False
    log_y: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Panels side by side, three in a row; below each other if a table needs the room.

    Its file is NAME-SCALE.svg, or NAME-SCALE-FIGURE.svg where it has a name.
    """

    title: str
    panels: tuple[Panel, ...]
    name: str = ""


def draw(figure: Figure) -> bytes:
    """The figure as SVG, the same bytes every time."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure as Canvas

    wide = max(0.55 * _columns(panel) for panel in figure.panels)  # inches, of a table
    across = min(3, len(figure.panels)) if wide <= _PANEL else 1
    down = -(-len(figure.panels) // across)
    width = across * _PANEL if across > 1 else max(6.0, wide)
    below = max(_below(panel, width / across)[0] for panel in figure.panels)
    size = (width, (3.9 + _LINE * max(0, below - _MOST_INSIDE)) * down)
    with rc_context({"svg.hashsalt": "slth", "svg.fonttype": "none", "font.size": 10}):
        canvas = Canvas(figsize=size, layout="constrained")
        grid = canvas.subplots(down, across, squeeze=False)
        for axes in grid.flat[len(figure.panels) :]:
            axes.set_axis_off()
        for axes, panel in zip(grid.flat, figure.panels, strict=False):
            axes.set_title(panel.title, fontsize=10)
            axes.set_xlabel(panel.x)
            axes.set_ylabel(panel.y)
            if isinstance(panel.content, Table):
                _table(axes, panel.content)
            else:
                _curves(axes, panel, panel.content, width / across)
        return picture_bytes(canvas, "svg", title=figure.title, about="; ".join(p.title for p in figure.panels))


def _columns(panel: Panel) -> int:
    return len(panel.content.columns) if isinstance(panel.content, Table) else 0


def _curves(axes: "Axes", panel: Panel, series: Sequence[Series], inches: float) -> None:
    """On axes that are so many inches wide, with what is beside them."""
    for one, colour in zip(series, _cycle(len(series)), strict=True):
        line, mark = _KINDS[one.kind]
        axes.plot(one.x, one.y, linestyle=line, marker=mark, markersize=4, color=colour, label=one.label)
        if one.low:
            axes.fill_between(one.x, one.low, one.high, color=colour, alpha=0.18, linewidth=0)
    if panel.log_x:
        axes.set_xscale("log")
        _plain_numbers(axes.xaxis)
    _name_values(axes.xaxis, sorted({x for one in series if _KINDS[one.kind][1] != "none" for x in one.x}))
    if panel.log_y:
        axes.set_yscale("log")
        _plain_numbers(axes.yaxis)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e4e7eb", linewidth=0.6)
    lines, columns = _below(panel, inches)
    if lines:
        _legend_below(axes, columns)
    else:
        axes.legend(frameon=False, fontsize=8)


def _below(panel: Panel, inches: float) -> tuple[int, int]:
    """Lines and columns of the labels that stand below a panel of a width; none if they stand inside."""
    if isinstance(panel.content, Table) or len(panel.content) <= _MOST_INSIDE:
        return 0, 0
    letters = [len(one.label) for one in panel.content]
    half = -(-len(letters) // 2)
    if (max(letters[:half]) + max(letters[half:])) * _LETTER + _MARKS <= inches:
        return half, 2
    return len(letters), 1


def _legend_below(axes: "Axes", columns: int) -> None:
    """At one distance, however high the axes are."""
    from matplotlib.transforms import ScaledTranslation

    figure = axes.get_figure()
    assert figure is not None
    below = axes.transAxes + ScaledTranslation(0, -_BELOW, figure.dpi_scale_trans)
    axes.legend(
        frameon=False, fontsize=8, ncols=columns, loc="upper center", bbox_to_anchor=(0.5, 0), bbox_transform=below
    )


def _name_values(axis: "Axis", values: Sequence[float]) -> None:
    """Where few values were tried, each of them; no fractions between whole numbers."""
    from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

    if axis.get_scale() == "log":
        if 0 < len(values) <= _MOST_NAMED and all(len(f"{value:g}") <= _SHORT for value in values):
            axis.set_major_locator(FixedLocator(values))
            axis.set_minor_locator(NullLocator())
    elif all(float(value).is_integer() for value in values):
        axis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))


def _plain_numbers(axis: "Axis") -> None:
    """Of a logarithmic axis: powers of ten; where there are few of them, 2 and 5 times them, too."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    low, high = sorted(axis.get_view_interval())
    axis.set_major_locator(LogLocator(subs=(1.0,) if high > 1000 * low else (1.0, 2.0, 5.0)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def _table(axes: "Axes", table: Table) -> None:
    import numpy as np
    from matplotlib.patches import Rectangle

    values = np.ma.masked_invalid(np.array(table.values, dtype=float))
    low, high = float(values.min()), float(values.max())
    axes.imshow(values, cmap="Blues", aspect="auto", vmin=low, vmax=high if high > low else low + 1)
    axes.set_xticks(range(len(table.columns)), table.columns)
    axes.set_yticks(range(len(table.rows)), table.rows)
    axes.tick_params(length=0)
    for (i, j), value in np.ndenumerate(values):
        if np.isfinite(value):
            dark = value > low + 0.6 * (high - low)
            axes.text(j, i, f"{value:.3g}", ha="center", va="center", fontsize=8, color="white" if dark else "#111111")
    for row, column in table.marked:
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="#c26a10", linewidth=2))
    for i, (frame, colour) in enumerate(zip(table.frames, _FRAMES, strict=False)):
        inset = 0.46 - 0.06 * i  # boxes that share a side stay apart
        for row, column, rows, columns in frame.boxes:
            corner, size = (column - inset, row - inset), (columns - 1 + 2 * inset, rows - 1 + 2 * inset)
            axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor=colour, linewidth=2))
        axes.plot([], [], color=colour, linewidth=2, label=frame.label)
    if table.frames:
        _legend_below(axes, len(table.frames))


def _cycle(count: int) -> list[str]:
    return [_COLOURS[i % len(_COLOURS)] for i in range(count)]
