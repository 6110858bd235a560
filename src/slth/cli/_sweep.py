"""`slth sweep`: read the recipe, answer what is open, show the table."""

import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from slth import sweeps
from slth.cli import _print
from slth.records import duration, verbs

_SHOWN = 10  # failures printed
_TIDY = "ignore::UserWarning:joblib.externals.loky.backend.resource_tracker"  # it cleans up after Ctrl-C, and says so


def run(asked: verbs.Sweep) -> int:
    """Do the sweep; exit code 1 if a cell failed."""
    recipe = sweeps.read_recipe(asked.recipe)
    folder = asked.out or asked.recipe.with_name(f"{asked.recipe.stem}-results")
    if asked.dry_run:
        _show_preview(sweeps.preview(recipe, folder, keep_tickets=asked.keep_tickets), folder, asked.workers or 1)
        return 0
    os.environ.setdefault("PYTHONWARNINGS", _TIDY)
    with _progress(asked.quiet) as report, _print.only_results():
        sweep = sweeps.run(recipe, folder, **verbs.keywords(asked), progress=report)
    for failure in sweep.failed[:_SHOWN]:
        what = ", ".join(f"{name} {failure.outcome['options'][name]}" for name in recipe.grid) or "the cell"
        _print.note(f"failed: {what}: {failure.outcome['error']}: {failure.outcome['message']}")
    if sweep.failed:
        refused = all(failure.outcome["error"] == "InputError" for failure in sweep.failed)
        what = "mend what they say, and run again" if refused else "run again to try them again"
        _print.note(f"{len(sweep.failed):,} of {len(sweep.cells):,} cells failed; {what}", asked.quiet)
    if asked.as_json:
        for record in sweep.records:
            print(record.as_json())
    if sweep.records:
        table = sweep.table()
        wrote = sweep.write_table()
        if not asked.as_json:
            print(f"{table.value}, {len(sweep.records):,} of {len(sweep.cells):,} cells")
            print(table.as_text())
            if table.note:
                print(table.note)
        _print.note(f"wrote {', '.join(map(str, wrote))}", asked.quiet)
    return 1 if sweep.failed else 0


def _show_preview(found: sweeps.Preview, folder: Path, workers: int) -> None:
    seconds = 0.0 if not found.open else None if found.seconds is None else found.seconds / min(workers, found.open)
    rows = [
        ("cells", f"{found.cells:,}"),
        ("done", f"{found.done:,}"),
        ("open", f"{found.open:,}" + (f" ({found.failed:,} failed before)" if found.failed else "")),
        ("estimated time", "unknown: nothing similar is finished" if seconds is None else duration(seconds)),
        ("results", str(folder)),
    ]
    _print.table("Sweep", rows)


@contextmanager
def _progress(quiet: bool) -> Generator[Callable[[int, int], None] | None]:
    """Cells done, rate and time left on stderr: a bar on a terminal, a line for every tenth part elsewhere."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _bar() as report:
            yield report
    else:
        yield _lines()


def _lines() -> Callable[[int, int], None]:
    import time

    start, first, shown = time.perf_counter(), -1, -1

    def report(done: int, total: int) -> None:
        nonlocal first, shown
        if first < 0:
            first = done
        if 10 * done // total > shown:
            shown = 10 * done // total
            rate = (done - first) / max(time.perf_counter() - start, 1e-9)
            speed = f", {60 * rate:.3g} a minute, {duration((total - done) / rate)} left" if rate else ""
            _print.note(f"{done:,} of {total:,} cells{speed}")

    return report


@contextmanager
def _bar() -> Generator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
    with Progress(TextColumn("cells"), *columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("cells", total=None, rate="")
        first: list[int] = []

        def report(done: int, total: int) -> None:
            first.append(done)
            elapsed = bar.tasks[0].elapsed or 0.0
            rate = f"{60 * (done - first[0]) / elapsed:.3g} a minute" if elapsed and done > first[0] else ""
            bar.update(task, completed=done, total=total, rate=rate)

        yield report
