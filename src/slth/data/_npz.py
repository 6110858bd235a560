"""The user's own data: an .npz file with arrays `x` and `y`, and perhaps `x_test` and `y_test`.

Without `x_test` and `y_test`, all rows serve for training *and* for testing: a file made to evaluate a model on is
evaluated whole, and an accuracy after training on it is an accuracy on seen data.
"""

import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from slth._errors import InputError
from slth.data._dataset import Dataset
from slth.data._examples import Examples, channel_statistics

_KEYS = ("x", "y", "x_test", "y_test")
_EXPECTED = "an .npz file with arrays x and y (and, if wanted, x_test and y_test)"
_LARGEST_LABEL = 2**31 - 1


def load_npz(path: Path, *, train: bool) -> Dataset:
    """Read the arrays; x keeps its own scale and becomes float32, (count, ...) becomes (count, features).

    The input range is the smallest and largest value over all x, and is marked as observed; the number of classes
    is the largest label plus one. Object arrays are refused, so nothing in the file is ever executed.

    Args:
        path: x float or integer, shape (count, ...); y integer, shape (count,), labels from 0. `x_test` and `y_test`
            likewise, both or none.
        train: False leaves out the training rows of the result.

    Raises:
        InputError: no such file, not such arrays, values that are not finite, labels that are not 0, 1, 2, ...
    """
    x, y, test_x, test_y = _parts(path, _inputs)
    return Dataset(
        name=str(path),
        train_x=x if train else x[:0],
        train_y=y if train else y[:0],
        test_x=test_x,
        test_y=test_y,
        classes=int(max(y.max(), test_y.max())) + 1,
        input_range=(float(min(x.min(), test_x.min())), float(max(x.max(), test_x.max()))),
        range_observed=True,
    )


def npz_examples(path: Path) -> Examples:
    """Read the arrays with their shapes: (count, features), grey images (count, H, W), or (count, C, H, W).

    uint8 images stay uint8 and count as x / 255; everything else becomes float32 in its own scale. Grey images get
    their one channel. Mean and standard deviation are those of the channels of `x`; flat features stay as they are.

    Raises:
        InputError: as for `load_npz`; images with the channels last; `x` and `x_test` of two shapes or kinds.
    """
    x, y, test_x, test_y = _parts(path, _images)
    mean, std = channel_statistics(x)
    classes = int(max(y.max(), test_y.max())) + 1
    return Examples(str(path), x, y, test_x, test_y, classes=classes, mean=mean, std=std)


def _parts(
    path: Path, inputs: Callable[[Path, str, np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """x, y, x_test and y_test, checked and paired; without a test part the training part is both."""
    arrays = _pairs(path)
    x, y = inputs(path, "x", arrays["x"]), _labels(path, "y", arrays["y"])
    test_x, test_y = x, y
    if "x_test" in arrays:
        test_x, test_y = inputs(path, "x_test", arrays["x_test"]), _labels(path, "y_test", arrays["y_test"])
    _require_pairs(path, "x", x, y)
    _require_pairs(path, "x_test", test_x, test_y)
    return x, y, test_x, test_y


def _pairs(path: Path) -> dict[str, np.ndarray]:
    """The arrays of the file: x and y, and x_test and y_test or neither."""
    arrays = _read(path)
    absent = [key for key in ("x", "y") if key not in arrays]
    if ("x_test" in arrays) != ("y_test" in arrays):
        absent.append("y_test" if "x_test" in arrays else "x_test")
    if absent:
        found = ", ".join(sorted(arrays)) or "none of them"
        raise InputError(f"{path}: expected {_EXPECTED}; {' and '.join(absent)} missing, found {found}")
    return arrays


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        with open(path, "rb") as file:
            if file.read(2) != b"PK":  # NumPy would take anything but a zip for one array, or for a pickle
                raise InputError(f"{path}: expected {_EXPECTED}, got another kind of file; write it with np.savez")
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                # a member that is no array arrives as bytes; as an array of bytes it is refused like any wrong dtype
                return {key: np.asarray(archive[key]) for key in _KEYS if key in archive}
    except FileNotFoundError:
        raise InputError(f"{path}: expected {_EXPECTED}, but there is no such file; check the path") from None
    except InputError:
        raise
    except ValueError as reason:
        if "Object arrays" in str(reason):
            raise InputError(
                f"{path}: expected plain numbers, got an object array, which is not read because it can run code; "
                "save x and y with one numeric dtype and equal row lengths"
            ) from None
        raise _unreadable(path, reason) from None
    except (OSError, EOFError, MemoryError, RuntimeError, zipfile.BadZipFile, zlib.error) as reason:
        raise _unreadable(path, reason) from None


def _unreadable(path: Path, reason: BaseException) -> InputError:
    return InputError(
        f"{path}: expected {_EXPECTED}, but it cannot be read ({reason or type(reason).__name__}); "
        "check it, or write it again with np.savez"
    )


def _inputs(path: Path, key: str, values: np.ndarray) -> np.ndarray:
    if values.dtype.kind not in "fiu" or values.ndim < 2 or not values.size:
        raise InputError(
            f"{path}: expected {key} with float or integer numbers, shape (count, features) and at least one row, "
            f"got {values.dtype} of shape {values.shape}"
        )
    with np.errstate(over="ignore"):
        x = np.ascontiguousarray(values.reshape(len(values), -1), dtype=np.float32)
    bad = ~np.isfinite(x).all(axis=1)
    if bad.any():
        raise InputError(
            f"{path}: expected finite float32 numbers in {key}, got NaN, infinity or an overflow in {bad.sum()} "
            f"row(s), the first at index {int(bad.argmax())}; remove or repair them"
        )
    return x


def _images(path: Path, key: str, values: np.ndarray) -> np.ndarray:
    small = (1, 3) if values.dtype == np.uint8 else (3,)
    if values.ndim == 4 and values.shape[3] in small and min(values.shape[1:3]) > 4:
        raise InputError(
            f"{path}: expected {key} with the channels before height and width, (count, C, H, W), got shape "
            f"{values.shape}; save x.transpose(0, 3, 1, 2)"
        )
    if values.dtype == np.uint8 and values.ndim > 2 and values.size:
        x = np.ascontiguousarray(values)
    else:
        x = _inputs(path, key, values).reshape(values.shape)
    return x[:, None] if x.ndim == 3 else x


def _labels(path: Path, key: str, values: np.ndarray) -> np.ndarray:
    if values.dtype.kind not in "iu" or values.ndim != 1:
        raise InputError(
            f"{path}: expected {key} with integer labels 0, 1, 2, ... of shape (count,), got {values.dtype} of shape "
            f"{values.shape}; try y.astype(int), or y.argmax(1) for one-hot rows"
        )
    if values.size and not (values.min() >= 0 and values.max() <= _LARGEST_LABEL):
        raise InputError(
            f"{path}: expected labels from 0 to at most {_LARGEST_LABEL} in {key}, got {values.min()} to "
            f"{values.max()}; number the classes 0, 1, 2, ..."
        )
    return values.astype(np.int64)


def _require_pairs(path: Path, key: str, x: np.ndarray, y: np.ndarray) -> None:
    if len(x) != len(y):
        raise InputError(f"{path}: expected one label for each row of {key}, got {len(x)} rows and {len(y)} labels")
