"""The map, and a page with a curve for every theorem: all of it comes from `slth.theory.THEOREMS`."""

import html
import itertools
import math
import re
from functools import cache
from pathlib import Path

import measured
import numpy as np

from slth import InputError
from slth.reporting.svg import BOTTOM, LEFT, RIGHT, TOP, WIDTH, Axis, chart, frame
from slth.theory import REFERENCES, THEOREMS, Bound, Direction, Theorem, Unit, grid

GROUPS = {
    Direction.SUFFICIENT: ("Enough", "With so much it is done."),
    Direction.NECESSARY: ("Needed", "With less it cannot be done."),
    Direction.EXPECTED: ("Estimates", "They prove nothing either way."),
}
# typical values, the first that fits is taken; the last for bounds that only speak of huge or exact networks
_TRIED = (0.01, 0.1, 0.5, 10, 100, 3, 2, 1, 1000, 5, 20, 1e-3, 50, 1e4, 1e6, 1e-12)
_POINTS = 25
_MOST_TRIED = 2000
_FAR = 1e15  # a number beyond it says little; another example is looked for
HEIGHT = 240.0
_STYLE = """<style>
text { fill: #1d2126; font: 10.5px system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
.curve { fill: none; stroke: #2a6fbb; stroke-width: 1.8; } .dot { fill: #c2334a; }
.grid { stroke: #8b949e; stroke-opacity: .3; } .axis { stroke: #6e7781; }
@media (prefers-color-scheme: dark) {
  text { fill: #e4e6e8; } .curve { stroke: #64a5ea; } .dot { fill: #f2738a; }
}
</style>"""


def places() -> list[dict[str, list[dict[str, str]]]]:
    """For the navigation, by direction."""
    return [
        {title: [{theorem.name: f"theory/{theorem.name}.md"} for theorem in _of(direction)]}
        for direction, (title, _) in GROUPS.items()
        if _of(direction)
    ]


def pages() -> dict[str, str | bytes]:
    """The map, every page, every curve."""
    made: dict[str, str | bytes] = {"theory/index.md": _map()}
    for theorem in THEOREMS.values():
        example = _examples()[theorem.name]
        curve = None if example is None else _curve(theorem, example)
        made[f"theory/{theorem.name}.md"] = _page(theorem, example, drawn=curve is not None)
        if curve is not None:
            made[f"theory/{theorem.name}.svg"] = curve
    return made


@cache
def _examples() -> dict[str, Bound | None]:
    """Of every theorem."""
    return {name: example_of(theorem) for name, theorem in THEOREMS.items()}


def example_of(theorem: Theorem) -> Bound | None:
    """The theorem at typical values: its defaults, and for each letter without one the first number that it takes.

    Where one is found, a number below 1e15, and a chance that is neither 0 nor 1.
    """
    open_letters = [name for name, letter in theorem.letters.items() if letter.default is None]
    choices = [_fitting(theorem, name) for name in open_letters]
    far = None
    for values in itertools.islice(_combinations(choices), _MOST_TRIED):
        try:
            found = theorem(**dict(zip(open_letters, values, strict=True)))
        except InputError:
            continue
        if found.value < _FAR and not (theorem.unit is Unit.CHANCE and found.value in (0, 1)):
            return found
        far = far if far is not None and (math.isfinite(far.value) or math.isinf(found.value)) else found
    return far


def _of(direction: Direction) -> list[Theorem]:
    return [theorem for theorem in THEOREMS.values() if theorem.direction is direction]


def _fitting(theorem: Theorem, name: str) -> list[float]:
    letter = theorem.letters[name]
    found = []
    for value in (int(x) if letter.whole else x for x in _TRIED if not letter.whole or x == int(x)):
        try:
            found.append(letter.read(name, value))
        except InputError:
            continue
    return found


def _combinations(choices: list[list[float]]):
    """The first of all, then more and more of others."""
    ranks = itertools.product(*[range(len(listed)) for listed in choices])
    for places in sorted(itertools.islice(ranks, 20_000), key=sum):
        yield [listed[i] for listed, i in zip(choices, places, strict=True)]


