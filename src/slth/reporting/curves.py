"""Curves with intervals: a value over one axis, a line for each of some series, in colours that the style fills in."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from slth.reporting.html import Html, number, tag
from slth.reporting.svg import BOTTOM, FAR, LEFT, LETTER, RIGHT, TOP, WIDTH, Axis, chart, line, words

MOST_CURVES = 6  # as many colours as are told apart
_WIDE = 4  # times the range of the means, to either side
_MOST_TICKS = 9
_CAP = 3.0


@dataclass(frozen=True, slots=True)
class Curve:
    """Points (x, y), in the order of x, with the half of an interval around y where there is one."""

    name: str
    points: tuple[tuple[float, float, float | None], ...]


def plot(
    curves: Sequence[Curve],
    *,
    x_label: str,
    y_label: str,
    label: str,
    about: str,
    ticks: Sequence[tuple[float, str]] | None = None,
    joined: bool = True,
    rules: Sequence[float] = (),
    wide: bool = True,
) -> Html:
    """The picture of at most `MOST_CURVES` curves, and a key where there are several.

    Args:
        ticks: (place, text) of every place on the x axis; None: round numbers.
        joined: whether a line through the points means something.
        rules: places on the x axis where something begins.
        wide: as wide as the page, not one of two side by side.
    """
    height = 220.0
    x, y = _x_axis(curves, ticks, height), _y_axis(curves, height)
    parts = [words(2.0, y.end - 12, y_label, "start")]
    for value, text in y.ticks(5):
        at = y.at(value)
        parts += [line(x.start, at, x.end, at, "grid"), words(x.start - 6, at + 4, text, "end")]
    parts += [line(x.at(at), y.start, x.at(at), y.end, "grid") for at in rules]
    parts.append(line(x.start, y.start, x.end, y.start, "axis"))
    parts += _ticks(x, y.start, x_label, x.ticks() if ticks is None else ticks)
    shifts = _shifts(len(curves), x, ticks)
    for i, (curve, shift) in enumerate(zip(curves, shifts, strict=True)):
        parts += _curve(curve, x, y, f"c{i}", shift=shift, joined=joined)
    picture = chart(parts, height=height, label=label, about=about, kind="fig wide" if wide else "fig")
    return tag("div", _key(curves), picture) if len(curves) > 1 else picture


def _x_axis(curves: Sequence[Curve], ticks: Sequence[tuple[float, str]] | None, height: float) -> Axis:
    places = [place for curve in curves for place, _, _ in curve.points] + [place for place, _ in ticks or ()]
    low, high = min(places), max(places)
    if low == high:
        return Axis(low - 1, high + 1, LEFT, WIDTH - RIGHT)
    log = low > 0 and high / low >= FAR
    room = (high / low) ** 0.04 if log else 0.04 * (high - low)
    ends = (low / room, high * room) if log else (low - room, high + room)
    return Axis(*ends, LEFT, WIDTH - RIGHT, log=log)


def _y_axis(curves: Sequence[Curve], height: float) -> Axis:
    """Every mean with room; an interval many times as wide as all of them together is cut at the edge."""
    means = [y for curve in curves for _, y, _ in curve.points]
    low, high = min(means), max(means)
    reach = max(high - low, 0.02 * max(abs(low), abs(high)), 1e-12)
    ends = [(y - half, y + half) for curve in curves for _, y, half in curve.points if half is not None]
    low = min(low, max(min((end for end, _ in ends), default=low), low - _WIDE * reach)) - 0.06 * reach
    high = max(high, min(max((end for _, end in ends), default=high), high + _WIDE * reach)) + 0.06 * reach
    return Axis(low, high, height - BOTTOM, TOP + 14)


def _ticks(x: Axis, base: float, label: str, ticks: Sequence[tuple[float, str]]) -> list[str]:
    """Of many, or of those whose texts would touch, some."""
    longest = max((len(text) for _, text in ticks), default=1)
    most = min(_MOST_TICKS, max(2, int((x.end - x.start) / (LETTER * (longest + 1)))))
    shown = ticks[:: math.ceil(len(ticks) / most)]
    parts: list[str] = []
    last = -math.inf
    for place, text in shown:
        at = x.at(place)
        if at - last >= LETTER * (len(text) + 1):
            parts += [line(at, base, at, base + 4, "axis"), words(at, base + 16, text, "middle")]
            last = at
    return [*parts, words((x.start + x.end) / 2, base + 31, label, "middle")]


def _shifts(count: int, x: Axis, ticks: Sequence[tuple[float, str]] | None) -> list[float]:
    """Units by which the intervals of several curves stand beside each other, so that none covers another."""
    places = sorted({x.at(place) for place, _ in ticks or ()})
    gap = min((b - a for a, b in pairwise(places)), default=0.0)
    step = min(5.0, 0.5 * gap / max(count, 1)) if count > 1 else 0.0
    return [step * (i - (count - 1) / 2) for i in range(count)]


def _curve(curve: Curve, x: Axis, y: Axis, colour: str, *, shift: float, joined: bool) -> list[str]:
    places = [(x.at(place) + shift, value, half) for place, value, half in curve.points]
    parts: list[str] = []
    if joined and len(places) > 1:
        path = "L".join(f"{at:.1f} {y.at(value):.1f}" for at, value, _ in places)
        parts.append(f'<path class="curve {colour}" d="M{path}"/>')
    path = ""
    for at, value, half in places:
        if half is None:
            continue
        bottom, top = y.at(value - half), y.at(value + half)
        path += f"M{at:.1f} {bottom:.1f}V{top:.1f}"
        for end, inside in ((bottom, value - half >= y.low), (top, value + half <= y.high)):
            path += f"M{at - _CAP:.1f} {end:.1f}h{2 * _CAP:g}" if inside else ""  # a bar that is cut has no cap
    if path:
        parts.append(f'<path class="interval {colour}" d="{path}"/>')
    if len(places) <= 60:
        for (at, value, half), (place, _, _) in zip(places, curve.points, strict=True):
            about = f"{curve.name}, {number(place)}: {number(value)}" + (f" ± {number(half, 2)}" if half else "")
            dot = f'<circle class="mark {colour}" cx="{at:.1f}" cy="{y.at(value):.1f}" r="2.6">'
            parts.append(str(tag("title", about)).join((dot, "</circle>")))
    return parts


def _key(curves: Sequence[Curve]) -> Html:
    names = (
        tag("span", tag("span", class_=f"swatch c{i}", style="background:var(--c)"), curve.name)
        for i, curve in enumerate(curves)
    )
    return tag("p", *(tag("span", name, " ") for name in names), class_="note key-line")
