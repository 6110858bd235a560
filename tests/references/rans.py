"""The coder of sparse masks as FORMAT.md has it, word by word, in plain integers; shares no code with slth."""


def share(bits: list[int]) -> int:
    """f of a list of bits."""
    return min(max((2**17 * sum(bits) + len(bits)) // (2 * len(bits)), 1), 2**16 - 1)


def written(bits: list[int], f: int | None = None) -> bytes:
    """The stream of a list of bits; with another f than theirs, if one is given."""
    f = share(bits) if f is None else f
    x, words = 2**32, []
    for bit in reversed(bits):
        p, s = (f, 0) if bit else (2**16 - f, f)
        if x >= 2**48 * p:
            words.insert(0, x % 2**32)
            x //= 2**32
        x = 2**16 * (x // p) + x % p + s
    return f.to_bytes(2, "little") + x.to_bytes(8, "little") + b"".join(w.to_bytes(4, "little") for w in words)


def read(data: bytes, count: int) -> list[int] | None:
    """The bits of a stream, or None if it is not valid."""
    f, x = int.from_bytes(data[:2], "little"), int.from_bytes(data[2:10], "little")
    if len(data) < 10 or len(data) % 4 != 2 or x < 2**32:
        return None
    words = [int.from_bytes(data[at : at + 4], "little") for at in range(10, len(data), 4)]
    bits = []
    for _ in range(count):
        r = x % 2**16
        bits.append(int(r < f))
        x = f * (x // 2**16) + r if r < f else (2**16 - f) * (x // 2**16) + r - f
        if x < 2**32:
            if not words:
                return None
            x = 2**32 * x + words.pop(0)
    return bits if x == 2**32 and not words and f == share(bits) else None