def _map() -> str:
    parts = [
        "# The map",
        f"Every theorem that `slth` knows, {len(THEOREMS)} of them: what it says, what it costs, how far the measured truth is from "
        "it. A number stands at typical values, which its page names; a constant that its source does not give is marked. From "
        'Python: `slth.theory.bound("lueker", epsilon=0.01)`.',
    ]
    for direction, (title, about) in GROUPS.items():
        if not _of(direction):
            continue
        rows = [
            f"| [{theorem.name}]({theorem.name}.md) | {_cell(theorem.title)} | {_cost(theorem)} | {_distance(theorem)} |"
            for theorem in _of(direction)
        ]
        head = "| theorem | what it says | what it costs | beside measurement |\n| --- | --- | --- | --- |"
        parts.append(f"## {title}\n\n{about}\n\n{head}\n" + "\n".join(rows))
    return "\n\n".join(parts) + "\n"


def _cost(theorem: Theorem) -> str:
    example = _examples()[theorem.name]
    if example is None:
        return _cell(theorem.gives)
    marks = {constant.standing.name.lower() for constant in theorem.constants.values()} - {"given", "derived"}
    marked = f", with {' and '.join(sorted(marks))} constants" if marks else ""
    return f"{_cell(theorem.gives)}: **{_number(example.value)}** at {_values(example, theorem.letters)}{marked}"


def _distance(theorem: Theorem) -> str:
    links = "; ".join(measured.beside(theorem))
    return _cell(theorem.measured) or (f"not by itself; from the same paper: {links}" if links else "not measured here")


def _page(theorem: Theorem, example: Bound | None, *, drawn: bool) -> str:
    source = REFERENCES[theorem.sources[0]] if theorem.sources else None
    where = f"{theorem.place}. " if theorem.place else ""
    parts = [
        f"# {theorem.name}",
        f"*{theorem.title[:1].upper()}{theorem.title[1:]}.*",
        _text(theorem.says),
        f"**{theorem.points[:1].upper()}{_text(theorem.points[1:])}.** It gives {theorem.gives}.",
    ]
    if drawn and example is not None:
        fixed = {name: theorem.letters[name] for name in theorem.letters if name != theorem.against}
        at = f" at {_values(example, fixed)}" if fixed else ""
        parts.append(f"![{theorem.gives} over {theorem.against}]({theorem.name}.svg)")
        parts.append(f"*{_text(theorem.gives)}, over {theorem.against}{at}.*")
    if example is not None:
        needed = [name for name, letter in theorem.letters.items() if letter.default is None]
        call = ", ".join(f"{name}={example.at[name]:g}" for name in needed)
        shown = f'slth.theory.bound("{theorem.name}"{", " if call else ""}{call}).value  # {_number(example.value)}'
        parts.append(f"```python\n{shown}\n```")
    parts += _table("What is given", ("letter", "meaning", "limits", "default"), _letters(theorem))
    parts += _table("Constants", ("constant", "meaning", "here", "standing", "note"), _constants(theorem))
    parts += _bullets("It assumes", [_assumption(one) for one in theorem.assumes])
    forms = [f"**{one.name}**: {_text(one.why)}{_form(one.name, example)}" for one in theorem.variants]
    parts += _bullets("Other forms in print", forms)
    parts += _said("What to know", theorem.note)
    parts += _said("Beside measurement", theorem.measured)
    parts += _bullets("Measured again from the same paper", measured.beside(theorem))
    if source is not None:
        parts.append(f"## Source\n\n{where}{'; '.join(_cited(key) for key in theorem.sources)}.")
    return "\n\n".join(part for part in parts if part) + "\n"


def _letters(theorem: Theorem) -> list[tuple[str, ...]]:
    return [
        (f"`{name}`", _cell(letter.meaning), _limits(letter), "" if letter.default is None else f"{letter.default}")
        for name, letter in theorem.letters.items()
    ]


def _limits(letter) -> str:
    parts = [
        "whole" if letter.whole else "",
        "a power of two" if letter.power_of_two else "",
        f"above {letter.above:g}" if letter.above is not None else "",
        f"at least {letter.least:g}" if letter.least is not None else "",
        f"below {letter.below:g}" if letter.below is not None else "",
        f"at most {letter.most:g}" if letter.most is not None else "",
    ]
    return ", ".join(part for part in parts if part)


def _constants(theorem: Theorem) -> list[tuple[str, ...]]:
    return [
        (f"`{name}`", _cell(one.meaning), f"{one.value:g}", one.standing.value, _cell(one.note))
        for name, one in theorem.constants.items()
    ]


def _assumption(one) -> str:
    return _text(one.says) + ("" if one.holds is None else " (checked)")


def _form(name: str, example: Bound | None) -> str:
    return "" if example is None else f" There it would be {_number(example.others[name])}."


