r"""Masks that keep few candidates, each subset named by its place in an order that looks at no number.

A mask is cut into *subsets*, the candidates of one slot for one row and tap (see `BitGroups`). All subsets of n
candidates stand in one order, by how many they keep, then by their masks read as binary numbers with candidate i as bit
i. The *rank* of the one that keeps $i_1 < \dots < i_k$ is

$$r = \sum_{j < k} \binom{n}{j} + \sum_{j = 1}^{k} \binom{i_j}{j}, \qquad 0 \le r < 2^n.$$

A solver that tries them in this order and takes the first within its tolerance, one in D, leaves ranks of the geometric
law: $\log_2 D + 1.44$ bits of entropy, whatever n is. The code comes so near that nothing is left to gain: the *length*
of r, 0 for 0 and else $1 + \lfloor \log_2 r \rfloor$, by a static model of the mask; the bits below its highest one as
they are.

The lengths are coded as in `rans`, with 65 symbols for two: the state x lies in [2³², 2⁶⁴); of 2¹⁵ equal parts, length
c owns $f_c$, those from $F_c = \sum_{c' < c} f_{c'}$ on. One length is decoded by

    r = x mod 2¹⁵,  c such that F_c ≤ r < F_c + f_c
    x ← f_c (x div 2¹⁵) + r − F_c
    then, if x < 2³²:   x ← 2³² x + the next word of 32 bits

Stream: C (uint8), the greatest length and one; f_0 ... f_{C−1} (uint16); first state (uint64); words (uint32) in the
order in which they are read; all little-endian. Then the lower bits of all ranks, lowest first, in one run, padded with
zeros to bytes. The f follow from the lengths, so a mask has exactly one stream.

Sources: the combinatorial number system; Duda (2013), arXiv:1311.2540, as in `rans`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import comb

import numpy as np
from jaxtyping import Int32, Int64, UInt8, UInt64

from slth._shapes import Bits
from slth._threads import in_order
from slth.ticket.buffers import Buffer, buffer_of
from slth.ticket.format.fields import TicketError
from slth.ticket.gadgets import BitGroups

MOST_RANKED = 64  # candidates of a subset
_PARTS = 1 << 15
_LOW = 1 << 32  # the smallest state, where encoding starts and decoding ends
_TABLE = 1 << 13  # masks that are looked up
_SUBSETS = 1 << 16  # of a piece, about: half a megabyte of masks


def compress(bits: Bits, parts: Sequence[BitGroups], *, most: int, threads: int = 1) -> bytes | None:
    """The stream of a mask, or None if it takes more than `most` bytes. Every bit is one of one subset of the parts.

    $O(bits / 8 + kept)$ time, on all threads but for the lengths; memory: a byte for each subset, twice the stream, and
    some pieces of the mask for each thread.
    """
    from slth.ticket.format import _rank_kernels  # loads the compiler

    classes, done = np.empty(sum(part.count for part in parts), np.uint8), 0
    rests, below = np.zeros(max(most, 0), np.uint8), 0
    pieces = [piece for part in parts for piece in _pieces(part)]
    for lengths, some, count in in_order(lambda piece: _ranked(bits, piece), pieces, threads=min(threads, len(pieces))):
        classes[done : done + len(lengths)] = lengths
        _rank_kernels.append(some, below, rests)
        done, below = done + len(lengths), below + count
    f = _shares(classes)
    room = most - 1 - 2 * len(f) - 8 - -(-below // 8)
    if room < 0:
        return None
    words = np.empty(min(room // 4, len(classes)), np.uint32)  # a length takes less than a word
    state, used = _rank_kernels.encode_lengths(classes, f, words)
    if used < 0:
        return None
    head = bytes([len(f)]) + f.astype("<u2").tobytes() + int(state).to_bytes(8, "little")
    return b"".join([head, buffer_of(words[:used][::-1].astype("<u4")), buffer_of(rests[: -(-below // 8)])])


def expand(data: Buffer, parts: Sequence[BitGroups], count: int, *, threads: int = 1) -> Bits:
    """Inverse of `compress`, for bytes from anyone: `count` bits, packed, padding 0. Time and memory likewise.

    Raises:
        TicketError: `data` is not what `compress` writes for any such mask.
    """
    from slth.ticket.format import _rank_kernels

    greatest = data[0] if len(data) else 0
    head = 1 + 2 * greatest + 8
    if not 1 <= greatest <= MOST_RANKED + 1 or len(data) < head:
        raise TicketError(f"{len(data):,} bytes that begin no stream of ranks")
    f = np.frombuffer(data, "<u2", count=greatest, offset=1).astype(np.uint64)
    state = int.from_bytes(data[head - 8 : head], "little")
    if int(f.sum()) != _PARTS or state < _LOW:
        raise TicketError(f"{len(data):,} bytes that begin no stream of ranks")
    classes, stored = np.empty(sum(part.count for part in parts), np.uint8), np.frombuffer(data, np.uint8, offset=head)
    state, used = _rank_kernels.decode_lengths(np.uint64(state), stored, f, classes)
    if used < 0 or int(state) != _LOW or not np.array_equal(f, _shares(classes)):
        raise TicketError(f"its stream does not end after exactly {len(classes):,} ranks")
    known = list[list[_Lengths]]()
    done = below = 0
    for part in parts:
        known.append([])
        for piece in _pieces(part):
            known[-1].append(_Lengths(piece, classes[done : done + piece.count], below))
            done, below = done + piece.count, below + known[-1][-1].below
    rests = stored[4 * used :]
    if len(rests) != -(-below // 8) or (below % 8 and rests[-1] >> (below % 8)):
        raise TicketError(f"its ranks take {below:,} more bits; {len(rests):,} bytes with zero padding they are not")
    for part, pieces in zip(parts, known, strict=True):
        longest = max((int(piece.classes.max(initial=0)) for piece in pieces), default=0)
        if longest > part.candidates:
            raise TicketError(f"a rank of {longest} bits among the subsets of {part.candidates} candidates")
    bits = np.zeros(-(-count // 8), np.uint8)
    for pieces in known:  # those of one part share no byte
        for _ in in_order(lambda piece: _keep(rests, piece, bits), pieces, threads=min(threads, len(pieces))):
            pass
    return bits


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """Some pairs of a part, behind each other. No byte of a mask holds bits of two pieces of a part."""

    part: BitGroups
    place: Int32[np.ndarray, "2 column"]  # slot and candidate of each column, see `gather`
    pairs: slice

    @property
    def starts(self) -> Int64[np.ndarray, " w"]:
        """Of its pairs."""
        return self.part.starts[self.pairs]

    @property
    def count(self) -> int:
        """Subsets."""
        return len(self.starts) * self.part.columns.shape[1]


@dataclass(frozen=True, slots=True, eq=False)
class _Lengths:
    """The lengths of the ranks of a piece, and the bit from which on their lower bits stand."""

    piece: _Piece
    classes: UInt8[np.ndarray, " subset"]
    start: int

    @property
    def below(self) -> int:
        """How many lower bits there are."""
        return int(np.maximum(self.classes, 1).sum(dtype=np.int64)) - len(self.classes)


def _pieces(part: BitGroups) -> list[_Piece]:
    """Of about `_SUBSETS` subsets each; cut where a row begins with a byte: all before it stands in bits before."""
    _, slots, n = part.columns.shape
    place = np.full((2, int(part.columns.max(initial=-1)) + 1), -1, np.int32)
    for far, columns in enumerate(part.columns):
        place[far, columns] = np.arange(slots, dtype=np.int32)[:, None] * MOST_RANKED + np.arange(n, dtype=np.int32)
    cuts = np.flatnonzero((part.starts >= 0) & (part.starts % 8 == 0))
    wanted = np.arange(0, len(part.starts), max(1, _SUBSETS // max(slots, 1)))
    found = cuts[np.searchsorted(cuts, wanted[: np.searchsorted(wanted, cuts.max(initial=-1), side="right")])]
    edges = np.unique([0, *found.tolist(), len(part.starts)]).tolist()
    return [_Piece(part, place, slice(*ends)) for ends in pairwise(edges)]


def _ranked(bits: Bits, piece: _Piece) -> tuple[UInt8[np.ndarray, " subset"], UInt8[np.ndarray, " byte"], int]:
    """Lengths of the ranks of a piece, pairs outermost, then slots; their lower bits, and how many these are."""
    from slth.ticket.format import _rank_kernels

    masks = np.zeros((len(piece.starts), piece.part.columns.shape[1]), np.uint64)
    _rank_kernels.gather(bits, piece.starts, piece.place, masks)
    ranks, classes = np.empty(piece.count, np.uint64), np.empty(piece.count, np.uint8)
    _rank_kernels.rank_all(masks.reshape(-1), *_tables(piece.part.candidates), ranks)
    below = _rank_kernels.lengths(ranks, classes)
    rests = np.zeros(-(-below // 8), np.uint8)
    _rank_kernels.put_rests(ranks, classes, rests)
    return classes, rests, below


def _keep(rests: UInt8[np.ndarray, " byte"], known: _Lengths, bits: Bits) -> None:
    """Set the bits of the subsets of a piece, of which the lengths of the ranks are known."""
    from slth.ticket.format import _rank_kernels

    piece, part = known.piece, known.piece.part
    ranks, masks = np.empty(piece.count, np.uint64), np.empty(piece.count, np.uint64)
    _rank_kernels.take_rests(rests, known.start, known.classes, ranks)
    _rank_kernels.unrank_all(ranks, _first_masks(part.candidates), *_tables(part.candidates), masks)
    _rank_kernels.scatter(masks.reshape(len(piece.starts), -1), piece.starts, part.columns, bits)


def _shares(classes: UInt8[np.ndarray, " subset"]) -> UInt64[np.ndarray, " length"]:
    """f: of 2¹⁵ parts as many as a length's share, rounded down, at least 1 if it occurs; the rest, which may be
    negative, goes to the most frequent length, of several to the least.
    """
    from slth.ticket.format import _rank_kernels

    every = np.zeros(256, np.int64)
    _rank_kernels.count_all(classes, every)
    counts = every[: int(np.flatnonzero(every).max(initial=0)) + 1]
    f = np.where(counts > 0, np.maximum(counts * _PARTS // max(len(classes), 1), 1), 0)
    f[np.argmax(counts)] += _PARTS - f.sum()
    return f.astype(np.uint64)


@cache
def _first_masks(n: int) -> UInt64[np.ndarray, " rank"]:
    """The masks of the first ranks, which come most often where the first subset in this order is taken."""
    from slth.ticket.format import _rank_kernels

    ranks = np.arange(min(1 << n, _TABLE), dtype=np.uint64)
    masks = np.empty_like(ranks)
    _rank_kernels.unrank_all(ranks, masks[:0], *_tables(n), masks)
    return masks


@cache
def _tables(n: int) -> tuple[UInt64[np.ndarray, "i j"], UInt64[np.ndarray, " k"]]:
    """C(i, j), and how many subsets of n keep fewer than k, for i < n and k <= n."""
    binomials = np.array([[comb(i, j) for j in range(n + 1)] for i in range(max(n, 1))], np.uint64)
    return binomials, np.array([sum(comb(n, j) for j in range(k)) for k in range(n + 1)], np.uint64)
