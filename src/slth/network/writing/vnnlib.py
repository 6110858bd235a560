"""What a verifier is asked about a network: is any |Y_j| at least b for an input in a box? VNN-LIB, version 1.

The file is a conjunction of assertions: X_i ≤ u_i and X_i ≥ l_i for every entry of the input, and one of Y_j ≥ b,
Y_j ≤ −b for some entry of the output; both are counted in C order. A verifier looks for X that satisfies them: *unsat*,
there is none, says that every |Y_j| is below b on the box.

Every number is written in full: a float64 is a decimal with finitely many digits, so that nothing is rounded, and a
reader of float64 gets it back.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

import numpy as np

from slth.graph import Box


def property_text(box: Box, outputs: int, bound: float, *, comments: Iterable[str] = ()) -> str:
    """The property whose *unsat* says |Y_j| < bound for each of so many outputs, on a box; comments stand first.

    >>> print(property_text(Box.uniform(0.0, 0.5, 1), 2, 0.25, comments=["of one input"]), end="")
    ; of one input
    (declare-const X_0 Real)
    (declare-const Y_0 Real)
    (declare-const Y_1 Real)
    (assert (<= X_0 0.5))
    (assert (>= X_0 0.0))
    (assert (or
        (and (>= Y_0 0.25))
        (and (<= Y_0 -0.25))
        (and (>= Y_1 0.25))
        (and (<= Y_1 -0.25))
    ))
    """
    return "\n".join([*(f"; {line}".rstrip() for line in comments), *_lines(box, outputs, bound), ""])


def _lines(box: Box, outputs: int, bound: float) -> Iterator[str]:
    lower, upper = (np.broadcast_to(end, box.shape).ravel().tolist() for end in (box.lower, box.upper))
    yield from (f"(declare-const X_{i} Real)" for i in range(len(lower)))
    yield from (f"(declare-const Y_{j} Real)" for j in range(outputs))
    for i, (low, high) in enumerate(zip(lower, upper, strict=True)):
        yield f"(assert (<= X_{i} {decimal(high)}))"
        yield f"(assert (>= X_{i} {decimal(low)}))"
    yield "(assert (or"
    for j in range(outputs):
        yield f"    (and (>= Y_{j} {decimal(bound)}))"
        yield f"    (and (<= Y_{j} {decimal(-bound)}))"
    yield "))"


def decimal(value: float) -> str:
    """A float64 in full, without an exponent.

    >>> decimal(0.1), decimal(-0.0)
    ('0.1000000000000000055511151231257827021181583404541015625', '0.0')
    """
    digits = format(Decimal(value + 0.0), "f")
    return digits if "." in digits else f"{digits}.0"
