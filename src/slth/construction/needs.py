"""What the width of one map is planned for."""

from dataclasses import dataclass

from slth.construction.sizes import Sizes
from slth.graph import Linear


@dataclass(frozen=True, slots=True, eq=False)
class Needs:
    """A map, the sizes of its coefficients, and how few of them may miss."""

    op: Linear
    weights: Sizes  # as subset sums: those of signed inputs twice, unless the lift is linear
    bias: Sizes | None
    tolerance: float  # τ
    failure: float  # expected misses allowed
    candidates: int | None = None  # n, if it is given rather than planned
    extra: int = 0  # candidates on top of that

    @property
    def share(self) -> float:
        """Misses allowed to the weights, and to the bias: if there is one, half each."""
        return self.failure if self.bias is None else self.failure / 2
