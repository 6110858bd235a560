"""Named data sets as one record: `load("mnist")` gives `Examples`, as they are stored or in the shape a network takes.

A graph is no set of examples: `load_cora` gives `Citations`.

Registry: `DATA_SETS` maps a name to its loader, which is called with the name that messages and the record carry, the
data folder or None, and whether the training part is wanted.
"""

import os
from pathlib import Path
from typing import Protocol

from slth._arguments import one_of
from slth.data._augment import augmented
from slth.data._cifar10 import CIFAR10
from slth.data._cora import Citations, load_cora
from slth.data._digits import load_digits
from slth.data._examples import Examples
from slth.data._idx import FASHION_MNIST, MNIST
from slth.data._npz import load_npz

__all__ = ["DATA_SETS", "Citations", "Examples", "augmented", "load", "load_cora"]


class Loader(Protocol):
    def __call__(self, name: str, *, data_dir: Path | None, train: bool) -> Examples: ...


DATA_SETS: dict[str, Loader] = {
    "cifar10": CIFAR10,
    "digits": load_digits,
    "fashion_mnist": FASHION_MNIST,
    "mnist": MNIST,
}


def load(
    name: str | Path,
    *,
    data_dir: str | Path | None = None,
    train: bool = True,
    shape: tuple[int, ...] | None = None,
    labelled: bool = True,
) -> Examples:
    """Load a data set by name, or from an .npz file with arrays `x` and `y`.

    Args:
        name: `digits` (inside scikit-learn): float32 (count, 1, 8, 8) in [0, 1]; `mnist` and `fashion_mnist`: uint8
            (count, 1, 28, 28); `cifar10`: uint8 (count, 3, 32, 32), from Parquet shards, decoded once (about 10 s) and
            kept in SLTH_CACHE or ~/.cache/slth; in any case and with or without - or _. Or a path that ends in .npz:
            `x` float or integer, (count, features), (count, H, W) or (count, C, H, W), where uint8 images stay uint8.
        data_dir: folder of the image files, in any usual layout; by default the environment variable SLTH_DATA.
            Not used by `digits` and .npz files.
        train: False leaves `train_x` and `train_y` without rows, and of an image set only the test files are needed.
        shape: of one example, as a network takes it; (-1,): flat. Flat examples are float32; those of an .npz are in
            their own scale, uint8 too. Data of an .npz that has this very shape is taken as it is. None: as stored.
        labelled: False: y of an .npz may be any numbers, or be missing; then `classes` is 0.

    Raises:
        InputError: unknown name, missing or damaged file, arrays that are no data set or do not fit the shape, packages
            that are missing.

    >>> data = load("digits")
    >>> data.train_x.shape, data.test_x.shape, data.classes, data.input_range
    ((1437, 1, 8, 8), (360, 1, 8, 8), 10, (0.0, 1.0))
    >>> load("digits", shape=(64,), train=False).test_x.shape
    (360, 64)
    """
    text = os.fspath(name)
    if text.lower().endswith(".npz"):
        found = load_npz(Path(text).expanduser(), train=train, labelled=labelled, shape=shape)
    else:
        known = one_of(text, DATA_SETS, "data set", loosely=True, instead="a path that ends in .npz")
        found = DATA_SETS[known](known, data_dir=None if data_dir is None else Path(data_dir), train=train)
    return found if shape is None else found.reshaped(shape)
