"""Writing files so that a reader finds the old content or the new, never half of either."""

import os
import re
import secrets
import stat
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from io import FileIO
from pathlib import Path

from slth._errors import InputError

if sys.platform != "win32":
    import fcntl

_LONGER = 19  # bytes by which the names of unfinished neighbours, and of a folder's for them, exceed that of a file
_TEMPORARY = re.compile(r"\.(.+)\.[0-9a-f]{8}\.tmp")


def write_atomically(
    path: str | Path, chunks: bytes | Iterable[bytes | memoryview], *, ready: Callable[[], None] | None = None
) -> Path:
    """Write a file through a temporary neighbour, fsync and rename; on any failure or interrupt nothing is left over.

    A link stays a link: what it points to is written. A file that is there keeps its mode, and its owner if we may.
    `ready` is called when all is on the disk, before it takes its place.

    Raises:
        InputError: the folder is missing, the place cannot be written, or the disk is full. The old file survives.
    """
    path = Path(path)
    check_writable(path)
    place = Path(os.path.realpath(path))
    temporary = place.with_name(f".{place.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb", opener=_like(place)) as file:
            file.writelines([chunks] if isinstance(chunks, bytes) else chunks)
            file.flush()
            os.fsync(file.fileno())
        if ready is not None:
            ready()
        os.replace(temporary, place)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise _unchanged(path, error) from error
        raise
    return path


def check_readable(path: str | Path) -> None:
    """Refuse what is no file: a pipe would wait for ever. Whoever opens it says that nothing is there."""
    path = Path(path)
    if path.exists() and not path.is_file():
        raise InputError(f"cannot read {path}: it is a {'folder' if path.is_dir() else 'device or a pipe'}, not a file")


def unfinished(name: str) -> str | None:
    """The file that a temporary neighbour was to become, which a killed writer has left; None for any other name.

    >>> unfinished(".net.slth.0f3a99c2.tmp"), unfinished("net.slth")
    ('net.slth', None)
    """
    found = _TEMPORARY.fullmatch(name)
    return found and found[1]


def append_line(path: str | Path, line: str) -> Path:
    """Append one line in a single write; a write that falls short is taken back.

    A line that an earlier crash left unfinished is ended first, so that it spoils no other.
    """
    path = Path(path)
    check_writable(path)
    try:
        with open(path, "a+b", buffering=0) as file:
            _append(file, (line + "\n").encode())
    except OSError as error:
        raise _unchanged(path, error) from error
    return path


def check_writable(path: str | Path) -> None:
    """Refuse an output place early, before hours of work: a missing folder is named, never created."""
    path = Path(path)
    try:
        if path.parent.exists() and not path.parent.is_dir():
            raise InputError(f"cannot write {path}: {path.parent} is a file, and no folder; choose another")
        if not path.parent.is_dir():
            raise InputError(
                f"cannot write {path}: the folder {path.parent} does not exist; create it or choose another"
            )
        if path.is_dir():
            raise InputError(f"cannot write {path}: it is a folder; give a file name")
        if path.exists() and not path.is_file():
            raise InputError(f"cannot write {path}: it is a device or a pipe; give a file name")
        place = Path(os.path.realpath(path))
        if not place.parent.is_dir():
            raise InputError(f"cannot write {path}: it is a link into a folder that does not exist, {place.parent}")
        longest = os.pathconf(place.parent, "PC_NAME_MAX") if hasattr(os, "pathconf") else 255
        if len(os.fsencode(place.name)) + _LONGER > longest:
            raise InputError(
                f"cannot write {path}: its name is too long; give one of at most {longest - _LONGER} bytes"
            )
        if not os.access(place.parent, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
            raise InputError(f"cannot write {path}: permission denied; choose another place")
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"cannot write {str(path)!r}: it is no name of a file; choose another") from error
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}; choose another place") from error


def _like(place: Path) -> Callable[[str, int], int]:
    """Opens a new file that nobody may read who may not read the one that is there."""

    def open_new(name: str, flags: int) -> int:
        try:
            there = os.stat(place)
        except FileNotFoundError:
            return os.open(name, flags, 0o666)
        file = os.open(name, flags, 0o600)
        if sys.platform != "win32":
            with suppress(OSError):  # only root may give files away
                os.fchown(file, there.st_uid, there.st_gid)
            with suppress(OSError):  # some file systems have no modes
                os.fchmod(file, stat.S_IMODE(there.st_mode))
        return file

    return open_new


def _append(file: FileIO, data: bytes) -> None:
    if sys.platform != "win32":
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(file, fcntl.LOCK_EX)  # another process that appends waits: what is taken back is ours
    before = file.seek(0, os.SEEK_END)
    if before and file.seek(-1, os.SEEK_END) >= 0 and file.read(1) != b"\n":
        data = b"\n" + data
    try:
        whole = file.write(data) == len(data)
        os.fsync(file.fileno())
        if not whole:
            raise OSError("the disk is full")
    except BaseException:
        file.truncate(before)
        raise


def _unchanged(path: Path, error: OSError) -> InputError:
    return InputError(f"cannot write {path}: {error.strerror or error}; nothing was changed there")
