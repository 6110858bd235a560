"""Tables on stdout, notes and progress on stderr."""

import sys
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from shutil import get_terminal_size
from textwrap import wrap
from typing import Any

from rich.console import Console
from rich.text import Text

from slth.records import Record, append, verbs

_EVERY = 5.0  # seconds between two lines of progress off a terminal


def console() -> Console:
    """Stdout as it is now; plain text off a terminal."""
    return Console(highlight=False, soft_wrap=True)


def note(text: str, quiet: bool = False) -> None:
    """A note for people, on stderr; where that cannot be written, none."""
    if not quiet:
        with suppress(OSError):
            print(f"slth: {printable(text)}", file=sys.stderr)


@contextmanager
def only_results() -> Generator[None]:
    """What libraries print meanwhile is no result: it goes to stderr. Ray tells of each worker that dies."""
    with redirect_stdout(sys.stderr):
        yield


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


def columns(title: str, rows: Iterable[tuple[str, str]]) -> None:
    """A title, and names with sentences beside them, which are broken between words at the width of the terminal."""
    listed = list(rows)
    indent = max((len(name) for name, _ in listed), default=0) + 4
    wide = max(get_terminal_size((80, 24)).columns, indent + 20)
    out = console()
    out.print(Text(title, style="bold"))
    for name, text in listed:
        first, *more = wrap(text, wide - indent) or [""]
        out.print(Text(f"  {name:<{indent - 2}}", style="dim") + Text(first))
        for line in more:
            out.print(Text(" " * indent + line))  # as it is: brackets would be markup


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
def progress(
    what: str, quiet: bool, *, unit: str = "steps", verbose: bool = False
) -> Generator[Callable[[int, int], None] | None]:
    """A bar on stderr while work goes on, with its rate and the time left.

    Off a terminal a line every few seconds if `verbose`, else nothing; nothing when quiet.
    """
    if quiet or not (verbose or sys.stderr.isatty()):
        yield None
    elif sys.stderr.isatty():
        with _bar(what, unit) as report:
            yield report
    else:
        yield _lines(what, unit)


@contextmanager
def _bar(what: str, unit: str) -> Generator[Callable[[int, int], None]]:
    from rich.progress import BarColumn, Progress, TextColumn

    pace_column = TextColumn("{task.fields[pace]}")
    columns = (TextColumn("{task.description}"), pace_column, BarColumn(None))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task, pace = bar.add_task(what, total=None, pace=""), Pace(unit)

        def report(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, pace=pace.words(done, total))

        yield report


def _lines(what: str, unit: str) -> Callable[[int, int], None]:
    pace, due = Pace(unit), time.monotonic() + 1

    def report(done: int, total: int) -> None:
        nonlocal due
        speed = pace.words(done, total)
        if speed and time.monotonic() >= due:
            due = time.monotonic() + _EVERY
            note(f"{what}: {done:,} of {total:,}, {speed}")

    return report


class Pace:
    """How fast work goes, and how long it takes at that rate.

    What was done before the first report does not count; neither, from the third on, does the first step, which loads
    and compiles.
    """

    def __init__(self, unit: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._unit, self._clock = unit, clock
        self._reports: list[tuple[float, int]] = []  # the first two, and the last

    def words(self, done: int, total: int) -> str:
        """Such as 0:18 left, 50 steps a second; nothing before it is known. Work that begins anew is measured anew."""
        reports = self._reports
        if reports and done < reports[-1][1]:
            reports.clear()
        reports[2:] = [(self._clock(), done)]
        start, before = reports[1 if len(reports) > 2 else 0]
        seconds, count = reports[-1][0] - start, done - before
        if not (seconds > 0 and count):
            return ""
        rate = count / seconds
        minutes, rest = divmod(round((total - done) / rate), 60)
        left = f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"
        return f"{left} left, {rate:,.{1 if rate < 10 else 0}f} {self._unit} a second"
