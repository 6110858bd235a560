"""Named data sets as plain arrays: `load("mnist")` flat and as float32, `load_images("mnist")` as they are stored.

Registries: `DATASETS` maps a name to the loader of the flat form, called with the name that messages and the record
carry, the data folder or None, and whether the training part is wanted; `IMAGES` maps it to the loader of `Examples`.
"""

import os
from difflib import get_close_matches
from pathlib import Path
from typing import Protocol

from slth._errors import InputError
from slth.data._augment import augmented
from slth.data._cifar10 import CIFAR10
from slth.data._dataset import Dataset
from slth.data._digits import digits_examples, load_digits
from slth.data._examples import Examples
from slth.data._idx import FASHION_MNIST, MNIST
from slth.data._npz import load_npz, npz_examples

__all__ = ["DATASETS", "IMAGES", "Dataset", "Examples", "augmented", "load", "load_images"]


class Loader(Protocol):
    def __call__(self, name: str, *, data_dir: Path | None, train: bool) -> Dataset: ...


class ImageLoader(Protocol):
    def __call__(self, name: str, *, data_dir: Path | None) -> Examples: ...


DATASETS: dict[str, Loader] = {
    "cifar10": CIFAR10,
    "digits": load_digits,
    "fashion_mnist": FASHION_MNIST,
    "mnist": MNIST,
}
IMAGES: dict[str, ImageLoader] = {
    "cifar10": CIFAR10.examples,
    "digits": digits_examples,
    "fashion_mnist": FASHION_MNIST.examples,
    "mnist": MNIST.examples,
}


def load(name: str | Path, *, data_dir: str | Path | None = None, train: bool = True) -> Dataset:
    """Load a data set by name, or from an .npz file with arrays `x` and `y`.

    Args:
        name: `digits` (inside scikit-learn), `mnist`, `fashion_mnist`, `cifar10`, in any case and with or without -
            or _; or a path that ends in .npz.
        data_dir: folder of the image files, in any usual layout; by default the environment variable SLTH_DATA.
            Not used by `digits` and .npz files.
        train: False leaves `train_x` and `train_y` without rows, and of an image set only the test files are needed.

    Returns:
        Inputs flattened, float32, in the data set's own scale (images: [0, 1]), with the range they live in.

    Raises:
        InputError: unknown name, missing or damaged file, arrays that are no data set.

    >>> data = load("digits")
    >>> data.train_x.shape, data.test_x.shape, data.classes, data.input_range
    ((1437, 64), (360, 64), 10, (0.0, 1.0))
    """
    text = os.fspath(name)
    if text.lower().endswith(".npz"):
        return load_npz(Path(text).expanduser(), train=train)
    known = _known(text)
    return DATASETS[known](known, data_dir=None if data_dir is None else Path(data_dir), train=train)


def load_images(name: str | Path, *, data_dir: str | Path | None = None) -> Examples:
    """Load a data set with the shape and dtype of its images, and the mean and deviation to standardise them with.

    Args:
        name: as for `load`. `digits`: float32 (count, 1, 8, 8) in [0, 1]; `mnist` and `fashion_mnist`: uint8
            (count, 1, 28, 28); `cifar10`: uint8 (count, 3, 32, 32), from Parquet shards, decoded once (about 10 s)
            and kept in SLTH_CACHE or ~/.cache/slth; .npz: `x` float or integer, (count, features), (count, H, W) or
            (count, C, H, W), where uint8 images stay uint8.
        data_dir: folder of the image files; by default the environment variable SLTH_DATA.

    Raises:
        InputError: unknown name, missing or damaged file, arrays that are no data set, packages that are missing.

    >>> data = load_images("digits")
    >>> data.train_x.shape, data.test_x.shape, data.classes, data.channels
    ((1437, 1, 8, 8), (360, 1, 8, 8), 10, 1)
    """
    text = os.fspath(name)
    if text.lower().endswith(".npz"):
        return npz_examples(Path(text).expanduser())
    known = _known(text)
    return IMAGES[known](known, data_dir=None if data_dir is None else Path(data_dir))


def _known(text: str) -> str:
    for known in DATASETS:
        if _plain(known) == _plain(text):
            return known
    near = get_close_matches(_plain(text), DATASETS, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise InputError(f"expected one of {', '.join(DATASETS)}, or a path that ends in .npz, got {text!r}{hint}")


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")
