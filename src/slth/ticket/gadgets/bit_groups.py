"""Which bits of a packed mask make one subset: those of the candidates of one problem.

In the order in which a file names subsets: half by half (positive, negative, bias); in each by pair (row, tap), row
outermost; then by slot. It follows from the scan of the lift, and not from the blocks in which problems are listed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from jaxtyping import Int64

from slth.graph import Linear
from slth.ticket.gadgets.gadget import Gadget
from slth.ticket.gadgets.problems import Problems


@dataclass(frozen=True, slots=True, eq=False)
class BitGroups:
    """The subsets of one half of a map: candidate k of subset (w, s) is one bit of the mask.

    At tap 0 it is bit starts[w] + columns[0, s, k], else bit ~starts[w] + columns[1, s, k].
    """

    starts: Int64[np.ndarray, " w"]
    columns: Int64[np.ndarray, "2 slot n"]

    @property
    def count(self) -> int:
        """Subsets."""
        return len(self.starts) * self.columns.shape[1]

    @property
    def candidates(self) -> int:
        """n, of each."""
        return self.columns.shape[2]


def bit_groups(gadget: Gadget, path: str, op: Linear, seed: int) -> Mapping[str, tuple[BitGroups, ...]]:
    """The subsets of every mask of a map, by tensor. O(live neurons), and a scan of the lift.

    Raises:
        InputError: the lift is not as wide as the gadget says.
    """
    blocks = gadget.problems(path, op, seed)
    return {
        tensor: tuple(_half(part) for _, part in groupby(listed, key=lambda block: block.half))
        for tensor, listed in groupby(blocks, key=lambda block: block.tensor)
    }


def _half(blocks: Iterable[Problems]) -> BitGroups:
    """One half, of blocks that list some rows after others, and of them some slots."""
    first: list[Problems] = []
    for block in blocks:
        first += [block] if block.rows.start == 0 else []
    places, columns = first[0].places, np.concatenate([block.columns for block in first])
    step = first[0].pairs.step
    return BitGroups(
        places.starts(range(0, places.rows * places.taps, step)), np.stack([columns, columns - places.before[columns]])
    )
