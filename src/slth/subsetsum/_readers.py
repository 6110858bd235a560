"""What may come through the doors of vectors, many values and intervals. Each refusal is a sentence."""

import math
from typing import Any

import numpy as np

from slth._errors import InputError
from slth._shapes import Targets, Values, Vector, Vectors
from slth.subsetsum._inputs import Number, read_floats


def read_values(values: object) -> Values:
    """At least one value, finite, with a finite sum of sizes: (n,) float64."""
    row = read_floats(values, 1, "values")
    _check_finite(row, "values")
    if not len(row):
        raise InputError("values must hold at least one candidate, got none; an empty sum is 0")
    return row


def read_targets(targets: object) -> Targets:
    """Finite targets: (batch,) float64."""
    z = read_floats(targets, 1, "targets")
    _check_finite(z, "targets")
    return z


def read_target(target: object) -> float:
    """A finite number."""
    z = read_floats(target, 0, "target")
    _check_finite(z, "target")
    return float(z)


def read_vectors(values: Any, target: Any) -> tuple[Vectors, Vector]:
    """Candidates (n, d) and a target (d,), n and d at least 1, finite."""
    if np.ndim(values) != 2:
        raise InputError(
            f"values must be vectors, one per row: (n, d), got shape {np.shape(values)}; for numbers use closest"
        )
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


def read_positive(number: object, name: str, unit: str) -> float:
    """A positive finite number."""
    if isinstance(number, bool) or not isinstance(number, Number) or not 0 < number < math.inf:
        raise InputError(f"{name} must be a positive finite number in {unit}, got {number!r}; try {name}=1")
    return float(number)


def read_interval(low: object, high: object) -> tuple[float, float]:
    """Two finite ends, the first below the second."""
    ends = read_target(low), read_target(high)
    if not ends[0] < ends[1]:
        raise InputError(
            f"low must be below high, got {low!r} and {high!r}; exchange them, or use closest for one target"
        )
    return ends


def check_count(n: int, limit: int, solver: str, advice: str) -> None:
    """Refuse more values than a solver can list all sums of."""
    if n > limit:
        raise InputError(f"{solver} takes at most {limit} values, got {n} (it lists all 2^n sums); {advice}")


def _check_finite(array: np.ndarray, name: str) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(np.abs(array).sum()):
            return
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        at = tuple(int(i) for i in bad[0])
        where = f" at index {at[0] if len(at) == 1 else at}" if at else ""
        raise InputError(f"{name} must be finite, got {array[tuple(bad[0])]}{where}; remove or replace it")
    raise InputError(f"the {name} sum beyond the range of float64; divide them by a power of two")
