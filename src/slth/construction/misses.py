"""Coefficients out of reach: those that a certificate counts, with what they are off by."""

from collections.abc import Iterator

import numpy as np

from slth.graph import Affine, Linear, Realised
from slth.numerics import is_further
from slth.ticket import MOST_MISSES, Miss


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
    (rows, inputs, _), weight = op.coefficients, wanted.weight
    for half, part, sign in (("positive", found.positive, 1.0), ("negative", found.negative, -1.0)):
        if part is None or (half == "negative" and copies > 1):
            continue
        for j in range(0, inputs, copies):
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
