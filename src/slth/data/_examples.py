"""Labelled examples in the shape and dtype of their source: what search methods train on.

A `Dataset` is flat float32 and has a box; `Examples` keep images as uint8 (a quarter of the memory) with their
channels, and carry the mean and standard deviation that the network's inputs are standardised with.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from slth._errors import InputError
from slth._shapes import TestLabels, TrainLabels
from slth.data._dataset import check_labels

TrainExamples = Float32[np.ndarray, "train ..."] | UInt8[np.ndarray, "train ..."]
TestExamples = Float32[np.ndarray, "test ..."] | UInt8[np.ndarray, "test ..."]
AnyExamples = Float32[np.ndarray, "count ..."] | UInt8[np.ndarray, "count ..."]
Images = Float32[np.ndarray, "batch channel height width"] | UInt8[np.ndarray, "batch channel height width"]
Shifts = Int64[np.ndarray, "batch 2"]

_BLOCK = 4096  # examples whose float64 copy is held at once


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    r"""Labelled examples; a network takes $(v_c - \mu_c) / \sigma_c$, where $v = x / 255$ for uint8 and $v = x$ for
    float32, and $c$ is the channel. Consistency is checked when made; whether floats are finite is not.

    Attributes:
        name: what the user called the data; messages begin with it.
        train_x: shape (train, features) float32, or (train, C, H, W) float32 or uint8; axis 1 is the channel.
        train_y: int64, shape (train,), labels 0 to `classes` - 1.
        test_x: of the dtype and shape of `train_x`, at least one. May be the same array.
        test_y: int64, shape (test,).
        classes: how many classes there are.
        mean: $\mu$, one number per channel; (0,) for flat features.
        std: $\sigma > 0$, likewise; (1,) for flat features.

    Raises:
        InputError: the arrays, `classes`, `mean` and `std` contradict each other.
    """

    name: str
    train_x: TrainExamples
    train_y: TrainLabels
    test_x: TestExamples
    test_y: TestLabels
    classes: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one example: (features,) or (C, H, W)."""
        return self.test_x.shape[1:]

    @property
    def channels(self) -> int:
        """How many numbers `mean` and `std` hold: 1 for flat features."""
        return self.shape[0] if len(self.shape) > 1 else 1

    def __post_init__(self) -> None:
        self._check_part("training", self.train_x, self.train_y)
        self._check_part("test", self.test_x, self.test_y)
        if not len(self.test_x):
            raise InputError(f"{self.name}: expected at least one test example, got none")
        if self.train_x.shape[1:] != self.shape or self.train_x.dtype != self.test_x.dtype:
            raise InputError(
                f"{self.name}: training examples are {self.train_x.dtype} of shape {self.train_x.shape[1:]} but "
                f"test examples {self.test_x.dtype} of shape {self.shape}; give both the same"
            )
        numbers = (*self.mean, *self.std)
        if not (len(self.mean) == len(self.std) == self.channels and all(map(math.isfinite, numbers))):
            raise InputError(
                f"{self.name}: expected a finite mean and std for each of {self.channels} channel(s), "
                f"got {self.mean} and {self.std}"
            )
        if not all(sigma > 0 for sigma in self.std):
            raise InputError(f"{self.name}: expected std > 0 in every channel, got {self.std}")

    def _check_part(self, part: str, x: np.ndarray, y: np.ndarray) -> None:
        image = x.dtype == np.uint8 and x.ndim > 2
        if not ((image or (x.dtype == np.float32 and x.ndim > 1)) and y.dtype == np.int64 and y.shape == x.shape[:1]):
            raise InputError(
                f"{self.name}: expected {part} examples as float32 (count, features) or float32 or uint8 "
                f"(count, C, H, W), and int64 labels (count,), got {x.dtype} {x.shape} and {y.dtype} {y.shape}"
            )
        check_labels(self.name, part, y, classes=self.classes)


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
