"""What a ticket carries beside random numbers: arrays stored as they are, by name."""

import math

import numpy as np

from slth._errors import InputError
from slth.ticket.inputs import MOST_SIZE
from slth.ticket.tensors import check_text

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


def unseeded(name: str, values: np.ndarray) -> bool:
    """Whether an array may hold random or trained numbers: real ones, not all of them 0 or 1, and no norm's statistics.

    Whole numbers count examples or name rows. Nobody can tell a table of sines from random numbers, so it counts, too.

    >>> unseeded("0.bias", np.zeros(3)), unseeded("0.bias", np.array([0.5]))
    (False, True)
    """
    if values.dtype.kind != "f" or name.rpartition(".")[2] in _STATISTICS:
        return False
    return not bool(((values == 0) | (values == 1)).all())


def native(name: str, values: np.ndarray) -> np.ndarray:
    """A copy in this machine's byte order and C order."""
    if dtype_name(values) is None:
        raise InputError(f"{name} is {values.dtype}; a ticket carries {', '.join(CARRIED)}")
    return np.array(values, values.dtype.newbyteorder("="), order="C")
