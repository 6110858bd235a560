"""Files made once by many processes, each under a lock of its own beside it."""

from collections.abc import Callable
from pathlib import Path

from slth._files import unfinished, write_atomically
from slth._locks import locked


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


def lock_of(path: Path) -> Path:
    """A result and its failure share a lock, x.lock for x.json and x.failed.json; any other file y has y.lock."""
    return path.with_name(path.name.removesuffix(".json").removesuffix(".failed") + ".lock")


def clean(folder: Path) -> None:
    """Remove what killed processes left: unfinished files and locks that nobody holds."""
    for file in sorted(folder.rglob("*")):
        whole = unfinished(file.name)
        if whole or file.suffix == ".lock":
            lock = lock_of(file.with_name(whole)) if whole else file
            with locked(lock, wait=False) as ours:  # whoever writes a file holds its lock
                if ours and whole:
                    file.unlink(missing_ok=True)
