"""The runner: each cell once, by whoever gets its lock, whatever happens to the others."""

import logging
import os
import signal
import statistics
import sys
import threading
import time
import traceback
from collections.abc import Callable, Generator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, cast

from slth._arguments import whole
from slth._errors import InputError
from slth._files import write_atomically
from slth.records import Environment, Record, cores, environment
from slth.sweeps._folder import Folder
from slth.sweeps._heatmap import draw_heatmap
from slth.sweeps._locks import clean, locked
from slth.sweeps._recipe import Cell, Recipe
from slth.sweeps._table import Table, tabulate
from slth.sweeps._verb import Verb

_log = logging.getLogger(__name__)
_MOST_COMPARED = 256  # finished cells that an estimate looks at
_MOST_SILENT = 3  # pools that died without a cell begun or answered
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

    def write_table(self) -> tuple[Path, Path]:
        """Write table.csv and heatmap.svg into the folder."""
        table, place = self.table(), Folder(self.folder)
        return place.write("table.csv", table.as_csv().encode()), place.write("heatmap.svg", draw_heatmap(table))


def preview(recipe: Recipe, folder: str | Path) -> Preview:
    """What `run` would do, and about how long it would take. Writes nothing."""
    place = Folder(Path(folder))
    place.check()
    cells = recipe.cells()
    done = set(place.questions())
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
    workers: int = 1,
    keep_failed: bool = False,
    progress: Progress | None = None,
) -> Sweep:
    """Answer what is still open, as a folder of records that any number of processes may fill together.

    Args:
        recipe: the grid.
        folder: made if it is missing (its parent is not); refused if it holds other things.
        workers: processes; each may use `threads()` threads. With 1 the cells run in this process.
        keep_failed: leave alone what failed before. Otherwise it is tried once more.
        progress: called with (cells that need nothing more, cells), also once at the start.

    Returns:
        All records, those of earlier runs included, and the failures.

    Raises:
        InputError: the recipe cannot be, the folder is foreign, damaged or not writable, or the disk is full.

    Killed at any moment, only the cells in flight are lost. A cell that another process works on is waited for at the
    end. A worker process that dies is the failure of its cell.
    """
    workers = whole("workers", workers, least=1)
    cells = recipe.cells()
    place = Folder(Path(folder))
    place.open()
    found: dict[str, Record] = {}
    tasks: list[_Task] = []
    for cell in {cell.question: cell for cell in cells}.values():  # files of equal content ask one question
        if place.result(cell.question).exists():
            found[cell.question] = place.record(place.result(cell.question))
        elif not (keep_failed and place.failure(cell.question).exists()):
            tasks.append(_Task(recipe.verb, cell, place, place.attempt(cell.question)))
    report = progress or _silently
    report(len(cells) - len(tasks), len(cells))
    for wait in (False, True):  # first what is free, then what others had
        busy: list[_Task] = []
        left = len(tasks)
        for task, state in _answers(tasks, workers, wait):
            if state is _State.BUSY:
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


def threads() -> int:
    """Threads that a cell may use: its process's share of the processors, or OMP_NUM_THREADS if the user set it."""
    text = os.environ.get("OMP_NUM_THREADS", "")
    return int(text) if text.isdecimal() and int(text) > 0 else cores()


def _silently(_done: int, _all: int) -> None:
    pass


class _State(Enum):
    DONE = "finished"
    FAILED = "failed"
    BUSY = "another process works on"


@dataclass(frozen=True, slots=True)
class _Task:
    """A cell to answer, and the failure that was known when the run began: a newer one is not tried again."""

    verb: Verb
    cell: Cell
    place: Folder
    before: tuple[int, int] | None


