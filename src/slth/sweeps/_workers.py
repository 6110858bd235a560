"""Workers: cells answered in this process, in several, or on a cluster; one that dies is the failure of its cell."""

import os
import signal
import threading
import time
from collections.abc import Generator, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from functools import partial
from typing import Any, Protocol, cast

from joblib import Parallel, delayed, parallel_config

from slth._errors import InputError
from slth._locks import locked
from slth.records import cores
from slth.sweeps._cells import State, Task, attempt, fail

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
    share = max(1, cores() // workers)
    follow: dict[str, Any] = {"initializer": _begin_worker, "initargs": (os.getpid(),)}
    with parallel_config("loky", n_jobs=workers, inner_max_num_threads=share, **follow):
        yield from _pooled(waiting, wait)


def _pooled(waiting: dict[str, Task], wait: bool) -> Generator[tuple[Task, State]]:
    """The tasks in worker processes; what is answered leaves `waiting`."""
    parallel: Any = Parallel(return_as="generator_unordered", pre_dispatch="n_jobs", batch_size=cast("Any", 1))
    with _interrupts_ignored():
        answers = parallel(delayed(_in_worker)(task, wait) for task in list(waiting.values()))
    with closing(answers):
        for question, state in answers:
            yield waiting.pop(question), state


@contextmanager
def _interrupts_ignored() -> Generator[None]:
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


def _in_worker(task: Task, wait: bool) -> tuple[str, State]:
    return task.cell.question, attempt(task, wait)
