"""Ticket <-> bytes. `FORMAT.md` beside this file is the specification.

The only freedom a file has is its metadata text: once that is read and validated, every other byte of the header is
rebuilt and compared, so lengths, offsets, names, types and order cannot lie. Nothing is allocated before that.
"""

import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from slth._errors import InputError
from slth._shapes import Bits
from slth.ticket import _learned as learned
from slth.ticket._fields import TicketError, canonical, parse
from slth.ticket._learned import Run
from slth.ticket._masks import Stored, restore_mask, store_masks
from slth.ticket._metadata import FORMAT, inflatable, metadata_of, ticket_of
from slth.ticket.learned import LearnedTicket
from slth.ticket.spec import LayerSpec
from slth.ticket.ticket import Ticket

MOST_HEADER = 1 << 24  # bytes
_ZEROS = "0" * 64
_NOT_CANONICAL = "the ticket's metadata is not in canonical form; it was not written by slth"


class DamagedTicketError(TicketError):
    """The file is a ticket, but its content does not match its own digest."""


def encode(ticket: Ticket | LearnedTicket) -> bytes:
    """The bytes of a ticket file, digest filled in.

    Raises:
        InputError: `decode` would refuse them; nothing is written that cannot be read back.
    """
    text, runs, parts = _learned_parts(ticket) if isinstance(ticket, LearnedTicket) else _parts(ticket)
    body = b"".join([_header(text, runs), *parts])
    data = _with_digest(body, _ZEROS, hashlib.sha256(body).hexdigest())
    try:
        decode(data)
    except TicketError as error:
        raise InputError(f"this ticket cannot be written, for no reader would accept it: {error}") from error
    return data


def load(path: str | os.PathLike[str]) -> Ticket | LearnedTicket:
    """Read and validate a ticket. The random weights are not regenerated: `slth.verify` does that.

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
        return decode(data)
    except TicketError as error:
        raise type(error)(f"{path}: {error}") from error


def load_constructed(path: str | os.PathLike[str]) -> Ticket:
    """A constructed ticket; one that was learned is refused, for it stands for no target network."""
    ticket = load(path)
    if isinstance(ticket, LearnedTicket):
        raise InputError(
            f"{path} is a learned ticket, found by training masks; this needs one that `slth construct` wrote"
        )
    return ticket


def decode(data: bytes) -> Ticket | LearnedTicket:
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
    body = _learned if metadata.get("kind") == learned.KIND else _constructed
    return body(metadata, text, data[: 8 + len(header)], data[8 + len(header) :])


def stored_masks(ticket: LearnedTicket) -> list[Stored | None]:
    """Encoding and bytes of the masks of a learned ticket; None where everything is kept."""
    pairs = list(zip(ticket.tensors, ticket.masks, strict=True))
    beside = 4 * sum(tensor.kept for tensor in ticket.tensors if tensor.moved)
    beside += sum(values.nbytes for values in ticket.carried.values())
    stored = iter(
        store_masks(
            [(mask, tensor.size) for tensor, mask in pairs if mask is not None],
            justified=lambda size: learned.drawable(ticket.tensors, size + beside),
        )
    )
    return [None if mask is None else next(stored) for _, mask in pairs]


def _parts(ticket: Ticket) -> tuple[str, list[Run], list[bytes]]:
    """Metadata with a digest of zeros, and the file's runs."""
    stored = store_masks(
        [(mask, layer.mask_bits) for layer, mask in zip(ticket.layers, ticket.masks, strict=True)],
        justified=lambda size: inflatable(ticket.layers, size),
    )
    text = canonical(metadata_of(ticket, [(name, len(data)) for name, data in stored], _ZEROS))
    return text, _runs(ticket.layers, [len(data) for _, data in stored]), [data for _, data in stored]


def _learned_parts(ticket: LearnedTicket) -> tuple[str, list[Run], list[bytes]]:
    stored = stored_masks(ticket)
    encodings = [None if mask is None else (mask[0], len(mask[1])) for mask in stored]
    parts: list[bytes] = []
    for mask, move in zip(stored, ticket.moves, strict=True):
        parts += [] if mask is None else [mask[1]]
        parts += [] if move is None else [move.astype("<f4").tobytes()]
    parts += [values.astype(values.dtype.newbyteorder("<")).tobytes() for _, values in sorted(ticket.carried.items())]
    text = canonical(learned.metadata_of(ticket, encodings, _ZEROS))
    return text, learned.runs_of(ticket.tensors, encodings, learned.carried_types(ticket)), parts


def _constructed(metadata: Any, text: str, header: bytes, body: bytes) -> Ticket:
    ticket, encodings = ticket_of(metadata, len(body))
    if canonical(metadata_of(ticket, encodings, metadata["digest"])) != text:
        raise TicketError(_NOT_CANONICAL)
    _check_header(header, text, _runs(ticket.layers, [size for _, size in encodings]))
    masks: list[Bits] = []
    at = 0
    for layer, (encoding, size) in zip(ticket.layers, encodings, strict=True):
        masks.append(restore_mask(body[at : at + size], encoding, layer.mask_bits, layer.path))
        at += size
    return replace(ticket, masks=tuple(masks))


def _learned(metadata: Any, text: str, header: bytes, body: bytes) -> LearnedTicket:
    layout = learned.layout_of(metadata, len(body))
    _check_header(header, text, layout.runs)
    ticket = learned.ticket_of(layout, body)
    if canonical(learned.metadata_of(ticket, layout.encodings, metadata["digest"])) != text:
        raise TicketError(_NOT_CANONICAL)
    return ticket


def _read(path: Path) -> bytes:
    """The whole file, unless its first bytes already rule it out."""
    if path.exists() and not (path.is_file() or path.is_dir()):  # a pipe would make us wait, a device never ends
        raise OSError("it is a device or a pipe, not a file")
    with open(path, "rb") as file:
        start = file.read(8)
        length = int.from_bytes(start, "little")
        size = os.fstat(file.fileno()).st_size
        if len(start) < 8 or length > min(MOST_HEADER, size - 8):
            return start  # too short or a senseless header length: `_split` says so
        return start + file.read()


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
    if type(version) is not int or version < 1:
        raise TicketError("not a ticket: its metadata states no format version")
    if version > FORMAT:
        raise TicketError(
            f"the ticket has format version {str(version)[:20]}; this slth reads up to {FORMAT}: update slth"
        )


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


def _runs(layers: tuple[LayerSpec, ...], sizes: list[int]) -> list[Run]:
    return [(f"{layer.path}/mixing.mask", "U8", [size], size) for layer, size in zip(layers, sizes, strict=True)]
