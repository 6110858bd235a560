"""How many threads a BLAS takes: one for small matrices, where several wait for each other longer than they work."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

LARGE = 1024  # order from which on a product is worth several threads
_lock = Lock()
_inside: list[Any] = []  # what restores the threads there were, while somebody is inside `one_thread`


@contextmanager
def one_thread() -> Generator[None]:
    """One thread of BLAS within, but for what asks for all. Who comes first, of several threads, limits; the last one
    to leave restores."""
    with _lock:
        _inside.append(_blas().limit(limits=1, user_api="blas") if not _inside else _inside[0])
    try:
        yield
    finally:
        with _lock:
            limited = _inside.pop()
            if not _inside:
                limited.restore_original_limits()


@contextmanager
def all_threads() -> Generator[None]:
    """As many threads of BLAS within as there were at first."""
    with _blas().limit(limits=_most(), user_api="blas"):
        yield


def _blas() -> Any:
    """The libraries that are loaded by now."""
    return _controller("scipy.linalg" in sys.modules)


@cache
def _controller(scipy: bool) -> Any:
    """Those of NumPy, and of SciPy if it is loaded."""
    from threadpoolctl import ThreadpoolController

    _most()
    return ThreadpoolController()


@cache
def _most() -> int:
    """Threads before anything was limited."""
    from threadpoolctl import threadpool_info

    return max((int(library["num_threads"]) for library in threadpool_info()), default=1)
