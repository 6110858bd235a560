"""Stream v1 is part of the file format: these numbers may never change."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from slth import InputError
from slth.numerics import Stream, draw, draw_rows, lowest_one, streams, uniform
from slth.numerics.laws import from_words
from slth.numerics.streams import philox4x32, reference_words, words

# Known-answer vectors of Philox4x32-10 from its authors' library Random123: counter, key -> words.
VECTORS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((2**32 - 1,) * 4, (2**32 - 1,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
# SHA-256 of the 2^24 float32 values of each law, in the order of the top 24 bits of the word.
NORMAL_TABLE = "61d7c94ad4127b04b41174d22dec15ebdd82705e0c920b013bbc8f579b4e8cca"


@pytest.mark.parametrize(("counter", "key", "expected"), VECTORS)
def test_the_reference_gives_the_published_words(counter, key, expected):
    assert tuple(philox4x32(np.array([counter], np.uint32), key)[0]) == expected


def test_the_first_words_of_a_stream_are_pinned():
    """Seed, path, key derivation and word order together; computed once from the written specification."""
    stream = Stream(7, "layers/0/mixing")
    key = hashlib.sha256(b"7/layers/0/mixing").digest()
    assert stream.key == (int.from_bytes(key[:4], "little"), int.from_bytes(key[4:8], "little"))
    block = philox4x32(np.array([[0, 0, 0, 0], [1, 0, 0, 0]], np.uint32), stream.key).reshape(-1)
    assert (words(stream, 0, 8) == block).all()


def test_counter_words_are_block_low_block_high():
    start = 4 * (2**32 + 5)
    stream = Stream(0, "far")
    expected = philox4x32(np.array([[5, 1, 0, 0]], np.uint32), stream.key)[0]
    assert (words(stream, start, 4) == expected).all()
    assert (streams._compiled_words(stream, np.array([start], np.uint64), 4)[0] == expected).all()


@pytest.mark.parametrize("start", [0, 1, 2, 3, 4, 1000, 2**33 + 1])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 8, 1001])
def test_the_compiled_engine_equals_the_reference_bit_for_bit(start, count):
    stream = Stream(3, "a/b")
    compiled = streams._compiled_words(stream, np.array([start], np.uint64), count)[0]
    assert (compiled == reference_words(stream, start, count)).all()


def test_any_slice_equals_the_same_slice_of_the_whole():
    stream = Stream(1, "slices")
    whole = words(stream, 0, 40_000)  # compiled
    for start, count in [(0, 7), (5, 1), (39_990, 10), (123, 20_000)]:
        assert (words(stream, start, count) == whole[start : start + count]).all()


def test_rows_are_rows_of_one_long_stream():
    stream = Stream(2, "rows")
    matrix = uniform(stream, (50, 7))
    rows = np.array([0, 3, 49, 7])
    assert (draw_rows(stream, rows, 7, law="uniform") == matrix[rows]).all()


def test_uniform_values_are_multiples_of_2_to_the_minus_23_in_minus_1_to_1():
    values = from_words(np.array([0, 255, 256, 2**31, 2**32 - 1], np.uint32), "uniform")
    assert values.tolist() == [-1.0, -1.0, -1.0 + 2.0**-23, 0.0, 1.0 - 2.0**-23]
    drawn = uniform(Stream(0, "grid"), (4096,)).astype(np.float64)
    assert (drawn * 2**23 == np.round(drawn * 2**23)).all()
    assert abs(drawn.mean()) < 0.05
    assert abs(drawn.var() - 1 / 3) < 0.02


def test_sign_is_plus_one_where_the_top_bit_is_zero():
    assert from_words(np.array([0, 2**31 - 1, 2**31, 2**32 - 1], np.uint32), "sign").tolist() == [1, 1, -1, -1]


def test_the_normal_law_is_pinned_by_its_whole_table():
    every = from_words(np.arange(2**24, dtype=np.uint32) << np.uint32(8), "normal")
    assert hashlib.sha256(every.tobytes()).hexdigest() == NORMAL_TABLE
    assert (np.diff(every) >= 0).all()
    assert (every[: 2**23] == -every[: 2**23 - 1 : -1]).all()


def test_another_path_or_seed_gives_other_numbers():
    base = uniform(Stream(0, "x"), (100,))
    assert (base != uniform(Stream(0, "y"), (100,))).mean() > 0.99
    assert (base != uniform(Stream(1, "x"), (100,))).mean() > 0.99
    assert (base == draw(Stream(0, "x"), "uniform", (10, 10)).reshape(-1)).all()


@pytest.mark.parametrize("seed", [-1, 1.0, True, "0"])
def test_a_seed_is_a_non_negative_integer(seed):
    with pytest.raises((InputError, TypeError), match=r"seed|Stream"):
        Stream(seed, "x")


def test_a_slice_before_the_start_is_refused():
    with pytest.raises(InputError, match="start >= 0"):
        words(Stream(0, "x"), -1, 1)


def test_small_draws_load_no_compiler():
    code = "import sys; from slth.numerics import *; uniform(Stream(0, 'x'), (9,)); sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_lowest_one_of_a_word_is_found():
    """At every place, whatever stands above it."""
    above = words(Stream(0, "above"), 0, 128).astype(object)
    for place in range(64):
        for high in (0, 1, (int(above[place]) << 32 | int(above[64 + place])) | 1):
            assert lowest_one(np.uint64((high << place | 1 << place) & 2**64 - 1)) == place
