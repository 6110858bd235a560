"""Ticket <-> bytes. `FORMAT.md` is the specification.

The only freedom a file has is its metadata text: once that is read and validated, every other byte of the header is
rebuilt and compared, so lengths, offsets, names, types and order cannot lie. Nothing is allocated before that.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slth._errors import InputError
from slth._shapes import Bits
from slth.ticket.buffers import Buffer
from slth.ticket.format import v1_constructed, v1_learned, v2
from slth.ticket.format.fields import TicketError, UnknownKeysError, as_ticket_errors, canonical, parse
from slth.ticket.format.runs import Layout, Run, body_of, carried_types, encodings_of, runs_of
from slth.ticket.ticket import Ticket

CODECS = (v1_constructed, v1_learned, v2)  # the oldest first: `encode` takes the first that says a ticket whole
MOST_HEADER = 1 << 24  # bytes
_DRAFT = "2-draft"  # what version 2 was called before it was frozen
_ZEROS = "0" * 64


class DamagedTicketError(TicketError):
    """The file is a ticket, but its content does not match its own digest."""


def encode(ticket: Ticket) -> bytes:
    """The bytes of a ticket file, digest filled in. Raises as `encoded`."""
    return b"".join(encoded(ticket))


def encoded(ticket: Ticket, *, threads: int = 1) -> list[Buffer]:
    """The bytes of a ticket file in pieces, the header first; masks that are stored plain are the ticket's own.

    They are the same for any number of threads. Memory beside them: of one mask.

    Raises:
        InputError: `decode` would refuse them; nothing is written that cannot be read back.
    """
    codec = _writer(ticket)
    stored = codec.stored_masks(ticket, threads=threads)
    encodings = encodings_of(stored)
    text = canonical(codec.metadata_of(ticket, encodings, _ZEROS))
    empty = _header(text, runs_of(ticket.tensors, encodings, carried_types(ticket)))
    body = body_of(ticket, stored)
    try:
        head = _with_digest(empty, _ZEROS, _digest([empty, *body]))
        start = _head(memoryview(head))
        _ticket(start, _stated(start), _Runs(body), known=ticket.masks, threads=threads)
    except TicketError as error:
        raise InputError(f"this ticket cannot be written, for no reader would accept it: {error}") from error
    return [head, *body]


def stored_mask_bits(ticket: Ticket) -> int:
    """Bits that the masks take in the file, coded where that is shorter."""
    codec: Any = next((codec for codec in CODECS if codec.says(ticket)), v2)  # of one that cannot be written, too
    return 8 * sum(len(data) for _, data in codec.stored_masks(ticket).values())


@dataclass(frozen=True, slots=True)
class FileSizes:
    """Bytes of a ticket's file."""

    total: int
    masks: Mapping[str, int]  # by tensor that has one


def file_sizes(ticket: Ticket) -> FileSizes:
    """Of the file that `encode` would write; raises as `encoded`."""
    head, *body = encoded(ticket)
    return sizes_in(ticket, bytes(head), len(head) + sum(map(len, body)))


def sizes_in(ticket: Ticket, head: bytes, total: int) -> FileSizes:
    """Of the file of a ticket, of which the header is known."""
    entries = json.loads(head[8:])
    return FileSizes(total, {path: entries[f"{path}.mask"]["shape"][0] for path in ticket.masks})


def decode(data: bytes, *, threads: int = 1) -> Ticket:
    """Inverse of `encode`, for bytes from anyone; masks that are stored plain stay where they are in `data`."""
    view = memoryview(data).toreadonly()
    head = _head(view)
    body = view[len(head) :]
    stated = _stated(head)
    digest = stated[2]
    if _digest([_with_digest(head, digest, _ZEROS), body]) != digest:
        raise DamagedTicketError("the content does not match the ticket's digest: damaged or changed; get a fresh copy")
    return _ticket(head, stated, _Runs([body]), threads=threads)


def _writer(ticket: Ticket) -> Any:
    """The oldest version that says a ticket whole."""
    codec = next((codec for codec in CODECS if codec.says(ticket)), None)
    if codec is None:
        raise InputError("no version of the ticket file can say this ticket; write a smaller one")
    return codec


@dataclass(slots=True)
class _Runs:
    """The bytes behind the header, taken run by run: in one piece, or each run by itself."""

    pieces: list[Buffer]
    piece: int = 0
    at: int = 0  # within the piece

    @property
    def size(self) -> int:
        """Bytes of all."""
        return sum(map(len, self.pieces))

    def take(self, size: int) -> Buffer:
        """The next so many bytes, which stand in one piece."""
        while self.piece < len(self.pieces) - 1 and self.at == len(self.pieces[self.piece]):
            self.piece, self.at = self.piece + 1, 0
        self.at += size
        return memoryview(self.pieces[self.piece])[self.at - size : self.at]


