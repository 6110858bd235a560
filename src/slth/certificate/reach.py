r"""What is known of a value while both networks run over a box of inputs, and what one norm says about the other.

For a value v of the target, in every entry, and for the whole tensor of one example:

    l ≤ v ≤ h        ‖v‖₂ ≤ r        |v̂ - v| ≤ e        ‖v̂ - v‖₂ ≤ a

A bound in one norm bounds the other, too: |v_i| ≤ ‖v‖₂, and ‖v‖₂ is at most the norm of the bounds on its entries.
`tightened` takes the smaller ones after every rule.
"""

import math
from dataclasses import dataclass

import numpy as np

from slth.graph import Box, Shape
from slth.numerics import norm_bound, product_bound

Numbers = np.ndarray  # one number per entry of a value; size 1 along every axis whose entries share it, see `spread`


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """What holds of a value v in the target, and of its difference v̂ - v, for all inputs in the box."""

    lower: Numbers  # l
    upper: Numbers  # h
    norm: float  # r
    error: Numbers  # e
    error_norm: float  # a
    shape: Shape = ()  # of the value; (): that of its bounds

    def __post_init__(self) -> None:
        if not self.shape:
            ends = np.broadcast_shapes(self.lower.shape, self.upper.shape, self.error.shape)
            object.__setattr__(self, "shape", ends)

    @property
    def sizes(self) -> Numbers:
        """max(|l|, |h|)."""
        return np.maximum(np.abs(self.lower), np.abs(self.upper))


def at_inputs(box: Box) -> Reach:
    """Both networks read the same inputs: e = 0, a = 0."""
    none = np.zeros((1,) * len(box.shape))
    return tightened(Reach(box.lower, box.upper, math.inf, none, 0.0, box.shape))


def tightened(z: Reach) -> Reach:
    """r ≤ ‖max(|l|, |h|)‖₂, a ≤ ‖e‖₂, e ≤ a, -r ≤ l, h ≤ r."""
    norm = min(z.norm, norm_over(z.sizes, z.shape))
    error_norm = min(z.error_norm, norm_over(z.error, z.shape))
    return Reach(
        np.maximum(z.lower, -norm),
        np.minimum(z.upper, norm),
        norm,
        np.minimum(z.error, error_norm),
        error_norm,
        z.shape,
    )


def norm_over(numbers: Numbers, shape: Shape) -> float:
    """‖·‖₂ over all entries of a value that the numbers speak of, from above."""
    norm = float(norm_bound(numbers.ravel()))
    shared = math.prod(shape) // numbers.size
    return norm if shared == 1 else times(norm, math.sqrt(shared))


def times(left: float, right: float) -> float:
    """An upper bound on the product of two numbers ≥ 0."""
    return float(product_bound(np.asarray(left), right))


def repeated(norm: float, shape: Shape, new: Shape) -> float:
    """The norm of a value whose axes of length 1 are repeated until it has another shape."""
    ratio = math.prod(new) // math.prod(shape)
    return norm if ratio == 1 else times(norm, math.sqrt(ratio))
