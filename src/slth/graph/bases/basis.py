r"""A basis: fixed linear maps $B_t$ whose combinations a layer learns.

$$y_o = \sum_j \sum_t C[r, j, t]\, B_t(x_j) + b_o$$

x_j are the channels of the input, y_o those of the output: output o is row r of group γ, o = γ · rows + r, and reads
the inputs of its own group. A basis is right if `apply` equals the dense matrix that the conformance suite writes down
for it; nothing else asks what kind it is.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from slth._shapes import Coefficient
from slth.numerics import Parts

Shape = tuple[int, ...]  # of one value, without the batch


@dataclass(frozen=True, slots=True)
class TapBounds:
    """What the taps of a basis can do together; of one whose taps read entries of their own nothing beyond 1."""

    norm: float = 1.0  # ‖B_t‖₂ at most, for every tap
    row_norm: float = 1.0  # ‖x ↦ (B_t(x)[q])_t‖₂ at most, at any one position q
    summed: int = 1  # entries of which one tap takes a mean, at most


@runtime_checkable
class Basis(Protocol):
    """Plain data: a frozen record of sizes."""

    @property
    def inputs(self) -> int: ...  # channels that are read
    @property
    def outputs(self) -> int: ...  # channels that are written
    @property
    def taps(self) -> int: ...  # coefficients of one input for one output
    @property
    def groups(self) -> int: ...  # of channels; an output reads the inputs of its own

    @property
    def channel_axis(self) -> int:
        """The axis of the channels, of inputs and of outputs: −1 or 0."""
        ...

    def stencils(self) -> tuple[tuple[int, ...], ...]:
        """The taps that meet at one output position, for each kind of position: each reads an entry, or a mean."""
        ...

    @property
    def pads(self) -> bool:
        """Whether a tap can read a 0 from outside the input, or an output position add less than its stencil."""
        ...

    @property
    def tap_bounds(self) -> TapBounds:
        """How much its taps can give, and how many can read one entry."""
        ...

    def shape(self, inputs: Shape) -> Shape:
        """Shape of the outputs, without the batch.

        Raises:
            InputError: inputs of a shape that this map does not take.
        """
        ...

    def apply(self, coefficients: Coefficient, x: np.ndarray) -> np.ndarray:
        """Σ_j Σ_t C[r, j, t] B_t(x_j) in float64; x (batch, *inputs)."""
        ...

    @property
    def norms(self) -> str:
        """The rule of `slth.numerics.NORMS` that `norm` follows, from sizes alone."""
        ...

    def norm_work(self, by: str | None = None) -> float:
        """Operations that `norm` takes, about."""
        ...

    def norm(self, coefficients: Coefficient | Parts, by: str | None = None) -> float:
        """An upper bound on ‖x ↦ apply(C, x)‖₂, in real arithmetic, whatever the length of the axes.

        C may have more inputs than the basis, each group equally many: [E⁺ E⁻] has twice as many. `by` is another rule.
        """
        ...
