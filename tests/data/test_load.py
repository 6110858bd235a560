"""One verb for all data sets; importing it is cheap."""

import subprocess
import sys

import numpy as np
import pytest

from slth import InputError
from slth.data import DATA_SETS, load


def test_digits_are_split_every_fifth_and_nothing_is_lost():
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    data = load("digits", shape=(-1,))
    assert (data.train_x.shape, data.test_x.shape) == ((1437, 64), (360, 64))
    assert (data.test_x * 16 == pixels[::5]).all()  # division by 16 is exact
    assert (data.test_y == labels[::5]).all()
    assert (data.train_x * 16 == np.delete(pixels, np.s_[::5], axis=0)).all()
    assert (data.train_y == np.delete(labels, np.s_[::5])).all()
    assert not {x.tobytes() for x in data.train_x} & {x.tobytes() for x in data.test_x}
    assert (data.classes, data.input_range, data.range_observed) == (10, (0.0, 1.0), False)


def test_digits_without_training_part_have_the_same_test_part():
    data, whole = load("digits", train=False), load("digits")
    assert data.train_x.shape == (0, 1, 8, 8)
    assert (data.test_x == whole.test_x).all()
    assert (data.mean, data.std) == (whole.mean, whole.std)  # of the training part, although it is left out


@pytest.mark.parametrize("name", ["digits", "Digits", "DIGITS"])
def test_names_are_read_in_any_case_and_recorded_in_one(name):
    assert load(name).name == "digits"


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("mnist", "mnist"),
        ("MNIST", "mnist"),
        ("fashion_mnist", "fashion_mnist"),
        ("fashion-mnist", "fashion_mnist"),
        ("FashionMNIST", "fashion_mnist"),
        ("Fashion-MNIST", "fashion_mnist"),
        ("CIFAR-10", "cifar10"),
    ],
)
def test_each_spelling_asks_for_its_own_set(name, known, tmp_path, monkeypatch):
    monkeypatch.setenv("SLTH_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=f"^{known}: .*found none"):
        load(name, data_dir=tmp_path)


@pytest.mark.parametrize("name", ["", "cifar", "mnist2", "digits.np", "x.npy"])
def test_an_unknown_name_lists_the_known_ones(name):
    with pytest.raises(InputError, match=r"one of cifar10, digits, fashion_mnist, mnist, or a path that ends in \.npz"):
        load(name)
    assert sorted(DATA_SETS) == ["cifar10", "digits", "fashion_mnist", "mnist"]


def test_importing_data_loads_nothing_heavy():
    code = "import sys, slth.data; sys.exit(bool({'torch', 'sklearn', 'scipy', 'pyarrow', 'PIL'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
