"""Records as JSON objects: one table of (key, how it is read, how it is written) for each, used in both directions.

A table reads strictly: exactly its keys, each of its kind. What a kind refuses is one sentence that names the member.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slth.ticket.format.fields import check_float, check_int, check_keys, check_list, check_text, fail

_HEX = 64
SIZE = 2**40  # no dimension is larger


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Kind:
    """How one member is read, with its place for the message, and written."""

    read: Callable[[Any, str], Any]
    write: Callable[[Any], Any] = _same


class Table:
    """The members of one JSON object."""

    def __init__(self, **kinds: Kind) -> None:
        self.kinds = kinds

    def read(self, data: Any, where: str) -> dict[str, Any]:
        """Every member, read.

        Raises:
            TicketError: other keys than these, or a member that its kind refuses.
        """
        members = check_keys(data, where, self.kinds)
        return {key: kind.read(members[key], f"{where}.{key}") for key, kind in self.kinds.items()}

    def write(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Plain data; `values` has exactly these keys."""
        if set(values) != set(self.kinds):
            raise KeyError(f"expected {sorted(self.kinds)}, got {sorted(values)}")
        return {key: kind.write(values[key]) for key, kind in self.kinds.items()}

    def write_record(self, record: Any, **more: Any) -> dict[str, Any]:
        """Plain data of a record whose attributes are called like the members; `more` says the other ones."""
        return self.write({key: getattr(record, key) for key in self.kinds if key not in more} | more)


def integer(low: int, high: int) -> Kind:
    """An integer in [low, high]; true and false are no integers."""
    return Kind(lambda value, where: check_int(value, where, low, high))


def number(low: float = float("-inf"), high: float = float("inf")) -> Kind:
    """A finite float in [low, high]; an integer is none."""
    return Kind(lambda value, where: check_float(value, where, low, high))


def text(most: int = 1000, least: int = 0) -> Kind:
    """A printable text."""
    return Kind(lambda value, where: check_text(value, where, most, least))


def one_of(*legal: str) -> Kind:
    """One of some texts."""

    def read(value: Any, where: str) -> str:
        if type(value) is not str or value not in legal:
            fail(where, f"one of {', '.join(legal)}", value)
        return value

    return Kind(read)


def fixed(expected: Any) -> Kind:
    """A member with one legal value."""

    def read(value: Any, where: str) -> Any:
        if type(value) is not type(expected) or value != expected:
            fail(where, repr(expected), value)
        return value

    return Kind(read)


def optional(kind: Kind) -> Kind:
    """The same, or null."""
    return Kind(
        lambda value, where: None if value is None else kind.read(value, where),
        lambda value: None if value is None else kind.write(value),
    )


def tuple_of(kind: Kind, most: int) -> Kind:
    """A list of at most so many members."""
    return Kind(
        lambda value, where: tuple(
            kind.read(item, f"{where}.{i}") for i, item in enumerate(check_list(value, where, most))
        ),
        lambda value: [kind.write(item) for item in value],
    )


def row_of(*kinds: Kind, expected: str) -> Kind:
    """A list of exactly these members."""

    def read(value: Any, where: str) -> tuple[Any, ...]:
        cells = check_list(value, where, len(kinds))
        if len(cells) != len(kinds):
            fail(where, expected, value)
        return tuple(kind.read(cell, f"{where}.{i}") for i, (kind, cell) in enumerate(zip(kinds, cells, strict=True)))

    return Kind(read, lambda value: [kind.write(cell) for kind, cell in zip(kinds, value, strict=True)])


def _read_flag(value: Any, where: str) -> bool:
    if type(value) is not bool:
        fail(where, "true or false", value)
    return value


def _read_object(value: Any, where: str) -> dict[str, Any]:
    if type(value) is not dict:
        fail(where, "an object", value)
    return value


def _read_seed(value: Any, where: str) -> int:
    digits = check_text(value, where, 100)
    if not digits.isascii() or not digits.isdecimal() or str(int(digits)) != digits:
        fail(where, "a decimal integer", digits)
    return int(digits)


def _read_digest(value: Any, where: str) -> str:
    digits = check_text(value, where, _HEX)
    if len(digits) != _HEX or set(digits) - set("0123456789abcdef"):
        fail(where, "64 hexadecimal digits", value)
    return digits


def _read_power_of_two(value: Any, where: str) -> float:
    gain = check_float(value, where, 2.0**-200, 2.0**200)
    if gain.hex().split("p")[0] != "0x1.0000000000000":
        fail(where, "a power of two", gain)
    return gain


def _read_bound(value: Any, where: str) -> float:
    """JSON writes 1.0 and 1 for the same number: integers that float64 holds exactly are numbers, too."""
    if type(value) is int and 0 <= value <= 2**53:
        value = float(value)
    return check_float(value, where, 0.0)


FLAG = Kind(_read_flag)
OBJECT = Kind(_read_object)
SEED = Kind(_read_seed, str)
DIGEST = Kind(_read_digest)
POWER_OF_TWO = Kind(_read_power_of_two)
BOUND = Kind(_read_bound)
ANY = Kind(lambda value, where: value)
