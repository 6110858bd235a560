"""Shards are decoded once, only the right content is believed, and a bad cache is never an error."""

import hashlib
import io
import logging
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from slth import InputError
from slth.data import _cifar10, load
from slth.data._cifar10 import CIFAR10, Cifar10, Part
from slth.data._examples import channel_statistics

arrow = pytest.importorskip("pyarrow", reason="needs the extra `images`")
parquet = pytest.importorskip("pyarrow.parquet")
Image = pytest.importorskip("PIL.Image")

DATA = Path(os.environ.get("SLTH_DATA", "/absent"))


def part(prefix: str, count: int, seed: int) -> tuple[Part, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)
    labels = random.integers(0, 10, count)
    rows = b"".join(bytes([y]) + x.tobytes() for x, y in zip(pixels, labels, strict=True))
    return Part(prefix, count, hashlib.sha256(rows).hexdigest()), pixels, labels


TRAIN, TRAIN_X, TRAIN_Y = part("train", 5, 0)
TEST, TEST_X, TEST_Y = part("test", 2, 1)
FAKE = Cifar10(folders=("cifar10", "."), train=TRAIN, test=TEST)


def packed(pixels: np.ndarray, kind: str = "WEBP", size: int = 32, mode: str = "RGB") -> bytes:
    content = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))).convert(mode).resize((size, size))
    image.save(content, kind, lossless=True)
    return content.getvalue()


