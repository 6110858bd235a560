"""Calls in processes of their own: Ctrl-C is the parent's, and they end when it ends."""

import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, contextmanager
from typing import Any, TypeVar, cast

from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky.backend import resource_tracker

from slth.records import cores

_T = TypeVar("_T")


@contextmanager
def on_this_machine(workers: int) -> Generator[None]:
    """`unordered` calls in so many processes, which share the processors."""
    follow: dict[str, Any] = {"initializer": _begin, "initargs": (os.getpid(),)}
    with parallel_config("loky", n_jobs=workers, inner_max_num_threads=max(1, cores() // workers), **follow):
        yield


def unordered(call: Callable[..., _T], arguments: Iterable[tuple[Any, ...]]) -> Generator[_T]:
    """call(*one) for each of the arguments, in the workers of the surrounding backend, as they are done.

    Raises:
        BrokenProcessPool: a worker died; all are gone then.
    """
    parallel: Any = Parallel(return_as="generator_unordered", pre_dispatch="n_jobs", batch_size=cast("Any", 1))
    with _interrupts_wait():
        answers = parallel(delayed(call)(*one) for one in list(arguments))
    with closing(answers):
        yield from answers


@contextmanager
def _interrupts_wait() -> Generator[None]:
    """Ctrl-C waits until the end. Processes that are started meanwhile never hear it, not even before they have begun.

    It is ignored, which they inherit, and blocked, so that it is kept: a blocked signal is delivered when it is
    unblocked, to the handler of then.
    """
    resource_tracker.ensure_running()  # where it starts, older ones of joblib unblock
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    ours = threading.current_thread() is threading.main_thread()  # no other thread may say how signals are met
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN) if ours else None
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.SIG_DFL if handler is None else handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's: it ends the workers
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """A worker whose parent was killed ends within a second, as if it had been killed, too."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
