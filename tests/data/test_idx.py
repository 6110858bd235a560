"""IDX files are found in every usual place, and only the right content is ever accepted."""

import gzip
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from slth import InputError
from slth.data import load
from slth.data._idx import FASHION_MNIST, MNIST
from slth.ticket import Inputs

IMAGES = "t10k-images-idx3-ubyte"
SPELLINGS = ["-idx gzipped", "-idx plain", ".idx gzipped", ".idx plain"]
LAYOUTS = ["", "mnist", "MNIST/raw", "fashion_mnist", "fashion-mnist", "FashionMNIST/raw"]


def contents(data):
    """The four arrays; the inputs also flat, and the type that they have then."""
    flat = data.reshaped((6,))
    parts = (data.train_x, flat.train_x, data.train_y, data.test_x, flat.test_x, data.test_y)
    return [*(part.tolist() for part in parts), flat.train_x.dtype, flat.test_x.dtype]


def contents_of(fake):
    """The same from the bytes of the files."""
    found = []
    for field in ("train", "test"):
        pixels = np.frombuffer(fake.content[f"{field}_images"], np.uint8, offset=16).reshape(-1, 1, 2, 3)
        labels = np.frombuffer(fake.content[f"{field}_labels"], np.uint8, offset=8)
        found += [pixels, pixels.reshape(-1, 6).astype(np.float32) / np.float32(255), labels]
    return [*(part.tolist() for part in found), np.float32, np.float32]


@pytest.mark.parametrize("folder", ["one", "two/raw", "."])
@pytest.mark.parametrize("spelling", range(4), ids=SPELLINGS)
def test_every_folder_and_file_name_gives_the_same_arrays(fake, tmp_path, folder, spelling):
    fake.write(tmp_path / folder, spelling=spelling)
    data = fake.source("fake", data_dir=tmp_path, train=True)
    assert contents(data) == contents_of(fake)
    assert (data.input_range, data.range_observed, data.classes) == ((0.0, 1.0), False, 10)
    assert data.train_x.dtype == np.uint8
    assert data.train_y.dtype == np.int64


def test_the_usual_folders_and_names_are_known():
    assert set(MNIST.folders) | set(FASHION_MNIST.folders) == {folder or "." for folder in LAYOUTS}
    assert MNIST.test_images.names == (f"{IMAGES}.gz", IMAGES, "t10k-images.idx3-ubyte.gz", "t10k-images.idx3-ubyte")
    assert MNIST.test_labels.names[1] == "t10k-labels-idx1-ubyte"


@pytest.mark.parametrize("spelling", [0, 1], ids=["plain content named .gz", "gzipped content without .gz"])
def test_the_content_says_whether_it_is_gzipped(fake, tmp_path, spelling):
    fake.write(tmp_path, spelling=spelling)
    for path in list(tmp_path.iterdir()):
        path.rename(path.with_name(path.name + "x"))
    for path in list(tmp_path.iterdir()):
        plain = path.name.removesuffix("x").removesuffix(".gz")
        path.rename(tmp_path / (plain if spelling == 0 else f"{plain}.gz"))
    assert contents(fake.source("fake", data_dir=tmp_path, train=True)) == contents_of(fake)


def test_without_training_only_the_test_files_are_needed(fake, tmp_path):
    fake.write(tmp_path, part="test")
    data = fake.source("fake", data_dir=tmp_path, train=False)
    assert (data.train_x.shape, data.train_y.shape, data.test_x.shape) == ((0, 1, 2, 3), (0,), (3, 1, 2, 3))
    with pytest.raises(InputError, match=r"train-labels-idx1-ubyte\.gz.*found none"):
        fake.source("fake", data_dir=tmp_path, train=True)


def test_the_checksum_tells_two_sets_in_one_tree_apart(fake, other, tmp_path):
    """Same names, same shapes, the wrong set in a folder that is tried before the right one."""
    other.write(tmp_path / "one")
    fake.write(tmp_path)
    assert contents(fake.source("fake", data_dir=tmp_path, train=True)) == contents_of(fake)
    assert contents(other.source("other", data_dir=tmp_path, train=True)) == contents_of(other)


def test_images_of_one_set_are_never_paired_with_labels_of_another(fake, other, tmp_path):
    other.write(tmp_path)
    fake.write(tmp_path, part="test_images")
    with pytest.raises(InputError, match=r"t10k-labels.*SHA-256"):
        fake.source("fake", data_dir=tmp_path, train=False)


