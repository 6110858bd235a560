"""Free-form plain data, as JSON has it: what a ticket records of a question without knowing its fields."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from slth._errors import InputError

_DEPTH = 16
_MEMBERS = 10_000
_TEXT, _KEY = 1000, 200
_INTEGER = 10**100


def plain(value: Any, where: str) -> Any:
    """The value with tuples as lists and NumPy's numbers as Python's.

    Raises:
        InputError: naming the first member that is no finite number, short printable text, list or object of such, or
            more than 16 levels or 10,000 members.

    >>> plain({"skip": ("fc",), "lr": np.float64(0.5)}, "asked")
    {'skip': ['fc'], 'lr': 0.5}
    """
    return _plain(value, where, 0, [0])


def _plain(value: Any, where: str, depth: int, members: list[int]) -> Any:
    members[0] += 1
    if depth > _DEPTH or members[0] > _MEMBERS:
        raise InputError(f"{where[:200]}: expected at most {_DEPTH} levels and {_MEMBERS:,} members; record less")
    if value is None or isinstance(value, bool | np.bool_):
        return None if value is None else bool(value)
    if isinstance(value, int | np.integer) and abs(int(value)) < _INTEGER:
        return int(value)
    if isinstance(value, float | np.floating) and math.isfinite(value):
        return float(value)
    if isinstance(value, str) and len(value) <= _TEXT and value.isprintable():
        return str(value)
    if isinstance(value, list | tuple):
        return [_plain(item, f"{where}.{i}", depth + 1, members) for i, item in enumerate(value)]
    if isinstance(value, Mapping):
        return {_key(key, where): _plain(item, f"{where}.{key}", depth + 1, members) for key, item in value.items()}
    raise InputError(
        f"{where[:200]}: expected plain data, which is finite numbers, printable texts of at most {_TEXT} characters, "
        f"true, false, null, lists and objects of these; got {ascii(value)[:60]} ({type(value).__name__})"
    )


def _key(key: Any, where: str) -> str:
    if not isinstance(key, str) or len(key) > _KEY or not key.isprintable():
        raise InputError(f"{where[:200]}: expected printable keys of at most {_KEY} characters; got {ascii(key)[:60]}")
    return key
