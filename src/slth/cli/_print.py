"""Tables on stdout, notes and progress on stderr."""

import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from slth.evidence import Evaluation, LearnedEvaluation, Proportion, Verdict, Verification
from slth.numerics import at_most

_MARKS = {
    Verdict.HOLDS: ("holds", "green"),
    Verdict.FAILS: ("FAILS", "bold red"),
    Verdict.NOT_CHECKED: ("not checked", "yellow"),
}


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


def verification(result: Verification) -> None:
    """One line per check."""
    width = max(len(check.name) for check in result.checks)
    for check in result.checks:
        mark, style = _MARKS[check.verdict]
        console().print(Text(f"{mark:<11}  ", style=style) + Text(f"{check.name:<{width}}  {printable(check.detail)}"))


def percent(part: Proportion) -> str:
    """A proportion with its confidence interval."""
    low, high = part.interval
    return f"{part.value:.2%} [{low:.2%}, {high:.2%}]  ({part.hits:,} of {part.count:,})"


def evaluation_rows(found: Evaluation | LearnedEvaluation) -> Iterator[tuple[str, str]]:
    """Rows of an evaluation; what needs a target is left out without one."""
    if isinstance(found, LearnedEvaluation):
        yield from _learned_rows(found)
        return
    yield "data", f"{found.data}, {found.accuracy.count:,} inputs"
    yield "accuracy of the ticket", percent(found.accuracy)
    if found.target_accuracy is not None:
        yield "accuracy of the target", percent(found.target_accuracy)
        yield "predictions changed", f"{found.changed:,} of {found.accuracy.count:,}"
        yield "largest output error measured", f"{found.measured_error:.4g} (float32)"
    if found.certified_error is not None:
        yield "output error certified", f"{at_most(found.certified_error)} (every input in the range, real arithmetic)"
    if found.unchanged_per_input is not None and found.unchanged_on_box is not None:
        yield "predictions proved unchanged", f"{found.unchanged_per_input.value:.2%} (input by input)"
        yield "", f"{found.unchanged_on_box.value:.2%} (by the bound over the whole range)"
    size = found.sizes
    yield (
        "candidates per weight",
        f"{', '.join(map(str, size.candidates))} live; lift widths {', '.join(map(str, size.widths))}",
    )
    yield "target parameters", f"{size.target_parameters:,}"
    yield (
        "source parameters",
        f"{size.source_parameters:,} ({size.source_parameters / size.target_parameters:,.0f} x target)",
    )
    yield "kept parameters", f"{size.kept_parameters:,} ({size.kept_parameters / size.target_parameters:,.1f} x target)"
    yield "mask bits per target weight", f"{size.bits_per_weight:.1f}"


def _learned_rows(found: LearnedEvaluation) -> Iterator[tuple[str, str]]:
    yield "data", f"{found.data}, {found.accuracy.count:,} inputs"
    yield "accuracy of the ticket", percent(found.accuracy)
    yield "masked weights", f"{found.masked:,}"
    yield "kept", f"{found.kept:,} (density {found.density:.6g})"
    yield "mask bits", f"{found.mask_bits:,} stored; {found.ideal_bits:,.1f} ideal, by the counts alone"
    yield "carried", f"{found.carried:,} numbers"
    yield "moved", "nothing" if found.strong else f"by at most {at_most(found.largest_move, 4)}"


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
