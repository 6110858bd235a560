"""Independent pieces of work on the threads of this process; compiled kernels do not hold the interpreter's lock."""

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar, cast

from slth._errors import InputError

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def in_order(work: Callable[[_Item], _Result], items: Iterable[_Item], *, threads: int) -> Iterator[_Result]:
    """work(item) of every item, in their order, whatever the number of threads. An item is taken when it has its turn:
    of those that are not done yet two are held for each thread.

    Raises:
        InputError: the system does not start so many threads.

    >>> list(in_order(abs, [-1, 2, -3], threads=2))
    [1, 2, 3]
    """
    return map(work, items) if threads < 2 else _on_threads(work, items, threads)


def cores() -> int:
    """Processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else (os.cpu_count() or 1)


def _on_threads(work: Callable[[Any], Any], items: Iterable[Any], threads: int) -> Iterator[Any]:
    from joblib import Parallel, delayed

    try:
        pool = Parallel(threads, backend="threading", return_as="generator")
        yield from cast(Iterator[Any], pool(delayed(work)(item) for item in items))
    except (RuntimeError, AttributeError) as error:  # the second is what joblib makes of the first
        if "start new thread" not in f"{error} {error.__context__}":
            raise
        raise InputError(f"the system starts no {threads} threads here; give fewer with --threads") from error
