"""The one exception type for bad input: its message is a sentence that a user can act on."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

_OPTION = re.compile(
    r"(?<![\w-])(?<!torchrun )--([a-z][a-z-]*)(?![\w-]|\.\w)"
    r"(?: (lo,hi|a,b,c|[A-Z][A-Z:,]*(?!\w)|\d+(?!\w)|source|carried|[\w./-]+\.py:\w+|'[^']*'))?"
)
_NAMES = {"from": "from_node", "to": "to_node", "set": "options"}
_VALUES = {
    "lo,hi": "(lo, hi)",
    "a,b,c": '["a", "b", "c"]',
    "C,H,W": "(channels, height, width)",
    "INTEGERS": "integers",
    "LENGTH": "(length,)",
}
_TRUTHS = ("restart", "difference", "force", "layers-only")
_on_command_line = ContextVar("command line", default=False)


class InputError(ValueError):
    """What was expected, what arrived, what to try. The command line prints it alone and exits with 2.

    Sentences name an option as the command line does, `--input-range lo,hi`; who calls from Python reads what is
    written there, `input_range=(lo, hi)`.
    """

    def __str__(self) -> str:
        return spoken(super().__str__())


class UnfitInputs(InputError):
    """A network does not take inputs of some shape: `reason` says why, whoever stated that shape."""

    def __init__(self, sentence: str, *, reason: str) -> None:
        super().__init__(sentence)
        self.reason = reason


def spoken(sentence: str) -> str:
    """A sentence in the language of the caller.

    >>> spoken("give --input-range lo,hi or --data NAME, --order a,b,c; --view source, or --from NODE; --to: no such")
    'give input_range=(lo, hi) or data=NAME, order=["a", "b", "c"]; view="source", or from_node=NODE; to_node: no such'
    """
    return sentence if _on_command_line.get() else _OPTION.sub(_in_python, sentence)


@contextmanager
def command_line() -> Generator[None]:
    """While a command runs, sentences are for whom has typed it."""
    before = _on_command_line.set(True)
    try:
        yield
    finally:
        _on_command_line.reset(before)


def option(name: str) -> str:
    """An argument as an `InputError` names it, which Python is told by its own name.

    >>> option("input_range"), option("from_node")
    ('--input-range', '--from')
    """
    flags = {python: flag for flag, python in _NAMES.items()}
    return f"--{flags.get(name, name.replace('_', '-'))}"


def _in_python(found: re.Match[str]) -> str:
    name: str = found[1]
    python, given = _NAMES.get(name, name.replace("-", "_")), found.group(2) or ""
    value = "True" if name in _TRUTHS else _VALUES.get(given, given)
    if not value:
        return python
    bare = value in ("source", "carried") or (":" in value and not value.startswith("'"))
    return f'{python}="{value}"' if bare else f"{python}={value}"
