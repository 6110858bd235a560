"""How many threads a BLAS takes: one for small matrices, where several wait for each other longer than they work."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from typing import Any

LARGE = 1024  # order from which on a product is worth several threads


@contextmanager
def one_thread() -> Generator[None]:
    """One thread of BLAS within, but for what asks for all."""
    blas, _ = _blas("scipy.linalg" in sys.modules)
    with blas.limit(limits=1, user_api="blas"):
        yield


@contextmanager
def all_threads() -> Generator[None]:
    """As many threads of BLAS within as there were at first."""
    blas, threads = _blas("scipy.linalg" in sys.modules)
    with blas.limit(limits=threads, user_api="blas"):
        yield


@cache
def _most() -> int:
    """Threads before anything was limited."""
    from threadpoolctl import threadpool_info

    return max((int(library["num_threads"]) for library in threadpool_info()), default=1)


@cache
def _blas(scipy: bool) -> tuple[Any, int]:
    """The libraries that are loaded, SciPy's among them or not; their threads."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController(), _most()
