r"""Sparse masks in about as many bits as their entropy, in integers: the same bytes on every platform.

A static asymmetric numeral system (Duda 2013, *Asymmetric numeral systems*, arXiv:1311.2540; the range variant).
The state x lies in [2³², 2⁶⁴); of 2¹⁶ equal parts, ones own the first f and zeros the rest. One bit is decoded by

    r = x mod 2¹⁶
    r < f:   the bit is 1,  x ← f (x div 2¹⁶) + r
    else:    the bit is 0,  x ← (2¹⁶ − f) (x div 2¹⁶) + r − f
    then, if x < 2³²:       x ← 2³² x + the next word of 32 bits

and encoded, last bit first and from x = 2³², by undoing these steps. Each step is a bijection: a decoder that ends at
2³² with no word left has read the one stream that encodes its mask with this f, and f follows from the mask.

Cost: about count · H₂(f / 2¹⁶) bits and ten bytes. Stream: f (uint16), first state (uint64), words (uint32) in the
order in which they are read; all little-endian.
"""

import math

import numpy as np

from slth._shapes import Bits
from slth.ticket.buffers import Buffer, buffer_of, ones
from slth.ticket.format.fields import TicketError

_PARTS = 1 << 16
_LOW = 1 << 32  # the smallest state, where encoding starts and decoding ends
_HEAD = 10  # bytes before the words


def compress(bits: Bits, count: int, *, most: int) -> bytes | None:
    """The stream of the first `count` bits, or None if it takes more than `most` bytes. $O(count)$, `most` bytes.

    Bits whose entropy alone says that they take more are counted, not encoded.
    """
    if most < _HEAD:
        return None
    kept = ones(bits)
    f, room = _share(kept, count), (most - _HEAD) // 4
    if takes_more(kept, count, f, words=room):
        return None
    from slth.ticket.format import _kernels  # loads the compiler

    words = np.empty(room, np.uint32)
    state, used = _kernels.rans_encode(bits, count, np.uint64(f), words)
    if used < 0:
        return None
    return f.to_bytes(2, "little") + int(state).to_bytes(8, "little") + buffer_of(words[:used][::-1].astype("<u4"))


def takes_more(kept: int, count: int, f: int, *, words: int) -> bool:
    r"""Whether `count` bits, `kept` of them 1, certainly take more than so many words. False says nothing.

    Let $p_i$ be the part of bit i, f of a one and $2^{16} - f$ of a zero, and
    $I = \sum_i \log_2 (2^{16} / p_i)$ the ideal length. Let W be the words written so far and $\Phi = 32 W + \log_2 x$.

    - Before a bit is encoded $x \ge 2^{16} p$: either $x < 2^{48} p$ was not shortened and $x \ge 2^{32}$, or it was
      shortened from at least $2^{48} p$. So $2^{16} \lfloor x/p \rfloor \ge (2^{16}/p)\,x\,(1 - p/x)$ with
      $p/x \le 2^{-16}$: a bit raises Φ by at least $\log_2 (2^{16}/p_i) - c$, where $c = -\log_2 (1 - 2^{-16})$.
    - A word of 32 bits takes $\lfloor x / 2^{32} \rfloor > (x / 2^{32})(1 - 2^{32}/x)$ with $2^{32}/x \le 2^{-16}$, for
      $x \ge 2^{48} p$: it lowers Φ by at most c.

    Φ begins at 32, and ends below 32 W + 64. With $c < 2^{-15}$ therefore

    $$W (32 + 2^{-15}) > I - 32 - 2^{-15}\,\text{count}.$$

    So W > `words` where the right side is at least `words` times the bracket. As c < 0.73 · 2⁻¹⁵, at least
    2⁻¹⁷ count bits are given away, which covers the few roundings of I in float64, below 2⁻⁴⁴ count.
    """
    ideal = kept * math.log2(_PARTS / f) + (count - kept) * math.log2(_PARTS / (_PARTS - f))
    return ideal - 32 - count * 2.0**-15 >= words * (32 + 2.0**-15)


def expand(data: Buffer, count: int) -> Bits:
    """Inverse of `compress`, for bytes from anyone: `count` bits, packed, padding 0. $O(count)$ time and memory.

    Raises:
        TicketError: `data` is not what `compress` writes for any mask of this size.
    """
    from slth.ticket.format import _kernels

    f, state = int.from_bytes(data[:2], "little"), int.from_bytes(data[2:_HEAD], "little")
    if len(data) < _HEAD or (len(data) - _HEAD) % 4 or f == 0 or state < _LOW:
        raise TicketError(f"{len(data):,} bytes that begin no stream of sparse bits")
    words = np.frombuffer(data, "<u4", offset=_HEAD).astype(np.uint32)
    bits = np.zeros(-(-count // 8), np.uint8)
    state, used = _kernels.rans_decode(np.uint64(state), words, np.uint64(f), count, bits)
    if used != len(words) or int(state) != _LOW or f != _share(ones(bits), count):
        raise TicketError(f"its stream does not end after exactly {count:,} bits")
    return bits


def _share(kept: int, count: int) -> int:
    """f: the ones' part of 2¹⁶, rounded to nearest, halves up, and kept within 1 ... 2¹⁶ − 1."""
    return min(max((2 * _PARTS * kept + count) // (2 * count), 1), _PARTS - 1)
