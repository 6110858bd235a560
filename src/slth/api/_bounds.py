"""What the theorems say at some values: a list, a number, a table, a curve."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slth import _arguments
from slth._errors import InputError
from slth._files import check_writable
from slth.theory import THEOREMS, Bound, Grid, Theorem, Unit, grid, is_grid

__all__ = ["Bounds", "Series", "bounds"]

MOST_SERIES = 8


@dataclass(frozen=True, slots=True)
class Series:
    """One theorem along the values of a letter; one point if no letter has several.

    Attributes:
        label: the theorem's name, and what distinguishes it from others of the same name.
        points: in the order of the values.
        needs: where there are no points: the letters that have to be given.
    """

    label: str
    theorem: Theorem
    points: tuple[Bound, ...]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bounds:
    """What `bounds` found.

    Attributes:
        series: one for each theorem, and for each value of a second letter.
        over: the letter that has several values; None: there is one point each.
        logarithmic: whether its values are best drawn so.
        unit: what the numbers of a table or picture count, if they can be compared.
        picture: where it was drawn.
    """

    series: tuple[Series, ...]
    over: str | None = None
    logarithmic: bool = False
    unit: Unit | None = None
    picture: Path | None = None

    @property
    def value(self) -> float:
        """The number of the only bound; infinity where it is too large to count.

        Raises:
            InputError: there are several, or none.
        """
        points = [point for series in self.series for point in series.points]
        if not points and len(self.series) == 1:
            raise InputError(f"{self.series[0].label} needs {', '.join(self.series[0].needs)}; give them as keywords")
        if len(points) != 1:
            raise InputError(f"a value is of one bound at one place, got {len(points)}; read series, or ask for one")
        return points[0].value

    def number(self, point: Bound) -> float:
        """The number of a point in the unit of all."""
        found = point.value if self.unit is None else point.measured_in(self.unit)
        return math.nan if found is None else found

    def as_data(self) -> dict[str, Any]:
        """Plain data for JSON; infinity is null."""
        if self.over is None and len(self.series) == 1 and self.series[0].points:
            return {**_described(self.series[0].theorem), **self.series[0].points[0].as_data()}
        listed = [
            {
                "label": series.label,
                **_described(series.theorem),
                "needs": list(series.needs),
                "points": [point.as_data() for point in series.points],
            }
            for series in self.series
        ]
        return {"over": self.over, "unit": None if self.unit is None else self.unit.value, "series": listed}


def bounds(names: str | Sequence[str] | None = None, *, out: str | Path | None = None, **values: Any) -> Bounds:
    """What theorems say at some values, with assumptions, constants and sources: never a bare number.

    Args:
        names: of one theorem, or of several that share a table or picture; None: all, with the numbers of those that
            the values are enough for.
        out: draw the curves, `.svg`, `.png` or `.pdf`.
        values: the letters and constants of the theorems, d=10, epsilon=0.01; without any there is no number. One
            letter may have several values, epsilon=[0.1, 0.01], or a range, epsilon="1e-1..1e-6" or n="10..40"; a few
            values of a second one make a curve for each.

    Raises:
        InputError: an unknown theorem or letter, a letter that is missing, a violated assumption, an impossible grid,
            numbers that cannot stand in one picture.

    >>> import slth
    >>> slth.bounds("single", tolerance=0.05).value
    67
    >>> [point.value for point in slth.bounds("first-moment", epsilon=[0.1, 0.01]).series[0].points]
    [4, 8]
    """
    place = None if out is None else _arguments.path("out", out)
    if place is not None:
        from slth.reporting import check_picture_name

        check_picture_name(place)
        check_writable(place)
    if names is None:
        found = _list(values)
    else:
        listed = (names,) if isinstance(names, str) else _arguments.names("names", names)
        asked = [THEOREMS[_arguments.one_of(name, THEOREMS, "bound")] for name in dict.fromkeys(listed)]
        found = _ask(asked, values)
    if place is None:
        return found
    if found.over is None:
        raise InputError("a picture needs a letter with several values: epsilon=1e-1..1e-6, or n=10,20,30")
    from slth.reporting import draw_bounds

    draw_bounds(found, place)
    return Bounds(found.series, found.over, found.logarithmic, found.unit, place)


def _list(values: Mapping[str, Any]) -> Bounds:
    """Every theorem, with its number where the values are enough for it and within its limits."""
    _check_known(list(THEOREMS.values()), values)
    several = [name for name, given in values.items() if is_grid(given)]
    if several:
        raise InputError(f"{several[0]} has several values, which a list does not show; name the bounds")
    series: list[Series] = []
    for theorem in THEOREMS.values():
        needs = tuple(name for name in _needs(theorem) if name not in values)
        points: tuple[Bound, ...] = ()
        if values and not needs:
            try:
                points = (theorem(**_own(theorem, values)),)
            except InputError:  # beyond its limits or assumptions: its own page says it
                points = ()
        series.append(Series(theorem.name, theorem, points, needs))
    return Bounds(tuple(series))


def _ask(asked: Sequence[Theorem], values: Mapping[str, Any]) -> Bounds:
    if not asked:
        raise InputError("expected the name of a bound; without a name all are listed")
    _check_known(asked, values)
    if not values and any(_needs(theorem) for theorem in asked):
        return Bounds(tuple(Series(theorem.name, theorem, (), _needs(theorem)) for theorem in asked))
    grids = _grids(asked, values)
    joined = [name for name, found in grids.items() if found.joined]
    if len(joined) > 1:
        raise InputError(
            f"{' and '.join(joined)} are ranges, and one picture shows one; give a few values of the other, such as "
            f"{joined[1]}={','.join(f'{x:g}' for x in _few(grids[joined[1]].values))}"
        )
    if len(grids) > 2:
        raise InputError(
            f"{', '.join(grids)} have several values, and a table shows two of them; give one value of others"
        )
    over = joined[0] if joined else max(grids, key=lambda name: len(grids[name].values), default=None)
    second = next((name for name in grids if name != over), None)
    picked: Sequence[Any] = (None,) if second is None else grids[second].values
    if len(asked) * len(picked) > MOST_SERIES:
        raise InputError(f"{len(asked) * len(picked)} curves are too many to tell apart; give at most {MOST_SERIES}")
    series: list[Series] = []
    for theorem in asked:
        for value in picked:
            fixed = {**values, **({} if second is None else {second: value})}
            label = theorem.name if second is None else f"{theorem.name}, {second} = {value:g}"
            at: Sequence[Any] = (None,) if over is None else grids[over].values
            points = [theorem(**_own(theorem, {**fixed, **({} if over is None else {over: x})})) for x in at]
            series.append(Series(label, theorem, tuple(points)))
    logarithmic = over is not None and grids[over].logarithmic
    return Bounds(tuple(series), over, logarithmic, _shared_unit(asked) if len(asked) > 1 else asked[0].unit)


def _grids(asked: Sequence[Theorem], values: Mapping[str, Any]) -> dict[str, Grid]:
    """The letters with several values, as all theorems that have them take them."""
    found: dict[str, Grid] = {}
    for name, given in values.items():
        if is_grid(given):
            owners = [theorem for theorem in asked if name in theorem.letters or name in theorem.constants]
            found[name] = [grid(theorem, name, given) for theorem in owners][-1]
    if found and len(asked) > 1:
        for theorem in asked:
            lacking = [name for name in found if name not in theorem.letters and name not in theorem.constants]
            if lacking:
                raise InputError(f"{theorem.name} has no {lacking[0]}, over which the others are shown; leave one out")
    return found


def _shared_unit(asked: Sequence[Theorem]) -> Unit:
    """The first unit that every theorem has a number in."""
    units = [(theorem.unit, *theorem.also) for theorem in asked]
    shared = [unit for unit in units[0] if unit is not Unit.OTHER and all(unit in others for others in units)]
    if not shared:
        counted = "; ".join(f"{theorem.name}: {theorem.unit.value}" for theorem in asked)
        raise InputError(
            f"these bounds count different things ({counted}) and cannot stand side by side; ask one by one"
        )
    return shared[0]


def _check_known(asked: Sequence[Theorem], values: Mapping[str, Any]) -> None:
    known = {name for theorem in asked for name in (*theorem.letters, *theorem.constants)}
    for name in values:
        _arguments.one_of(name, known, f"letter of {asked[0].name}" if len(asked) == 1 else "letter")


def _own(theorem: Theorem, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in theorem.letters or name in theorem.constants}


def _needs(theorem: Theorem) -> tuple[str, ...]:
    """The letters without a default."""
    return tuple(name for name, letter in theorem.letters.items() if letter.default is None)


def _few(values: Sequence[Any]) -> list[Any]:
    return [values[0], values[len(values) // 2], values[-1]]


def _described(theorem: Theorem) -> dict[str, Any]:
    return {
        "bound": theorem.name,
        "title": theorem.title,
        "says": theorem.says,
        "gives": theorem.gives,
        "unit": theorem.unit.value,
        "direction": theorem.direction.name.lower(),
        "letters": {name: letter.meaning for name, letter in theorem.letters.items()},
        "sources": list(theorem.sources),
        "place": theorem.place,
        "note": theorem.note,
        "measured": theorem.measured,
    }
