"""Named data sets as plain arrays: `load("mnist")`, `load("digits")`, `load("my.npz")`.

Registry: `DATASETS` maps a name to its loader. A loader is called with the name that messages and the record carry,
the data folder or None, and whether the training part is wanted.
"""

import os
from pathlib import Path
from typing import Protocol

from slth._errors import InputError
from slth.data._dataset import Dataset
from slth.data._digits import load_digits
from slth.data._idx import FASHION_MNIST, MNIST
from slth.data._npz import load_npz

__all__ = ["DATASETS", "Dataset", "load"]


class Loader(Protocol):
    def __call__(self, name: str, *, data_dir: Path | None, train: bool) -> Dataset: ...


DATASETS: dict[str, Loader] = {"digits": load_digits, "fashion_mnist": FASHION_MNIST, "mnist": MNIST}


def load(name: str | Path, *, data_dir: str | Path | None = None, train: bool = True) -> Dataset:
    """Load a data set by name, or from an .npz file with arrays `x` and `y`.

    Args:
        name: `digits` (inside scikit-learn), `mnist`, `fashion_mnist`, in any case and with or without - or _; or a
            path that ends in .npz.
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
    for known, loader in DATASETS.items():
        if _plain(known) == _plain(text):
            return loader(known, data_dir=None if data_dir is None else Path(data_dir), train=train)
    raise InputError(f"expected one of {', '.join(DATASETS)}, or a path that ends in .npz, got {text!r}")


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")
