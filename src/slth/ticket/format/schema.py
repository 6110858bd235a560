"""Records as JSON objects: one table of (key, how it is read, how it is written) for each, used in both directions.

A table reads strictly: exactly its keys, each of its kind. What a kind refuses is one sentence that names the member.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from slth._errors import InputError
from slth.ticket.format.fields import TicketError, check_float, check_int, check_keys, check_list, check_text, fail

_HEX = 64
SIZE = 2**40  # no dimension is larger, no array has more numbers


_ALWAYS = object()


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Kind:
    """How one member is read, with its place for the message, and written; one with a default is left out there."""

    read: Callable[[Any, str], Any]
    write: Callable[[Any], Any] = _same
    default: Any = _ALWAYS

    def leaves_out(self, value: Any) -> bool:
        """Nothing is written of such a value."""
        return self.default is not _ALWAYS and type(value) is type(self.default) and value == self.default


def joined(kind: Kind, default: Any) -> Kind:
    """A member that joined after its object was frozen: written only where it differs from its default, so that what
    was written before keeps its bytes, and a reader of before refuses only what it cannot know.

    >>> table = Table(width=integer(1, 9), lift=joined(name_of("relu", "linear"), "relu"))
    >>> table.read({"width": 3}, "gadget"), table.write({"width": 3, "lift": "linear"})
    ({'width': 3, 'lift': 'relu'}, {'width': 3, 'lift': 'linear'})
    """

    def read(value: Any, where: str) -> Any:
        found = kind.read(value, where)
        if made.leaves_out(found):
            fail(where, f"no such key where it is {default!r}", value)
        return found

    made = Kind(read, kind.write, default)
    return made


class Table:
    """The members of one JSON object."""

    def __init__(self, **kinds: Kind) -> None:
        self.kinds = kinds
        self.always = tuple(key for key, kind in kinds.items() if kind.default is _ALWAYS)

    def read(self, data: Any, where: str) -> dict[str, Any]:
        """Every member, read.

        Raises:
            TicketError: other keys than these, or a member that its kind refuses.
        """
        given = check_keys(data, where, self.always, beside=self.kinds)
        return {
            key: kind.read(given[key], f"{where}.{key}") if key in given else kind.default
            for key, kind in self.kinds.items()
        }

    def write(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Plain data; `values` has exactly these keys."""
        if set(values) != set(self.kinds):
            raise KeyError(f"expected {sorted(self.kinds)}, got {sorted(values)}")
        return {key: kind.write(values[key]) for key, kind in self.kinds.items() if not kind.leaves_out(values[key])}

    def write_record(self, record: Any, **more: Any) -> dict[str, Any]:
        """Plain data of a record whose attributes are called like the members; `more` says the other ones."""
        return self.write({key: getattr(record, key) for key in self.kinds if key not in more} | more)


@runtime_checkable
class Members(Protocol):
    """What some members of an object stand for."""

    def read(self, data: Any, where: str) -> Any: ...
    def write(self, record: Any) -> dict[str, Any]: ...


class Record:
    """A record whose attributes are the members."""

    def __init__(self, make: Callable[..., Any], **kinds: Kind) -> None:
        self.make, self.table = make, Table(**kinds)

    def read(self, data: Any, where: str) -> Any:
        """The record.

        Raises:
            TicketError: as `Table.read`; or what the record itself refuses.
        """
        members = self.table.read(data, where)
        try:
            return self.make(**members)
        except InputError as error:
            raise TicketError(f"{where}: {error}") from error

    def write(self, record: Any) -> dict[str, Any]:
        """Plain data."""
        return self.table.write_record(record)


