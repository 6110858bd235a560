"""Small charts as inline SVG. An axis maps numbers to places; colours are classes that the page's style fills in.

Every chart is `WIDTH` units wide, about a phone's screen, so that its text is readable there and in print.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from slth.reporting.html import Html, number, power, safe

WIDTH = 400.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 8.0, 14.0, 36.0  # margins of the plotted area
LETTER = 6.6  # units, on average
FAR = 50.0  # how many times as far apart as its nearest places an axis can be, so that those are still told apart

_T = TypeVar("_T")


def evenly(parts: Sequence[_T], most: int) -> list[_T]:
    """Those that are drawn: of more than `most` the first, the last and some evenly between.

    >>> evenly("abcdefg", 3)
    ['a', 'd', 'g']
    """
    count = min(len(parts), most)
    return [parts[k * (len(parts) - 1) // max(count - 1, 1)] for k in range(count)]


@dataclass(frozen=True, slots=True)
class Axis:
    """low ... high of the data, drawn from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """The place of a value, held inside the axis."""
        low, high, here = (math.log10(v) if self.log else v for v in (self.low, self.high, max(value, self.low)))
        return self.start + (self.end - self.start) * min(max((here - low) / (high - low), 0.0), 1.0)

    def ticks(self, most: int = 6) -> list[tuple[float, str]]:
        """Round values and how to write them."""
        if self.log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            if last - first < 1:  # less than two powers of ten: fill in
                fine = (m * 10.0**k for k in range(first - 1, last + 1) for m in (1, 2, 5))
                return [(value, number(value, 1)) for value in fine if self.low <= value <= self.high]
            step = max(1, math.ceil((last - first + 1) / most))
            return [(10.0**k, power(k)) for k in range(first, last + 1, step)]
        rough = (self.high - self.low) / most
        unit = 10.0 ** math.floor(math.log10(rough))
        step = next((unit * k for k in (1, 2, 5) if unit * k >= rough), 10 * unit)
        values = [k * step for k in range(math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9) + 1)]
        if not 1e-4 <= step < 1e6:
            return [(value, number(value, 3)) for value in values]
        places = max(0, -math.floor(math.log10(step) + 1e-9))
        return [(value, f"{value:,.{places}f}".replace("-", "−")) for value in values]


def chart(
    parts: Sequence[str], *, height: float, label: str, about: str = "", width: float = WIDTH, kind: str = "fig"
) -> Html:
    """The picture; `label` names it, `about` says what a reader who does not see it should know, `kind` is its class.

    One of another width keeps its size.
    """
    spoken = f"<title>{safe(label)}</title>" + (f"<desc>{safe(about)}</desc>" if about else "")
    fixed = "" if width == WIDTH else f' width="{width:g}" height="{height:g}"'
    head = f'class="{kind}"{fixed} viewBox="0 0 {width:g} {height:g}" role="img"'
    return Html(f"<svg {head}>{spoken}{''.join(parts)}</svg>")


def frame(x: Axis, y: Axis, *, x_label: str, y_label: str) -> str:
    """Grid, ticks and names of the axes; y is drawn upwards, from y.start to y.end."""
    parts = [words(2.0, y.end - 12, y_label, "start")]
    for value, text in y.ticks(5):
        at = y.at(value)
        parts += [line(x.start, at, x.end, at, "grid"), words(x.start - 6, at + 4, text, "end")]
    parts.append(line(x.start, y.start, x.end, y.start, "axis"))
    return "".join(parts) + x_axis(x, y.start, x_label)


def x_axis(x: Axis, base: float, label: str) -> str:
    """Ticks and name of a horizontal axis at height `base`."""
    parts: list[str] = []
    for value, text in x.ticks():
        at = x.at(value)
        parts += [line(at, base, at, base + 4, "axis"), words(at, base + 16, text, "middle")]
    parts.append(words((x.start + x.end) / 2, base + 31, label, "middle"))
    return "".join(parts)


def bars(x: Axis, y: Axis, edges: np.ndarray, heights: np.ndarray, kind: str) -> str:
    """A histogram as one path; empty bins draw nothing."""
    path: list[str] = []
    for left, right, height in zip(edges[:-1], edges[1:], heights, strict=True):
        if height > 0:
            a, b, top = x.at(float(left)), x.at(float(right)), y.at(float(height))
            path.append(f"M{a:.1f} {y.start:.1f}V{top:.1f}H{b - 0.4:.1f}V{y.start:.1f}Z")
    return f'<path class="{kind}" d="{"".join(path)}"/>' if path else ""


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """A straight line."""
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def strokes(row: np.ndarray, at: int) -> str:
    """The true cells of a row, neighbours joined: strokes of a path, one unit per cell, in row `at`."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(np.int8), [0]])))
    return "".join(f"M{start} {at}.5h{stop - start}" for start, stop in edges.reshape(-1, 2).tolist())


def words(x: float, y: float, text: str, anchor: str, kind: str = "") -> str:
    """A label."""
    name = f' class="{kind}"' if kind else ""
    return f'<text{name} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{safe(text)}</text>'
