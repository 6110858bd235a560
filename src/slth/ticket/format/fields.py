"""Strict reading of JSON from strangers: every field is checked for its type and range before anything uses it."""

import json
import math
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any, NoReturn

from slth._errors import InputError


class TicketError(InputError):
    """The file is not a ticket this version can read."""


class UnknownKeysError(TicketError):
    """An object has keys that this version does not know: a mistake, or of a later `slth`."""


@contextmanager
def as_ticket_errors(most: int = 400) -> Generator[None]:
    """What a record's own check refuses, in at most so many characters."""
    try:
        yield
    except TicketError:
        raise
    except InputError as error:
        raise TicketError(str(error)[:most]) from error


def justified(work: int, stored: int) -> bool:
    """A file may ask its reader for 2²⁸ units of work, or 2,048 for each byte it stores. Plain bits always fit."""
    return work <= max(1 << 28, 2048 * stored)


def parse(text: str | bytes, what: str) -> Any:
    """JSON without duplicate keys, NaN, infinity or bottomless nesting."""
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except TicketError as error:
        raise TicketError(f"{what}: {error}") from error
    except (ValueError, RecursionError) as error:
        raise TicketError(f"{what} is not valid JSON ({type(error).__name__})") from error


def canonical(data: Any) -> str:
    """The one JSON text of some plain data: sorted keys, no spaces, shortest exact floats, ASCII."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True)


def check_keys(data: Any, where: str, keys: Iterable[str], *, beside: Iterable[str] = ()) -> dict[str, Any]:
    """An object with exactly these keys, and perhaps some of those beside.

    Raises:
        UnknownKeysError: it has others.
        TicketError: it is none, or lacks some.
    """
    if not isinstance(data, dict):
        fail(where, "an object", data)
    wanted, given = set(keys), set(data)
    if wanted <= given <= wanted | set(beside):
        return data
    named = ", ".join(sorted(wanted)) or "(none)"
    kind = TicketError if given <= wanted | set(beside) else UnknownKeysError
    raise kind(f"{where}: expected the keys {named}; got {repr(sorted(data))[:200]}")


def check_int(value: Any, where: str, low: int, high: int) -> int:
    """An integer in [low, high]; true and false are none."""
    if type(value) is not int or not low <= value <= high:
        fail(where, f"an integer from {low} to {high}", value)
    return value


def check_float(value: Any, where: str, low: float = -math.inf, high: float = math.inf) -> float:
    """A finite floating-point number in [low, high]; an integer is none."""
    if type(value) is not float or not (math.isfinite(value) and low <= value <= high):
        fail(where, f"a floating-point number from {low:g} to {high:g}", value)
    return value


def check_text(value: Any, where: str, most: int = 1000, least: int = 0) -> str:
    """A text that can be shown and stored anywhere: no control characters, no lone surrogates."""
    if type(value) is not str or not least <= len(value) <= most or not value.isprintable():
        fail(where, f"a printable text of {f'{least} to' if least else 'at most'} {most} characters", value)
    return value


def check_list(value: Any, where: str, most: int) -> list[Any]:
    """A list of at most so many members."""
    if type(value) is not list or len(value) > most:
        fail(where, f"a list of at most {most} members", value)
    return value


def fail(where: str, expected: str, got: object) -> NoReturn:
    """Refuse a member.

    Raises:
        TicketError: always; where it stands, what was expected, what is there.
    """
    text = repr(got) if not isinstance(got, (dict, list)) else type(got).__name__
    raise TicketError(f"{where}: expected {expected}; got {text[:80]}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise TicketError("a key stands twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise TicketError(f"{name} is no number")
