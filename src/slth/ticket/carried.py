"""What a ticket carries beside random numbers: arrays stored as they are, by name."""

import math
from collections.abc import Mapping

import numpy as np

from slth._errors import InputError
from slth.ticket.inputs import MOST_SIZE
from slth.ticket.tensors import check_text

# Types of carried numbers, by their name in a file.
CARRIED = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I8": "|i1", "I16": "<i2", "I32": "<i4", "I64": "<i8"} | {
    "U8": "|u1",
    "BOOL": "|b1",
}  # as safetensors names them, and as NumPy does
_STATISTICS = ("running_mean", "running_var")  # of data, which no seed names


def dtype_name(values: np.ndarray) -> str | None:
    """The type of a carried array as safetensors names it; None if a ticket cannot carry it."""
    wanted = values.dtype.newbyteorder("<").str
    return next((name for name, code in CARRIED.items() if code == wanted), None)


def check_carried(name: str, values: np.ndarray) -> None:
    """A carried array has a printable name, a known type, and only finite numbers."""
    check_text(name, "the name of a carried array", 1000)
    if dtype_name(values) is None:
        raise InputError(f"{name} is {values.dtype}; a ticket carries {', '.join(CARRIED)}")
    if values.ndim > 8 or math.prod(max(size, 1) for size in values.shape) > MOST_SIZE:
        raise InputError(f"{name}: expected a shape of at most 8 axes, got {values.shape}")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise InputError(f"{name} holds NaN or infinity; a ticket carries finite numbers")


def unseeded_numbers(carried: Mapping[str, np.ndarray]) -> int:
    """Numbers in arrays that may be random or trained: real ones, not all of them 0 or 1, and no norm's statistics.

    Whole numbers count examples or name rows. Statistics are a running mean and a running variance of one length with
    the number of batches beside them. Nobody can tell a table of sines from random numbers, so it counts, too.

    >>> unseeded_numbers({"0.bias": np.zeros(3), "1.bias": np.array([0.5]), "1.running_mean": np.array([0.5])})
    2
    """
    return sum(
        values.size
        for name, values in carried.items()
        if values.dtype.kind == "f"
        and not bool(((values == 0) | (values == 1)).all())
        and not _is_statistic(name, carried)
    )


def _is_statistic(name: str, carried: Mapping[str, np.ndarray]) -> bool:
    place, dot, last = name.rpartition(".")
    mean, variance, batches = (carried.get(f"{place}{dot}{part}") for part in (*_STATISTICS, "num_batches_tracked"))
    if last not in _STATISTICS or mean is None or variance is None or batches is None:
        return False
    return mean.ndim == 1 and mean.shape == variance.shape and batches.ndim == 0 and batches.dtype.kind == "i"


def native(name: str, values: np.ndarray) -> np.ndarray:
    """A copy in this machine's byte order and C order."""
    if dtype_name(values) is None:
        raise InputError(f"{name} is {values.dtype}; a ticket carries {', '.join(CARRIED)}")
    return np.array(values, values.dtype.newbyteorder("="), order="C")
