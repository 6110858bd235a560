"""Large arrays as bytes without copies of them: counted, hashed and handed on where they lie."""

from typing import Protocol, runtime_checkable

import numpy as np

from slth._shapes import Bits

Buffer = bytes | memoryview  # of single bytes, in one run
_BLOCK = 1 << 16  # numbers at a time


@runtime_checkable
class Digest(Protocol):
    """A running digest of `hashlib`."""

    def update(self, data: Buffer, /) -> None:
        """Digest so many bytes more."""
        ...


def buffer_of(array: np.ndarray) -> memoryview:
    """The bytes of an array in C order; a view where it is stored so."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def ones(bits: Bits) -> int:
    r"""How many bits are 1. Eight bytes at a time, an eighth of the memory of the bits.

    >>> ones(np.array([3, 255, 0], np.uint8))
    10
    """
    flat = np.ascontiguousarray(bits).reshape(-1)
    start = min(-flat.ctypes.data % 8, flat.size)
    stop = start + (flat.size - start) // 8 * 8
    edges = (flat[:start], flat[stop:])
    words = np.bitwise_count(flat[start:stop].view(np.uint64))
    return int(words.sum(dtype=np.int64)) + sum(int(np.bitwise_count(edge).sum(dtype=np.int64)) for edge in edges)


def are_equal(left: Bits, right: Bits) -> bool:
    """Whether two packed masks are the same. Memory of a block."""
    blocks = range(0, len(left), _BLOCK)
    return len(left) == len(right) and all(
        np.array_equal(left[start : start + _BLOCK], right[start : start + _BLOCK]) for start in blocks
    )


def hash_numbers(digest: Digest, array: np.ndarray, *, one_zero: bool = True) -> None:
    """Digest numbers as little-endian float64 in C order, −0.0 as 0.0 unless there are two. Memory of 2¹⁶ numbers."""
    flat = array.reshape(-1)
    block = np.empty(min(_BLOCK, max(flat.size, 1)), "<f8")
    for start in range(0, flat.size, _BLOCK):
        part = flat[start : start + _BLOCK]
        some = block[: len(part)]
        some[:] = part
        if one_zero:
            some += 0.0
        digest.update(buffer_of(some))
