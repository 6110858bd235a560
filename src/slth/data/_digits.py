"""The digits data set inside scikit-learn: 1,797 grey images of 8 x 8 pixels, no download.

Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits (UCI, 1998), its test part.
"""

from pathlib import Path
from typing import Any, cast

import numpy as np

from slth.data._dataset import Dataset
from slth.data._examples import Examples, channel_statistics


def load_digits(name: str, *, data_dir: Path | None, train: bool) -> Dataset:
    """Every fifth image (0, 5, 10, ...) is a test image: 360 for testing, 1,437 for training, always the same.

    Grey values 0 to 16 are divided by 16, exactly. `data_dir` is not used.
    """
    from sklearn import datasets  # pyright: ignore[reportMissingTypeStubs]  # heavy, so only when asked for

    digits = cast(Any, datasets.load_digits())
    x, y = (digits.data / 16).astype(np.float32), digits.target.astype(np.int64)
    test = np.arange(len(x)) % 5 == 0
    kept = ~test if train else np.zeros_like(test)
    return Dataset(name, x[kept], y[kept], x[test], y[test], classes=10, input_range=(0.0, 1.0))


def digits_examples(name: str, *, data_dir: Path | None) -> Examples:
    """The same values and the same split as float32 images (count, 1, 8, 8) in [0, 1]; `data_dir` is not used."""
    data = load_digits(name, data_dir=data_dir, train=True)
    train_x, test_x = data.train_x.reshape(-1, 1, 8, 8), data.test_x.reshape(-1, 1, 8, 8)
    mean, std = channel_statistics(train_x)
    return Examples(name, train_x, data.train_y, test_x, data.test_y, classes=data.classes, mean=mean, std=std)
