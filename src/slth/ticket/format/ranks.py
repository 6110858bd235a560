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
from functools import cache
from math import comb

import numpy as np
from jaxtyping import UInt8, UInt64

from slth._shapes import Bits
from slth.ticket.buffers import Buffer, buffer_of
from slth.ticket.format.fields import TicketError
from slth.ticket.gadgets import BitGroups

MOST_RANKED = 64  # candidates of a subset
_PARTS = 1 << 15
_LOW = 1 << 32  # the smallest state, where encoding starts and decoding ends
_TABLE = 1 << 13  # masks that are looked up


def compress(bits: Bits, parts: Sequence[BitGroups], *, most: int) -> bytes | None:
    """The stream of a mask, or None if it takes more than `most` bytes. Every bit is one of one subset of the parts.

    $O(bits / 8 + kept)$ time; memory: 17 bytes for each subset.
    """
    from slth.ticket.format import _rank_kernels  # loads the compiler

    ranks = np.concatenate([_ranks(bits, part) for part in parts])
    classes = np.empty(len(ranks), np.uint8)
    below = _rank_kernels.lengths(ranks, classes)
    f = _shares(classes)
    rests = np.zeros(-(-below // 8), np.uint8)
    room = most - 1 - 2 * len(f) - 8 - len(rests)
    if room < 0:
        return None
    words = np.empty(min(room // 4, len(ranks)), np.uint32)  # a length takes less than a word
    state, used = _rank_kernels.encode_lengths(classes, f, words)
    if used < 0:
        return None
    _rank_kernels.put_rests(ranks, classes, rests)
    head = bytes([len(f)]) + f.astype("<u2").tobytes() + int(state).to_bytes(8, "little")
    return head + bytes(buffer_of(words[:used][::-1].astype("<u4"))) + bytes(rests.data)


def expand(data: Buffer, parts: Sequence[BitGroups], count: int) -> Bits:
    """Inverse of `compress`, for bytes from anyone: `count` bits, packed, padding 0.

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
    words = np.frombuffer(data, "<u4", count=(len(data) - head) // 4, offset=head).astype(np.uint32)
    classes = np.empty(sum(part.count for part in parts), np.uint8)
    state, used = _rank_kernels.decode_lengths(np.uint64(state), words, f, classes)
    if used < 0 or int(state) != _LOW or not np.array_equal(f, _shares(classes)):
        raise TicketError(f"its stream does not end after exactly {len(classes):,} ranks")
    rests = np.frombuffer(data, np.uint8, offset=head + 4 * used)
    below = int(np.maximum(classes, 1).sum(dtype=np.int64)) - len(classes)
    if len(rests) != -(-below // 8) or (below % 8 and rests[-1] >> (below % 8)):
        raise TicketError(f"its ranks take {below:,} more bits; {len(rests):,} bytes with zero padding they are not")
    ranks = np.empty(len(classes), np.uint64)
    _rank_kernels.take_rests(rests, classes, ranks)
    bits, at = np.zeros(-(-count // 8), np.uint8), 0
    for part in parts:
        longest = int(classes[at : at + part.count].max(initial=0))
        if longest > part.candidates:
            raise TicketError(f"a rank of {longest} bits among the subsets of {part.candidates} candidates")
        _keep(ranks[at : at + part.count], part, bits)
        at += part.count
    return bits


def _ranks(bits: Bits, part: BitGroups) -> UInt64[np.ndarray, " subset"]:
    """Ranks in the order of the subsets: pairs outermost, then slots."""
    from slth.ticket.format import _rank_kernels

    _, slots, n = part.columns.shape
    masks = np.zeros((len(part.starts), slots), np.uint64)
    slot = np.full((2, int(part.columns.max(initial=-1)) + 1), -1)
    place = np.zeros_like(slot)
    for far, columns in enumerate(part.columns):
        slot[far, columns], place[far, columns] = np.indices((slots, n))
    _rank_kernels.gather(bits, part.starts, slot, place, masks)
    ranks = np.empty(part.count, np.uint64)
    _rank_kernels.rank_all(masks.reshape(-1), *_tables(part.candidates), ranks)
    return ranks


def _keep(ranks: UInt64[np.ndarray, " subset"], part: BitGroups, bits: Bits) -> None:
    """Set the bits of the subsets with these ranks."""
    from slth.ticket.format import _rank_kernels

    n = part.candidates
    masks = np.empty(part.count, np.uint64)
    table = np.empty(min(1 << n, _TABLE, part.count), np.uint64)
    _rank_kernels.unrank_all(ranks, n, *_tables(n), table, masks)
    _rank_kernels.scatter(masks.reshape(len(part.starts), -1), part.starts, part.columns, bits)


def _shares(classes: UInt8[np.ndarray, " subset"]) -> UInt64[np.ndarray, " length"]:
    """f: of 2¹⁵ parts as many as a length's share, rounded down, at least 1 if it occurs; the rest, which may be
    negative, goes to the most frequent length, of several to the least.
    """
    counts = np.bincount(classes, minlength=1)
    f = np.where(counts > 0, np.maximum(counts * _PARTS // max(len(classes), 1), 1), 0)
    f[np.argmax(counts)] += _PARTS - f.sum()
    return f.astype(np.uint64)


@cache
def _tables(n: int) -> tuple[UInt64[np.ndarray, "i j"], UInt64[np.ndarray, " k"]]:
    """C(i, j), and how many subsets of n keep fewer than k, for i < n and k <= n."""
    binomials = np.array([[comb(i, j) for j in range(n + 1)] for i in range(max(n, 1))], np.uint64)
    return binomials, np.array([sum(comb(n, j) for j in range(k)) for k in range(n + 1)], np.uint64)
