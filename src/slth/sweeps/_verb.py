"""What a sweep can vary: a verb, its options, and how a recipe's values become theirs."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slth import _arguments
from slth._errors import InputError
from slth.records import verbs

_READERS: dict[type, Callable[[str, Any], Any]] = {
    int: _arguments.whole,
    float: _arguments.number,
    bool: _arguments.truth,
    str: _arguments.text,
}


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a verb.

    kind: int, float, bool, str, list (of finite numbers; one alone is a list of one), or tuple (a number, or a list).
    file: a value with a suffix, such as net.safetensors, is a file; it is asked for by its content, not by its name.
    """

    kind: type
    default: Any = None  # None: not given
    file: bool = False

    def value(self, name: str, given: Any) -> Any:
        """The value as this option holds it: a whole number is a number, too, and 2.0 a whole number."""
        if self.kind is tuple and type(given) is not list:
            return _READERS[float](name, given)
        if self.kind not in (list, tuple):
            return _READERS[self.kind](name, given)
        numbers: list[Any] = given if type(given) is list else [given]
        if not all(type(n) in (int, float) and math.isfinite(n) for n in numbers):
            raise InputError(f"{name} must be a list of numbers, got {_arguments.shown(given)}")
        return numbers


def options_of(verb: type) -> dict[str, Option]:
    """The options of a verb's record that a sweep can vary."""
    found: dict[str, Option] = {}
    for name, argument in verbs.swept(verb).items():
        default = verbs.defaults(verb).get(name)
        default = argument.unsaid if default is None else default
        plain = list(default) if isinstance(default, tuple) else default
        found[name] = Option(argument.kind.recipe, plain, argument.kind.file)
    return found


@dataclass(frozen=True, slots=True)
class Verb:
    """A question with options. `run(options, shared)` answers it with plain JSON data: numbers, texts, lists, mappings.

    `options` holds every option, given or default. `shared` is a folder for work that several cells need; make its
    files with `once`. Whatever `run` raises is recorded as the failure of that cell alone. `run` must be importable
    by worker processes; so must `keep(options, shared, ticket)`, which also writes the ticket there. `check(options)`
    refuses, before the first cell, what no cell can be.
    """

    name: str
    options: Mapping[str, Option]
    run: Callable[[dict[str, Any], Path], dict[str, Any]]
    value: str = "accuracy"  # the key of the outcome that a table shows if the recipe names none
    keep: Callable[[dict[str, Any], Path, Path], dict[str, Any]] | None = None  # None: its cells make no tickets
    check: Callable[[dict[str, Any]], None] | None = None
