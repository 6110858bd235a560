"""The picture of bounds: a line for each, in a style that says which way it points, beside what was measured."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from slth.reporting.pictures import save_picture
from slth.theory import Bound, Direction, Theorem, Unit

_STYLES = {Direction.SUFFICIENT: "-", Direction.NECESSARY: "--", Direction.EXPECTED: ":"}
_FAR = 50.0  # times as large as the smallest number a logarithmic axis is used


class Line(Protocol):
    """One bound along the values of a letter."""

    @property
    def label(self) -> str: ...

    @property
    def theorem(self) -> Theorem: ...

    @property
    def points(self) -> tuple[Bound, ...]: ...


class Curves(Protocol):
    """Bounds over one letter, as `slth.bounds` answers."""

    @property
    def series(self) -> Sequence[Line]: ...

    @property
    def over(self) -> str | None: ...

    @property
    def logarithmic(self) -> bool: ...

    @property
    def unit(self) -> Unit | None: ...

    def number(self, point: Bound) -> float:
        """The number of a point in the unit of all."""
        ...


def draw_bounds(
    found: Curves, path: Path, *, measured: Sequence[tuple[str, Sequence[tuple[float, float]]]] = ()
) -> Path:
    """Write it; the suffix says the format.

    Solid lines are sufficient, dashed ones necessary, dotted ones estimates; `measured` are (name, points) beside them.
    Places where a number is too large to count are gaps.
    """
    from matplotlib.figure import Figure

    over = found.over or ""
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    heights: list[float] = []
    for series in found.series:
        places = [float(point.at[over]) for point in series.points]
        numbers = [found.number(point) for point in series.points]
        heights += [y for y in numbers if math.isfinite(y) and y > 0]
        clear = [y if math.isfinite(y) else math.nan for y in numbers]
        form = ", form alone" if series.theorem.unknown else ""
        label = f"{series.label} ({series.theorem.direction.name.lower()}{form})"
        axes.plot(places, clear, _STYLES[series.theorem.direction], label=label, marker="." if len(places) < 20 else "")
    for name, points in measured:
        axes.plot([x for x, _ in points], [y for _, y in points], "o", markersize=4, label=f"{name} (measured)")
        heights += [y for _, y in points if y > 0]
    if found.logarithmic:
        axes.set_xscale("log")
    if heights and max(heights) >= _FAR * min(heights):
        axes.set_yscale("log")
    theorem = found.series[0].theorem
    meaning = theorem.letters[over].meaning if over in theorem.letters else theorem.constants[over].meaning
    axes.set_xlabel(f"{over}: {meaning}")
    same = all(series.theorem is theorem for series in found.series)
    axes.set_ylabel(theorem.gives if same or found.unit is None else found.unit.value)
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    names = ", ".join(dict.fromkeys(series.theorem.name for series in found.series))
    about = "; ".join(
        f"{series.label}: {found.number(series.points[0]):.4g} at {over} = {series.points[0].at[over]:g}, "
        f"{found.number(series.points[-1]):.4g} at {series.points[-1].at[over]:g}"
        for series in found.series
    )
    return save_picture(figure, path, title=f"Bounds over {over}: {names}", about=about)