def _ticket(
    head: bytes,
    stated: tuple[str, Any, str],
    body: _Runs,
    *,
    known: Mapping[str, Bits] | None = None,
    threads: int = 1,
) -> Ticket:
    """The ticket of a header, what that states, and the runs behind it: all that a reader checks but the digest."""
    text, metadata, digest = stated
    codec = _codec(metadata)
    with as_ticket_errors():
        try:
            layout: Layout = codec.layout_of(metadata, body.size)
        except UnknownKeysError as error:
            raise TicketError(f"{error}; keys may join: update slth" if codec is v2 else str(error)) from error
        _check_header(head, text, layout.runs)
        ticket = layout.read(body.take, known=known, threads=threads)
        if canonical(codec.metadata_of(ticket, layout.encodings, digest)) != text:
            raise TicketError("the ticket's metadata is not in canonical form; it was not written by slth")
    return ticket


def _stated(head: bytes) -> tuple[str, Any, str]:
    """The metadata as text and as data, of a version that is known, and the digest that it states."""
    text = _metadata_text(head[8:])
    metadata = parse(text, "the ticket's metadata")
    _check_version(metadata)
    digest = metadata.get("digest")
    if type(digest) is not str or not re.fullmatch("[0-9a-f]{64}", digest):
        raise TicketError("the ticket states no digest of 64 hexadecimal digits; it was not written by slth")
    return text, metadata, digest


def _digest(pieces: Sequence[Buffer]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _head(data: memoryview) -> bytes:
    """The length of the header, and the header."""
    if len(data) < 8:
        raise TicketError("not a ticket, or a truncated one: the file is shorter than its header length says")
    length = int.from_bytes(data[:8], "little")
    if length > MOST_HEADER:
        raise TicketError(f"not a ticket: its header would be {length:,} bytes, more than {MOST_HEADER:,}")
    if length > len(data) - 8:
        raise TicketError("not a ticket, or a truncated one: the file is shorter than its header length says")
    return bytes(data[: 8 + length])


def _metadata_text(header: bytes) -> str:
    top = parse(header, "not a ticket: its header")
    inner = top.get("__metadata__") if isinstance(top, dict) else None
    text = inner.get("slth") if isinstance(inner, dict) else None
    if type(text) is not str:
        raise TicketError("not a ticket: its header holds no `slth` metadata; write tickets with `slth construct`")
    return text


def _check_version(metadata: Any) -> None:
    version = metadata.get("format") if isinstance(metadata, dict) else None
    if type(version) not in (int, str) or (type(version) is int and version < 1):
        raise TicketError("not a ticket: its metadata states no format version")
    if version == _DRAFT:
        raise TicketError("the ticket is a draft of format version 2, which was frozen since: construct it again")
    if version not in (v1_constructed.FORMAT, v2.FORMAT):
        raise TicketError(
            f"the ticket has format version {version!r:.22}; this slth reads {v1_constructed.FORMAT} and "
            f"{v2.FORMAT}: update slth"
        )


def _codec(metadata: Mapping[str, Any]) -> Any:
    if metadata["format"] == v2.FORMAT:
        return v2
    return v1_learned if metadata.get("kind") == v1_learned.KIND else v1_constructed


def _with_digest(head: bytes, old: str, new: str) -> bytes:
    """Exchange the digest, which must stand exactly once in the header."""
    field = b'\\"digest\\":\\"%s\\"'
    if head.count(field % old.encode()) != 1:
        raise TicketError("the ticket's digest does not stand exactly once in its header; it was not written by slth")
    return head.replace(field % old.encode(), field % new.encode())


def _header(text: str, runs: Sequence[Run]) -> bytes:
    """Length and header of a safetensors file: metadata, then byte runs one after the other, padded to 8 bytes."""
    entries: dict[str, Any] = {"__metadata__": {"slth": text}}
    at = 0
    for name, dtype, shape, size in runs:
        entries[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    raw = json.dumps(entries, separators=(",", ":")).encode()
    raw += b" " * (-len(raw) % 8)
    return len(raw).to_bytes(8, "little") + raw


def _check_header(header: bytes, text: str, runs: Sequence[Run]) -> None:
    if _header(text, runs) != header:
        raise TicketError("the file's layout does not follow from its metadata: lengths, names or order are wrong")
