"""Masks <-> bytes: plain bits, or coded where that saves an eighth; in the file of version 2 also as ranks."""

import zlib
from collections.abc import Callable, Sequence

import numpy as np

from slth._shapes import Bits
from slth.ticket.buffers import Buffer, buffer_of, ones
from slth.ticket.format import ranks, rans
from slth.ticket.format.fields import TicketError
from slth.ticket.gadgets import BitGroups

Stored = tuple[str, Buffer]  # encoding and bytes; plain bits are those of the mask itself
Groups = Callable[[], Sequence[BitGroups]]  # the subsets of a mask, known from its gadget by a scan
_FEW = 0.45  # kept, at most, of a mask that is tried as ranks; a heuristic: beyond it they save little, if anything


def store_masks(
    masks: Sequence[tuple[Bits, int, Groups | None]], *, justified: Callable[[int], bool], threads: int = 1
) -> list[Stored]:
    """Encoding and bytes of each mask, given with its number of bits, and its subsets where ranks of them will do.

    Args:
        justified: whether a reader accepts the file if its masks take so many bytes; if not, none is coded.
        threads: the bytes are the same for any number.
    """
    plain: list[Stored] = [("bits", buffer_of(bits)) for bits, _, _ in masks]
    stored = [_shortest(*mask, data, threads=threads) for mask, (_, data) in zip(masks, plain, strict=True)]
    return stored if justified(sum(len(data) for _, data in stored)) else plain


def _shortest(bits: Bits, count: int, groups: Groups | None, plain: Buffer, *, threads: int) -> Stored:
    """Of the encodings of a mask that save an eighth the shortest, of two as short the bits; else its plain bits."""
    most, ranked = len(plain) * 7 // 8, None
    if groups is not None and ones(bits) <= _FEW * count:
        ranked = _ranked(bits, count, groups(), most=most, threads=threads)
    coded = rans.compress(bits, count, most=most if ranked is None else len(ranked))  # mostly it need not begin
    if coded is not None:
        return "rans", coded
    return ("bits", plain) if ranked is None else ("rank", ranked)


def _ranked(bits: Bits, count: int, groups: Sequence[BitGroups], *, most: int, threads: int) -> bytes | None:
    """The ranks of a mask that is cut into such subsets, each bit in one, in at most so many bytes."""
    return ranks.compress(bits, groups, most=most, threads=threads) if _are_ranked(groups, count) else None


def _are_ranked(groups: Sequence[BitGroups], count: int) -> bool:
    """Ranks of these are 64-bit numbers, and name every bit once."""
    few = all(part.candidates <= ranks.MOST_RANKED for part in groups)
    return few and sum(part.count * part.candidates for part in groups) == count


def restore_mask(
    data: Buffer, encoding: str, count: int, *, owner: str, groups: Groups | None = None, threads: int = 1
) -> Bits:
    """`count` bits, packed, from bytes of anyone; plain bits stay where they lie.

    Raises:
        TicketError: naming the owner; the bytes are not exactly such a mask.
    """
    where, size = f"the mask of {owner[:200]}", -(-count // 8)
    if encoding in ("rans", "rank"):
        try:
            return rans.expand(data, count) if encoding == "rans" else _unranked(data, count, groups, threads)
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


def _unranked(data: Buffer, count: int, groups: Groups | None, threads: int) -> Bits:
    """The mask of some ranks."""
    found = () if groups is None else groups()
    if not _are_ranked(found, count):
        raise TicketError("its bits are not those of subsets of at most 64 candidates, which alone have ranks")
    return ranks.expand(data, found, count, threads=threads)
