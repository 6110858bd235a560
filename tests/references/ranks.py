"""The coder of ranks as FORMAT.md has it, word by word, in plain integers; shares no code with slth."""

from itertools import combinations
from math import comb


def in_order(n: int) -> list[int]:
    """All masks of n candidates: by how many they keep, then as binary numbers."""
    return [m for k in range(n + 1) for m in sorted(sum(1 << i for i in kept) for kept in combinations(range(n), k))]


def rank(mask: int, n: int) -> int:
    """Place of a mask in that order."""
    kept = [i for i in range(n) if mask >> i & 1]
    return sum(comb(n, j) for j in range(len(kept))) + sum(comb(i, j) for j, i in enumerate(kept, 1))


def kept(rank: int, n: int) -> list[int]:
    """The candidates that a rank keeps, ascending: the number of them first, then the greatest one, and so on."""
    k = 0
    while rank >= comb(n, k):
        rank -= comb(n, k)
        k += 1
    found = []
    for j in range(k, 0, -1):
        found.insert(0, max(i for i in range(n) if comb(i, j) <= rank))
        rank -= comb(found[0], j)
    return found


def shares(lengths: list[int]) -> list[int]:
    """f of a list of lengths."""
    counts = [lengths.count(c) for c in range(max(lengths) + 1)]
    f = [max(count * 2**15 // len(lengths), 1) if count else 0 for count in counts]
    f[counts.index(max(counts))] += 2**15 - sum(f)
    return f


def written(ranks: list[int], f: list[int] | None = None) -> bytes:
    """The stream of a list of ranks; with other f than theirs, if they are given."""
    lengths = [r.bit_length() for r in ranks]
    f = shares(lengths) if f is None else f
    x, words = 2**32, []
    for c in reversed(lengths):
        if x >= 2**49 * f[c]:
            words.insert(0, x % 2**32)
            x //= 2**32
        x = 2**15 * (x // f[c]) + x % f[c] + sum(f[:c])
    low = "".join(f"{r:b}"[:0:-1] for r in ranks)
    rests = int(low[::-1] or "0", 2).to_bytes(-(-len(low) // 8), "little")
    head = bytes([len(f)]) + b"".join(share.to_bytes(2, "little") for share in f) + x.to_bytes(8, "little")
    return head + b"".join(word.to_bytes(4, "little") for word in words) + rests


def read(data: bytes, candidates: list[int]) -> list[int] | None:
    """The ranks of a stream, one for each number of candidates, or None if it is not valid."""
    greatest = data[0] if data else 0
    at = 1 + 2 * greatest
    if not 1 <= greatest <= 65 or len(data) < at + 8:
        return None
    f = [int.from_bytes(data[1 + 2 * c : 3 + 2 * c], "little") for c in range(greatest)]
    x, data = int.from_bytes(data[at : at + 8], "little"), data[at + 8 :]
    if sum(f) != 2**15 or x < 2**32:
        return None
    lengths = []
    for _ in candidates:
        r = x % 2**15
        c = next(c for c in range(greatest) if r < sum(f[: c + 1]))
        lengths.append(c)
        x = f[c] * (x // 2**15) + r - sum(f[:c])
        if x < 2**32:
            if len(data) < 4:
                return None
            x, data = 2**32 * x + int.from_bytes(data[:4], "little"), data[4:]
    below = sum(max(c - 1, 0) for c in lengths)
    rest = int.from_bytes(data, "little")
    if x != 2**32 or f != shares(lengths) or len(data) != -(-below // 8) or rest >> below:
        return None
    ranks = []
    for c, n in zip(lengths, candidates, strict=True):
        if c > n:
            return None
        ranks.append((1 << c - 1) + rest % 2 ** (c - 1) if c else 0)
        rest >>= max(c - 1, 0)
    return ranks
