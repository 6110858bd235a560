"""Several values of a letter at once: a list such as 0.1,0.01, or a range such as 1e-1..1e-6 or 10..40."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slth import _arguments
from slth._errors import InputError
from slth.theory._theorem import Letter, Number, Theorem

MOST_POINTS = 500  # of a table or a curve
_PER_DECADE = 10
_LINEAR = 41  # points of a range that is not of logarithms
_FAR = 10.0  # times as far apart as its nearest end a range is one of logarithms


@dataclass(frozen=True, slots=True)
class Grid:
    """The values of one letter, in their order; `logarithmic` says how a range is drawn, `joined` that it is one."""

    letter: str
    values: tuple[Number, ...]
    joined: bool
    logarithmic: bool


def is_grid(given: Any) -> bool:
    """Whether a value is several ones: a list, or a text with a comma or two dots.

    >>> is_grid("1e-1..1e-6"), is_grid([0.1, 0.2]), is_grid(0.1), is_grid("0.1")
    (True, True, False, False)
    """
    if isinstance(given, str):
        return ".." in given or "," in given
    return isinstance(given, Sequence) or getattr(given, "ndim", 0) > 0


def grid(theorem: Theorem, name: str, given: Any) -> Grid:
    """The values of a letter or a constant of a theorem that a list or a range names.

    Raises:
        InputError: no such letter, an end or a value out of its limits, an empty or reversed range, too many points.
    """
    _arguments.one_of(name, (*theorem.letters, *theorem.constants), f"letter of {theorem.name}")
    letter = theorem.letters.get(name) or Letter(meaning="", above=0)
    if isinstance(given, str) and ".." in given:
        return _range(letter, name, given)
    listed = [float(x) for x in _arguments.numbers_in(name, given)] if isinstance(given, str) else list(given)
    if not listed:
        raise InputError(
            f"{name} must be a number, several, or a range such as 0.1..0.001, got {_arguments.shown(given)}"
        )
    if len(listed) > MOST_POINTS:
        raise InputError(f"{name} must be at most {MOST_POINTS} values, got {len(listed):,}; give a range or fewer")
    values = tuple(letter.read(name, x) for x in listed)
    return Grid(name, values, joined=False, logarithmic=_far(min(values), max(values)))


def _range(letter: Letter, name: str, given: str) -> Grid:
    ends = given.split("..")
    expected = f"{name} takes a range such as {'10..40' if letter.whole else '1e-1..1e-6'}; got {given!r}"
    try:
        first, last = (float(end) for end in ends)
    except ValueError as error:
        raise InputError(expected) from error
    if letter.power_of_two and 0 < min(first, last) <= max(first, last) < math.inf:
        return _powers_of_two(letter, name, first, last)
    low, high = letter.read(name, first), letter.read(name, last)
    if low == high:
        raise InputError(f"{expected}, which is one value; give it alone")
    if not letter.whole:
        log = _far(low, high)
        return Grid(name, tuple(_between(float(low), float(high), log)), joined=True, logarithmic=log)
    if low > high:
        raise InputError(f"{expected}, which is reversed; try {name}={high:g}..{low:g}")
    far = _far(low, high)
    if high - low < MOST_POINTS // 2:
        return Grid(name, tuple(range(int(low), int(high) + 1)), joined=True, logarithmic=far)
    values = dict.fromkeys(round(x) for x in _between(float(low), float(high), far))
    return Grid(name, tuple(values), joined=True, logarithmic=far)


def _powers_of_two(letter: Letter, name: str, first: float, last: float) -> Grid:
    """Those between the ends, which need be none."""
    lowest, highest = math.ceil(math.log2(min(first, last))), math.floor(math.log2(max(first, last)))
    if lowest >= highest:
        raise InputError(f"{name} takes powers of two, and fewer than two are in {first:g}..{last:g}; try 0.5..1e-6")
    every = -(-(highest - lowest + 1) // MOST_POINTS)
    values = tuple(letter.read(name, 2.0**exponent) for exponent in range(lowest, highest + 1, every))
    return Grid(name, values if first < last else values[::-1], joined=True, logarithmic=_far(values[0], values[-1]))


def _far(low: Number, high: Number) -> bool:
    low, high = min(low, high), max(low, high)
    return low > 0 and high >= _FAR * low


def _between(first: float, last: float, logarithmic: bool) -> list[float]:
    """Evenly, both ends included; of logarithms ten for each power of ten, at least 12."""
    if not logarithmic:
        return [first + (last - first) * i / (_LINEAR - 1) for i in range(_LINEAR - 1)] + [last]
    decades = abs(math.log10(last) - math.log10(first))
    steps = min(MOST_POINTS - 1, max(12, round(_PER_DECADE * decades)))
    inner = [10 ** (math.log10(first) + (math.log10(last) - math.log10(first)) * i / steps) for i in range(1, steps)]
    return [first, *(float(f"{x:.12g}") for x in inner), last]
