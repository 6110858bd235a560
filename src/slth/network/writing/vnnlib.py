"""What a verifier is asked about a network: is any |y_j| at least b for an input in a box? VNN-LIB, version 1 or 2.

The file is a conjunction of assertions: x_i ≤ u_i and x_i ≥ l_i for every entry of the input, and one of y_j ≥ b,
y_j ≤ −b for some entry of the output. A verifier looks for x that satisfies them: *unsat*, there is none, says that
every |y_j| is below b on the box. Version 1 counts entries in C order, X_0, X_1, ...; in version 2 they are those of
arrays whose first axis is the batch, X[0, c, h, w].

Every number is written in full: a float64 is a decimal with finitely many digits, so that nothing is rounded, and a
reader of float64 gets it back.
"""

import math
from collections.abc import Iterable, Iterator
from decimal import Decimal

import numpy as np

from slth.graph import Box


def property_text(
    box: Box, outputs: tuple[int, ...], bound: float, *, version: int = 1, comments: Iterable[str] = ()
) -> str:
    """The property whose *unsat* says |y_j| < bound for each entry of an output of this shape; comments stand first.

    >>> print(property_text(Box.uniform(0.0, 0.5, 1), (2,), 0.25, comments=["of one input"]), end="")
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
    >>> print(property_text(Box.uniform(0.0, 0.5, 1), (1,), 0.25, version=2), end="")
    (vnnlib-version <2.0>)
    (declare-network difference
        (declare-input X float32 [1, 1])
        (declare-output Y float32 [1, 1])
    )
    (assert (<= X[0, 0] 0.5))
    (assert (>= X[0, 0] 0.0))
    (assert (or
        (>= Y[0, 0] 0.25)
        (<= Y[0, 0] -0.25)
    ))
    """
    head = _declared_1(box.shape, outputs) if version == 1 else _declared_2(box.shape, outputs)
    lines = (*head, *_assertions(box, outputs, bound, version=version))
    return "\n".join([*(f"; {line}".rstrip() for line in comments), *lines, ""])


def _declared_1(inputs: tuple[int, ...], outputs: tuple[int, ...]) -> Iterator[str]:
    names = (*_entries("X", inputs, 1), *_entries("Y", outputs, 1))
    return (f"(declare-const {name} Real)" for name in names)


def _declared_2(inputs: tuple[int, ...], outputs: tuple[int, ...]) -> Iterator[str]:
    yield "(vnnlib-version <2.0>)"
    yield "(declare-network difference"
    yield f"    (declare-input X float32 {[1, *inputs]})"
    yield f"    (declare-output Y float32 {[1, *outputs]})"
    yield ")"


def _assertions(box: Box, outputs: tuple[int, ...], bound: float, *, version: int) -> Iterator[str]:
    lower, upper = (np.broadcast_to(end, box.shape).ravel().tolist() for end in (box.lower, box.upper))
    for name, low, high in zip(_entries("X", box.shape, version), lower, upper, strict=True):
        yield f"(assert (<= {name} {decimal(high)}))"
        yield f"(assert (>= {name} {decimal(low)}))"
    yield "(assert (or"
    for name in _entries("Y", outputs, version):
        for claim in (f"(>= {name} {decimal(bound)})", f"(<= {name} {decimal(-bound)})"):
            yield f"    (and {claim})" if version == 1 else f"    {claim}"
    yield "))"


def _entries(letter: str, shape: tuple[int, ...], version: int) -> Iterator[str]:
    """The names of all entries, in C order."""
    if version == 1:
        return (f"{letter}_{i}" for i in range(math.prod(shape)))
    return (f"{letter}{[0, *index]}" for index in np.ndindex(shape))


def decimal(value: float) -> str:
    """A float64 in full, without an exponent.

    >>> decimal(0.1), decimal(-0.0)
    ('0.1000000000000000055511151231257827021181583404541015625', '0.0')
    """
    digits = format(Decimal(value + 0.0), "f")
    return digits if "." in digits else f"{digits}.0"
