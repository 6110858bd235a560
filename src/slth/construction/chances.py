r"""The measured chance p(z, n, t) of a miss, as a table that errs upwards.

`miss_table.json` (made by `benchmarks/miss_table.py`) holds p and its standard error for z = 1/12 ... 8/12, tolerances
2⁻¹ ... 2⁻²⁰ and up to 34 candidates, where p is about 10⁻¹⁰: rare misses were drawn on purpose, so hardly a cell is
without any. What is read from it is meant as an upper estimate:

- a cell counts as p plus two standard errors; where that error is over a quarter of p, or no miss was seen, the cell
  says nothing, and the last cell before it is carried on along the law (`law`);
- p falls in n, rises in |z| and falls in t: each cell counts as the largest of those that cannot exceed it;
- |z| is rounded up to the grid; between tolerances and numbers of candidates log p is interpolated, for it is nearly
  straight there; a tolerance above ½ counts as ½.

Beyond the table: more candidates follow the law, too. A tolerance under 2⁻²⁰ costs one candidate for each bit, and half
of log₂ n of both, for subset sums spread like √n.

Of more than 40 candidates the solver looks at 2⁴² subsets only: a tolerance under about 2⁻³⁷ gains is out of reach of
one stage.
"""

import json
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from jaxtyping import Float64

from slth.construction.law import log2_law
from slth.ticket import MOST_CANDIDATES

_SEARCHED, _LOOKED_AT = 40, 2.0**42  # `subsetsum.first`: all subsets of so many values, of more values so many subsets
_NEVER = -1e9  # log2 of a chance of 0
_TRUSTED = 0.25  # standard error of a cell that says something, as a share of it


def miss_probability(
    z: Float64[np.ndarray, " count"], candidates: int, tolerance: float
) -> Float64[np.ndarray, " count"]:
    """p(z, n, t): the chance that no subset of n candidates u·v reaches z within t; an upper estimate.

    Args:
        z: targets in units of the gain, |z| ≤ 2/3. Those with |z| ≤ t never miss.
        candidates: n.
        tolerance: t > 0, in units of the gain.
    """
    size = np.abs(z)
    return np.where(size <= tolerance, 0.0, chances(candidates, tolerance)[rows_of(size)])


def grid() -> Float64[np.ndarray, " z"]:
    """The |z| of the table, ascending."""
    return _table().z


def rows_of(size: Float64[np.ndarray, " count"]) -> np.ndarray:
    """Which |z| of the table stand for some sizes: the next larger one, or the largest."""
    return np.minimum(np.searchsorted(grid(), size * (1 - 1e-12)), len(grid()) - 1)


def chances(candidates: int, tolerance: float) -> Float64[np.ndarray, " z"]:
    """p for every |z| of the grid; 0 where |z| ≤ t in every cell that it comes from."""
    found = np.exp2(np.minimum(_table().log2_p(float(candidates), -math.log2(tolerance)), 0.0))
    return np.maximum(found, _overlooked(candidates, tolerance))


def _overlooked(candidates: int, tolerance: float) -> float:
    """The chance that no subset within the tolerance is among those that the solver looks at; 0 if it looks at all."""
    if candidates <= _SEARCHED:
        return 0.0
    deviation = math.sqrt(candidates * 7 / 144)  # of a sum of half of the values, see `first_moment`
    rarity = math.sqrt(math.pi / 2) * deviation / tolerance  # subsets for one within the tolerance
    return 1.0 if rarity > _LOOKED_AT else math.exp(-_LOOKED_AT / rarity)


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    z: Float64[np.ndarray, " z"]
    bits: tuple[int, ...]  # tolerance 2^-bits
    candidates: Float64[np.ndarray, " n"]  # up to 64
    cells: Float64[np.ndarray, "tolerance z n"]  # log2 of an upper estimate; `_NEVER` where |z| ≤ t

    def log2_p(self, candidates: float, bits: float) -> Float64[np.ndarray, " z"]:
        """At any number of candidates and any tolerance 2^-bits; may be above 0."""
        finest = self.bits[-1]
        if bits > finest:
            fewer = candidates - (bits - finest)
            if fewer < self.candidates[0]:
                return np.zeros(len(self.z))
            return self._row(len(self.bits) - 1, fewer - 0.5 * math.log2(candidates / fewer))
        wanted = max(bits, self.bits[0])
        finer = next(at for at, known in enumerate(self.bits) if known >= wanted)
        found = self._row(finer, candidates)
        if self.bits[finer] == wanted:
            return found
        coarser = self._row(finer - 1, candidates)
        share = (self.bits[finer] - wanted) / (self.bits[finer] - self.bits[finer - 1])
        between = np.where(coarser <= _NEVER / 2, found, found + share * (coarser - found))
        return np.maximum.accumulate(between)

    def _row(self, at: int, candidates: float) -> Float64[np.ndarray, " z"]:
        """At one tolerance of the table."""
        if candidates < self.candidates[0]:
            return np.zeros(len(self.z))
        cells = self.cells[at]
        right = max(int(np.searchsorted(self.candidates, candidates)), 1)
        left, step = self.candidates[right - 1], self.candidates[right] - self.candidates[right - 1]
        return cells[:, right - 1] + (candidates - left) / step * (cells[:, right] - cells[:, right - 1])


@cache
def _table() -> _Table:
    data = json.loads((files("slth.construction") / "miss_table.json").read_text())
    z, bits, candidates = np.array(data["z"]), tuple(data["bits"]), np.array(data["candidates"], np.float64)
    beyond = np.arange(candidates[-1] + 1, MOST_CANDIDATES + 1)
    chance, error = (
        np.pad(np.array(data[name]), ((0, 0), (0, 0), (0, len(beyond)))) for name in ("chance", "error")
    )  # never seen: carried on along the law
    candidates = np.concatenate([candidates, beyond])
    return _Table(z, bits, candidates, _upper(chance, error, z, bits, candidates))


def _upper(
    chance: Float64[np.ndarray, "tolerance z n"],
    error: Float64[np.ndarray, "tolerance z n"],
    z: Float64[np.ndarray, " z"],
    bits: tuple[int, ...],
    candidates: Float64[np.ndarray, " n"],
) -> Float64[np.ndarray, "tolerance z n"]:
    """log2 of p + 2 standard errors, carried on along the law from the first cell that says nothing; monotone."""
    with np.errstate(divide="ignore"):
        cells = np.minimum(np.log2(chance + 2 * error), 0.0)
    for at, row in np.ndindex(cells.shape[:2]):
        tolerance = 2.0 ** -bits[at]
        if z[row] <= tolerance:
            cells[at, row] = _NEVER
            continue
        unsure = np.flatnonzero(~(error[at, row] <= _TRUSTED * chance[at, row]) | (chance[at, row] == 0))
        if len(unsure):
            law = np.array([log2_law(z[row : row + 1], n, tolerance)[0] for n in candidates])
            last = int(unsure[0]) - 1  # the first cells have many misses
            cells[at, row, last + 1 :] = cells[at, row, last] + law[last + 1 :] - law[last]
    falling = np.maximum.accumulate(cells[:, :, ::-1], axis=2)[:, :, ::-1]
    return np.maximum.accumulate(np.maximum.accumulate(falling, axis=1), axis=0)