def test_a_damaged_copy_is_passed_over_for_a_good_one(fake, tmp_path):
    fake.write(tmp_path / "one")
    fake.write(tmp_path / "two/raw", spelling=1)
    (tmp_path / "one" / f"{IMAGES}.gz").write_bytes(b"")
    assert contents(fake.source("fake", data_dir=tmp_path, train=True)) == contents_of(fake)


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda good: gzip.compress(good)[:-9], "cut short or damaged"),
        (lambda good: gzip.compress(good)[:-1], "cut short or damaged"),
        (lambda good: gzip.compress(good)[:2], "cut short or damaged"),
        (lambda good: flipped(gzip.compress(good), -8 % len(gzip.compress(good))), "cut short or damaged.*CRC"),
        (lambda good: gzip.compress(good)[:10] + b"\xff" * 40, "cut short or damaged.*invalid block type"),
        (lambda good: good[:-1], "expected 34 bytes .decompressed., got only 33"),
        (lambda good: good[:7], "expected 34 bytes .decompressed., got only 7"),
        (lambda good: b"", "expected 34 bytes .decompressed., got only 0"),
        (lambda good: good + b"\0", "expected 34 bytes .decompressed., got more"),
        (lambda good: gzip.compress(good + b"\0"), "expected 34 bytes .decompressed., got more"),
        (lambda good: b"<html>404</html>" + good[16:], "magic number 2051, got 1013478509"),
        (lambda good: flipped(good, 3), "magic number 2051, got 2050"),
        (lambda good: flipped(good, 15), r"expected shape \(3, 2, 3\), got \(3, 2, 2\)"),
        (lambda good: flipped(good, 33), "SHA-256 .* belongs to another data set or is damaged"),
    ],
)
def test_a_file_that_is_not_the_right_one_is_refused_with_the_reason(fake, tmp_path, damage, sentence):
    fake.write(tmp_path)
    path = tmp_path / f"{IMAGES}.gz"
    path.write_bytes(damage(fake.content["test_images"]))
    with pytest.raises(InputError, match=sentence) as caught:
        fake.source("fake", data_dir=tmp_path, train=True)
    assert str(caught.value).startswith(f"fake: {path}: ")
    assert "\n" not in str(caught.value)


def test_a_folder_with_the_name_of_a_file_is_no_file(fake, tmp_path):
    """Some archives unpack each file into a folder of its own name."""
    fake.write(tmp_path, spelling=1)
    (tmp_path / IMAGES).unlink()
    (tmp_path / IMAGES).mkdir()
    with pytest.raises(InputError, match=f"{IMAGES}.*found none"):
        fake.source("fake", data_dir=tmp_path, train=False)


def test_a_small_file_cannot_unpack_to_a_large_one(fake, tmp_path):
    """64 MB of zeros in 64 kB: no more than the 34 expected bytes and the buffers of the reader are ever held."""
    fake.write(tmp_path)
    (tmp_path / f"{IMAGES}.gz").write_bytes(gzip.compress(bytes(2**26)))
    tracemalloc.start()
    with pytest.raises(InputError, match="expected an IDX file"):
        fake.source("fake", data_dir=tmp_path, train=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**21


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_the_data_folder_is_asked_for_and_must_exist(name, tmp_path, monkeypatch):
    monkeypatch.delenv("SLTH_DATA", raising=False)
    with pytest.raises(InputError, match=f"{name}: .*data_dir or SLTH_DATA"):
        load(name)
    monkeypatch.setenv("SLTH_DATA", "")
    with pytest.raises(InputError, match="got none"):
        load(name)
    with pytest.raises(InputError, match=f"{tmp_path}/absent is no folder"):
        load(name, data_dir=tmp_path / "absent")
    with pytest.raises(InputError, match=f"in one of {tmp_path}/.*, found none; .*data_dir or SLTH_DATA"):
        load(name, data_dir=tmp_path)


def test_the_argument_wins_over_the_environment(fake, other, tmp_path, monkeypatch):
    fake.write(tmp_path / "a")
    monkeypatch.setenv("SLTH_DATA", str(tmp_path / "a"))
    assert contents(fake.source("fake", data_dir=None, train=True)) == contents_of(fake)
    other.write(tmp_path / "b")
    with pytest.raises(InputError, match=f"{tmp_path}/b/"):
        fake.source("fake", data_dir=tmp_path / "b", train=True)


@pytest.mark.skipif(
    not any(Path(os.environ.get("SLTH_DATA", "/absent"), layout).is_dir() for layout in LAYOUTS),
    reason="needs the real MNIST and Fashion-MNIST files below the folder in SLTH_DATA",
)
@pytest.mark.parametrize(
    ("name", "mean", "std", "first_class"),
    [("mnist", 0.130660, 0.308108, (5923, 980)), ("fashion-mnist", 0.286041, 0.353024, (6000, 1000))],
)
def test_the_real_sets_have_their_published_statistics(name, mean, std, first_class):
    data = load(name, shape=(-1,))
    assert data.train_x.shape == (60000, 784)
    assert data.test_x.shape == (10000, 784)
    assert abs(data.train_x.mean(dtype=np.float64) - mean) < 1e-6
    assert abs(data.train_x.std(dtype=np.float64) - std) < 1e-6
    assert ((data.train_y == 0).sum(), (data.test_y == 0).sum()) == first_class
    assert (data.test_x == load(name, train=False, shape=(784,)).test_x).all()
    taken = data.inputs((mean,), (std,))
    x = taken.normalised(data.train_x)
    assert taken == Inputs((784,), (mean,), (std,)).with_raw_range((0.0,), (1.0,))
    assert taken.lower[0] <= x.min() <= x.max() <= taken.upper[0]
