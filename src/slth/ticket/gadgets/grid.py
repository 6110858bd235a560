r"""Numbers of finite precision: every random number lies on a grid of step 2⁻ᴷ, and weights are hit exactly.

Kumar and Natale (2025), with biases and signed inputs: lift and mixing layer are uniform on {−1, −1 + 2⁻ᴷ, ..., 1}, so
the products v u are multiples of 2⁻²ᴷ, and so is a target times 1/g. Then a subset sum is a fact about integers:

    P[r, j, t] = g Σ m v u = w  exactly, or no subset sums to w

Any subset of up to 64 candidates; sums are exact. About 2 K + 1 candidates are where half of the
weights are hit, and every two more miss a quarter as often.
"""

from dataclasses import dataclass
from typing import ClassVar

from slth.ticket.gadgets.lift import MOST_CANDIDATES
from slth.ticket.gadgets.lifted import Lifted

MOST_SIZE_OF_GRID = 20  # K


@dataclass(frozen=True, slots=True)
class Grid(Lifted):
    """The random network of one map."""

    size: int  # K

    kind: ClassVar[str] = "grid"
    most_kept: ClassVar[int] = MOST_CANDIDATES

    @property
    def law(self) -> str:
        """Of u, β and v."""
        return f"grid/{self.size}"

    @property
    def step(self) -> float:
        """Of the weights that can be hit."""
        return self.gain * 2.0 ** (-2 * self.size)
