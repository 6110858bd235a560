"""A `Dataset` that exists is consistent, and normalising it keeps its range true."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slth import InputError
from slth.data import Dataset


def small(**changes) -> Dataset:
    x, y = np.array([[0.0, 1.0], [0.5, 0.25]], np.float32), np.array([0, 1])
    return replace(Dataset("small", x, y, x, y, classes=2, input_range=(0.0, 1.0)), **changes)


floats = st.floats(-1e6, 1e6, width=32)


@given(st.lists(floats, min_size=1, max_size=8), floats, st.floats(1e-6, 1e6), st.floats(0, 1e3), st.floats(0, 1e3))
@settings(max_examples=200, deadline=None)
def test_a_normalised_range_contains_the_normalised_data(values, mean, std, below, above):
    """Also when the stated range is wider than the data, and its ends are not float32 numbers."""
    x, y = np.array([values], np.float32), np.zeros(1, np.int64)
    stated = (float(x.min()) - below, float(x.max()) + above)
    data = Dataset("drawn", x, y, x, y, classes=1, input_range=stated).normalised(mean, std)
    lo, hi = data.input_range
    assert lo <= data.train_x.min() <= data.train_x.max() <= hi
    assert (data.train_x == (x - np.float32(mean)) / np.float32(std)).all()
    assert data.train_x.dtype == np.float32
    if below == above == 0:  # and no wider than need be
        assert (lo, hi) == (data.train_x.min(), data.train_x.max())


def test_normalising_changes_no_label_and_not_the_original():
    data = small(range_observed=True)
    new = data.normalised(0.5, 0.5)
    assert (new.train_x == [[-1, 1], [0, -0.5]]).all()
    assert (data.train_x == [[0, 1], [0.5, 0.25]]).all()
    assert new.train_y is data.train_y
    assert (new.name, new.classes, new.input_range, new.range_observed) == ("small", 2, (-1.0, 1.0), True)
    assert new.test_x is new.train_x  # shared where it was shared
    assert data.normalised(0.0, 2.0).input_range == (0.0, 0.5)


def test_a_data_set_without_training_part_can_be_normalised():
    data = small(train_x=np.empty((0, 2), np.float32), train_y=np.empty(0, np.int64)).normalised(0.5, 0.5)
    assert data.train_x.shape == (0, 2)


@pytest.mark.parametrize(
    ("mean", "std"),
    [(0.0, 0.0), (0.0, -1.0), (0.0, np.nan), (np.nan, 1.0), (np.inf, 1.0), (0.0, np.inf), (0.0, 1e-60), (1e60, 1.0)],
)
def test_a_mean_or_std_that_is_no_number_is_refused(mean, std):
    with pytest.raises(InputError, match="std > 0"):
        small().normalised(mean, std)


def test_a_std_that_overflows_is_refused():
    with pytest.raises(InputError, match="overflows float32"):
        small().normalised(0.0, 1e-40)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"test_x": np.zeros((2, 2))}, "small: expected float32 test inputs .* got float64"),
        ({"train_x": np.zeros((2, 1, 2), np.float32)}, "float32 training inputs of shape .* got float32 .2, 1, 2."),
        ({"test_x": np.zeros((3, 2), np.float32)}, r"got float32 \(3, 2\) and int64 \(2,\)"),
        ({"test_y": np.zeros(2, np.int32)}, "got float32 .* and int32"),
        ({"test_y": np.zeros((2, 1), np.int64)}, r"and int64 \(2, 1\)"),
        ({"test_x": np.zeros((0, 2), np.float32), "test_y": np.zeros(0, np.int64)}, "at least one test input"),
        ({"test_x": np.zeros((2, 3), np.float32)}, "training inputs have 2 features but test inputs have 3"),
        ({"input_range": (0.0, 0.99)}, "run from 0.0 to 1.0, which is not inside the stated range from 0.0 to 0.99"),
        ({"input_range": (0.01, 1.0)}, "not inside the stated range"),
        ({"input_range": (0.0, np.nan)}, "not inside the stated range"),
        ({"test_x": np.array([[0, np.nan], [0, 0]], np.float32)}, "test inputs run from nan to nan"),
        ({"classes": 1}, "training labels run from 0 to 1, expected 0 to 0"),
        ({"test_y": np.array([-1, 0])}, "test labels run from -1 to 0, expected 0 to 1"),
    ],
)
def test_contradictions_are_refused(changes, sentence):
    with pytest.raises(InputError, match=sentence):
        small(**changes)