def _attempt(task: _Task, wait: bool) -> _State:
    """Answer a cell, unless somebody else does or did."""
    place, question = task.place, task.cell.question
    with locked(place.lock(question), wait=wait) as ours:
        if not ours:
            return _State.BUSY
        if place.result(question).exists():
            return _State.DONE
        if place.attempt(question) != task.before:
            return _State.FAILED
        start = time.perf_counter()
        try:
            outcome = task.verb.run(dict(task.cell.options), place.shared)
            line = _line(task.cell, {**outcome, "options": task.cell.options}, start)
        except (Exception, SystemExit) as error:
            _fail(task, type(error).__name__, str(error), traceback.format_exc(), start)
            return _State.FAILED
        write_atomically(place.result(question), line)
        place.failure(question).unlink(missing_ok=True)
        return _State.DONE


def _fail(task: _Task, error: str, message: str, trace: str, start: float) -> None:
    """Record a failure; its outcome is a text whatever the exception said."""
    outcome = {"error": error, "message": message, "traceback": trace, "options": task.cell.options}
    write_atomically(task.place.failure(task.cell.question), _line(task.cell, outcome, start))


def _line(cell: Cell, outcome: dict[str, Any], start: float) -> bytes:
    here = _here(*(name in sys.modules for name in ("torch", "numba")))
    record = Record(cell.kind, cell.asked, outcome, {"total": time.perf_counter() - start}, here)
    return record.as_json().encode() + b"\n"


@cache
def _here(*_loaded: bool) -> Environment:
    """Asked again only if more packages are loaded: it takes longer than a small cell."""
    return environment(threads())


def _answers(tasks: list[_Task], workers: int, wait: bool) -> Generator[tuple[_Task, _State]]:
    """Each task and its state, in any order."""
    if workers == 1:
        yield from ((task, _attempt(task, wait)) for task in tasks)
        return
    waiting = {task.cell.question: task for task in tasks}
    silent = 0
    while waiting:
        left = len(waiting)
        try:
            yield from _pooled(waiting, workers, wait)
        except BrokenProcessPool:  # a worker died: out of memory, or killed. All workers are gone now.
            suspects = [task for task in waiting.values() if task.place.lock(task.cell.question).exists()]
            silent = 0 if suspects or len(waiting) < left else silent + 1
            if silent == _MOST_SILENT:
                raise InputError("the worker processes die before they begin; try one worker") from None
            for task in suspects:  # each by itself, so that only the guilty one fails
                start = time.perf_counter()
                try:
                    yield from _pooled({task.cell.question: task}, workers, wait)
                except BrokenProcessPool:
                    message = "its process died without a word: killed, or out of memory"
                    with locked(task.place.lock(task.cell.question)):
                        _fail(task, "Died", message, "", start)
                    yield task, _State.FAILED
                waiting.pop(task.cell.question, None)


def _pooled(waiting: dict[str, _Task], workers: int, wait: bool) -> Generator[tuple[_Task, _State]]:
    """The tasks in worker processes; what is answered leaves `waiting`."""
    from joblib import Parallel, delayed, parallel_config

    share = max(1, cores() // workers)
    follow: dict[str, Any] = {"initializer": _begin_worker, "initargs": (os.getpid(),)}
    with parallel_config("loky", n_jobs=workers, inner_max_num_threads=share, **follow):
        pool: Any = Parallel(return_as="generator_unordered", pre_dispatch="n_jobs", batch_size=cast("Any", 1))
        with _deaf():
            answers = pool(delayed(_in_worker)(task, wait) for task in list(waiting.values()))
        with closing(answers):
            for question, state in answers:
                yield waiting.pop(question), state


@contextmanager
def _deaf() -> Generator[None]:
    """Processes that are started meanwhile never hear Ctrl-C, not even before they have begun: it is the parent's."""
    if threading.current_thread() is not threading.main_thread():
        yield  # no other thread may say how signals are met
        return
    old = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if old is None else old)


def _begin_worker(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's: it ends the workers
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """A worker whose parent was killed ends within a second, as if it had been killed, too."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _in_worker(task: _Task, wait: bool) -> tuple[str, _State]:
    return task.cell.question, _attempt(task, wait)


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
