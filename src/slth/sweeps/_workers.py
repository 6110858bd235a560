"""Workers: cells answered in this process, in several, or on a cluster; one that dies is the failure of its cell."""

import time
from collections.abc import Generator, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from functools import partial
from typing import Protocol

from joblib import parallel_config

from slth._errors import InputError
from slth._locks import locked
from slth.records import cores
from slth.sweeps._cells import State, Task, attempt, fail
from slth.sweeps._processes import on_this_machine, unordered

_MOST_SILENT = 3  # pools that died without a cell begun or answered


class Answer(Protocol):
    """Does tasks; each and its state, in any order."""

    def __call__(self, tasks: list[Task], wait: bool) -> Iterator[tuple[Task, State]]: ...


@contextmanager
def pool(backend: str, workers: int | None) -> Generator[Answer]:
    """The workers of a backend; a cluster is connected meanwhile."""
    if backend == "local":
        yield partial(_answer, workers or 1)
        return
    from slth._cluster import connected

    with connected(max(cores(), workers or 1)) as place:
        count = workers or place.cpus
        yield partial(_answer_far, count, max(1, min(place.most, place.cpus // count)))


def _answer_far(workers: int, cpus: int, tasks: list[Task], wait: bool) -> Generator[tuple[Task, State]]:
    """On a cluster, so many processors for each."""
    from slth._cluster import RAY

    waiting = {task.cell.question: task for task in tasks}
    with parallel_config(RAY, n_jobs=workers, cpus=cpus, again=2, lost=_died):
        yield from _pooled(waiting, wait)


def _answer(workers: int, tasks: list[Task], wait: bool) -> Generator[tuple[Task, State]]:
    if workers == 1:
        yield from ((task, attempt(task, wait)) for task in tasks)
        return
    waiting = {task.cell.question: task for task in tasks}
    silent = 0
    while waiting:
        left = len(waiting)
        try:
            yield from _in_processes(waiting, workers, wait)
        except BrokenProcessPool:  # a worker died: out of memory, or killed. All workers are gone now.
            suspects = [task for task in waiting.values() if task.place.lock(task.cell.question).exists()]
            silent = 0 if suspects or len(waiting) < left else silent + 1
            if silent == _MOST_SILENT:
                raise InputError("the worker processes die before they begin; try one worker") from None
            for task in suspects:  # each by itself, so that only the guilty one fails
                try:
                    yield from _in_processes({task.cell.question: task}, workers, wait)
                except BrokenProcessPool:
                    yield task, _died(task, wait)[1]
                waiting.pop(task.cell.question, None)


def _died(task: Task, _wait: bool) -> tuple[str, State]:
    """What becomes of a task whose worker died."""
    start = time.perf_counter()
    with locked(task.place.lock(task.cell.question)):
        fail(task, "Died", "its process died without a word: killed, or out of memory", "", start)
    return task.cell.question, State.FAILED


def _in_processes(waiting: dict[str, Task], workers: int, wait: bool) -> Generator[tuple[Task, State]]:
    """On this machine."""
    with on_this_machine(workers):
        yield from _pooled(waiting, wait)


def _pooled(waiting: dict[str, Task], wait: bool) -> Generator[tuple[Task, State]]:
    """The tasks in worker processes; what is answered leaves `waiting`."""
    with closing(unordered(_in_worker, [(task, wait) for task in waiting.values()])) as answers:
        for question, state in answers:
            yield waiting.pop(question), state


def _in_worker(task: Task, wait: bool) -> tuple[str, State]:
    return task.cell.question, attempt(task, wait)
