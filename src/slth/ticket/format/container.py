"""Ticket <-> bytes. `FORMAT.md` is the specification.

The only freedom a file has is its metadata text: once that is read and validated, every other byte of the header is
rebuilt and compared, so lengths, offsets, names, types and order cannot lie. Nothing is allocated before that.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from slth._errors import InputError
from slth.ticket.format import v1_constructed, v1_learned, v2
from slth.ticket.format.fields import TicketError, as_ticket_errors, canonical, parse
from slth.ticket.format.runs import Layout, Run, body_of, carried_types, encodings_of, runs_of
from slth.ticket.ticket import Ticket

CODECS = (v1_constructed, v1_learned, v2)  # the oldest first: `encode` takes the first that says a ticket whole
MOST_HEADER = 1 << 24  # bytes
_ZEROS = "0" * 64


class DamagedTicketError(TicketError):
    """The file is a ticket, but its content does not match its own digest."""


def encode(ticket: Ticket) -> bytes:
    """The bytes of a ticket file, digest filled in.

    Raises:
        InputError: `decode` would refuse them; nothing is written that cannot be read back.
    """
    codec = next((codec for codec in CODECS if codec.says(ticket)), None)
    if codec is None:
        raise InputError("no version of the ticket file can say this ticket; write a smaller one")
    stored = codec.stored_masks(ticket)
    encodings = encodings_of(stored)
    text = canonical(codec.metadata_of(ticket, encodings, _ZEROS))
    header = _header(text, runs_of(ticket.tensors, encodings, carried_types(ticket)))
    body = b"".join([header, *body_of(ticket, stored)])
    data = _with_digest(body, _ZEROS, hashlib.sha256(body).hexdigest())
    try:
        decode(data)
    except TicketError as error:
        raise InputError(f"this ticket cannot be written, for no reader would accept it: {error}") from error
    return data


def stored_mask_bits(ticket: Ticket) -> int:
    """Bits that the masks take in the file, coded where that is shorter."""
    return 8 * sum(len(data) for _, data in v2.stored_masks(ticket).values())  # every version codes them alike


def decode(data: bytes) -> Ticket:
    """Inverse of `encode`, for bytes from anyone."""
    header = _split(data)
    text = _metadata_text(header)
    metadata = parse(text, "the ticket's metadata")
    _check_version(metadata)
    digest = metadata.get("digest")
    if type(digest) is not str or not re.fullmatch("[0-9a-f]{64}", digest):
        raise TicketError("the ticket states no digest of 64 hexadecimal digits; it was not written by slth")
    if hashlib.sha256(_with_digest(data, digest, _ZEROS)).hexdigest() != digest:
        raise DamagedTicketError("the content does not match the ticket's digest: damaged or changed; get a fresh copy")
    codec = _codec(metadata)
    body = data[8 + len(header) :]
    with as_ticket_errors():
        layout: Layout = codec.layout_of(metadata, len(body))
        _check_header(data[: 8 + len(header)], text, layout.runs)
        ticket = layout.read(body)
        if canonical(codec.metadata_of(ticket, layout.encodings, digest)) != text:
            raise TicketError("the ticket's metadata is not in canonical form; it was not written by slth")
    return ticket


def _split(data: bytes) -> bytes:
    if len(data) < 8:
        raise TicketError("not a ticket, or a truncated one: the file is shorter than its header length says")
    length = int.from_bytes(data[:8], "little")
    if length > MOST_HEADER:
        raise TicketError(f"not a ticket: its header would be {length:,} bytes, more than {MOST_HEADER:,}")
    if length > len(data) - 8:
        raise TicketError("not a ticket, or a truncated one: the file is shorter than its header length says")
    return data[8 : 8 + length]


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
    if version not in (v1_constructed.FORMAT, v2.FORMAT):
        raise TicketError(
            f"the ticket has format version {version!r:.22}; this slth reads {v1_constructed.FORMAT} and "
            f"{v2.FORMAT}: update slth"
        )


def _codec(metadata: Mapping[str, Any]) -> Any:
    if metadata["format"] == v2.FORMAT:
        return v2
    return v1_learned if metadata.get("kind") == v1_learned.KIND else v1_constructed


def _with_digest(data: bytes, old: str, new: str) -> bytes:
    """Exchange the digest, which must stand exactly once in the header."""
    field, end = b'\\"digest\\":\\"%s\\"', 8 + int.from_bytes(data[:8], "little")
    if data.count(field % old.encode(), 0, end) != 1:
        raise TicketError("the ticket's digest does not stand exactly once in its header; it was not written by slth")
    at = data.index(field % old.encode()) + len(b'\\"digest\\":\\"')
    return data[:at] + new.encode() + data[at + 64 :]


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
