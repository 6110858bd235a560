"""Locks between processes: a flock on a file, which the kernel releases on any death."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from slth._errors import InputError

if sys.platform != "win32":
    import fcntl


@contextmanager
def locked(lock: Path, *, wait: bool = True) -> Generator[bool]:
    """Hold a lock; False if another process holds it and we do not wait. The lock's file is removed at the end.

    Without file locks (Windows) everybody holds it: start one process at a time there.
    """
    file = _acquire(lock, wait)
    if file is None:
        yield False
        return
    try:
        yield True
    finally:
        with suppress(OSError):
            lock.unlink()  # while it is ours; who waits for it notices, see `_acquire`
        os.close(file)


def _acquire(lock: Path, wait: bool) -> int | None:
    while True:
        try:
            file = os.open(lock, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
        except OSError as error:
            raise InputError(f"cannot write {lock}: {error.strerror or error}; choose another folder") from error
        try:
            if sys.platform != "win32":
                fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file), os.stat(lock)):
                    return file
        except BlockingIOError:
            os.close(file)
            return None
        except BaseException as error:
            os.close(file)
            if isinstance(error, OSError):
                raise InputError(f"cannot lock {lock}: {error.strerror}; choose a folder on another disk") from error
            raise
        os.close(file)  # its holder has removed it meanwhile: a lock on a file without a name holds nobody off
