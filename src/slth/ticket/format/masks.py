"""Masks <-> bytes: plain bits, or coded where that saves an eighth."""

import zlib
from collections.abc import Callable, Sequence

import numpy as np

from slth._shapes import Bits
from slth.ticket.buffers import Buffer, buffer_of
from slth.ticket.format.fields import TicketError
from slth.ticket.format.rans import compress, expand

Stored = tuple[str, Buffer]  # encoding and bytes; plain bits are those of the mask itself


def store_masks(masks: Sequence[tuple[Bits, int]], *, justified: Callable[[int], bool]) -> list[Stored]:
    """Encoding and bytes of each mask, given with its number of bits.

    Args:
        justified: whether a reader accepts the file if its masks take so many bytes; if not, none is coded.
    """
    plain: list[Stored] = [("bits", buffer_of(bits)) for bits, _ in masks]
    stored: list[Stored] = [
        ("bits", data) if coded is None else ("rans", coded)
        for (bits, count), (_, data) in zip(masks, plain, strict=True)
        for coded in [compress(bits, count, most=len(data) * 7 // 8)]
    ]
    return stored if justified(sum(len(data) for _, data in stored)) else plain


def restore_mask(data: Buffer, encoding: str, count: int, owner: str) -> Bits:
    """`count` bits, packed, from bytes of anyone; plain bits stay where they lie.

    Raises:
        TicketError: naming the owner; the bytes are not exactly such a mask.
    """
    where, size = f"the mask of {owner[:200]}", -(-count // 8)
    if encoding == "rans":
        try:
            return expand(data, count)
        except TicketError as error:
            raise TicketError(f"{where} cannot be decoded: {error}") from error
    if encoding == "deflate":  # written by early versions; its bytes depend on the library that deflates
        stream = zlib.decompressobj()
        try:
            data = stream.decompress(data, size + 1)
        except zlib.error as error:
            raise TicketError(f"{where} cannot be inflated: {error}") from error
        if not stream.eof or stream.unused_data:
            raise TicketError(f"{where} does not inflate to exactly {size:,} bytes")
    if len(data) != size:
        raise TicketError(f"{where} has {len(data):,} bytes; its layout needs {size:,}")
    bits = np.frombuffer(data, np.uint8)
    if count % 8 and bits[-1] >> (count % 8):
        raise TicketError(f"{where} has padding bits that are not zero")
    return bits
