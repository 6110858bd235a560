"""Labelled examples as their source stores them, and what a network is given of them.

x: numbers as stored; v: the same in the unit of the data, x / 255 of bytes; c: channel, the first axis of an image.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from slth._arguments import shown
from slth._errors import InputError
from slth._shapes import TestY, TrainY
from slth.ticket import Inputs

TrainExamples = Float32[np.ndarray, "train ..."] | UInt8[np.ndarray, "train ..."]
TestExamples = Float32[np.ndarray, "test ..."] | UInt8[np.ndarray, "test ..."]
AnyExamples = Float32[np.ndarray, "count ..."] | UInt8[np.ndarray, "count ..."]
Images = Float32[np.ndarray, "batch channel height width"] | UInt8[np.ndarray, "batch channel height width"]
Shifts = Int64[np.ndarray, "batch 2"]

_BLOCK = 4096  # examples whose float64 copy is held at once
_MOST_CLASSES = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    r"""Labelled examples with $lo \le v \le hi$ for every entry, $v = x / 255$ for uint8 and $v = x$ for float32.

    A network is given v, or $(v_c - \mu_c) / \sigma_c$: `inputs` says what, and `inputs(...).normalised(x)` makes it.
    Consistency is checked when made.

    Attributes:
        name: what the user called the data; messages begin with it.
        train_x: x, shape (train, features) float32, or (train, C, ...) float32 or uint8. No rows if the training part
            was not loaded.
        train_y: int64, shape (train,), labels 0 to `classes` - 1. Where `classes` is 0, any numbers, (train, ...), or
            None: an `.npz` that was asked for more than labels.
        test_x: of the dtype and shape of `train_x`, at least one. May be the same array.
        test_y: likewise.
        classes: how many classes there are; 0: y need not be labels.
        mean: $\mu$ of the training part, in the unit of v, one number per channel; (0,) for flat features.
        std: $\sigma > 0$, likewise; (1,) for flat features.
        input_range: $(lo, hi)$, in the unit of v.
        range_observed: False if the range is a property of the kind of data (a grey value is in [0, 1]), which new
            inputs obey too; True if it is only the smallest and largest value seen in these arrays.

    Raises:
        InputError: the arrays, `classes`, `mean`, `std` and `input_range` contradict each other.
    """

    name: str
    train_x: TrainExamples
    train_y: TrainY
    test_x: TestExamples
    test_y: TestY
    classes: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    input_range: tuple[float, float]
    range_observed: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one example: (features,) or (C, H, W)."""
        return self.test_x.shape[1:]

    @property
    def channels(self) -> int:
        """How many numbers `mean` and `std` hold. Of flat features channel c is the c-th of so many equal parts."""
        return len(self.mean)

    def reshaped(self, shape: tuple[int, ...]) -> "Examples":
        """The same examples in the shape that a network takes; in the order in which they are stored.

        Flat features may become images and images flat features, float32 in the unit of v; (-1,): as many as there
        are. An axis of length 1 may be put in front or left out.

        Raises:
            InputError: no such reading of these examples.

        >>> from slth.data import load
        >>> load("digits").reshaped((64,)).shape
        (64,)
        """
        wanted = (math.prod(self.shape),) if shape == (-1,) else shape
        if wanted == self.shape:
            return self
        flat = 1 in (len(wanted), len(self.shape))
        channels = self.channels if len(wanted) < 2 or self.channels == wanted[0] else wanted[0]
        if (
            math.prod(wanted) != math.prod(self.shape)
            or not (flat or (1, *wanted) == self.shape or wanted == (1, *self.shape))
            or self.channels not in (1, channels)
        ):
            raise InputError(
                f"the network takes inputs of shape {_axes(wanted)}, {self.name} has {_axes(self.shape)}; is it the "
                "right data?"
            )

        def turned(x: np.ndarray) -> np.ndarray:
            values = Inputs(self.shape).normalised(x) if len(wanted) == 1 else x
            return values.reshape(len(x), *wanted)

        test_x = turned(self.test_x)
        train_x = test_x if self.train_x is self.test_x else turned(self.train_x)
        mean, std = (_for_each(values, channels) for values in (self.mean, self.std))
        return replace(self, train_x=train_x, test_x=test_x, mean=mean, std=std)

    def inputs(self, mean: Sequence[float] | None = None, std: Sequence[float] | None = None) -> Inputs:
        r"""What a network is given of these examples: $(v - \mu) / \sigma$, and the range of that.

        The range contains it for every v of the old range, seen or not, in float32 and in real arithmetic: see
        `Inputs.with_raw_range`.

        Args:
            mean: $\mu$, finite, in the unit of v: one number, one per channel, or one for every entry; rounded to
                float32. None: nothing is normalised. For the data's own give `mean` and `std` of this record.
            std: $\sigma > 0$, likewise.

        Raises:
            InputError: other counts of numbers, numbers that are none, or a result that does not fit into float32.

        >>> from slth.data import load
        >>> data = load("digits")
        >>> data.inputs((0.5,), (0.25,)).lower, data.inputs((0.5,), (0.25,)).normalised(data.test_x).min()
        ((-2.0,), np.float32(-2.0))
        """
        lo, hi = self.input_range
        if mean is None or std is None:
            return Inputs(self.shape, lower=(lo,), upper=(hi,)).with_float32_ends()
        taken = Inputs(self.shape, self._by_entry(mean), self._by_entry(std))
        with np.errstate(all="ignore"):
            narrow = np.array([*mean], np.float32), np.array([*std], np.float32)
        if not (np.isfinite(np.concatenate(narrow)).all() and (narrow[1] > 0).all()):
            raise InputError(
                f"normalising needs a finite mean and a finite std > 0 in float32, got {shown(mean)} and {shown(std)}"
            )
        try:
            return taken.with_raw_range((lo,), (hi,))
        except InputError as error:
            raise InputError(
                f"{self.name}: dividing by std = {shown(std)} overflows float32; use a larger std"
            ) from error

    def _by_entry(self, values: Sequence[float]) -> tuple[float, ...]:
        """One number per channel as one per entry, where flat features are parts of channels."""
        if len(self.shape) > 1 or len(values) != self.channels or self.channels == 1:
            return tuple(values)
        return tuple(np.repeat(np.array(values, np.float64), math.prod(self.shape) // self.channels).tolist())

    def __post_init__(self) -> None:
        if self.classes > _MOST_CLASSES:
            raise InputError(
                f"{self.name}: labels up to {self.classes - 1:,} would be as many classes, and a network that has an "
                f"output for each is out of reach; expected at most {_MOST_CLASSES:,}: number the classes 0, 1, 2, ..."
            )
        self._check_part("training", self.train_x, self.train_y)
        self._check_part("test", self.test_x, self.test_y)
        if not len(self.test_x):
            raise InputError(f"{self.name}: expected at least one test example, got none")
        if self.train_x.shape[1:] != self.shape or self.train_x.dtype != self.test_x.dtype:
            raise InputError(
                f"{self.name}: training examples are {self.train_x.dtype} of shape {self.train_x.shape[1:]} but "
                f"test examples {self.test_x.dtype} of shape {self.shape}; give both the same"
            )
        numbers, parts = (*self.mean, *self.std), self.shape[0] if len(self.shape) > 1 else self.channels
        if not (len(self.mean) == len(self.std) == parts and all(map(math.isfinite, numbers))):
            raise InputError(
                f"{self.name}: expected a finite mean and std for each of {parts} channel(s), "
                f"got {self.mean} and {self.std}"
            )
        size = math.prod(self.shape)
        if not self.channels or size % self.channels:
            raise InputError(f"{self.name}: {size} features are not {self.channels} channels of one size")
        if not all(sigma > 0 for sigma in self.std):
            raise InputError(f"{self.name}: expected std > 0 in every channel, got {self.std}")

    def _check_part(self, part: str, x: np.ndarray, y: np.ndarray | None) -> None:
        image = x.dtype == np.uint8 and x.ndim > 2
        labels = y is not None and y.dtype == np.int64 and y.shape == x.shape[:1]
        numbers = self.classes == 0 and (y is None or len(y) == len(x))
        if not ((image or (x.dtype == np.float32 and x.ndim > 1)) and (labels or numbers)):
            given = "no y" if y is None else f"{y.dtype} {y.shape}"
            raise InputError(
                f"{self.name}: expected {part} examples as float32 (count, features) or float32 or uint8 "
                f"(count, C, H, W), and int64 labels (count,), got {x.dtype} {x.shape} and {given}"
            )
        lo, hi = self.input_range
        low, high = observed_range(x) if x.size else (lo, hi)
        with np.errstate(over="ignore"):
            least, most = (float(np.float32(end)) for end in (lo, hi))  # an end belongs to it in float32, too
        if not (min(lo, least) <= low and high <= max(hi, most)):  # true for NaN too
            raise InputError(
                f"{self.name}: {part} inputs run from {low} to {high}, which is not inside the stated range from {lo} "
                f"to {hi}; correct the range or the inputs"
            )
        if self.classes and y is not None and y.size and not (y.min() >= 0 and y.max() < self.classes):
            raise InputError(
                f"{self.name}: {part} labels run from {y.min()} to {y.max()}, expected 0 to {self.classes - 1}"
            )


def observed_range(x: AnyExamples) -> tuple[float, float]:
    """The smallest and largest v of at least one example; NaN if there is one."""
    low, high = Inputs((1,)).normalised(np.array([[x.min()], [x.max()]], x.dtype))
    return float(low[0]), float(high[0])


def channel_statistics(x: AnyExamples) -> tuple[tuple[float, ...], tuple[float, ...]]:
    r"""Mean $\mu_c$ and population standard deviation $\sigma_c$ of every channel over all examples and pixels.

    Of x / 255 for uint8, of x for float32; in float64, blockwise, in two passes, so that nothing cancels. A channel
    that never varies has $\sigma_c = 1$; flat features have $\mu = (0,)$ and $\sigma = (1,)$: they stay as they are.

    Args:
        x: shape (count, C, ...) or (count, features), at least one example, finite.
    """
    if x.ndim < 3:
        return (0.0,), (1.0,)
    axes = (0, *range(2, x.ndim))
    numbers = x.size // x.shape[1]
    blocks = [x[start : start + _BLOCK] for start in range(0, len(x), _BLOCK)]
    mean = np.sum([block.sum(axis=axes, dtype=np.float64) for block in blocks], axis=0) / numbers
    centre = mean.reshape(-1, *[1] * (x.ndim - 2))
    variance = np.sum([np.square(block - centre).sum(axis=axes) for block in blocks], axis=0) / numbers
    unit = 255 if x.dtype == np.uint8 else 1
    constant = [bool((x[:, channel] == x[0, channel].flat[0]).all()) for channel in range(x.shape[1])]
    std = np.where(constant, unit, np.sqrt(variance))
    return tuple((mean / unit).tolist()), tuple((std / unit).tolist())


def _for_each(values: tuple[float, ...], channels: int) -> tuple[float, ...]:
    return values * channels if len(values) == 1 else values


def _axes(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
