"""`slth bounds`: what the theorems say, as a list, a number, a table or a curve."""

import json
import math

from slth import api
from slth.cli import _print
from slth.records import verbs

_MOST_ROWS = 16  # of a table; a curve has more points, and --json all


def run(asked: verbs.Bounds) -> int:
    """Print what was asked for."""
    found = api.bounds(asked.names, out=asked.out, **(asked.setting or {}))
    if asked.as_json:
        print(json.dumps(found.as_data(), allow_nan=False))
    elif asked.names is None:
        _list(found)
    elif found.over is None and (len(found.series) == 1 or not all(series.points for series in found.series)):
        for series in found.series:
            _page(series)
    else:
        _table(found)
    if found.picture is not None:
        _print.note(f"wrote {found.picture}", asked.quiet)
    return 0


def written(x: float) -> str:
    """A number for people.

    >>> written(1234567.2), written(0.00012345), written(float("inf")), written(2.5)
    ('1,234,567', '0.0001234', 'too large to count', '2.5')
    """
    if math.isinf(x):
        return "too large to count"
    if isinstance(x, int) or float(x).is_integer() or abs(x) >= 1000:
        return f"{x:,.0f}" if abs(x) < 1e15 else f"{float(x):.4g}"
    return f"{x:.4g}"


def _list(found: api.Bounds) -> None:
    """In three groups: what is enough, what is necessary, what is estimated."""
    groups: dict[str, list[tuple[str, str]]] = {}
    asked = any(series.points for series in found.series)
    for series in found.series:
        theorem = series.theorem
        form = ", form alone" if theorem.unknown else ""
        number = f": {written(series.points[0].value)} = {theorem.gives}{form}" if series.points else ""
        lacking = f" (needs {', '.join(series.needs)})" if asked and series.needs else ""
        rows = groups.setdefault(theorem.direction.value, [])
        rows.append((theorem.name, f"{theorem.title}{number}{lacking}"))
    for direction, rows in groups.items():
        _print.columns(direction, rows)


def _page(series: api.Series) -> None:
    """All that is known of one theorem, and its number if its letters were given."""
    theorem = series.theorem
    rows: list[tuple[str, str]] = [("", theorem.says)]
    for point in series.points:
        rows.append(("at", ", ".join(f"{name} = {value:g}" for name, value in point.at.items())))
        rows.append(("number", f"{written(point.value)}: {theorem.gives}"))
        rows += [("", f"{written(value)}: {unit.value}") for unit, value in point.also.items()]
    if not series.points:
        given = " ".join(f"{name}=VALUE" for name in series.needs)
        rows.append(("number", f"{theorem.gives}; give --set {given}"))
    rows.append(("direction", theorem.points))
    for name, letter in theorem.letters.items():
        default = "" if letter.default is None else f" ({_default(letter.default)} if not said)"
        rows.append(("letter", f"{name}: {letter.meaning}{default}"))
    for name, constant in theorem.constants.items():
        note = f" ({constant.note})" if constant.note else ""
        rows.append(("constant", f"{name}: {constant.meaning}; {constant.standing.value}: {constant.value:g}{note}"))
    rows += [("assumes", assumption.says) for assumption in theorem.assumes]
    for variant in theorem.variants:
        number = "".join(f"{written(point.others[variant.name])}; " for point in series.points)
        rows.append(("variant", f"{variant.name}: {number}{variant.why}"))
    rows += [(name, text) for name, text in (("note", theorem.note), ("measured", theorem.measured)) if text]
    rows.append(("source", ", ".join((*theorem.sources, theorem.place or "derived here"))))
    _print.columns(f"{theorem.name}: {theorem.title}", rows)


def _default(value: float | str) -> str:
    return f"as {value}" if isinstance(value, str) else f"{value:g}"


def _table(found: api.Bounds) -> None:
    """A row for each value, a column for each bound, in one unit; without such a letter a row for each bound."""
    unit = "" if found.unit is None else f": {found.unit.value}"
    if found.over is None:
        rows = [
            (series.label, f"{written(found.number(series.points[0]))} ({series.theorem.points})")
            for series in found.series
        ]
        _print.columns(f"bounds{unit}", rows)
        return
    head = [found.over, *(series.label for series in found.series)]
    count = len(found.series[0].points)
    shown = range(count) if count <= _MOST_ROWS else [i * (count - 1) // (_MOST_ROWS - 1) for i in range(_MOST_ROWS)]
    cells = [
        [f"{found.series[0].points[i].at[found.over]:.6g}", *(written(found.number(s.points[i])) for s in found.series)]
        for i in shown
    ]
    widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
    print(f"{', '.join(dict.fromkeys(series.theorem.name for series in found.series))}{unit}")
    for row in (head, *cells):
        print("  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)))
    for theorem in {series.theorem.name: series.theorem for series in found.series}.values():
        print(f"{theorem.name}: {theorem.points}")
