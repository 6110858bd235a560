"""Workers: cells answered in this process or in several; one that dies is the failure of its cell."""

import os
import signal
import threading
import time
from collections.abc import Generator
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from typing import Any, cast

from slth._errors import InputError
from slth._locks import locked
from slth.records import cores
from slth.sweeps._cells import State, Task, attempt, fail

_MOST_SILENT = 3  # pools that died without a cell begun or answered


def answer(tasks: list[Task], workers: int, wait: bool) -> Generator[tuple[Task, State]]:
    """Each task and its state, in any order."""
    if workers == 1:
        yield from ((task, attempt(task, wait)) for task in tasks)
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
                        fail(task, "Died", message, "", start)
                    yield task, State.FAILED
                waiting.pop(task.cell.question, None)


def _pooled(waiting: dict[str, Task], workers: int, wait: bool) -> Generator[tuple[Task, State]]:
    """The tasks in worker processes; what is answered leaves `waiting`."""
    from joblib import Parallel, delayed, parallel_config

    share = max(1, cores() // workers)
    follow: dict[str, Any] = {"initializer": _begin_worker, "initargs": (os.getpid(),)}
    with parallel_config("loky", n_jobs=workers, inner_max_num_threads=share, **follow):
        pool: Any = Parallel(return_as="generator_unordered", pre_dispatch="n_jobs", batch_size=cast("Any", 1))
        with _interrupts_ignored():
            answers = pool(delayed(_in_worker)(task, wait) for task in list(waiting.values()))
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
