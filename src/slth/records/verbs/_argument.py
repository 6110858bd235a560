"""An argument of a verb is declared once, as a field of the verb's record; what is derived from it.

@dataclass(frozen=True, slots=True, kw_only=True)
class Solve:
    tolerance: Annotated[float | None, Argument(real(above=0), "Largest error.")] = None

    def __post_init__(self) -> None:
        check(self)
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from slth.records.verbs._kinds import Kind


@dataclass(frozen=True, slots=True)
class Argument:
    """What is known about an argument beside its name, its type and its default. None: not said.

    Attributes:
        kind: what its value can be.
        help: a sentence or two; `{known}` stands for the names that its kind knows. A default that is a value is added.
        unsaid: what holds where neither this nor a preset is said.
        flag: if it is not `--name`.
        short: one letter more, such as "-q".
        positional: stands without a flag.
        metavar: what stands for its value in the help, if not what stands for its kind.
        variable: of the environment, which the command line asks next.
        command: only the command line has it: where to write, what to print.
        written: it names a file that is written, of this kind; see `check_places`.
        asked: belongs to the question of the verb's records.
        provenance: a ticket says it, too.
        swept: a sweep can vary it.
        group: what it is about: "plan" or "target"; of a search the keyword of `slth.search` that takes it: "options",
            "arguments", "training" or "policy".
        checked: here; otherwise its owner knows what it may be, and refuses what it may not.
    """

    kind: Kind
    help: str
    unsaid: Any = None
    flag: str | None = None
    short: str | None = None
    positional: bool = False
    metavar: str | None = None
    variable: str | None = None
    command: bool = False
    written: str = ""
    asked: bool = True
    provenance: bool = False
    swept: bool = False
    group: str = ""
    checked: bool = True


def arguments(verb: Any) -> dict[str, Argument]:
    """The arguments of a verb's record, or of its class, in their order."""
    return {part.name: part.type.__metadata__[0] for part in fields(verb)}  # pyright: ignore


def defaults(verb: Any) -> dict[str, Any]:
    """The defaults of those arguments that have one."""
    return {part.name: part.default for part in fields(verb) if part.default is not MISSING}


def flag_of(name: str, argument: Argument) -> str:
    """How the command line spells an argument."""
    return argument.flag or f"--{name.replace('_', '-')}"


def check(asked: Any) -> None:
    """Read every argument of a new record, so that it holds plain values within their limits.

    Raises:
        InputError: naming the first that is of the wrong kind or out of its limits.
    """
    for name, argument in arguments(asked).items():
        given = getattr(asked, name)
        if given is not None and argument.checked:
            object.__setattr__(asked, name, argument.kind.read(name, given))


def read(verb: type, name: str, value: Any) -> Any:
    """One argument as the record of its verb would hold it; None stays None where it need not be given."""
    return None if value is None and name in defaults(verb) else arguments(verb)[name].kind.read(name, value)


def keywords(asked: Any) -> dict[str, Any]:
    """What the function of the verb's name in `slth` takes; settings that others own go to them in groups."""
    known = {name for name, argument in arguments(asked).items() if argument.checked and not argument.command}
    return {name: getattr(asked, name) for name in arguments(asked) if name in known}


def question(asked: Any) -> dict[str, Any]:
    """What belongs to the question of a record, as plain JSON data."""
    return {name: _plain(getattr(asked, name)) for name, argument in arguments(asked).items() if argument.asked}


def group(asked: Any, name: str) -> dict[str, Any]:
    """The arguments of one group that were said, as plain JSON data."""
    known = [key for key, argument in arguments(asked).items() if argument.group == name]
    return {key: _plain(value) for key in known if (value := getattr(asked, key)) is not None}


def groups(verb: Any) -> tuple[str, ...]:
    """The groups that the arguments of a verb form."""
    return tuple(dict.fromkeys(argument.group for argument in arguments(verb).values() if argument.group))


def swept(verb: Any) -> dict[str, Argument]:
    """The arguments that a sweep can vary."""
    return {name: argument for name, argument in arguments(verb).items() if argument.swept}


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return dict(value) if isinstance(value, Mapping) else value
