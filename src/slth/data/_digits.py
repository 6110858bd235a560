"""The digits data set inside scikit-learn: 1,797 grey images of 8 x 8 pixels, no download.

Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits (UCI, 1998), its test part.
"""

from pathlib import Path
from typing import Any, cast

import numpy as np

from slth.data._examples import Examples, channel_statistics


def load_digits(name: str, *, data_dir: Path | None, train: bool) -> Examples:
    """Float32 (count, 1, 8, 8). Every fifth image (0, 5, 10, ...) is a test image: 360 for testing, 1,437 for training.

    Grey values 0 to 16 are divided by 16, exactly. `data_dir` is not used.
    """
    from sklearn import datasets  # heavy, so only when asked for

    digits = cast(Any, datasets.load_digits())
    x, y = (digits.images[:, None] / 16).astype(np.float32), digits.target.astype(np.int64)
    test = np.arange(len(x)) % 5 == 0
    mean, std = channel_statistics(x[~test])
    kept = ~test if train else np.zeros_like(test)
    return Examples(name, x[kept], y[kept], x[test], y[test], classes=10, mean=mean, std=std, input_range=(0.0, 1.0))
