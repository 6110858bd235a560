"""The user's own data: an .npz file with arrays `x` and mostly `y`, and perhaps `x_test` and `y_test`.

Without `x_test` and `y_test`, all rows serve for training *and* for testing: a file made to evaluate a model on is
evaluated whole, and an accuracy after training on it is an accuracy on seen data.
"""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from slth._errors import InputError
from slth._files import check_readable
from slth.data._examples import Examples, channel_statistics, observed_range

_KEYS = ("x", "y", "x_test", "y_test")
_EXPECTED = "an .npz file with arrays x and y (and, if wanted, x_test and y_test)"
_LARGEST_LABEL = 2**31 - 1


def load_npz(path: Path, *, train: bool, labelled: bool = True, shape: tuple[int, ...] | None = None) -> Examples:
    """Read the arrays: (count, features), grey images (count, H, W), which get their one channel, or (count, C, H, W).

    uint8 images stay uint8 and count as x / 255; everything else becomes float32 in its own scale. Mean and standard
    deviation are those of the channels of `x`; flat features stay as they are. The input range is the smallest and
    largest value over all x, and is marked as observed; the number of classes is the largest label plus one. Object
    arrays are refused, so nothing in the file is ever executed.

    Args:
        path: x float or integer, shape (count, ...); y integer, shape (count,), labels from 0. `x_test` and `y_test`
            likewise, both or none.
        train: False leaves out the training rows of the result.
        labelled: False: y may be any numbers, (count, ...), or missing.
        shape: of one example, as a network takes it. Of one axis: any x is read as (count, features), float32 in its
            own scale: a table of numbers, uint8 too. Of more: x of that very shape is not looked at for channels.

    Raises:
        InputError: no such file, not such arrays, values that are not finite, labels that are not 0, 1, 2, ...; if
            no `shape` says otherwise, images with the channels last; `x` and `x_test` of two shapes or kinds.
    """
    arrays = _pairs(path, labelled)
    flat = shape is not None and len(shape) == 1

    def part(x_key: str, y_key: str) -> tuple[np.ndarray, np.ndarray | None]:
        given, y = arrays[x_key], arrays.get(y_key)
        x = _table(path, x_key, given) if flat else _images(path, x_key, given, exact=given.shape[1:] == shape)
        y = y if y is None else _labels(path, y_key, y) if labelled else _values(path, y_key, y)
        if y is not None and len(x) != len(y):
            raise InputError(
                f"{path}: expected one label for each row of {x_key}, got {len(x)} rows and {len(y)} labels"
            )
        return x, y

    x, y = part("x", "y")
    test_x, test_y = part("x_test", "y_test") if "x_test" in arrays else (x, y)
    mean, std = channel_statistics(x)
    if flat and arrays["x"].ndim == 4 and not _channels_last(arrays["x"]):
        mean, std = mean * arrays["x"].shape[1], std * arrays["x"].shape[1]
    lows, highs = zip(observed_range(x), observed_range(test_x), strict=True)
    return Examples(
        name=str(path),
        train_x=x if train else x[:0],
        train_y=y if train or y is None else y[:0],
        test_x=test_x,
        test_y=test_y,
        classes=int(max(part.max() for part in (y, test_y) if part is not None)) + 1 if labelled else 0,
        mean=mean,
        std=std,
        input_range=(min(lows), max(highs)),
        range_observed=True,
    )


def _pairs(path: Path, labelled: bool) -> dict[str, np.ndarray]:
    """The arrays of the file: x and y, and x_test and y_test or neither; y alone may be missing where it can."""
    arrays = _read(path)
    absent = [key for key in ("x", "y") if key not in arrays and (labelled or key == "x")]
    if ("x_test" in arrays) != ("y_test" in arrays) and (labelled or "y" in arrays or "y_test" in arrays):
        absent.append("y_test" if "x_test" in arrays else "x_test")
    if absent:
        found = ", ".join(sorted(arrays)) or "none of them"
        raise InputError(f"{path}: expected {_EXPECTED}; {' and '.join(absent)} missing, found {found}")
    return arrays


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        if not path.is_dir():  # which opening it says
            check_readable(path)
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


def _numbers(path: Path, key: str, values: np.ndarray) -> np.ndarray:
    """float32, finite, of the same shape."""
    if values.dtype.kind not in "fiu" or values.ndim < 2 or not values.size:
        raise InputError(
            f"{path}: expected {key} with float or integer numbers, shape (count, features) and at least one row, "
            f"got {values.dtype} of shape {values.shape}"
        )
    return _finite(path, key, values)


def _finite(path: Path, key: str, values: np.ndarray) -> np.ndarray:
    """float32."""
    with np.errstate(over="ignore"):
        x = np.ascontiguousarray(values, dtype=np.float32)
    bad = ~np.isfinite(x).all(axis=tuple(range(1, x.ndim)))
    if bad.any():
        raise InputError(
            f"{path}: expected finite float32 numbers in {key}, got NaN, infinity or an overflow in {bad.sum()} "
            f"row(s), the first at index {int(bad.argmax())}; remove or repair them"
        )
    return x


def _table(path: Path, key: str, values: np.ndarray) -> np.ndarray:
    return _numbers(path, key, values).reshape(len(values), -1)


def _images(path: Path, key: str, values: np.ndarray, *, exact: bool) -> np.ndarray:
    """With the channels before height and width, or `exact`ly as a network takes them."""
    if not exact and _channels_last(values):
        raise InputError(
            f"{path}: expected {key} with the channels before height and width, (count, C, H, W), got shape "
            f"{values.shape}; save x.transpose(0, 3, 1, 2)"
        )
    if values.dtype == np.uint8 and values.ndim > 2 and values.size:
        x = np.ascontiguousarray(values)
    else:
        x = _numbers(path, key, values)
    return x[:, None] if x.ndim == 3 else x


def _channels_last(values: np.ndarray) -> bool:
    small = (1, 3) if values.dtype == np.uint8 else (3,)
    return values.ndim == 4 and values.shape[3] in small and min(values.shape[1:3]) > 4


def _labels(path: Path, key: str, values: np.ndarray) -> np.ndarray:
    if values.dtype.kind not in "biu" or values.ndim != 1:
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


def _values(path: Path, key: str, values: np.ndarray) -> np.ndarray:
    """Whole numbers as int64, real ones as float64: they tell labels from numbers that outputs should meet."""
    if values.dtype.kind not in "biuf" or values.ndim < 1:
        raise InputError(
            f"{path}: expected {key} with labels or real numbers, shape (count, ...), got {values.dtype} of shape "
            f"{values.shape}"
        )
    if values.dtype.kind == "f":
        _finite(path, key, values)
        return values.astype(np.float64)
    if values.size and int(values.max()) > _LARGEST_LABEL:
        raise InputError(f"{path}: expected whole numbers of at most {_LARGEST_LABEL} in {key}, got {values.max()}")
    return values.astype(np.int64)
