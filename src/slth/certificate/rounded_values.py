"""A value as float64 computes it, and how far it can be from the real one; see `rounded`."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from slth.graph import Carried
from slth.numerics import norm_bound

Batch = np.ndarray  # (batch, *shape)
Moved = tuple[Batch, np.ndarray, Batch | float]  # what errors of inputs become, in each entry, in norm; the op's own


@dataclass(frozen=True, slots=True, eq=False)
class Rounded:
    """A value for each example of a batch."""

    value: Batch  # as float64 computes it
    off: Batch  # ρ ≥ |value - the real one|
    off_norm: np.ndarray  # n ≥ ‖value - the real one‖₂, (batch,)


Step = Callable[[Any, tuple[Rounded, ...], Batch, Carried], Moved]


def norms(numbers: Batch) -> np.ndarray:
    """‖·‖₂ of each example, from above."""
    return norm_bound(numbers.reshape(len(numbers), math.prod(numbers.shape[1:])))


def each(numbers: np.ndarray, value: Batch) -> np.ndarray:
    """One number per example, shaped so that it broadcasts against values."""
    return numbers.reshape(-1, *(1 for _ in value.shape[1:]))
