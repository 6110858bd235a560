"""One cell of a sweep: answered once, by whoever gets its lock."""

import os
import sys
import time
import traceback
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from slth._files import write_atomically
from slth._locks import locked
from slth.records import Environment, Record, cores, environment
from slth.sweeps._folder import Folder
from slth.sweeps._recipe import Cell
from slth.sweeps._verb import Verb


class State(Enum):
    DONE = "finished"
    FAILED = "failed"
    BUSY = "another process works on"


@dataclass(frozen=True, slots=True)
class Task:
    """A cell to answer, and the failure that was known when the run began: a newer one is not tried again."""

    verb: Verb
    cell: Cell
    place: Folder
    before: tuple[int, int] | None
    ticket: Path | None = None  # where to keep it, if it is to be kept

    @property
    def done(self) -> bool:
        """The answer is there, and the ticket, if one is wanted."""
        ticket = self.ticket is None or self.ticket.exists()
        return ticket and self.place.result(self.cell.question).exists()


def attempt(task: Task, wait: bool) -> State:
    """Answer a cell, unless somebody else does or did."""
    place, question = task.place, task.cell.question
    with locked(place.lock(question), wait=wait) as ours:
        if not ours:
            return State.BUSY
        if task.done:
            return State.DONE
        if place.attempt(question) != task.before:
            return State.FAILED
        start = time.perf_counter()
        try:
            outcome = _answer(task)
            line = _line(task.cell, {**outcome, "options": task.cell.options}, start)
        except (Exception, SystemExit) as error:
            fail(task, type(error).__name__, str(error), traceback.format_exc(), start)
            return State.FAILED
        write_atomically(place.result(question), line)
        place.failure(question).unlink(missing_ok=True)
        return State.DONE


def _answer(task: Task) -> dict[str, Any]:
    options, shared = dict(task.cell.options), task.place.shared
    if task.ticket is None or task.verb.keep is None:
        return task.verb.run(options, shared)
    return task.verb.keep(options, shared, task.ticket)


def fail(task: Task, error: str, message: str, trace: str, start: float) -> None:
    """Record a failure; its outcome is a text whatever the exception said."""
    outcome = {"error": error, "message": message, "traceback": trace, "options": task.cell.options}
    write_atomically(task.place.failure(task.cell.question), _line(task.cell, outcome, start))


def threads() -> int:
    """Threads that a cell may use: its process's share of the processors, or OMP_NUM_THREADS if the user set it."""
    text = os.environ.get("OMP_NUM_THREADS", "")
    return int(text) if text.isdecimal() and int(text) > 0 else cores()


def _line(cell: Cell, outcome: dict[str, Any], start: float) -> bytes:
    here = _environment(*(name in sys.modules for name in ("torch", "numba")))
    record = Record(cell.kind, cell.asked, outcome, {"total": time.perf_counter() - start}, here)
    return record.as_json().encode() + b"\n"


@cache
def _environment(*_loaded: bool) -> Environment:
    """Asked again only if more packages are loaded: it takes longer than a small cell."""
    return environment(threads())