def write(folder: Path, *, images=packed, nested: bool = False, cut: int = 3, labels=TRAIN_Y) -> None:
    """Two training shards and one test shard."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, x, y in [
        ("train-00000-of-00002", TRAIN_X[:cut], labels[:cut]),
        ("train-00001-of-00002", TRAIN_X[cut:], labels[cut:]),
        ("test-00000-of-00001", TEST_X, TEST_Y),
    ]:
        content = [images(pixels) for pixels in x]
        column = {"img": [{"bytes": c, "path": None} for c in content]} if nested else {"image": content}
        parquet.write_table(arrow.table({"label": [int(label) for label in y]} | column), folder / f"{name}.parquet")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SLTH_CACHE", str(tmp_path / "cache/deep"))
    return tmp_path / "cache/deep"


WHOLE = (*(part.tolist() for part in (TRAIN_X, TRAIN_Y, TEST_X, TEST_Y)), np.uint8, np.int64, 10, 3)


def contents(data) -> tuple:
    """All numbers, their types, and how many classes and channels there are."""
    arrays = (data.train_x, data.train_y, data.test_x, data.test_y)
    numbers = (part.tolist() for part in arrays)
    return (*numbers, data.train_x.dtype, data.train_y.dtype, data.classes, data.channels)


@pytest.mark.parametrize("folder", ["cifar10", "."])
@pytest.mark.parametrize("nested", [False, True])
def test_every_layout_gives_the_same_arrays(tmp_path, folder, nested):
    def as_png(pixels):
        return packed(pixels, "PNG")

    write(tmp_path / folder, nested=nested, images=as_png if nested else packed)
    assert contents(FAKE("fake", data_dir=tmp_path, train=True)) == WHOLE


def test_the_flat_form_is_the_bytes_over_255_and_needs_only_the_part_asked_for(tmp_path):
    write(tmp_path)
    data = FAKE("fake", data_dir=tmp_path, train=True).reshaped((3072,))
    assert (data.train_x == TRAIN_X.reshape(5, -1).astype(np.float32) / np.float32(255)).all()
    assert (data.train_y == TRAIN_Y).all()
    assert (data.input_range, data.range_observed) == ((0.0, 1.0), False)
    for shard in tmp_path.glob("train*"):
        shard.unlink()
    data = FAKE("other", data_dir=tmp_path, train=False).reshaped((3072,))
    assert (data.train_x.shape, data.test_x.shape) == ((0, 3072), (2, 3072))


def test_images_are_decoded_once(tmp_path, cache):
    write(tmp_path)
    FAKE("fake", data_dir=tmp_path, train=True)
    assert len(list(cache.iterdir())) == 2  # and no temporary file is left
    for shard in tmp_path.glob("*.parquet"):
        shard.write_bytes(b"")
    assert contents(FAKE("fake", data_dir=tmp_path, train=True)) == WHOLE


@pytest.mark.parametrize(
    "damage",
    [
        lambda good: b"",
        lambda good: good[:-1],
        lambda good: good + b"\0",
        lambda good: good[:-1] + bytes([good[-1] ^ 1]),
        lambda good: b"\x80\x04N." + good[4:],
        lambda good: good.replace(b"|u1", b"|i1"),
        lambda good: good.replace(b"3073", b"9999"),
        lambda good: good.replace(b"False", b"None "),
    ],
)
def test_a_damaged_cache_is_decoded_again(tmp_path, cache, damage):
    write(tmp_path)
    FAKE("fake", data_dir=tmp_path, train=True)
    good = {path: path.read_bytes() for path in cache.iterdir()}
    for path, content in good.items():
        assert damage(content) != content
        path.write_bytes(damage(content))
    assert contents(FAKE("fake", data_dir=tmp_path, train=True)) == WHOLE
    assert {path: path.read_bytes() for path in cache.iterdir()} == good


def test_a_cache_that_cannot_be_written_costs_a_warning_only(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SLTH_CACHE", str(tmp_path / "file/below"))
    write(tmp_path)
    caplog.set_level(logging.WARNING)  # a quiet command run before in this process has raised it
    assert contents(FAKE("fake", data_dir=tmp_path, train=True)) == WHOLE
    assert "SLTH_CACHE names another folder" in caplog.text


def test_the_cache_is_in_the_users_folder_by_default(tmp_path, monkeypatch):
    monkeypatch.delenv("SLTH_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path)
    FAKE("fake", data_dir=tmp_path, train=True)
    assert len(list((tmp_path / ".cache/slth").iterdir())) == 2


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"images": lambda x: packed(255 - x)}, "SHA-256 .* another order, damaged, or were compressed with loss"),
        ({"labels": (TRAIN_Y + 1) % 10}, "SHA-256"),
        ({"labels": TRAIN_Y - 300}, "a label from 0 to 9"),
        ({"images": lambda x: packed(x, size=33)}, r"RGB images of 32 x 32, got RGB of \(33, 33\)"),
        ({"images": lambda x: packed(x, "PNG", mode="L")}, "got L of"),
        ({"images": lambda x: packed(x, "BMP")}, "cannot be read as a shard of images"),
        ({"images": lambda x: packed(x)[:-40]}, "cannot be read as a shard of images"),
        ({"images": lambda x: b""}, "cannot be read as a shard of images"),
        ({"images": lambda x: "text"}, "and an image in each row"),
    ],
)
def test_shards_of_something_else_are_refused_with_the_reason(tmp_path, options, sentence):
    write(tmp_path, **options)
    with pytest.raises(InputError, match=sentence) as caught:
        FAKE("fake", data_dir=tmp_path, train=True)
    assert str(caught.value).startswith("fake: ")
    assert "\n" not in str(caught.value)


def test_missing_surplus_and_broken_shards_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"shards train-.*found none; .*data_dir or SLTH_DATA"):
        FAKE("fake", data_dir=tmp_path, train=True)
    write(tmp_path)
    first, second = sorted(tmp_path.glob("train*"))
    content = second.read_bytes()
    second.write_bytes(first.read_bytes())
    with pytest.raises(InputError, match="expected 5 train images, got more in"):
        FAKE("fake", data_dir=tmp_path, train=True)
    second.write_bytes(content[:-9])
    with pytest.raises(InputError, match=f"{second} cannot be read as a shard"):
        FAKE("fake", data_dir=tmp_path, train=True)
    second.unlink()
    with pytest.raises(InputError, match=r"expected 5 train images, got 3 in 1 file\(s\)"):
        FAKE("fake", data_dir=tmp_path, train=True)
    parquet.write_table(arrow.table({"a": [1], "b": [2]}), first)
    with pytest.raises(InputError, match="expected columns label and image, found a, b"):
        FAKE("fake", data_dir=tmp_path, train=True)


@pytest.mark.parametrize("package", ["PIL.Image", "pyarrow"])
def test_a_missing_package_is_named_with_the_way_to_get_it(tmp_path, monkeypatch, package):
    write(tmp_path)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=r"pip install 'slth\[images\]'"):
        FAKE("fake", data_dir=tmp_path, train=True)


@pytest.mark.slow
@pytest.mark.skipif(
    not any(DATA.glob("cifar10/train-*.parquet")),
    reason="needs the real CIFAR-10 shards in the folder cifar10 of SLTH_DATA",
)
def test_the_real_set_has_its_published_statistics(monkeypatch):
    data = load("CIFAR-10")
    assert (data.train_x.shape, data.test_x.shape) == ((50000, 3, 32, 32), (10000, 3, 32, 32))
    assert (np.bincount(data.train_y) == 5000).all()
    assert (np.bincount(data.test_y) == 1000).all()
    assert data.train_y[:5].tolist() == [6, 9, 9, 4, 1]  # frog, truck, truck, deer, automobile
    mean, std = channel_statistics(data.train_x)
    assert data.mean == pytest.approx(mean, abs=1e-6)
    assert data.std == pytest.approx(std, abs=1e-6)
    assert (data.mean, data.std) == (CIFAR10.mean, CIFAR10.std)

    monkeypatch.setattr(_cifar10, "_decoded", None)  # from here on, only the cache can help
    flat = load("cifar10", train=False, shape=(3072,))
    assert (flat.test_x == data.test_x.reshape(10000, -1).astype(np.float32) / np.float32(255)).all()
    assert (flat.test_y == data.test_y).all()