class Choice:
    """Objects of several kinds, a closed vocabulary: one member names the kind, which says what the others are.

    Args:
        key: the member.
        kind_of: the name of a record's kind.
    """

    def __init__(self, key: str, kinds: Mapping[str, Members], *, kind_of: Callable[[Any], str]) -> None:
        self.key, self.kinds, self.kind_of = key, kinds, kind_of
        self.name = name_of(*kinds)

    def read(self, data: Any, where: str) -> Any:
        """What the members stand for."""
        if type(data) is not dict:
            fail(where, "an object", data)
        name = self.name.read(data.get(self.key), f"{where}.{self.key}")
        return self.kinds[name].read({key: value for key, value in data.items() if key != self.key}, where)

    def write(self, record: Any) -> dict[str, Any]:
        """Plain data."""
        name = self.kind_of(record)
        return {self.key: name, **self.kinds[name].write(record)}


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


def name_of(*known: str) -> Kind:
    """A name of a closed vocabulary, which later versions may add to."""

    def read(value: Any, where: str) -> str:
        if type(value) is not str:
            fail(where, f"one of {', '.join(known)}", value)
        if value not in known:
            names = ", ".join(known)
            raise TicketError(f"{where}: {ascii(value)[:80]} is not known to this slth: update slth; it knows {names}")
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


def whole(table: "Table | Record | Choice") -> Kind:
    """An object of its own."""
    return Kind(table.read, table.write)


def tuple_of(kind: Kind, most: int) -> Kind:
    """A list of at most so many members."""
    return Kind(
        lambda value, where: tuple(
            kind.read(item, f"{where}.{i}") for i, item in enumerate(check_list(value, where, most))
        ),
        lambda value: [kind.write(item) for item in value],
    )


def array_shape(least: int) -> Kind:
    """A shape of at most 8 axes, none shorter than `least`."""

    def read(value: Any, where: str) -> tuple[int, ...]:
        found = tuple(check_int(size, where, least, SIZE) for size in check_list(value, where, 8))
        if math.prod(max(size, 1) for size in found) > SIZE:
            fail(where, f"at most {SIZE:,} numbers", value)
        return found

    return Kind(read, list)


def row_of(*kinds: Kind, expected: str) -> Kind:
    """A list of exactly these members."""

    def read(value: Any, where: str) -> tuple[Any, ...]:
        cells = check_list(value, where, len(kinds))
        if len(cells) != len(kinds):
            fail(where, expected, value)
        return tuple(kind.read(cell, f"{where}.{i}") for i, (kind, cell) in enumerate(zip(kinds, cells, strict=True)))

    return Kind(read, lambda value: [kind.write(cell) for kind, cell in zip(kinds, value, strict=True)])


def mapping_of(kind: Kind, most: int) -> Kind:
    """An object with any names as keys, in their order."""

    def read(value: Any, where: str) -> dict[str, Any]:
        if type(value) is not dict or len(value) > most:
            fail(where, f"an object of at most {most} members", value)
        return {
            NAME.read(key, f"{where}, a key"): kind.read(item, f"{where}.{key[:100]}") for key, item in value.items()
        }

    return Kind(read, lambda value: {key: kind.write(item) for key, item in value.items()})


def _read_name(value: Any, where: str) -> str:
    name = check_text(value, where)
    if not name:
        fail(where, "a printable text of 1 to 1000 characters", value)
    return name


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


def _read_float32(value: Any, where: str) -> float:
    gain = check_float(value, where, 2.0**-100, 2.0**100)
    if float(np.float32(gain)) != gain:
        fail(where, "a number that float32 holds", gain)
    return gain


def _read_bound(value: Any, where: str) -> float:
    """JSON writes 1.0 and 1 for the same number: integers that float64 holds exactly are numbers, too."""
    if type(value) is int and 0 <= value <= 2**53:
        value = float(value)
    return check_float(value, where, 0.0)


NAME = Kind(_read_name)
FLAG = Kind(_read_flag)
OBJECT = Kind(_read_object)
SEED = Kind(_read_seed, str)
DIGEST = Kind(_read_digest)
POWER_OF_TWO = Kind(_read_power_of_two)
FLOAT32 = Kind(_read_float32)
BOUND = Kind(_read_bound)
ANY = Kind(lambda value, where: value)
