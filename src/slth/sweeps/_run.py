"""The runner: what is open is answered, whatever happens to single cells; what came out as one record."""

import logging
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from slth._arguments import one_of, whole
from slth._errors import InputError
from slth.records import GRID_NAME, Record, kept_tickets, read_grid, verbs
from slth.reporting import page
from slth.sweeps._cells import State, Task
from slth.sweeps._folder import Folder
from slth.sweeps._heatmap import draw_heatmap
from slth.sweeps._locks import clean
from slth.sweeps._recipe import Cell, Recipe
from slth.sweeps._table import Table, tabulate
from slth.sweeps._workers import pool

_log = logging.getLogger(__name__)
_MOST_COMPARED = 256  # finished cells that an estimate looks at
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a run would do."""

    cells: int
    done: int
    failed: int  # of the open ones: tried before, without success
    seconds: float | None  # of work in the open cells, one after the other; None: nothing similar is finished

    @property
    def open(self) -> int:
        """Cells that are not done."""
        return self.cells - self.done


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """What came out. Cells come in the order of the recipe; `records` and `failed` skip those that are neither."""

    recipe: Recipe
    folder: Path
    cells: tuple[Cell, ...]
    answers: tuple[Record | None, ...]  # for each cell; None: not finished
    failed: tuple[Record, ...]  # outcome: error, message, traceback

    @property
    def records(self) -> tuple[Record, ...]:
        """The records of the finished cells."""
        return tuple(record for record in self.answers if record is not None)

    def table(self) -> Table:
        """The recipe's value over its rows and columns, averaged over the rest of the grid."""
        return tabulate(self.recipe, self.cells, self.answers)

    def write_table(self) -> tuple[Path, Path, Path]:
        """Write table.csv, heatmap.svg and report.html, the page of the sweep, into the folder."""
        table, place = self.table(), Folder(self.folder)
        texts = {
            "table.csv": table.as_csv().encode(),
            "heatmap.svg": draw_heatmap(table),
            "report.html": page([], grids=[read_grid(self.folder)], place=self.folder).encode(),
        }
        csv, picture, whole_page = (place.write(name, text) for name, text in texts.items())
        return csv, picture, whole_page


def preview(recipe: Recipe, folder: str | Path, *, keep_tickets: bool = False) -> Preview:
    """What `run` would do, and about how long it would take. Writes nothing."""
    place = Folder(Path(folder))
    place.check()
    cells = recipe.cells()
    _check(recipe, cells, keep_tickets)
    done = set(place.questions())
    if keep_tickets:
        kept = kept_tickets(place.path)
        done = {question for question in done if question[:GRID_NAME] in kept}
    missing = [cell for cell in cells if cell.question not in done]
    failed = sum(place.failure(cell.question).exists() for cell in missing)
    known = sorted(done)[:: max(1, len(done) // _MOST_COMPARED)]
    found = [place.record(place.result(question)) for question in known]
    similar = [record for record in found if record.kind == recipe.verb.name]
    return Preview(len(cells), len(cells) - len(missing), failed, _estimate(missing, similar))


def run(
    recipe: Recipe,
    folder: str | Path,
    *,
    workers: int | None = None,
    backend: str = "local",
    keep_failed: bool = False,
    keep_tickets: bool = False,
    progress: Progress | None = None,
) -> Sweep:
    """Answer what is still open, as a folder of records that any number of processes may fill together.

    Args:
        recipe: the grid.
        folder: made if it is missing (its parent is not); refused if it holds other things.
        workers: processes; each may use `threads()` threads. With 1, which is the default, cells run in this process.
        backend: "ray": workers of a Ray cluster, which must see the folder at the same place; one for each of its
            processors, if `workers` does not say. See `slth.construct`.
        keep_failed: leave alone what failed before. Otherwise it is tried once more.
        keep_tickets: each cell's ticket is kept in the folder's `tickets`; a finished cell without one is done again.
        progress: called with (cells that need nothing more, cells), also once at the start.

    Returns:
        All records, those of earlier runs included, and the failures.

    Raises:
        InputError: the recipe or one of its cells cannot be (said before the first is begun), the folder is foreign,
            damaged or not writable, or the disk is full.

    Killed at any moment, only the cells in flight are lost. A cell that another process works on is waited for at the
    end. A worker process that dies is the failure of its cell; of a cluster, if it does so every time.
    """
    workers = None if workers is None else whole("workers", workers, least=1)
    one_of(backend, verbs.BACKENDS, "backend")
    cells = recipe.cells()
    place = Folder(Path(folder))
    place.check()
    _check(recipe, cells, keep_tickets)
    place.open()
    place.remember(recipe.asked(cells))
    kept = kept_tickets(place.path) if keep_tickets else {}
    if keep_tickets:
        place.tickets.mkdir(exist_ok=True)
    found: dict[str, Record] = {}
    tasks: list[Task] = []
    for cell in {cell.question: cell for cell in cells}.values():  # files of equal content ask one question
        if place.result(cell.question).exists() and (not keep_tickets or cell.question[:GRID_NAME] in kept):
            found[cell.question] = place.record(place.result(cell.question))
        elif not (keep_failed and place.failure(cell.question).exists()):
            ticket = place.ticket(cell) if keep_tickets else None
            tasks.append(Task(recipe.verb, cell, place, place.attempt(cell.question), ticket))
    report = progress or _silently
    report(len(cells) - len(tasks), len(cells))
    with pool(backend, workers) as answer:
        for wait in (False, True):  # first what is free, then what others had
            busy: list[Task] = []
            left = len(tasks)
            for task, state in answer(tasks, wait):
                if state is State.BUSY:
                    busy.append(task)
                    continue
                left -= 1
                _log.info("%s %s", state.value, task.cell.asked)
                report(len(cells) - left, len(cells))
            tasks = busy
    clean(place.path)  # when a worker dies, the others are ended in the middle of what they write
    failed: dict[str, Record] = {}
    for question in {cell.question for cell in cells} - set(found):
        if place.result(question).exists():
            found[question] = place.record(place.result(question))
        elif place.failure(question).exists():
            failed[question] = place.record(place.failure(question))
    answers, failures = ([kind.get(cell.question) for cell in cells] for kind in (found, failed))
    return Sweep(recipe, place.path, tuple(cells), tuple(answers), tuple(f for f in failures if f is not None))


def _check(recipe: Recipe, cells: Sequence[Cell], keep_tickets: bool) -> None:
    """Refuse what no cell can be, with the cell that asks for it, before any work."""
    if keep_tickets and recipe.verb.keep is None:
        raise InputError(
            f"the cells of {recipe.verb.name} make no tickets that could be kept; leave --keep-tickets out"
        )
    check = recipe.verb.check
    if check is None:
        return
    for cell in cells:
        try:
            check(dict(cell.options))
        except InputError as error:
            where = ", ".join(f"{name} {cell.options[name]}" for name in cell.at)
            raise InputError(f"{where}: {error}" if where else str(error)) from error


def _silently(_done: int, _all: int) -> None:
    pass


def _estimate(missing: Sequence[Cell], found: Sequence[Record]) -> float | None:
    """Median seconds of the finished cells that share the most options with a cell, summed over the cells."""
    known = [(r.outcome.get("options", {}), r.seconds["total"]) for r in found if "total" in r.seconds]
    total = 0.0
    for cell in missing:
        near = [(sum(other.get(k) == v for k, v in cell.options.items()), seconds) for other, seconds in known]
        if not near:
            return None
        best = max(shared for shared, _ in near)
        total += statistics.median(seconds for shared, seconds in near if shared == best)
    return total