def _cited(key: str) -> str:
    paper = REFERENCES[key]
    family = [author.partition(",")[0] for author in paper.authors]
    who = family[0] if len(family) == 1 else f"{', '.join(family[:-1])} and {family[-1]}"
    link = f"arXiv:{paper.arxiv}" if paper.arxiv else f"doi:{paper.doi}" if paper.doi else ""
    return _text(", ".join(part for part in (who, paper.title, paper.venue, str(paper.year), link) if part))


def _table(title: str, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    lines = [f"| {' | '.join(line)} |" for line in (head, ("---",) * len(head), *rows)]
    return [f"## {title}", "\n".join(lines)]


def _bullets(title: str, items: list[str]) -> list[str]:
    return [f"## {title}", "\n".join(f"- {item}" for item in items)] if items else []


def _said(title: str, text: str) -> list[str]:
    return [f"## {title}", _text(text)] if text else []


def _curve(theorem: Theorem, example: Bound) -> bytes | None:
    """The number over the letter `against`, everything else as in the example; None where fewer than two points exist."""
    name = theorem.against
    xs, ys = [], []
    for x in sorted({*_along(theorem, name, example.at[name]), example.at[name]}):
        try:
            value = theorem(**{**example.at, name: x}).value
        except InputError:
            continue
        if math.isfinite(value):
            xs.append(x)
            ys.append(value)
    if len(set(xs)) < 2:
        return None
    return _drawn(theorem, example, list(zip(xs, ys, strict=True))).encode()


def _drawn(theorem: Theorem, example: Bound, points: list[tuple[float, float]]) -> str:
    """The curve, and the example as a dot; axes are logarithmic where numbers are far apart."""
    x = _axis([point[0] for point in points], LEFT + 14, WIDTH - RIGHT, 20)
    y = _axis([point[1] for point in points], HEIGHT - BOTTOM, TOP + 14, 50)
    path = "L".join(f"{x.at(a):.1f} {y.at(b):.1f}" for a, b in points)
    dot = f'<circle class="dot" cx="{x.at(example.at[theorem.against]):.1f}" cy="{y.at(example.value):.1f}" r="3.4"/>'
    parts = [frame(x, y, x_label=theorem.against, y_label=theorem.gives), f'<path class="curve" d="M{path}"/>', dot]
    about = f"{theorem.gives}, over {theorem.against}."
    made = chart([_STYLE, *parts], height=HEIGHT, label=f"{theorem.name}: {theorem.title}", about=about)
    return str(made).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" width="600" ', 1)


def _axis(numbers: list[float], start: float, end: float, far: float) -> Axis:
    low, high = min(numbers), max(numbers)
    if low > 0 and high > far * low:
        return Axis(low, high, start, end, log=True)
    room = 0.04 * (high - low) or abs(high) / 2 or 1.0
    return Axis(low - room, high + room, start, end)


def _along(theorem: Theorem, name: str, at: float) -> list[float]:
    """Values of a letter around its example: three powers of ten to each side, within its limits."""
    letter = theorem.letters.get(name) or theorem.constants.get(name)
    low, high = (getattr(letter, side, None) for side in ("above", "below"))
    least, most = (getattr(letter, side, None) for side in ("least", "most"))
    first = max(at / 1e3, *(x for x in (low, least) if x is not None), 0) or at / 1e3
    last = min(at * 1e3, *(x for x in (high, most, math.inf) if x is not None))
    if getattr(letter, "power_of_two", False):
        return list(grid(theorem, name, f"{first}..{last}").values)
    if getattr(letter, "whole", False):
        last = min(last, 60 if at <= 20 else last)
        values = np.unique(np.geomspace(max(first, 1), max(last, 2), _POINTS).round())
        return [int(x) for x in values]
    if high == 1 and at >= 0.05:  # a share
        return [float(x) for x in np.linspace(0, 1, _POINTS + 1)[1:-1]]
    return [float(x) for x in np.geomspace(first * 1.0001, last * 0.9999, _POINTS)]


def _values(example: Bound, names) -> str:
    return ", ".join(f"{name} = {example.at[name]:g}" for name in names)


def _number(value: float) -> str:
    if math.isinf(value):
        return "too large to count"
    return f"{value:,}" if isinstance(value, int) and value < 10**9 else f"{value:.4g}"


def _text(text: str) -> str:
    """Prose of a record, in which nothing is Markdown but code."""
    return re.sub(r"([*_\[\]|\\])", r"\\\1", html.escape(text, quote=False))


def _cell(text: str) -> str:
    return _text(" ".join(text.split()))
