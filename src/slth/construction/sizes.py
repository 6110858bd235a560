"""How large the coefficients of a map are: as many numbers as a plan needs, from arrays or from an assumed law."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from jaxtyping import Float64

from slth._shapes import Signed
from slth.construction.chances import CENTRED, grid
from slth.numerics import finest_bit

_BLOCK = 1 << 20  # numbers looked at together


@dataclass(frozen=True, slots=True, eq=False)
class Sizes:
    """Subset sums of one map, by the size of their targets.

    Attributes:
        up_to: how many have |w| ≤ x, for several x at once.
        largest: max|w|.
        step: the largest power of two of which all of them are multiples; None: only sizes are known.
    """

    up_to: Callable[[Float64[np.ndarray, " x"]], Float64[np.ndarray, " x"]]
    largest: float
    step: Callable[[], float] | None = None

    def by_row(self, gain: float, tolerance: float, source: str = "uniform") -> Float64[np.ndarray, " z"]:
        """How many with |w| > τ each |z| of the table stands for; the last one for all that are larger, too.

        Of mirrored pairs, which have no empty subset, those with |w| ≤ τ count, too: as 0, the first of the table.
        """
        edges = np.concatenate([grid(source)[:-1] * (1 + 1e-12), [math.inf]]) * gain
        counts = self.up_to(np.maximum(np.concatenate([[0.0], edges]), tolerance))
        found = np.diff(counts)
        if source == CENTRED:
            found[0] = counts[0]
        return found


def sizes_of(values: Float64[np.ndarray, "..."], signed: Signed | None = None) -> Sizes:
    """Those of an array, (row, inp, tap) if some inputs are signed: coefficients of signed inputs are two problems.

    Cost: ten comparisons a number; memory of a block.
    """
    rows = values.reshape(len(values), -1) if values.size else values.reshape(1, 0)
    count = max(1, _BLOCK // max(rows.shape[1], 1))
    if signed is None or signed.all() or not signed.any():
        parts = [(slice(None), 1 if signed is None or not signed.any() else 2)]
    else:
        columns = np.broadcast_to(signed[:, None], values.shape[1:]).reshape(-1)
        parts = [(slice(None), 1), (columns, 1)]

    def up_to(x: Float64[np.ndarray, " x"]) -> Float64[np.ndarray, " x"]:
        found = np.zeros(len(x))
        for start in range(0, len(rows), count):
            block = np.abs(rows[start : start + count])
            for columns, times in parts:
                found += [times * np.count_nonzero(block[:, columns] <= top) for top in x]
        return found

    return Sizes(up_to, float(np.max(np.abs(values), initial=0.0)), lambda: finest_bit(values))


def gaussian(count: int, deviation: float, *, times: float = 1.0) -> Sizes:
    """Those of `count` numbers of a centred Gaussian, each `times` problems; nothing is drawn.

    The largest is taken where one number is expected to exceed it.

    >>> found = gaussian(10**6, 0.5)
    >>> round(found.largest, 2), found.up_to(np.array([0.5])).round(-4)
    (2.45, array([680000.]))
    """
    largest = -deviation * NormalDist().inv_cdf(min(0.5 / count, 0.25))

    def up_to(x: Float64[np.ndarray, " x"]) -> Float64[np.ndarray, " x"]:
        return np.array([times * count * math.erf(float(top) / (deviation * math.sqrt(2))) for top in x])

    return Sizes(up_to, largest)
