"""Files made once by many processes. A lock is a flock on a file beside it: the kernel releases it on any death."""

import os
import re
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from slth._errors import InputError
from slth._files import write_atomically

if sys.platform != "win32":
    import fcntl

_UNFINISHED = re.compile(r"\.(.+)\.[0-9a-f]{8}\.tmp")  # as `write_atomically` names its temporary neighbours


def once(path: Path, make: Callable[[], bytes]) -> Path:
    """Make a file that several cells share exactly once: one process makes it, the others wait for it.

    Name it by what it depends on, since an existing file is taken as it is. If `make` raises, the next one that waits
    tries; if its process is killed, too.
    """
    if not path.exists():
        with locked(lock_of(path)):
            if not path.exists():
                write_atomically(path, make())
    return path


@contextmanager
def locked(lock: Path, *, wait: bool = True) -> Generator[bool]:
    """Hold a lock; False if another process holds it and we do not wait. The lock's file is removed at the end.

    Without file locks (Windows) everybody holds it: run one sweep at a time there.
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


def lock_of(path: Path) -> Path:
    """A result and its failure share a lock, x.lock for x.json and x.failed.json; any other file y has y.lock."""
    return path.with_name(path.name.removesuffix(".json").removesuffix(".failed") + ".lock")


def clean(folder: Path) -> None:
    """Remove what killed processes left: unfinished files and locks that nobody holds."""
    for file in sorted(folder.rglob("*")):
        unfinished = _UNFINISHED.fullmatch(file.name)
        if unfinished or file.suffix == ".lock":
            lock = lock_of(file.with_name(unfinished[1])) if unfinished else file
            with locked(lock, wait=False) as ours:  # whoever writes a file holds its lock
                if ours and unfinished:
                    file.unlink(missing_ok=True)


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
