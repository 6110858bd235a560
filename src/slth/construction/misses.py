"""Coefficients out of reach: those that a certificate counts, with what they are off by."""

from collections.abc import Iterator

import numpy as np

from slth._shapes import Coefficient
from slth.graph import Affine, Linear, Realised
from slth.numerics import is_further
from slth.ticket import MOST_MISSES, Miss

_BLOCK = 1 << 17  # coefficients looked at together


def misses_of(
    path: str, op: Linear, wanted: Affine, found: Realised, *, tolerance: float, copies: int = 1
) -> tuple[Miss, ...]:
    """The first that are further off than the tolerance, half by half, input by input: as many as a ticket lists.

    copies: of a channel, which are read by plain weights: their sum is what misses, at the first of them.
    """
    misses: list[Miss] = []
    for miss in _misses(path, op, wanted, found, tolerance, copies):
        if len(misses) == MOST_MISSES:
            break
        misses.append(miss)
    return tuple(misses)


def _misses(path: str, op: Linear, wanted: Affine, found: Realised, tolerance: float, copies: int) -> Iterator[Miss]:
    rows, inputs, _ = op.coefficients
    for half, part, sign in (("positive", found.positive, 1.0), ("negative", found.negative, -1.0)):
        if part is None or (half == "negative" and copies > 1):
            continue
        missed = _inputs_missed(wanted, part, sign, tolerance) if copies == 1 else range(0, inputs, copies)
        weight = wanted.weight if len(missed) else np.zeros(0)
        for j in missed:
            if half == "negative" and not found.signed[j]:
                continue
            own = slice(j, j + copies)
            left, right = part[:, own].sum(axis=1), sign * weight[:, own].sum(axis=1)
            for row, tap in np.argwhere(is_further(left, right, tolerance)).tolist():
                output = j * op.basis.groups // inputs * rows + row
                yield Miss(path, output, j, half, abs(float(left[row, tap] - right[row, tap])), tap)
    if found.bias is not None and wanted.bias is not None:
        for output in np.flatnonzero(is_further(found.bias, wanted.bias, tolerance)).tolist():
            yield Miss(path, output, -1, "bias", abs(float(found.bias[output] - wanted.bias[output])))


def _inputs_missed(wanted: Affine, part: Coefficient, sign: float, tolerance: float) -> list[int]:
    """The inputs of which some coefficient is further off, ascending. Memory of a block of rows: mostly it is none."""
    rows, inputs, taps = part.shape
    missed, step = np.zeros(inputs, np.bool_), max(1, _BLOCK // (inputs * taps))
    for start in range(0, rows, step):
        own = slice(start, start + step)
        missed |= is_further(part[own], sign * wanted.rows(own), tolerance).any(axis=(0, 2))
    return np.flatnonzero(missed).tolist()
