"""The map, and a page with a curve for every theorem: all of it comes from `slth.theory.THEOREMS`."""

import math
import re
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

SOURCE = Path(__file__).resolve().parents[2] / "src"
if str(SOURCE) not in sys.path:
    sys.path.insert(0, str(SOURCE))

from slth import InputError  # noqa: E402
from slth.reporting import picture_bytes  # noqa: E402
from slth.theory import REFERENCES, THEOREMS, Bound, Direction, Theorem  # noqa: E402

GROUPS = {
    Direction.SUFFICIENT: ("Enough", "With so much it is done."),
    Direction.NECESSARY: ("Needed", "With less it cannot be done."),
    Direction.EXPECTED: ("Estimates", "They prove nothing either way."),
}
_TRIED = (0.01, 0.1, 0.5, 10, 100, 3, 2, 1, 1000, 5, 20, 1e-3, 50, 1e4, 1e6)  # typical values, the first that fits is taken
_POINTS = 80


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
        example = example_of(theorem)
        curve = None if example is None else _curve(theorem, example)
        made[f"theory/{theorem.name}.md"] = _page(theorem, example, drawn=curve is not None)
        if curve is not None:
            made[f"theory/{theorem.name}.svg"] = curve
    return made


def example_of(theorem: Theorem) -> Bound | None:
    """The theorem at typical values: its defaults, and for each letter without one the first number that it takes."""
    open_letters = [name for name, letter in theorem.letters.items() if letter.default is None]
    choices = [_fitting(theorem, name) for name in open_letters]
    for values in _combinations(choices):
        try:
            return theorem(**dict(zip(open_letters, values, strict=True)))
        except InputError:
            continue
    return None


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
    return found[:6]


def _combinations(choices: list[list[float]]):
    """The first of all, then more and more of others."""
    ranks = np.array(np.meshgrid(*[range(len(listed)) for listed in choices], indexing="ij")).reshape(len(choices), -1)
    for column in sorted(ranks.T.tolist(), key=sum) if choices else [[]]:
        yield [listed[i] for listed, i in zip(choices, column, strict=True)]


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
            f"| [{theorem.name}]({theorem.name}.md) | {_cell(theorem.title)} | {_cost(theorem)} | {_cell(_distance(theorem))} |"
            for theorem in _of(direction)
        ]
        head = "| theorem | what it says | what it costs | beside measurement |\n| --- | --- | --- | --- |"
        parts.append(f"## {title}\n\n{about}\n\n{head}\n" + "\n".join(rows))
    return "\n\n".join(parts) + "\n"


def _cost(theorem: Theorem) -> str:
    example = example_of(theorem)
    if example is None:
        return _cell(theorem.gives)
    marks = {constant.standing.name.lower() for constant in theorem.constants.values()} - {"given", "derived"}
    marked = f", with {' and '.join(sorted(marks))} constants" if marks else ""
    return f"{_cell(theorem.gives)}: **{_number(example.value)}** at {_values(example, theorem.letters)}{marked}"


def _distance(theorem: Theorem) -> str:
    return getattr(theorem, "measured", "") or "not measured here"


def _page(theorem: Theorem, example: Bound | None, *, drawn: bool) -> str:
    source = REFERENCES[theorem.sources[0]] if theorem.sources else None
    where = f"{theorem.place}. " if theorem.place else ""
    parts = [
        f"# {theorem.name}",
        f"*{theorem.title[:1].upper()}{theorem.title[1:]}.*",
        _text(theorem.says),
        f"**{theorem.direction.value.capitalize()}.** It gives {theorem.gives}.",
    ]
    if drawn and example is not None:
        fixed = {name: theorem.letters[name] for name in theorem.letters if name != theorem.against}
        at = f" at {_values(example, fixed)}" if fixed else ""
        parts.append(f"![{theorem.gives} over {theorem.against}]({theorem.name}.svg)")
        parts.append(f"*{_text(theorem.gives)}, over {theorem.against}{at}.*")
    if example is not None:
        call = ", ".join(f"{name}={example.at[name]:g}" for name in theorem.letters)
        shown = f'slth.theory.bound("{theorem.name}", {call}).value  # {_number(example.value)}'
        parts.append(f"```python\n{shown}\n```")
    parts += _table("What is given", ("letter", "meaning", "limits", "default"), _letters(theorem))
    parts += _table("Constants", ("constant", "meaning", "here", "standing", "note"), _constants(theorem))
    parts += _bullets("It assumes", [_assumption(one) for one in theorem.assumes])
    forms = [f"**{one.name}**: {_text(one.why)}{_form(one.name, example)}" for one in theorem.variants]
    parts += _bullets("Other forms in print", forms)
    parts += _said("What to know", theorem.note)
    parts += _said("Beside measurement", getattr(theorem, "measured", ""))
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
    for x in _along(theorem, name, example.at[name]):
        try:
            value = theorem(**{**example.at, name: x}).value
        except InputError:
            continue
        if math.isfinite(value):
            xs.append(x)
            ys.append(value)
    if len(set(xs)) < 2:
        return None
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axes = figure.add_subplot()
    style = "steps-mid" if all(isinstance(y, int) for y in ys) and max(ys) < 200 else "default"
    axes.plot(xs, ys, color="#2a6fbb", linewidth=1.8, drawstyle=style)
    axes.plot([example.at[name]], [example.value], "o", color="#c2334a")
    axes.set_xlabel(name)
    axes.set_ylabel(theorem.gives if len(theorem.gives) <= 48 else theorem.gives.partition(",")[0])
    if min(xs) > 0 and max(xs) > 20 * min(xs):
        axes.set_xscale("log")
    if min(ys) > 0 and max(ys) > 50 * min(ys):
        axes.set_yscale("log")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    return picture_bytes(figure, "svg", title=f"{theorem.name}: {theorem.title}", about=f"{theorem.gives} over {name}.")


def _along(theorem: Theorem, name: str, at: float) -> list[float]:
    """Values of a letter around its example: three powers of ten to each side, within its limits."""
    letter = theorem.letters.get(name) or theorem.constants.get(name)
    low, high = (getattr(letter, side, None) for side in ("above", "below"))
    least, most = (getattr(letter, side, None) for side in ("least", "most"))
    first = max(at / 1e3, *(x for x in (low, least) if x is not None), 0) or at / 1e3
    last = min(at * 1e3, *(x for x in (high, most, math.inf) if x is not None))
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
        return "nothing suffices"
    return f"{value:,}" if isinstance(value, int) and value < 10**9 else f"{value:.4g}"


def _text(text: str) -> str:
    """Prose of a record, in which nothing is Markdown."""
    return re.sub(r"([*_<>\[\]|\\])", r"\\\1", text)


def _cell(text: str) -> str:
    return _text(" ".join(text.split()))
