"""A data set is four arrays and the box that its inputs live in."""

import math
from dataclasses import dataclass, replace

import numpy as np

from slth._errors import InputError
from slth._shapes import TestInputs, TestLabels, TrainInputs, TrainLabels


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    r"""Labelled inputs with $lo \le x_{ij} \le hi$ for every entry and $0 \le y_i <$ `classes`; checked when made.

    Attributes:
        name: what the user called it; messages begin with it.
        train_x: float32, shape (train, inp), flattened. No rows if the training part was not loaded.
        train_y: int64, shape (train,).
        test_x: float32, shape (test, inp), at least one row. May be the same array as `train_x`.
        test_y: int64, shape (test,).
        classes: how many classes there are; labels are 0 to `classes` - 1.
        input_range: $(lo, hi)$, in the unit of x.
        range_observed: False if the range is a property of the kind of data (a grey value is in [0, 1]), which new
            inputs obey too; True if it is only the smallest and largest value seen in these arrays.

    Raises:
        InputError: the arrays contradict each other, the range or `classes`.
    """

    name: str
    train_x: TrainInputs
    train_y: TrainLabels
    test_x: TestInputs
    test_y: TestLabels
    classes: int
    input_range: tuple[float, float]
    range_observed: bool = False

    def __post_init__(self) -> None:
        self._check_part("training", self.train_x, self.train_y)
        self._check_part("test", self.test_x, self.test_y)
        if not len(self.test_x):
            raise InputError(f"{self.name}: expected at least one test input, got none")
        if self.train_x.shape[1] != self.test_x.shape[1]:
            raise InputError(
                f"{self.name}: training inputs have {self.train_x.shape[1]} features but "
                f"test inputs have {self.test_x.shape[1]}; give both the same"
            )

    def normalised(self, mean: float, std: float) -> "Dataset":
        r"""The data set with every x replaced by $(x - \mu) / \sigma$, in float32 arithmetic; labels are shared.

        The range is mapped by the same float32 operations. Rounding is monotone, so every float32 input of the old
        range, seen or not, lands in the new one.

        Args:
            mean: $\mu$, finite, in the unit of x; rounded to float32.
            std: $\sigma > 0$, finite, in the unit of x; rounded to float32.

        Raises:
            InputError: mean or std is no such number, or a result does not fit into float32.

        >>> from slth.data import load
        >>> load("digits").normalised(0.5, 0.25).input_range
        (-2.0, 2.0)
        """
        with np.errstate(over="ignore"):
            centre, scale = np.float32(mean), np.float32(std)
        if not (np.isfinite(centre) and np.isfinite(scale) and scale > 0):
            raise InputError(f"normalising needs a finite mean and a finite std > 0 in float32, got {mean} and {std}")

        def mapped(x: np.ndarray) -> np.ndarray:
            shifted = x - centre
            return np.divide(shifted, scale, out=shifted)

        with np.errstate(over="ignore"):
            lo, hi = mapped(np.array(self.input_range, np.float32)).tolist()
        if not (math.isfinite(lo) and math.isfinite(hi)):
            raise InputError(f"{self.name}: dividing by std = {std} overflows float32; use a larger std")
        test_x = mapped(self.test_x)
        train_x = test_x if self.train_x is self.test_x else mapped(self.train_x)
        return replace(self, train_x=train_x, test_x=test_x, input_range=(lo, hi))

    def _check_part(self, part: str, x: np.ndarray, y: np.ndarray) -> None:
        if not (x.dtype == np.float32 and x.ndim == 2 and y.dtype == np.int64 and y.ndim == 1 and len(x) == len(y)):
            raise InputError(
                f"{self.name}: expected float32 {part} inputs of shape (count, features) and int64 labels of shape "
                f"(count,), got {x.dtype} {x.shape} and {y.dtype} {y.shape}"
            )
        lo, hi = self.input_range
        if x.size and not (lo <= float(x.min()) and float(x.max()) <= hi):  # false for NaN too
            raise InputError(
                f"{self.name}: {part} inputs run from {x.min()} to {x.max()}, which is not inside the stated "
                f"range from {lo} to {hi}; correct the range or the inputs"
            )
        check_labels(self.name, part, y, classes=self.classes)


def check_labels(name: str, part: str, y: np.ndarray, *, classes: int) -> None:
    """Raise `InputError` unless every label is from 0 to `classes` - 1."""
    if y.size and not (y.min() >= 0 and y.max() < classes):
        raise InputError(f"{name}: {part} labels run from {y.min()} to {y.max()}, expected 0 to {classes - 1}")
