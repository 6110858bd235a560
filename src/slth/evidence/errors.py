"""Errors of outputs that are numbers: as measured, and how much larger those of a ticket can be than its target's.

The argument stands at `slth.records.Evaluation`: root mean squares are norms, divided by a constant.
"""

import math

import numpy as np

from slth._shapes import Outputs, OutputValues
from slth.certificate import Certificate
from slth.numerics import above, norm_bound
from slth.records import Errors


def errors_of(outputs: np.ndarray, y: OutputValues) -> Errors:
    """What float32 outputs are off by, in float64; R² and the rest as `Errors` defines them.

    >>> errors_of(np.array([[1.0], [2.0]], np.float32), np.array([[1.0], [4.0]])).largest
    2.0
    """
    off = (outputs.astype(np.float64) - y).reshape(len(y), -1)
    squares = np.square(off).mean(axis=1)
    return Errors(
        count=len(y),
        rms=math.sqrt(squares.mean()),
        deviation=float(squares.std(ddof=1)) if len(y) > 1 else 0.0,
        largest=float(np.abs(off).max()),
        explained=_explained(off, y.reshape(len(y), -1)),
    )


def _explained(off: np.ndarray, y: np.ndarray) -> float | None:
    varies = bool((y != y[0]).any())  # a mean that was rounded differs from numbers that are all the same
    total = float(np.square(y - y.mean(axis=0)).sum())
    return 1.0 - float(np.square(off).sum()) / total if varies and total > 0 else None


def rms_per_input(errors: Outputs) -> float | None:
    """A bound on rms(f̂ − f) over inputs, from bounds on |f̂ − f| of each input and output; None: there is none."""
    if not np.isfinite(errors).all():
        return None
    return float(above(norm_bound(errors.reshape(1, -1))[0] / math.sqrt(errors.size), 4))


def rms_on_box(claims: Certificate, outputs: int) -> float | None:
    """A bound on rms(f̂ − f) over any inputs of the domain; None: none is claimed."""
    if claims.sup_error is None or claims.l2_error is None:
        return None
    return min(claims.sup_error, above(claims.l2_error / math.sqrt(outputs), 4))
