"""MNIST and Fashion-MNIST from their IDX files; the SHA-256 of the content decides which set a file belongs to.

IDX: big-endian uint32 magic (2048 + number of axes for uint8), one uint32 per axis, then the bytes, last axis
fastest. Both sets use the same file names, so names decide nothing; a file that is not the set's own, byte for byte,
is refused.

Sources: LeCun, Cortes, Burges, The MNIST database; Xiao, Rasul, Vollgraf, Fashion-MNIST (2017), arXiv:1708.07747.
"""

import gzip
import hashlib
import math
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slth._errors import InputError
from slth._shapes import Pixels
from slth.data._examples import Examples
from slth.data._folder import data_folder

_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class IdxFile:
    """What one file must contain, decompressed."""

    stem: str
    shape: tuple[int, ...]
    sha256: str

    @property
    def names(self) -> tuple[str, ...]:
        """The usual file names: as published, as some unpackers rename it, each gzipped or plain."""
        kind = f"idx{len(self.shape)}-ubyte"
        return tuple(f"{self.stem}{dot}{kind}{suffix}" for dot in "-." for suffix in (".gz", ""))

    @property
    def header(self) -> bytes:
        return struct.pack(f">{1 + len(self.shape)}I", 2048 + len(self.shape), *self.shape)

    @property
    def size(self) -> int:
        return len(self.header) + math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class IdxSource:
    """A set of four files, and the folders below the data folder where people keep them; "." is tried last."""

    folders: tuple[str, ...]
    train_images: IdxFile
    train_labels: IdxFile
    test_images: IdxFile
    test_labels: IdxFile
    classes: int = 10
    mean: float = 0.0  # of the training images / 255
    std: float = 1.0

    def __call__(self, name: str, *, data_dir: Path | None, train: bool) -> Examples:
        """Read the set as uint8 images (count, 1, height, width).

        Cost: MNIST, one core: 0.05 s for the test part, 0.3 to 0.9 s for the training part; a byte a pixel.

        Raises:
            InputError: no data folder is given, a file is missing, cut short, damaged or of another set.
        """
        folder = data_folder(name, data_dir)
        trained = self._part(name, folder, self.train_images, self.train_labels) if train else None
        test_x, test_y = self._part(name, folder, self.test_images, self.test_labels)
        train_x, train_y = trained or (test_x[:0], test_y[:0])
        mean, std = (self.mean,), (self.std,)
        return Examples(
            name, train_x, train_y, test_x, test_y, classes=self.classes, mean=mean, std=std, input_range=(0.0, 1.0)
        )

    def _part(self, name: str, folder: Path, images: IdxFile, labels: IdxFile) -> tuple[Pixels, np.ndarray]:
        y = _find(name, folder, self.folders, labels).astype(np.int64)
        pixels = _find(name, folder, self.folders, images)
        return pixels[:, None].copy(), y  # what was read is read-only, which PyTorch does not take


def read_idx(path: Path, expected: IdxFile) -> Pixels:
    """The uint8 array in an IDX file, gzipped or plain; at most one byte beyond the expected size is decompressed.

    Raises:
        InputError: the file cannot be read, is cut short or too long, is no IDX file of this shape, or has another
            SHA-256 than expected.
    """
    content = _decompressed(path, limit=expected.size + 1)
    header = expected.header
    if content[:4] != header[:4] and len(content) >= 4:
        raise InputError(
            f"{path}: expected an IDX file with magic number {int.from_bytes(header[:4], 'big')}, "
            f"got {int.from_bytes(content[:4], 'big')}; this is another kind of file, fetch {expected.stem} again"
        )
    if content[4 : len(header)] != header[4:] and len(content) >= len(header):
        axes = struct.unpack(f">{len(expected.shape)}I", content[4 : len(header)])
        raise InputError(f"{path}: expected shape {expected.shape}, got {axes}; this is another data set or part")
    if len(content) != expected.size:
        arrived = f"only {len(content)}" if len(content) < expected.size else "more"
        raise InputError(
            f"{path}: expected {expected.size} bytes (decompressed), got {arrived}; delete the file and fetch it again"
        )
    digest = hashlib.sha256(content).hexdigest()
    if digest != expected.sha256:
        raise InputError(
            f"{path}: expected content with SHA-256 {expected.sha256}, got {digest}; "
            "the file belongs to another data set or is damaged: point to the right folder, or fetch it again"
        )
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(expected.shape)


def _decompressed(path: Path, limit: int) -> bytes:
    try:
        with open(path, "rb") as raw:
            gzipped = raw.read(2) == _GZIP_MAGIC  # not by name: downloads are often unpacked or packed on the way
            raw.seek(0)
            if not gzipped:
                return raw.read(limit)
            with gzip.open(raw) as stream:
                return stream.read(limit)
    except (EOFError, gzip.BadGzipFile, zlib.error) as reason:
        raise InputError(
            f"{path}: expected a complete gzip file, got one that is cut short or damaged ({reason}); "
            "delete it and fetch it again"
        ) from None
    except OSError as reason:
        raise InputError(f"{path}: cannot be read ({reason.strerror or reason}); check its permissions") from None


def _find(name: str, folder: Path, folders: tuple[str, ...], expected: IdxFile) -> Pixels:
    """The first file under any usual name whose content is right; else what is wrong with the first one found."""
    problem = None
    for path in (folder / sub / file for sub in folders for file in expected.names):
        if os.path.isfile(path):
            try:
                return read_idx(path, expected)
            except InputError as reason:
                problem = problem or reason
    if problem is not None:
        raise InputError(f"{name}: {problem}")
    places = ", ".join(str(folder / sub) for sub in folders)
    raise InputError(
        f"{name}: expected the file {expected.names[0]} (or unpacked) in one of {places}, found none; "
        "put it there, or name another folder with --data-dir or SLTH_DATA"
    )


MNIST = IdxSource(
    folders=("mnist", "MNIST/raw", "."),
    train_images=IdxFile(
        "train-images", (60000, 28, 28), "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
    ),
    train_labels=IdxFile("train-labels", (60000,), "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    test_images=IdxFile(
        "t10k-images", (10000, 28, 28), "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
    ),
    test_labels=IdxFile("t10k-labels", (10000,), "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    mean=0.130660,
    std=0.308108,
)
FASHION_MNIST = IdxSource(
    folders=("fashion_mnist", "fashion-mnist", "FashionMNIST/raw", "."),
    train_images=IdxFile(
        "train-images", (60000, 28, 28), "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
    ),
    train_labels=IdxFile("train-labels", (60000,), "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
    test_images=IdxFile(
        "t10k-images", (10000, 28, 28), "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
    ),
    test_labels=IdxFile("t10k-labels", (10000,), "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
    mean=0.286041,
    std=0.353024,
)
