"""What a network is given of `Examples`: the same numbers in its shape, standardised, in a range that stays true."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slth import InputError
from slth.data import Examples, load

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (4, 3, 5, 6), dtype=np.uint8)
MEAN, STD = (0.5, 0.25, 0.4), (0.25, 0.125, 0.3)


def small(**changes) -> Examples:
    x, y = np.array([[0.0, 1.0], [0.5, 0.25]], np.float32), np.array([0, 1])
    made = Examples("small", x, y, x, y, classes=2, mean=(0.0,), std=(1.0,), input_range=(0.0, 1.0))
    return replace(made, **changes)


def images(x=COLOUR, **changes) -> Examples:
    y = np.zeros(len(x), np.int64)
    ends = (0.0, 1.0) if x.dtype == np.uint8 else (float(x.min()), float(x.max()))
    return Examples("images", x, y, x, y, **{"classes": 1, "mean": MEAN, "std": STD, "input_range": ends, **changes})


floats = st.floats(-1e6, 1e6, width=32)


@given(st.lists(floats, min_size=1, max_size=8), floats, st.floats(1e-6, 1e6), st.floats(0, 1e3), st.floats(0, 1e3))
@settings(max_examples=200, deadline=None)
def test_the_range_contains_what_a_network_is_given(values, mean, std, below, above):
    """Also when the stated range is wider than the data, and its ends are not float32 numbers."""
    x, y = np.array([values], np.float32), np.zeros(1, np.int64)
    stated = (float(x.min()) - below, float(x.max()) + above)
    data = small(train_x=x, train_y=y, test_x=x, test_y=y, classes=1, input_range=stated)
    taken = data.inputs((mean,), (std,))
    (lo,), (hi,), found = taken.lower, taken.upper, taken.normalised(data.train_x)
    assert lo <= found.min() <= found.max() <= hi
    real = [(Fraction(end) - Fraction(mean)) / Fraction(std) for end in stated]
    assert Fraction(lo) <= real[0] <= real[1] <= Fraction(hi)
    assert (found == (x - np.float32(mean)) / np.float32(std)).all()
    assert found.dtype == np.float32
    if below == above == 0:  # and no wider than need be
        ends = [Fraction(float(end)) for end in (found.min(), found.max())]
        assert min(ends[0], real[0]) - Fraction(lo) <= abs(real[0]) / 2**48
        assert Fraction(hi) - max(ends[1], real[1]) <= abs(real[1]) / 2**48


@pytest.mark.parametrize("x", [COLOUR, (COLOUR / 7 - 9).astype(np.float32)], ids=["bytes", "floats"])
def test_every_channel_has_its_own_range_and_flat_features_have_those_of_their_channels(x):
    data = images(x)
    whole, flat = data.inputs(MEAN, STD), data.reshaped((-1,)).inputs(MEAN, STD)
    assert (whole.shape, len(whole.mean), len(whole.lower)) == ((3, 5, 6), 3, 3)
    assert (flat.shape, len(flat.mean), len(flat.lower)) == ((90,), 90, 90)
    assert np.array_equal(np.repeat(whole.lower, 30), flat.lower)
    assert np.array_equal(np.repeat(whole.upper, 30), flat.upper)
    found = whole.normalised(data.test_x)
    assert np.array_equal(flat.normalised(data.reshaped((-1,)).test_x), found.reshape(4, -1))
    values = x.astype(np.float32) / np.float32(255) if x.dtype == np.uint8 else x
    for channel, (mean, std) in enumerate(zip(MEAN, STD, strict=True)):
        assert np.array_equal(found[:, channel], (values[:, channel] - np.float32(mean)) / np.float32(std))
        assert whole.lower[channel] <= found[:, channel].min() <= found[:, channel].max() <= whole.upper[channel]
    one = data.inputs((0.5,), STD)
    assert (one.mean, len(one.lower)) == ((0.5,), 3)
    assert data.inputs((0.5,) * 3, (0.5,) * 3).lower == data.inputs((0.5,), (0.5,)).lower * 3


ENDS = (float(np.float32(-0.1)),), (float(np.float32(1.1)),)  # both outside -0.1 and 1.1


def test_nothing_is_normalised_unless_it_is_asked_for():
    data = small(input_range=(-0.1, 1.1))
    taken = data.inputs()
    assert (taken.shape, taken.mean, taken.std, taken.lower, taken.upper) == ((2,), None, None, *ENDS)
    assert (taken.normalised(data.train_x) == data.train_x).all()
    assert small().inputs((0.0,), (2.0,)).upper == (0.5,)
    assert small(train_x=np.empty((0, 2), np.float32), train_y=np.empty(0, np.int64)).inputs((0.5,), (0.5,))


@pytest.mark.parametrize(
    ("mean", "std"),
    [(0.0, 0.0), (0.0, -1.0), (0.0, np.nan), (np.nan, 1.0), (np.inf, 1.0), (0.0, np.inf), (0.0, 1e-60), (1e60, 1.0),
     (0.0, 1e60)],
)  # fmt: skip
def test_a_mean_or_std_that_is_no_number_is_refused(mean, std):
    with pytest.raises(InputError, match="std > 0"):
        small().inputs((mean,), (std,))


def test_a_std_that_overflows_and_other_counts_are_refused():
    with pytest.raises(InputError, match="overflows float32"):
        small().inputs((0.0,), (1e-40,))
    with pytest.raises(InputError, match="mean needs 1 or 3 or 90 numbers for inputs of shape 3×5×6, got 2"):
        images().inputs((0.5, 0.5), (0.5, 0.5))
    with pytest.raises(InputError, match="mean needs 1 or 90 numbers for inputs of shape 90, got 2"):
        images().reshaped((90,)).inputs((0.5, 0.5), (0.5, 0.5))


def test_another_shape_holds_the_same_numbers_and_labels_in_the_same_order():
    data = images()
    flat = data.reshaped((90,))
    assert (flat.test_x == (COLOUR.astype(np.float32) / np.float32(255)).reshape(4, 90)).all()
    assert (flat.channels, flat.mean, flat.std, flat.input_range) == (3, MEAN, STD, (0.0, 1.0))
    assert flat.train_x is flat.test_x  # shared where it was shared
    assert flat.train_y is data.train_y
    again = flat.reshaped((3, 5, 6))
    assert (again.test_x == data.inputs().normalised(data.test_x)).all()
    assert (again.shape, again.mean) == ((3, 5, 6), MEAN)
    assert data.reshaped((3, 5, 6)) is data
    grey = images(COLOUR[:, :1], mean=(0.5,), std=(0.5,))
    assert (grey.reshaped((5, 6)).test_x[:, None] == grey.test_x).all()
    assert grey.reshaped((5, 6)).mean == (0.5,) * 5  # as many channels as the network sees


@pytest.mark.parametrize("shape", [(91,), (5, 6, 3), (3, 6, 5), (3, 30), (1, 3, 5, 6), (2, 3, 5, 6), (3, 5), ()])
def test_a_shape_that_is_another_reading_is_refused(shape):
    """The numbers may be as many; the axes must mean the same."""
    with pytest.raises(
        InputError, match=r"the network takes inputs of shape .*, images has 3 x 5 x 6; is it the right"
    ):
        images().reshaped(shape)


def test_a_data_set_is_loaded_in_the_shape_of_a_network(save):
    assert load("digits", shape=(64,)).shape == load("digits", shape=(-1,)).shape == (64,)
    assert load("digits", shape=(1, 8, 8)).shape == load("digits").shape
    with pytest.raises(InputError, match="takes inputs of shape 784, digits has 1 x 8 x 8"):
        load("digits", shape=(784,))
    path = save(x=COLOUR, y=[0, 1, 2, 3])
    assert load(path, shape=(3, 5, 6)).test_x.dtype == np.uint8
    flat = load(path, shape=(90,), train=False)
    assert (flat.test_x == COLOUR.reshape(4, 90)).all()  # in its own scale, as a table of numbers
    assert flat.input_range == (COLOUR.min(), COLOUR.max())
    assert load(path).input_range == (np.float32(COLOUR.min()) / 255, np.float32(COLOUR.max()) / np.float32(255))
    assert (flat.channels, flat.train_x.shape) == (3, (0, 90))
    table = save(x=COLOUR.reshape(4, 90) / 7, y=[0, 1, 2, 3])
    assert load(table, shape=(3, 5, 6)).mean == (0.0,) * 3
    last = save(x=np.zeros((4, 5, 6, 3)), y=[0, 1, 2, 3])
    assert load(last, shape=(90,)).channels == 1


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"test_x": np.zeros((2, 2))}, "small: expected test examples as float32 .* got float64"),
        ({"test_x": np.zeros((3, 2), np.float32)}, r"got float32 \(3, 2\) and int64 \(2,\)"),
        ({"test_y": np.zeros(2, np.int32)}, "got float32 .* and int32"),
        ({"test_y": np.zeros((2, 1), np.int64)}, r"and int64 \(2, 1\)"),
        ({"test_x": np.zeros((0, 2), np.float32), "test_y": np.zeros(0, np.int64)}, "at least one test example"),
        ({"test_x": np.zeros((2, 3), np.float32)}, r"shape \(2,\) but test examples float32 of shape \(3,\)"),
        ({"input_range": (0.0, 0.99)}, "run from 0.0 to 1.0, which is not inside the stated range from 0.0 to 0.99"),
        ({"input_range": (0.01, 1.0)}, "not inside the stated range"),
        ({"input_range": (0.0, np.nan)}, "not inside the stated range"),
        ({"test_x": np.array([[0, np.nan], [0, 0]], np.float32)}, "test inputs run from nan to nan"),
        ({"classes": 1}, "training labels run from 0 to 1, expected 0 to 0"),
        ({"test_y": np.array([-1, 0])}, "test labels run from -1 to 0, expected 0 to 1"),
        ({"mean": (0.0,) * 3, "std": (1.0,) * 3}, "2 features are not 3 channels of one size"),
        ({"mean": (), "std": ()}, "2 features are not 0 channels"),
    ],
)
def test_contradictions_are_refused(changes, sentence):
    with pytest.raises(InputError, match=sentence):
        small(**changes)


@pytest.mark.usefixtures("unchecked")
def test_bytes_beyond_the_stated_range_are_refused():
    assert images(input_range=(0.0, 1.0))
    with pytest.raises(InputError, match="not inside the stated range"):
        images(input_range=(0.0, 0.5))
