"""What the value of an argument can be, and how it is read: from the command line's text, or from Python."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from slth import _arguments
from slth._errors import InputError

_SHAPE = "784,500,10"

# Map by number, or by path or number as a text; output, input (None: the bias), tap (0 where it is left out).
WeightAt = tuple[int | str, int, int | None, int]


@dataclass(frozen=True, slots=True)
class Kind:
    """How the values of an argument look.

    Attributes:
        read: (name, value from Python) -> the value, or a refusal in one sentence.
        recipe: the type it has in the recipe of a sweep.
        typed: what the command line takes it for.
        parse: (flag, what was typed) -> what `read` takes.
        shown: what stands for it in the help; None: the type's own name.
        known: names that are known today; whoever uses them refuses others, since registries can grow.
        file: it names a file, or may.
    """

    read: Callable[[str, Any], Any]
    recipe: type
    typed: Any
    parse: Callable[[str, Any], Any] = lambda _, typed: typed
    shown: str | None = None
    known: tuple[str, ...] = ()
    file: bool = False


def real(example: str | None = None, *, above: _arguments.Limit = None, below: _arguments.Limit = None) -> Kind:
    """A finite number within limits."""
    return Kind(partial(_arguments.number, example=example, above=above, below=below), float, float, shown="NUMBER")


def whole(example: str | None = None, *, least: int | None = None, most: int | None = None) -> Kind:
    """A whole number within limits."""
    return Kind(partial(_arguments.whole, example=example, least=least, most=most), int, int, shown="N")


def one_of(*known: str) -> Kind:
    """A name, one of those known."""
    return Kind(_arguments.text, str, str, shown="NAME", known=known)


def _data(name: str, value: Any) -> str | Path:
    return value if isinstance(value, str) else _arguments.path(name, value)


def _files(name: str, value: Any) -> tuple[Path, ...]:
    listed = value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else [value]
    return tuple(_arguments.path(name, part) for part in listed)


def _pair(name: str, value: Any) -> tuple[float, float]:
    """Whoever uses the ends says why one that is not finite cannot be."""
    low, high = (
        end if isinstance(end, float) else _arguments.number(f"an end of {name}", end)
        for end in _arguments.pair(name, value, "(0, 1)")
    )
    return low, high


def _settings(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(f"{name} must map names to values, got {_arguments.shown(value)}")
    return value


def _name_or_several(name: str, value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else _arguments.names(name, value)


def _number_or_several(name: str, value: Any) -> float | tuple[float, ...]:
    found = _arguments.numbers(name, value)
    return found[0] if isinstance(value, float | int) else found


def _parse_number_or_several(flag: str, typed: str) -> float | tuple[float, ...]:
    found = _arguments.numbers_in(flag, typed)
    return found if "," in typed else found[0]


def _shape(name: str, value: Any) -> str | tuple[int, ...]:
    return _parse_shape(name, value) if isinstance(value, str) else _arguments.wholes(name, value, example=_SHAPE)


def _parse_shape(flag: str, typed: str) -> str | tuple[int, ...]:
    """Widths where a number or a comma says so, else a name."""
    if "," in typed or typed.strip()[:1] in ("", *"+-.0123456789"):
        return _arguments.wholes_in(flag, typed, example=_SHAPE)
    return typed


def _weight(name: str, value: Any) -> WeightAt:
    if isinstance(value, str):
        return _parse_weight(name, value)
    if not isinstance(value, Sequence) or len(value) not in (3, 4):
        raise InputError(f"{name} must be (map, output, input) or '0:3,17', got {_arguments.shown(value)}")
    place, output, source, *tap = value
    where = place if isinstance(place, str) else _arguments.whole(name, place, least=0)
    into = None if source is None else _arguments.whole(name, source, least=0)
    return where, _arguments.whole(name, output, least=0), into, _arguments.whole(name, [*tap, 0][0], least=0)


def _parse_weight(flag: str, typed: str) -> WeightAt:
    match = re.fullmatch(r"([^:]{1,1000}):(\d{1,9}),(\d{1,9}|bias)(?:,(\d{1,9}))?", typed)
    if match is None:
        raise InputError(
            f"{flag} takes MAP:OUT,IN or MAP:OUT,IN,TAP counted from 0, such as 0:3,17 or conv1:3,17,4 or 0:3,bias; "
            f"got {typed!r}"
        )
    place, output, source, tap = match.groups()
    return place, int(output), None if source == "bias" else int(source), int(tap or 0)


TRUTH = Kind(_arguments.truth, bool, bool)
TEXT = one_of()
FILE = Kind(_arguments.path, str, Path, shown="FILE", file=True)
FILES = Kind(_files, list, list[Path], lambda _, typed: tuple(typed), file=True)
DATA = Kind(_data, str, str, shown="NAME", file=True)  # the name of a data set, or a file
PAIR = Kind(_pair, list, str, partial(_arguments.numbers_in, count=2, example="0,1"), "LO,HI")
DENSITY = Kind(
    _number_or_several, tuple, str, _parse_number_or_several, "NUMBER,..."
)  # a recipe's tuple: one, or a list
NUMBERS = Kind(_arguments.numbers, list, str, _arguments.numbers_in, "NUMBER,...")  # one, or one for each channel
WHOLES = Kind(_arguments.wholes, list, str, _arguments.wholes_in, "N,...")
SHAPE = Kind(_shape, str, str, _parse_shape, "N,N,...")  # widths, or the name of a network
NAMES = Kind(_arguments.names, list, str, lambda _, typed: _arguments.names_in(typed), "NAME,...")
TEXTS = Kind(_name_or_several, list, list[str], lambda _, typed: tuple(typed), "NAME")
DENSITIES = Kind(_arguments.pairs, str, str, _arguments.pairs_in, "NAME=NUMBER,...")
SETTINGS = Kind(_settings, dict, list[str], _arguments.settings_in, "KEY=VALUE")
WEIGHT = Kind(_weight, str, str, _parse_weight, "MAP:OUT,IN[,TAP]")  # input may be `bias`, in Python None
