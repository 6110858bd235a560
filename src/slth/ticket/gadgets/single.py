r"""A weight is one product of two random numbers, or none: no subset sums.

Malach, Yehudai, Shalev-Shwartz and Shamir (2020), with biases and signed inputs. Of the n neurons that copy an input
(see `lift`) at most one is kept for a coefficient:

    P[r, j, t] = g v u  or 0        N[r, j, t] = g v u  or 0        b[r] = g_b v β  or 0

so that the tolerance falls like 1/n, where subsets of n numbers make it fall like 2⁻ⁿ.
"""

from dataclasses import dataclass
from typing import ClassVar

from slth.ticket.gadgets.lifted import Lifted


@dataclass(frozen=True, slots=True)
class Single(Lifted):
    """The random network of one map."""

    kind: ClassVar[str] = "single"
    most_kept: ClassVar[int] = 1
