"""Tables on stdout, notes and progress on stderr."""

import sys
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from slth.records import Record, append, verbs


def console() -> Console:
    """Stdout as it is now; plain text off a terminal."""
    return Console(highlight=False, soft_wrap=True)


def note(text: str, quiet: bool = False) -> None:
    """A note for people, on stderr."""
    if not quiet:
        print(f"slth: {printable(text)}", file=sys.stderr)


def printable(text: str) -> str:
    """Text from a file of a stranger, without characters that could command a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def table(title: str, rows: Iterable[tuple[str, str | Text]]) -> None:
    """A title and two columns: name, value."""
    listed = list(rows)
    width = max((len(name) for name, _ in listed), default=0)
    out = console()
    if title:
        out.print(Text(printable(title), style="bold"))
    for name, value in listed:
        shown = value if isinstance(value, Text) else Text(printable(value))
        out.print(Text(f"{printable(name):<{width}}  ", style="dim") + shown)


def keep(record: Record, asked: verbs.Construct | verbs.Evaluate) -> None:
    """Append a record where it was asked for, and print it where JSON was."""
    if asked.records is not None:
        append(asked.records, record)
    if asked.as_json:
        print(record.as_json())


def wrote_tensors(path: Path, tensors: Mapping[str, Any], quiet: bool = False) -> None:
    """Say which file of tensors was written, and how large it is."""
    numbers = sum(tensor.size for tensor in tensors.values())
    note(f"wrote {path}: {len(tensors)} tensors, {numbers:,} numbers", quiet)


@contextmanager
def progress(what: str, quiet: bool) -> Generator[Callable[[int, int], None] | None]:
    """A bar on stderr while work goes on; nothing off a terminal or when quiet."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)

        def report(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield report
