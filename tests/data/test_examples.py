"""`Examples` keep what the source holds, take the shape of a network, and keep their range true when standardised."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from slth import InputError
from slth.data import Examples, load
from slth.data._examples import channel_statistics

DATA = Path(os.environ.get("SLTH_DATA", "/absent"))
GREY = np.arange(2 * 6 * 5, dtype=np.uint8).reshape(2, 6, 5)
Y = np.array([1, 0])


def test_digits_are_the_images_of_the_flat_set_with_the_same_split():
    data, flat = load("digits"), load("digits", shape=(64,))
    assert (data.train_x.reshape(-1, 64) == flat.train_x).all()
    assert (data.test_x.reshape(-1, 64) == flat.test_x).all()
    assert (data.train_y == flat.train_y).all()
    assert (data.test_y == flat.test_y).all()
    assert (data.shape, data.channels, data.classes) == ((1, 8, 8), 1, 10)
    assert data.mean == pytest.approx([flat.train_x.mean(dtype=float)], rel=1e-12)
    assert data.std == pytest.approx([flat.train_x.std(dtype=float)], rel=1e-12)


def test_idx_images_are_the_bytes_of_the_files(fake, tmp_path):
    fake.write(tmp_path)
    data = replace(fake.source, mean=0.25, std=0.5)("fake", data_dir=tmp_path, train=True)
    for part, count in (("train", 6), ("test", 3)):
        x, y = getattr(data, f"{part}_x"), getattr(data, f"{part}_y")
        assert x.tobytes() == fake.content[f"{part}_images"][16:]
        assert y.tolist() == list(fake.content[f"{part}_labels"][8:])
        assert (x.shape, x.dtype, y.dtype) == ((count, 1, 2, 3), np.uint8, np.int64)
        assert x.flags.writeable  # torch.from_numpy warns otherwise
    assert (data.mean, data.std) == ((0.25,), (0.5,))


@pytest.mark.skipif(
    not ((DATA / "mnist").is_dir() and (DATA / "fashion_mnist").is_dir()),
    reason="needs the real MNIST and Fashion-MNIST files in folders mnist and fashion_mnist of SLTH_DATA",
)
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_the_stated_mean_and_deviation_are_those_of_the_training_images(name):
    data = load(name)
    assert (data.train_x.shape, data.test_x.shape) == ((60000, 1, 28, 28), (10000, 1, 28, 28))
    mean, std = channel_statistics(data.train_x)
    assert data.mean == pytest.approx(mean, abs=1e-6)
    assert data.std == pytest.approx(std, abs=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_channel_statistics_are_those_of_numpy_in_float64(dtype):
    x = np.random.default_rng(0).integers(0, 256, (5000, 3, 2, 2)).astype(dtype)
    values = x.astype(np.float64) / (255 if dtype == np.uint8 else 1)
    mean, std = channel_statistics(x)
    assert mean == pytest.approx(values.mean((0, 2, 3)), rel=1e-13)
    assert std == pytest.approx(values.std((0, 2, 3)), rel=1e-13)


@pytest.mark.parametrize("value", [3, 0])
def test_a_constant_channel_has_deviation_one(value):
    x = np.full((7, 2, 3, 3), value, np.uint8)
    x[0, 1, 0, 0] += 1
    mean, std = channel_statistics(x)
    assert mean[0] == pytest.approx(value / 255)
    assert std[0] == 1.0
    assert 0 < std[1] < 0.1
    assert channel_statistics(x[:, :1] * np.float32(0.1))[1] == (1.0,)  # also where the mean rounds


def test_flat_features_are_left_in_their_own_scale(save):
    for values in (GREY.reshape(2, -1), GREY.reshape(2, -1) / 7):
        path = save(x=values, y=Y)
        data = load(path)
        assert (data.train_x == values.astype(np.float32)).all()
        assert (data.train_x.dtype, data.mean, data.std, data.shape) == (np.float32, (0.0,), (1.0,), (30,))
        assert data.name == str(path)


def test_images_keep_shape_and_bytes_and_grey_ones_get_a_channel(save):
    data = load(save(x=GREY, y=Y))
    assert data.train_x.dtype == np.uint8
    assert data.shape == (1, 6, 5)
    assert (data.train_x[:, 0] == GREY).all()
    assert data.test_x is data.train_x
    colour = np.stack([GREY, GREY + 1, GREY + 2], axis=1)
    data = load(save(x=colour, y=Y, x_test=colour[:1], y_test=[4]))
    assert (data.train_x == colour).all()
    assert (data.test_x == colour[:1]).all()
    assert (data.classes, data.channels) == (5, 3)
    assert np.diff(data.mean) == pytest.approx(1 / 255)
    for wide in (colour.astype(np.int64), colour.astype(np.float64)):
        data = load(save(x=wide, y=Y))
        assert data.train_x.dtype == np.float32
        assert np.diff(data.mean) == pytest.approx(1)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"x": GREY}, "y missing"),
        ({"x": GREY, "y": Y[:1]}, "one label for each row of x, got 2 rows and 1 labels"),
        ({"x": GREY, "y": Y - 1}, "labels from 0"),
        ({"x": GREY[:0], "y": Y[:0]}, "at least one row"),
        ({"x": np.where(GREY == 9, np.inf, GREY), "y": Y}, "finite float32 numbers in x"),
        ({"x": GREY, "y": Y, "x_test": GREY / 2, "y_test": Y}, "training examples are uint8 .* but test .* float32"),
        ({"x": GREY, "y": Y, "x_test": GREY[:, 1:], "y_test": Y}, r"shape \(1, 6, 5\) but test .* \(1, 5, 5\)"),
        ({"x": np.stack([GREY] * 3, -1), "y": Y}, r"channels before .* got shape \(2, 6, 5, 3\); .*transpose"),
        ({"x": np.stack([GREY] * 3, -1) / 2, "y": Y}, "channels before"),
        ({"x": GREY[..., None], "y": Y}, "channels before"),
    ],
)
def test_arrays_that_are_no_examples_are_refused(save, arrays, sentence):
    path = save(**arrays)
    with pytest.raises(InputError, match=sentence) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")


def small(**changes) -> Examples:
    x = np.zeros((2, 3, 4, 4), np.uint8)
    made = Examples("small", x, Y, x, Y, classes=2, mean=(0.5,) * 3, std=(0.5,) * 3, input_range=(0.0, 1.0))
    return replace(made, **changes)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"test_x": np.zeros((2, 3, 4, 4))}, "test examples as .* got float64"),
        ({"test_x": np.zeros((2, 3), np.uint8)}, r"got uint8 \(2, 3\)"),
        ({"test_x": np.zeros(2, np.float32)}, r"got float32 \(2,\)"),
        ({"train_y": np.zeros(3, np.int64)}, r"int64 \(3,\)"),
        ({"train_y": np.zeros(2, np.int32)}, "int32"),
        ({"classes": 1}, "training labels run from 0 to 1, expected 0 to 0"),
        ({"test_y": np.array([-1, 0])}, "test labels run from -1"),
        ({"test_x": np.zeros((0, 3, 4, 4), np.uint8), "test_y": Y[:0]}, "at least one test example"),
        ({"test_x": np.zeros((2, 3, 4, 5), np.uint8)}, "give both the same"),
        ({"mean": (0.5,)}, r"each of 3 channel\(s\)"),
        ({"mean": (0.5, np.nan, 0.5)}, "finite mean"),
        ({"std": (0.5, 0.5, np.inf)}, "finite mean and std"),
        ({"std": (0.5, 0.0, 0.5)}, "std > 0"),
    ],
)
def test_contradictions_are_refused(changes, sentence):
    assert small().channels == 3
    with pytest.raises(InputError, match=sentence):
        small(**changes)
