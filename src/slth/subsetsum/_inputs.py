"""What may come through the public door. Each refusal says what was expected, what arrived and what to try."""

import math
from operator import index
from typing import Any

import numpy as np

from slth._errors import InputError
from slth._shapes import Targets, ValuesBatch

Number = float | int | np.floating | np.integer

MASK_BITS = 64  # values per problem that one packed mask holds
EXACT_VALUES = 40  # non-zero values per problem that are searched exactly; the kernels' EXACT_MAX
LONG = 1 << 20  # values per problem where nothing is searched
WHOLE = 1 << 53  # float64 holds every integer up to here


def read_problem(values: object, target: object) -> tuple[ValuesBatch, Targets]:
    """One problem as a batch of one: values (n,), target a number."""
    row, z = read_floats(values, 1, "values"), read_floats(target, 0, "target")
    return _checked(row[None, :], z[None])


def read_batch(values: object, targets: object, *, most: int = MASK_BITS) -> tuple[ValuesBatch, Targets]:
    """Values (batch, n), n ≤ most, and targets (batch,) as contiguous float64, copied only where they must be."""
    rows, z = read_floats(values, 2, "values"), read_floats(targets, 1, "targets")
    if len(rows) != len(z):
        raise InputError(
            f"expected one target per row of values, got {len(rows)} rows and {len(z)} targets; "
            "repeat or cut one of them"
        )
    return _checked(rows, z, most)


def read_tol(tol: object) -> float:
    """A tolerance: positive and finite."""
    x = as_float(tol)
    if not 0 < x < math.inf:
        raise InputError(
            f"tol must be a positive finite number in the unit of the values, got {tol!r}; for the best subset "
            "whatever its error, use closest"
        )
    return x


def as_float(number: object) -> float:
    """A number as float64: infinite if it is too large, NaN if it is none (True and False are none)."""
    if isinstance(number, bool) or not isinstance(number, Number):
        return math.nan
    try:
        return float(number)
    except OverflowError:
        return math.inf


def read_threads(threads: object) -> int:
    """A number of threads, at least one."""
    try:
        count = index(threads)  # pyright: ignore[reportArgumentType]
    except TypeError:
        count = 0
    if count < 1 or isinstance(threads, bool):
        raise InputError(f"threads must be an integer of at least 1, got {threads!r}; try threads=1")
    return count


def check_exact(values: ValuesBatch) -> None:
    """Refuse what meet in the middle cannot finish. Zeros do not count: they are never kept."""
    if values.shape[1] > EXACT_VALUES and len(values):
        most = int(np.count_nonzero(values, axis=1).max())
        if most > EXACT_VALUES:
            raise InputError(
                f"closest takes at most {EXACT_VALUES} non-zero values per problem, got {most} "
                "(time and memory grow like 2^(n/2)); leave some out, or use first with a tolerance (up to 64 values) "
                "or first_large (any number)"
            )


def read_floats(numbers: Any, ndim: int, name: str) -> np.ndarray:
    shape = {
        0: "a number",
        1: "one-dimensional",
        2: "two-dimensional, (batch, n)" if name == "values" else "two-dimensional",
        3: "three-dimensional, (batch, n, d)",
    }[ndim]
    try:
        array = np.asarray(numbers)
    except ValueError as ragged:
        raise InputError(f"{name} must be {shape}, got rows of different lengths; pad with zeros") from ragged
    if array.dtype.kind not in "iuf":
        raise InputError(f"{name} must be real numbers, got dtype {array.dtype}; convert to float64")
    if array.ndim != ndim:
        advice = "use first_batch or closest_batch" if name == "values" and array.ndim == 2 else "reshape it"
        raise InputError(f"{name} must be {shape}, got shape {array.shape}; {advice}")
    if array.dtype.kind in "iu" and array.size and not -WHOLE <= array.min() <= array.max() <= WHOLE:
        raise InputError(f"integer {name} must not exceed 2^53 in size, where float64 starts to round; scale them down")
    array = np.require(array, np.float64, ["C", "A"])
    return array if array.flags.writeable else array.copy()  # read-only arrays would be compiled for once more


def _checked(values: ValuesBatch, targets: Targets, most: int = MASK_BITS) -> tuple[ValuesBatch, Targets]:
    if values.shape[1] > most:
        raise InputError(
            f"a problem takes at most {most} values, got {values.shape[1]}; "
            "leave some out, far fewer are enough for any tolerance above 1e-12, or use first_large, which takes any "
            "number"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(np.abs(values).sum() + np.abs(targets).sum()):
            return values, targets
        for name, array in (("values", values), ("targets", targets)):
            bad = np.argwhere(~np.isfinite(array))
            if len(bad):
                at = tuple(int(i) for i in bad[0])
                raise InputError(f"{name} must be finite, got {array[at]} at index {at}; remove or replace it")
        sizes = np.abs(values).sum(axis=1) + np.abs(targets)
    if not np.isfinite(sizes).all():
        row = int(np.argmin(np.isfinite(sizes)))
        raise InputError(f"the values of problem {row} sum beyond the range of float64; divide them by a power of two")
    return values, targets


def read_size(size: object, n: int) -> tuple[int, int] | None:
    """How few and how many values may be kept, or None for any number."""
    if size is None:
        return None
    if isinstance(size, tuple | list):
        ends = [_whole(end) for end in size]
        if len(ends) != 2 or not 0 <= ends[0] <= ends[1] <= n:
            raise InputError(
                f"size must be an integer, or a pair (lowest, highest) with 0 <= lowest <= highest <= {n}, the number "
                f"of values, got {size!r}; (1, {max(n, 1)}) asks for a subset that is not empty"
            )
        return ends[0], ends[1]
    k = _whole(size)
    if not 0 <= k <= n:
        raise InputError(
            f"size must be an integer from 0 to the number of values, {n}, got {size!r}; "
            "leave it out for subsets of any size"
        )
    return k, k


def _whole(number: object) -> int:
    """An integer, -1 if it is none (True and False are none)."""
    try:
        return -1 if isinstance(number, bool | np.bool_) else index(number)  # pyright: ignore[reportArgumentType]
    except TypeError:
        return -1
