"""The vectorised augmentation is the plain one, and the identity where it should be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slth import InputError
from slth.data import augmented


def plain(batch, shifts, flips):
    """The equation of the docstring, pixel by pixel."""
    count, channels, height, width = batch.shape
    out = np.zeros_like(batch)
    for i in range(count):
        for r in range(height):
            for s in range(width):
                t = width - 1 - s if flips[i] else s
                y, x = r + shifts[i, 0], t + shifts[i, 1]
                if 0 <= y < height and 0 <= x < width:
                    for c in range(channels):
                        out[i, c, r, s] = batch[i, c, y, x]
    return out


@given(st.tuples(*[st.integers(1, 6)] * 4), st.booleans(), st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_the_batch_is_the_one_of_a_plain_loop(shape, whole, seed):
    random = np.random.default_rng(seed)
    count, _, height, width = shape
    batch = random.integers(1, 256, shape, dtype=np.uint8) if whole else random.normal(size=shape).astype(np.float32)
    most = [min(4, height), min(4, width)]
    shifts = random.integers(np.negative(most), np.add(most, 1), (count, 2))
    flips = random.random(count) < 0.5
    before = batch.copy()
    out = augmented(batch, shifts, flips)
    assert out.dtype == batch.dtype
    assert (out == plain(batch, shifts, flips)).all()
    assert (batch == before).all()
    assert not np.shares_memory(out, batch)


def test_it_is_the_usual_crop_after_padding_with_four_zeros():
    """Corner (u, v) of the padded image, 0 to 8, is the shift (u - 4, v - 4); then the flip."""
    image = np.arange(1, 3 * 32 * 32 + 1, dtype=np.float32).reshape(3, 32, 32)
    padded = np.pad(image, ((0, 0), (4, 4), (4, 4)))
    corners = np.array([(u, v) for u in range(9) for v in range(9)])
    batch = np.broadcast_to(image, (81, 3, 32, 32))
    for flip in (False, True):
        out = augmented(batch, corners - 4, np.full(81, flip))
        for (u, v), got in zip(corners, out, strict=True):
            crop = padded[:, u : u + 32, v : v + 32]
            assert (got == (crop[:, :, ::-1] if flip else crop)).all()


def test_no_shift_and_no_flip_change_nothing_and_a_shift_by_the_whole_image_leaves_black():
    batch = np.full((2, 1, 3, 5), 7, np.uint8)
    none = np.zeros(2, bool)
    assert (augmented(batch, np.zeros((2, 2), np.int64), none) == batch).all()
    assert not augmented(batch, np.array([[3, 0], [0, -5]]), none).any()
    assert augmented(batch[:0], np.zeros((0, 2), np.int64), none[:0]).shape == (0, 1, 3, 5)


@pytest.mark.parametrize("shift", [(4, 0), (0, -6), (-(2**62), 0)])
def test_a_shift_beyond_the_image_is_refused(shift):
    with pytest.raises(InputError, match="at most 3 down and 5 to the right"):
        augmented(np.zeros((1, 1, 3, 5), np.uint8), np.array([shift]), np.zeros(1, bool))
