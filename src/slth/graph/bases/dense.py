"""Dense layers: one tap, B(x_j) = x_j, so that the coefficients are the weight matrix. Channels are the last axis."""

from dataclasses import dataclass

import numpy as np

from slth._errors import InputError
from slth._shapes import Coefficient
from slth.graph.bases.basis import Shape, TapBounds
from slth.numerics import BLOCKS, Parts, blocks_of, matrix_rule, matrix_work, spectral_norm_bound


@dataclass(frozen=True, slots=True)
class Dense:
    """y = W x.

    >>> Dense(2, 3).apply(np.ones((3, 2, 1)), np.array([[1.0, 2.0]]))
    array([[3., 3., 3.]])
    """

    inputs: int
    outputs: int

    @property
    def groups(self) -> int:
        """One."""
        return 1

    @property
    def taps(self) -> int:
        """One."""
        return 1

    @property
    def channel_axis(self) -> int:
        """The last one."""
        return -1

    def stencils(self) -> tuple[tuple[int, ...], ...]:
        """The one tap."""
        return ((0,),)

    @property
    def pads(self) -> bool:
        """Never."""
        return False

    @property
    def tap_bounds(self) -> TapBounds:
        """Each tap reads an entry of its own."""
        return TapBounds()

    def shape(self, inputs: Shape) -> Shape:
        """(..., outputs) of (..., inputs)."""
        if inputs[-1:] != (self.inputs,):
            raise InputError(f"a dense map of {self.inputs} inputs was given values of shape {inputs}")
        return (*inputs[:-1], self.outputs)

    def apply(self, coefficients: Coefficient, x: np.ndarray) -> np.ndarray:
        """(batch, ..., inputs) -> (batch, ..., outputs)."""
        return x @ coefficients[:, :, 0].T

    @property
    def norms(self) -> str:
        """By what a Gram matrix costs."""
        return matrix_rule(self.outputs, self.inputs)

    def norm_work(self, by: str | None = None) -> float:
        """That of Gram matrices and their proofs."""
        blocks = blocks_of(self.outputs, self.inputs) if (by or self.norms) == BLOCKS else 1
        return matrix_work(self.outputs, self.inputs, blocks=blocks)

    def norm(self, coefficients: Coefficient | Parts, by: str | None = None) -> float:
        """That of the matrix."""
        blocks = blocks_of(self.outputs, self.inputs) if (by or self.norms) == BLOCKS else 1
        if isinstance(coefficients, Parts):
            parts = Parts(coefficients.shape[:2], lambda rows, inputs: coefficients.part(rows, inputs)[:, :, 0])
            return spectral_norm_bound(parts, blocks=blocks)
        return spectral_norm_bound(coefficients[:, :, 0], blocks=blocks)
