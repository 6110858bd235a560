"""`slth sweep`: read the recipe, answer what is open, show the table."""

import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from slth import sweeps
from slth.cli import _print

_SHOWN = 10  # failures printed
_TIDY = "ignore::UserWarning:joblib.externals.loky.backend.resource_tracker"  # it cleans up after Ctrl-C, and says so


def run(
    path: Path,
    *,
    out: Path | None,
    workers: int,
    dry_run: bool,
    keep_failed: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Do the sweep; exit code 1 if a cell failed."""
    recipe = sweeps.read_recipe(path)
    folder = out or path.with_name(f"{path.stem}-results")
    if dry_run:
        _show_plan(sweeps.plan(recipe, folder), folder, workers)
        return 0
    os.environ.setdefault("PYTHONWARNINGS", _TIDY)
    with _progress(quiet) as report:
        sweep = sweeps.run(recipe, folder, workers=workers, keep_failed=keep_failed, progress=report)
    for failure in sweep.failed[:_SHOWN]:
        what = ", ".join(f"{name} {failure.outcome['options'][name]}" for name in recipe.grid) or "the cell"
        _print.note(f"failed: {what}: {failure.outcome['error']}: {failure.outcome['message']}")
    if sweep.failed:
        _print.note(f"{len(sweep.failed):,} of {len(sweep.cells):,} cells failed; run again to try them again", quiet)
    if as_json:
        for record in sweep.records:
            print(record.as_json())
    if sweep.records:
        table = sweep.table()
        wrote = sweep.write_table()
        if not as_json:
            print(f"{table.value}, {len(sweep.records):,} of {len(sweep.cells):,} cells")
            print(table.as_text())
        _print.note(f"wrote {', '.join(map(str, wrote))}", quiet)
    return 1 if sweep.failed else 0


def _show_plan(plan: sweeps.Plan, folder: Path, workers: int) -> None:
    seconds = 0.0 if not plan.open else None if plan.seconds is None else plan.seconds / min(workers, plan.open)
    rows = [
        ("cells", f"{plan.cells:,}"),
        ("done", f"{plan.done:,}"),
        ("open", f"{plan.open:,}" + (f" ({plan.failed:,} failed before)" if plan.failed else "")),
        ("estimated time", "unknown: nothing similar is finished" if seconds is None else _duration(seconds)),
        ("results", str(folder)),
    ]
    _print.table("Plan", rows)


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


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
            speed = f", {60 * rate:.3g} a minute, {_duration((total - done) / rate)} left" if rate else ""
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
