"""Entries of a record that was read: numbers and counts, or one sentence that names the entry."""

import math
from collections.abc import Mapping
from typing import Any, cast

from slth._errors import InputError

_MOST = 2**63  # of a count


def whole(outcome: Mapping[str, Any], name: str) -> int:
    """A count."""
    value = outcome.get(name)
    if type(value) is not int or not 0 <= value < _MOST:
        raise unfit(name, "a count")
    return value


def counts(outcome: Mapping[str, Any], name: str) -> tuple[int, ...]:
    """Counts, perhaps none."""
    values = outcome.get(name, ())
    if not isinstance(values, (list, tuple)):
        raise unfit(name, "a list of counts")
    return tuple(whole({name: value}, name) for value in cast("list[Any]", values))


def count_or_none(outcome: Mapping[str, Any], name: str) -> int | None:
    """A count, if there is one."""
    return None if outcome.get(name) is None else whole(outcome, name)


def number(outcome: Mapping[str, Any], name: str) -> float:
    """A finite number."""
    value = outcome.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise unfit(name, "a finite number")
    return float(value)


def number_or_none(outcome: Mapping[str, Any], name: str) -> float | None:
    """A finite number, if there is one."""
    return None if outcome.get(name) is None else number(outcome, name)


def part_or_none(outcome: Mapping[str, Any], name: str, expected: str) -> Mapping[str, Any] | None:
    """What has entries of its own, if it is there."""
    part = outcome.get(name)
    if part is not None and not isinstance(part, Mapping):
        raise unfit(name, expected)
    return cast("Mapping[str, Any] | None", part)


def unfit(name: str, expected: str) -> InputError:
    """The refusal of an entry."""
    return InputError(f"the entry {name!r} of an evaluation must be {expected}; make the record again")
