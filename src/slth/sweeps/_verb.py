"""What a sweep can vary: a verb, its options, and how a recipe's values become theirs."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from slth._errors import InputError

_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", list: "a list of numbers"}


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a verb.

    kind: int, float, bool, str, or list (of finite numbers).
    file: a value with a suffix, such as net.safetensors, is a file; it is asked for by its content, not by its name.
    """

    kind: type
    default: Any = None  # None: not given
    file: bool = False

    def value(self, name: str, given: Any) -> Any:
        """The value as this option holds it: a whole number is a number, too; nothing else is converted."""
        numbers = cast("list[Any]", given) if type(given) is list and self.kind is list else [given]
        if self.kind is float and type(given) is int and abs(given) <= 2**53:
            return float(given)
        wrong = type(given) is not self.kind or (self.kind is list and {type(n) for n in numbers} - {int, float})
        if wrong or not all(math.isfinite(n) for n in numbers if type(n) is float):
            raise InputError(f"{name} must be {_KINDS[self.kind]}, got {given!r}")
        return given


@dataclass(frozen=True, slots=True)
class Verb:
    """A question with options. `run(options, shared)` answers it with plain JSON data: numbers, texts, lists, mappings.

    `options` holds every option, given or default. `shared` is a folder for work that several cells need; make its
    files with `once`. Whatever `run` raises is recorded as the failure of that cell alone. `run` must be importable
    by worker processes.
    """

    name: str
    options: Mapping[str, Option]
    run: Callable[[dict[str, Any], Path], dict[str, Any]]
    value: str = "accuracy"  # the key of the outcome that a table shows if the recipe names none


def one_of(name: str, known: Iterable[str], what: str) -> str:
    """The name, if it is known; otherwise the nearest ones are named."""
    names = sorted(known)
    if name in names:
        return name
    near = get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(names)}"
    raise InputError(f"unknown {what} {name!r}; {hint}")
