"""Embeddings as linear maps: of a one-hot vector, which is read as the token where its 1 stands."""

from dataclasses import dataclass

import numpy as np

from slth._shapes import Coefficient
from slth.graph.bases.basis import Shape, TapBounds
from slth.graph.bases.dense import Dense
from slth.numerics import Parts


@dataclass(frozen=True, slots=True)
class OneHot:
    """y = W e_x of a token x: column x of W. Values are tokens, integers 0 ≤ x < inputs; each becomes a vector.

    >>> OneHot(3, 2).apply(np.arange(6.0).reshape(2, 3, 1), np.array([[2.0, 0.0]]))
    array([[[2., 5.],
            [0., 3.]]])
    """

    inputs: int  # tokens
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
        """The last one, of outputs; inputs have none."""
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
        """(..., outputs) of (...)."""
        return (*inputs, self.outputs)

    def apply(self, coefficients: Coefficient, x: np.ndarray) -> np.ndarray:
        """(batch, ...) of tokens -> (batch, ..., outputs)."""
        return coefficients[:, :, 0].T[x.astype(np.int64)]

    @property
    def norms(self) -> str:
        """That of the matrix."""
        return self._dense.norms

    def norm_work(self, by: str | None = None) -> float:
        """That of the matrix."""
        return self._dense.norm_work(by)

    def norm(self, coefficients: Coefficient | Parts, by: str | None = None) -> float:
        """That of the matrix, which applies to all vectors."""
        return self._dense.norm(coefficients, by)

    @property
    def _dense(self) -> Dense:
        return Dense(self.inputs, self.outputs)
