"""What may come through the doors of vectors, many values and intervals. Each refusal is a sentence."""

import math
from typing import Any

import numpy as np

from slth._errors import InputError
from slth._shapes import Targets, Values, Vector, Vectors
from slth.subsetsum._inputs import MASK_BITS, as_float, read_floats


def read_values(values: object, *, summed: bool = True) -> Values:
    """At least one value, finite, with a finite sum of sizes if they are summed: (n,) float64."""
    row = read_floats(values, 1, "values")
    _check_finite(row, "values", summed=summed)
    if not len(row):
        raise InputError("values must hold at least one candidate, got none; an empty sum is 0")
    return row


def read_targets(targets: object) -> Targets:
    """Finite targets: (batch,) float64."""
    z = read_floats(targets, 1, "targets")
    _check_finite(z, "targets", summed=False)
    return z


def read_target(target: object, name: str = "target") -> float:
    """A finite number."""
    z = read_floats(target, 0, name)
    _check_finite(z, name)
    return float(z)


def read_numbers(values: object, target: object) -> tuple[Values, float]:
    """Values and a target whose sizes add up within float64."""
    row, z = read_values(values), read_target(target)
    with np.errstate(over="ignore"):
        if not np.isfinite(np.abs(row).sum() + abs(z)):
            raise InputError("values and target sum beyond the range of float64; divide them by a power of two")
    return row, z


def read_vectors(values: Any, target: Any) -> tuple[Vectors, Vector]:
    """Candidates (n, d) and a target (d,), n and d at least 1, finite."""
    try:
        shape = np.shape(values)
    except ValueError as ragged:
        raise InputError("values must be vectors of one length: (n, d), got rows of different lengths") from ragged
    if len(shape) != 2:
        raise InputError(f"values must be vectors, one per row: (n, d), got shape {shape}; for numbers use closest")
    rows, z = read_floats(values, 2, "values"), read_floats(target, 1, "target")
    if not rows.size:
        raise InputError(f"values must hold at least one candidate of at least one coordinate, got shape {rows.shape}")
    if rows.shape[1] != len(z):
        raise InputError(
            f"the target must have as many coordinates as the values, got {len(z)} and {rows.shape[1]}; "
            "values are (n, d): transpose them if they are (d, n)"
        )
    _check_finite(rows, "values")
    _check_finite(z, "target")
    return rows, z


def read_vector_batch(values: object, targets: object) -> tuple[np.ndarray, np.ndarray]:
    """Candidates (batch, n, d) and targets (batch, d), d at least 1, n at most 64, finite."""
    rows, z = read_floats(values, 3, "values"), read_floats(targets, 2, "targets")
    batch, n, d = rows.shape
    if z.shape != (batch, d) or not d:
        raise InputError(
            f"expected values (batch, n, d) and targets (batch, d), d at least 1, got shapes {rows.shape} and "
            f"{z.shape}; give each problem a target with as many coordinates as its vectors"
        )
    if n > MASK_BITS:
        raise InputError(f"a problem takes at most {MASK_BITS} vectors, got {n}; leave some out, or use first_vector")
    _check_finite(np.moveaxis(rows, 1, 0), "values")
    _check_finite(z, "targets", summed=False)
    return rows, z


def read_positive(number: object, name: str, unit: str) -> float:
    """A positive finite number."""
    x = as_float(number)
    if not 0 < x < math.inf:
        raise InputError(f"{name} must be a positive finite number in {unit}, got {number!r}; try {name}=1")
    return x


def read_interval(low: object, high: object) -> tuple[float, float]:
    """Two finite ends, the first below the second."""
    ends = read_target(low, "low"), read_target(high, "high")
    if not ends[0] < ends[1]:
        raise InputError(f"low must be below high, got {low!r} and {high!r}; exchange them")
    return ends


def check_count(n: int, limit: int, solver: str, advice: str) -> None:
    """Refuse more values than a solver can list all sums of."""
    if n > limit:
        raise InputError(f"{solver} takes at most {limit} values, got {n} (it lists all 2^n sums); {advice}")


def _check_finite(array: np.ndarray, name: str, *, summed: bool = True) -> None:
    """Finite, and so are the sums of sizes along the first axis, if numbers are summed."""
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(np.abs(array).sum(axis=0) if summed and array.ndim else array).all():
            return
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        at = tuple(int(i) for i in bad[0])
        where = f" at index {at[0] if len(at) == 1 else at}" if at else ""
        raise InputError(f"{name} must be finite, got {array[tuple(bad[0])]}{where}; remove or replace it")
    raise InputError(f"the {name} sum beyond the range of float64; divide them by a power of two")
