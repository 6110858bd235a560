"""Tickets in files: `load` and `save` mirror each other."""

import os
from pathlib import Path

from slth._errors import InputError
from slth._files import write_atomically
from slth._threads import cores
from slth.ticket.format.container import MOST_HEADER, FileSizes, decode, encoded, sizes_in
from slth.ticket.format.fields import TicketError
from slth.ticket.ticket import Ticket


def save(ticket: Ticket, path: str | Path, *, threads: int | None = None) -> Path:
    """Write a ticket atomically; the same bytes everywhere. Masks are written from where they lie.

    Args:
        threads: that code masks; None uses the processors of this process.

    Raises:
        InputError: the file cannot be written, or no reader would accept the ticket; it is none.
    """
    if not isinstance(ticket, Ticket):  # pyright: ignore[reportUnnecessaryIsInstance]
        got = f"{ticket!r:.60} ({type(ticket).__name__})"
        raise InputError(f"expected a ticket to save, got {got}; slth.save(slth.load(path), copy) copies a file")
    return write_atomically(path, encoded(ticket, threads=threads or cores()))


def load(path: str | os.PathLike[str], *, threads: int | None = None) -> Ticket:
    """Read and validate a ticket. The random weights are not regenerated: `slth.verify` does that.

    Args:
        threads: that decode masks; None uses the processors of this process.

    Raises:
        DamagedTicketError: the file does not match its digest.
        TicketError: not a ticket, of a newer version, or not valid.
        InputError: the file cannot be read, or `path` is none.
    """
    if not isinstance(path, (str, os.PathLike)):  # pyright: ignore[reportUnnecessaryIsInstance]
        got = "the bytes of a file" if isinstance(path, bytes) else f"{path!r:.60} ({type(path).__name__})"
        raise InputError(
            f"expected a ticket or the path of one, such as 'mnist.slth', got {got}; give a text or a Path"
        )
    try:
        data = _read(Path(path))
    except (OSError, ValueError) as error:  # ValueError: a path that holds a zero byte
        raise InputError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    except MemoryError as error:
        raise InputError(f"cannot read {path}: the file is larger than the memory") from error
    try:
        return decode(data, threads=threads or cores())
    except TicketError as error:
        raise type(error)(f"{path}: {error}") from error


def stored_sizes(ticket: Ticket, path: str | os.PathLike[str]) -> FileSizes:
    """Bytes of the file that a ticket was loaded from: its header is read again.

    Raises:
        InputError: it cannot be read any more, or another one stands there.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(8)
            head = start + file.read(min(int.from_bytes(start, "little"), MOST_HEADER))
            return sizes_in(ticket, head, os.fstat(file.fileno()).st_size)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"cannot read {path} a second time: {type(error).__name__}; it was changed meanwhile"
        ) from error


def _read(path: Path) -> bytes:
    """The whole file in one piece of memory, unless its first bytes already rule it out."""
    if path.exists() and not (path.is_file() or path.is_dir()):  # a pipe would make us wait, a device never ends
        raise OSError("it is a device or a pipe, not a file")
    with open(path, "rb", buffering=0) as file:
        start = file.read(8)
        length = int.from_bytes(start, "little")
        size = os.fstat(file.fileno()).st_size
        if len(start) < 8 or length > min(MOST_HEADER, size - 8):
            return start  # too short or a senseless header length: `decode` says so
        file.seek(0)
        return file.readall()
