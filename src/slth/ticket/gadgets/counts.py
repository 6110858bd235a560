r"""A weight is a count: every random number is +1 or −1, and as many paths of one sign are kept as it is large.

Diffenderfer and Kailkhura (2021), with biases and signed inputs. Lift and mixing layer are ±1; of the n neurons that
copy an input those with the sign wanted are added up, times a real gain α of the map:

    P[r, j, t] = α Σ m v,  v = ±1,  an integer times α: |w − P| ≤ α/2 with the nearest count

The gain is any float32: a count below 2²⁹ times it is exact in float64. n ~ 1/α: precision costs width in proportion.
"""

from dataclasses import dataclass
from typing import ClassVar

from slth.ticket.gadgets.lifted import Lifted


@dataclass(frozen=True, slots=True)
class Counts(Lifted):
    """The random network of one map; `gain` is α, that of biases as well."""

    kind: ClassVar[str] = "counts"

    @property
    def law(self) -> str:
        """Of u, β and v."""
        return "sign"
