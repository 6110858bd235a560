"""Writing files so that a reader finds the old content or the new, never half of either."""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from slth._errors import InputError


def write_atomically(path: str | Path, chunks: bytes | Iterable[bytes]) -> Path:
    """Write a file through a temporary neighbour, fsync and rename; on any failure or interrupt nothing is left over.

    Raises:
        InputError: the folder is missing, the place cannot be written, or the disk is full. The old file survives.
    """
    path = Path(path)
    check_writable(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.writelines([chunks] if isinstance(chunks, bytes) else chunks)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}; nothing was changed there") from error
    finally:
        temporary.unlink(missing_ok=True)
    return path


def append_line(path: str | Path, line: str) -> Path:
    """Append one line in a single write; a write that falls short is taken back."""
    path = Path(path)
    check_writable(path)
    data = (line + "\n").encode()
    try:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            before = os.fstat(file).st_size
            try:
                whole = os.write(file, data) == len(data)
                os.fsync(file)
            except BaseException:
                os.ftruncate(file, before)
                raise
            if not whole:
                os.ftruncate(file, before)
                raise InputError(f"cannot write {path}: the disk is full; nothing was changed there")
        finally:
            os.close(file)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}; nothing was changed there") from error
    return path


def check_writable(path: str | Path) -> None:
    """Refuse an output place early, before hours of work: a missing folder is named, never created."""
    path = Path(path)
    if not path.parent.is_dir():
        raise InputError(f"cannot write {path}: the folder {path.parent} does not exist; create it or choose another")
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder; give a file name")
    if not os.access(path.parent, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise InputError(f"cannot write {path}: permission denied; choose another place")
