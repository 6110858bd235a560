"""Ticket <-> bytes. `FORMAT.md` beside this file is the specification.

The only freedom a file has is its metadata text: once that is read and validated, every other byte of the header is
rebuilt and compared, so lengths, offsets, names, types and order cannot lie. Nothing is allocated before that.
"""

import hashlib
import json
import os
import re
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from slth._errors import InputError
from slth._shapes import Bits
from slth.ticket._fields import TicketError, canonical, parse
from slth.ticket._metadata import FORMAT, inflatable, metadata_of, ticket_of
from slth.ticket.spec import LayerSpec
from slth.ticket.ticket import Ticket

MOST_HEADER = 1 << 24  # bytes
_ZEROS = "0" * 64
_SPARSE = 0.125  # masks with a smaller fraction of ones are deflated


class DamagedTicketError(TicketError):
    """The file is a ticket, but its content does not match its own digest."""


def encode(ticket: Ticket) -> bytes:
    """The bytes of a ticket file, digest filled in.

    Raises:
        InputError: `decode` would refuse them; nothing is written that cannot be read back.
    """
    stored = _store(ticket.layers, ticket.masks)
    text = canonical(metadata_of(ticket, [(name, len(data)) for name, data in stored], _ZEROS))
    body = _header(text, _runs(ticket.layers, [len(data) for _, data in stored])) + b"".join(data for _, data in stored)
    data = _with_digest(body, _ZEROS, hashlib.sha256(body).hexdigest())
    try:
        decode(data)
    except TicketError as error:
        raise InputError(f"this ticket cannot be written, for no reader would accept it: {error}") from error
    return data


def load(path: str | Path) -> Ticket:
    """Read and validate a ticket. The random weights are not regenerated: `slth.verify` does that.

    Raises:
        DamagedTicketError: the file does not match its digest.
        TicketError: not a ticket, of a newer version, or not valid.
        InputError: the file cannot be read.
    """
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
    at = 8 + len(header)
    ticket, encodings = ticket_of(metadata, len(data) - at)
    if canonical(metadata_of(ticket, encodings, digest)) != text:
        raise TicketError("the ticket's metadata is not in canonical form; it was not written by slth")
    if _header(text, _runs(ticket.layers, [size for _, size in encodings])) != data[:at]:
        raise TicketError("the file's layout does not follow from its metadata: lengths, names or order are wrong")
    masks: list[Bits] = []
    for layer, (encoding, size) in zip(ticket.layers, encodings, strict=True):
        masks.append(_restore(data[at : at + size], encoding, layer))
        at += size
    return replace(ticket, masks=tuple(masks))


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


def _header(text: str, runs: list[tuple[str, int]]) -> bytes:
    """Length and header of a safetensors file: metadata, then byte runs one after the other, padded to 8 bytes."""
    entries: dict[str, Any] = {"__metadata__": {"slth": text}}
    at = 0
    for name, size in runs:
        entries[name] = {"dtype": "U8", "shape": [size], "data_offsets": [at, at + size]}
        at += size
    raw = json.dumps(entries, separators=(",", ":")).encode()
    raw += b" " * (-len(raw) % 8)
    return len(raw).to_bytes(8, "little") + raw


def _runs(layers: tuple[LayerSpec, ...], sizes: list[int]) -> list[tuple[str, int]]:
    return [(f"{layer.path}/mixing.mask", size) for layer, size in zip(layers, sizes, strict=True)]


def _store(layers: tuple[LayerSpec, ...], masks: tuple[Bits, ...]) -> list[tuple[str, bytes]]:
    """Encoding and bytes of each mask: sparse ones deflated, unless a reader would suspect a bomb."""
    plain = [("bits", mask.tobytes()) for mask in masks]
    ones = [int(np.bitwise_count(mask).sum(dtype=np.int64)) for mask in masks]
    stored = [
        ("deflate", zlib.compress(data, 6)) if count < _SPARSE * 8 * len(data) else (encoding, data)
        for (encoding, data), count in zip(plain, ones, strict=True)
    ]
    return stored if inflatable(layers, sum(len(data) for _, data in stored)) else plain


def _restore(data: bytes, encoding: str, layer: LayerSpec) -> Bits:
    where = f"the mask of {layer.path}"
    if encoding == "deflate":
        stream = zlib.decompressobj()
        try:
            data = stream.decompress(data, layer.mask_bytes + 1)
        except zlib.error as error:
            raise TicketError(f"{where} cannot be inflated: {error}") from error
        if not stream.eof or stream.unused_data:
            raise TicketError(f"{where} does not inflate to exactly {layer.mask_bytes:,} bytes")
    if len(data) != layer.mask_bytes:
        raise TicketError(f"{where} has {len(data):,} bytes; its layout needs {layer.mask_bytes:,}")
    bits = np.frombuffer(data, np.uint8)
    if layer.mask_bits % 8 and bits[-1] >> (layer.mask_bits % 8):
        raise TicketError(f"{where} has padding bits that are not zero")
    return bits
