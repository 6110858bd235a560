"""Stream v1: random numbers that a seed and a path name for ever.

A ticket is a seed plus bits, so the sampler *is* the file format. Stream v1 is Philox4x32-10 (Salmon, Moraes, Dror
and Shaw, *Parallel random numbers: as easy as 1, 2, 3*, SC 2011), a pure function of (key, counter): every tensor has
a path of its own, any slice comes without what stands before it, and the same bits come out on every platform.

    key     = first 8 bytes of SHA-256("{seed}/{path}"), two little-endian uint32
    block b = philox((b mod 2³², b div 2³², 0, 0), key): four words
    word i  = word (i mod 4) of block (i div 4)

What value a word stands for says its law (see `laws`).

Two engines agree bit for bit: plain NumPy here (the reference) and Numba in `_kernels`.
"""

import hashlib
from dataclasses import dataclass
from numbers import Integral

import numpy as np

from slth._errors import InputError
from slth._shapes import Draws, Indices, Rows, Words
from slth.numerics.laws import from_words

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = 0x9E3779B9, 0xBB67AE85
_LOW, _SHIFT = np.uint64(0xFFFFFFFF), np.uint64(32)
_SMALL = 1 << 14  # below this many words NumPy answers before a kernel has been loaded


@dataclass(frozen=True, slots=True)
class Stream:
    """The random numbers named by `seed` (a non-negative integer) and `path` (one per tensor)."""

    seed: int
    path: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", check_seed(self.seed))

    @property
    def key(self) -> tuple[int, int]:
        """Philox key: bytes 0-3 and 4-7 of SHA-256 of "{seed}/{path}", little-endian."""
        digest = hashlib.sha256(f"{self.seed}/{self.path}".encode()).digest()
        return int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:8], "little")


def check_seed(seed: object) -> int:
    """A non-negative integer, NumPy's too, as Python's own.

    Raises:
        InputError: it is none.

    >>> check_seed(np.int64(3))
    3
    """
    if isinstance(seed, bool) or not isinstance(seed, Integral) or not 0 <= int(seed) < 10**100:
        raise InputError(f"the seed must be a non-negative integer below 10**100, such as 0; got {str(seed)[:99]}")
    return int(seed)


def philox4x32(counters: np.ndarray, key: tuple[int, int]) -> np.ndarray:
    """Ten rounds of Philox4x32 on rows of four counter words: uint32 (count, 4) -> uint32 (count, 4). The reference."""
    c0, c1, c2, c3 = (counters[:, i].astype(np.uint64) for i in range(4))
    k0, k1 = key
    for _ in range(10):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (
            (p1 >> _SHIFT) ^ c1 ^ np.uint64(k0),
            p1 & _LOW,
            (p0 >> _SHIFT) ^ c3 ^ np.uint64(k1),
            p0 & _LOW,
        )
        k0, k1 = (k0 + _W0) & 0xFFFFFFFF, (k1 + _W1) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], axis=1).astype(np.uint32)


def reference_words(stream: Stream, start: int, count: int) -> Words:
    """Words start ... start + count − 1 of a stream in plain NumPy; what every other engine must equal."""
    first, last = start // 4, -(-(start + count) // 4)
    blocks = np.arange(first, last, dtype=np.uint64)
    counters = np.zeros((len(blocks), 4), np.uint32)
    counters[:, 0], counters[:, 1] = blocks & _LOW, blocks >> _SHIFT
    return philox4x32(counters, stream.key).reshape(-1)[start - 4 * first :][:count]


def words(stream: Stream, start: int, count: int) -> Words:
    """Words start ... start + count − 1 of a stream, uint32 (count,). O(count), whatever `start` is."""
    if start < 0 or count < 0 or start + count > 2**63:
        raise InputError(
            f"a slice of a stream needs start >= 0, count >= 0 and an end below 2**63, got {start}, {count}"
        )
    if count < _SMALL:
        return reference_words(stream, start, count)
    return _compiled_words(stream, np.array([start], np.uint64), count)[0]


def draw(stream: Stream, law: str, shape: tuple[int, ...], *, start: int = 0) -> Draws:
    """Values start, start + 1, ... of a stream under a law, float32, in C order of `shape`."""
    count = int(np.prod(shape, dtype=np.int64))
    return from_words(words(stream, start, count), law).reshape(shape)


def uniform(stream: Stream, shape: tuple[int, ...], *, start: int = 0) -> Draws:
    """Values in [−1, 1), multiples of 2⁻²³, exact in float32.

    >>> uniform(Stream(0, "doc"), (3,)).dtype
    dtype('float32')
    """
    return draw(stream, "uniform", shape, start=start)


def draw_rows(stream: Stream, rows: Indices, width: int, *, law: str) -> Rows:
    """Chosen rows of the (∞, width) matrix of a stream: out[r, c] = value rows[r]·width + c, at their cost."""
    return from_words(_compiled_words(stream, rows.astype(np.uint64) * np.uint64(width), width), law)


def values_at(stream: Stream, law: str, indices: np.ndarray, count: int | None = None) -> Draws:
    """Chosen values of a stream, float32 in the shape of their indices; with `count` as many from each of them on."""
    found = from_words(_compiled_words(stream, indices.astype(np.uint64).reshape(-1), count or 1), law)
    return found.reshape(indices.shape if count is None else (*indices.shape, count))


def _compiled_words(stream: Stream, starts: np.ndarray, count: int) -> np.ndarray:
    from slth.numerics import _kernels

    out = np.empty((len(starts), count), np.uint32)
    _kernels.fill_words(starts, np.array(stream.key, np.uint32), out)
    return out
