"""Sparse masks: one stream for each mask, near its entropy, the same for every reader and writer."""

import re
from pathlib import Path

import numpy as np
import pytest
import references.rans

import slth.ticket
from slth.ticket import TicketError
from slth.ticket.format.rans import compress, expand

DENSITIES = [0.0, 0.001, 0.01, 0.1, 0.29, 0.5, 0.9, 1.0]


def packed(bits):
    return np.packbits(np.asarray(bits, np.bool_), bitorder="little")


def random_bits(count, density, seed=0):
    return np.random.default_rng(seed).random(count) < density


def entropy(bits):
    p = np.array([bits.mean(), 1 - bits.mean()])
    return float(-(p * np.log2(np.where(p > 0, p, 1))).sum() * len(bits))


@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 100, 3001])
def test_the_kernels_do_what_the_specification_says(count, density):
    bits = random_bits(count, density)
    data = compress(packed(bits), count, most=10**4)
    assert data == references.rans.written(bits.astype(int).tolist())
    assert references.rans.read(data, count) == bits.astype(int).tolist()
    assert (expand(data, count) == packed(bits)).all()


def test_the_example_of_the_specification():
    text = (Path(slth.ticket.__file__).parent / "FORMAT.md").read_text()
    data = bytes.fromhex(re.search("are the bytes\n\n    ([0-9a-f ]+)\n", text)[1])
    assert expand(data, 16).tolist() == [0b101, 0]
    assert references.rans.read(data, 16) == [1, 0, 1] + [0] * 13


@pytest.mark.parametrize("density", DENSITIES)
def test_a_stream_takes_its_entropy_and_a_few_bytes(density):
    """Ten bytes of f and state, less than a word lost at its end; rounding f to 2⁻¹⁶ costs at most 2⁻¹⁵ a bit."""
    count = 200_000
    bits = random_bits(count, density)
    size = 8 * len(compress(packed(bits), count, most=10**6))
    assert entropy(bits) + 32 <= size <= entropy(bits) + count / 2**15 + 8 * 14


def test_a_stream_that_takes_too_much_is_none():
    bits = packed(random_bits(1000, 0.2))
    size = len(compress(bits, 1000, most=10**4))
    assert len(compress(bits, 1000, most=size)) == size
    for most in (size - 1, 10, 9, 0):
        assert compress(bits, 1000, most=most) is None


def test_a_mask_has_one_stream():
    """Cut, longer, one bit flipped, random, or with another f: a stream is refused, or is what `compress` writes."""
    rng = np.random.default_rng(1)
    bits = random_bits(300, 0.1)
    data = compress(packed(bits), 300, most=10**4)
    stirred = [data[:end] for end in range(len(data))] + [data + bytes(k) for k in (1, 2, 4, 8)]
    for at in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[at // 8] ^= 1 << at % 8
        stirred.append(bytes(flipped))
    stirred += [rng.bytes(size) for size in (10, 14, 18, 38) for _ in range(200)]
    stirred += [references.rans.written(bits.astype(int).tolist(), f) for f in (1, 2, 6000, 2**15, 2**16 - 1)]
    for stream in stirred:
        try:
            found = expand(stream, 300)
        except TicketError:
            assert references.rans.read(stream, 300) is None
        else:
            assert compress(found, 300, most=10**4) == stream


def test_a_state_below_the_smallest_is_refused():
    """It would give a mask a second stream: step one bit ahead, take half of that state for a word, step back."""
    bits = [1, 0, 0, 0, 0] * 60
    data = references.rans.written(bits)
    f, x = int.from_bytes(data[:2], "little"), int.from_bytes(data[2:10], "little")
    ahead = f * (x >> 16) + x % 2**16
    assert ahead >= 2**32  # no word is read
    high, word = divmod(ahead, 2**32)
    below = (high // f << 16) + high % f
    second = data[:2] + below.to_bytes(8, "little") + word.to_bytes(4, "little") + data[10:]
    assert (expand(data, 300) == packed(bits)).all()
    with pytest.raises(TicketError, match="begin no stream"):
        expand(second, 300)


def test_every_valid_stream_is_the_only_one_of_its_mask():
    """All masks of ten bits: 1,024 streams, all different, each read back; and none is read as another length."""
    streams = {}
    for number in range(1024):
        bits = packed([number >> i & 1 for i in range(10)])
        data = compress(bits, 10, most=100)
        assert (expand(data, 10) == bits).all()
        streams[data] = number
        for count in (9, 11):
            with pytest.raises(TicketError, match="does not end"):
                expand(data, count)
    assert len(streams) == 1024
