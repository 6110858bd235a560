"""Batches that a seed determines: the order of an epoch follows from (seed, stage, epoch), its augmentation from (seed,
stage, step), whoever takes which part of a step. Both come from raw Philox words, which no version of NumPy changes.
"""

import hashlib
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from slth._errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class Batches:
    """Training or test examples, cut into steps.

    Attributes:
        x: numbers (count, ...): uint8 is divided by 255, other integers (token ids) stay as they are, the rest becomes
            float32. Or a map-style PyTorch data set of (x, y) pairs.
        y: int64 (count,); None with a data set.
        mean, std: per channel (axis 1): x -> (x - mean) / std.
        size: examples per step.
        crop: pixels of zero padding for random crops, with horizontal flips; 0: no augmentation. Arrays only.
        device: where batches go.
    """

    x: Any
    y: np.ndarray | None
    mean: tuple[float, ...]
    std: tuple[float, ...]
    size: int
    crop: int = 0
    device: torch.device | str = "cpu"

    def __len__(self) -> int:
        return math.ceil(len(self.x) / self.size)

    def order(self, key: str, epoch: int) -> np.ndarray:
        """The order of the examples in an epoch: int64 (count,), each of them once."""
        return np.argsort(_words(f"{key}/order/{epoch}", len(self.x)), kind="stable")

    def take(
        self, rows: np.ndarray, *, key: str | None = None, part: np.ndarray | None = None
    ) -> tuple[Tensor, Tensor]:
        """(x, y) of some examples on the device.

        Args:
            rows: of the examples, shape (n,).
            key: names the augmentation of these n examples; None: none.
            part: places in `rows` that are wanted; None: all. What becomes of an example does not depend on it.
        """
        wanted = rows if part is None else rows[part]
        if self.y is None:
            pairs = [self.x[int(row)] for row in wanted]
            x, y = (torch.stack([torch.as_tensor(pair[place]) for pair in pairs]) for place in (0, 1))
        else:
            array = self.x[wanted]
            if key is not None and self.crop and array.ndim == 4:
                array = self._augmented(array, _words(key, 3 * len(rows)).reshape(-1, 3), part)
            x, y = torch.from_numpy(np.asarray(array)), torch.from_numpy(self.y[wanted])
        x, y = x.to(self.device, non_blocking=True), y.to(self.device, non_blocking=True)
        if x.dtype == torch.uint8:
            x = x.float().div_(255)
        elif x.dtype != torch.float32 and (x.is_floating_point() or x.dtype == torch.bool):
            x = x.float()
        if self.mean == (0.0,) and self.std == (1.0,):
            return x, y
        mean, std = _constants(self.mean, self.std, x.ndim, str(self.device))
        return (x - mean).div_(std), y

    def _augmented(self, images: np.ndarray, words: np.ndarray, part: np.ndarray | None) -> np.ndarray:
        from slth.data import augmented

        mine = words if part is None else words[part]
        shifts = (mine[:, :2] % np.uint64(2 * self.crop + 1)).astype(np.int64) - self.crop
        return augmented(images, shifts=shifts, flips=mine[:, 2] >> np.uint64(63) == 1)


def check_labels(y: np.ndarray, classes: int) -> None:
    """Labels are class numbers."""
    if len(y) and y.dtype.kind not in "iu":
        raise InputError(f"the labels are {y.dtype}: expected whole numbers from 0 to {classes - 1}; convert them")
    if len(y) and not (int(y.min()) >= 0 and int(y.max()) < classes):
        raise InputError(
            f"the labels run from {int(y.min())} to {int(y.max())}, but the model has {classes} outputs: expected 0 to "
            f"{classes - 1}; number the classes from 0, or give the model more outputs"
        )


def seed_of(text: str) -> int:
    """64 bits that a text names."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def _words(text: str, count: int) -> np.ndarray:
    """Raw uint64 words of the Philox generator that a text names."""
    key = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "little")
    return np.random.Philox(key=key).random_raw(count)


@lru_cache(maxsize=16)
def _constants(mean: tuple[float, ...], std: tuple[float, ...], axes: int, device: str) -> tuple[Tensor, Tensor]:
    shape = (1, -1) + (1,) * (axes - 2)
    return tuple(torch.tensor(v, dtype=torch.float32, device=device).view(shape) for v in (mean, std))  # pyright: ignore
