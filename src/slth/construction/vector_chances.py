r"""The measured chance of a miss where a neuron gives d numbers at once, as a table that errs upwards.

`vector_miss_table.json` (made by `benchmarks/vector_miss_table.py`) holds p and its standard error for targets
(z, ..., z) of d = 2, 3, 4 coordinates. A target with coordinates of several sizes misses no more often than the mean of
the chances of (z_k, ..., z_k), which was tried; so a coordinate of size z counts as p(z)/d, and expected misses are a
sum over coefficients, as in `width`.

What is read is meant as an upper estimate: p plus two standard errors, monotone in n and z; z rounded up; log p
interpolated between tolerances and numbers of candidates. Beyond the largest number measured log p goes on with the
mean of its last two slopes, at most 0.95 bits a candidate; it gets steeper with n, as `law` does. A tolerance finer
than the table's costs d candidates for each bit.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from jaxtyping import Float64

from slth.construction.chances import grid

MEASURED = (2, 3, 4)  # d
_SEARCHED, _LOOKED_AT = 40, 2.0**40  # all subsets of so many vectors, of more vectors so many subsets
_STEEPEST = 0.95  # bits a candidate


def vector_chances(d: int, candidates: int, tolerance: float) -> Float64[np.ndarray, " z"]:
    """p(z, n, t) for every |z| of the grid of `chances`, of targets of d equal coordinates.

    >>> bool(vector_chances(2, 40, 2.0**-3)[-1] < vector_chances(3, 40, 2.0**-3)[-1] < 1e-4)
    True
    """
    bits = max(-math.log2(tolerance), 1.0)
    cells = _table()[d]
    known = sorted(cells)
    n, wanted = float(candidates), min(bits, known[-1])
    if bits > known[-1]:
        n -= d * (bits - known[-1])
    finer = next(at for at in known if at >= wanted)
    found = cells[finer].log2_p(n, tolerance)
    if finer > wanted:
        coarser = known[known.index(finer) - 1]
        share = (finer - wanted) / (finer - coarser)
        found = found + share * (np.minimum(cells[coarser].log2_p(n, tolerance), found) - found)
    return np.maximum(np.exp2(np.minimum(found, 0.0)), _overlooked(d, candidates, tolerance))


def _overlooked(d: int, candidates: int, tolerance: float) -> float:
    """The chance that no subset within the tolerance is among those that the solver looks at; 0 if it looks at all."""
    if candidates <= _SEARCHED:
        return 0.0
    deviation = math.sqrt(candidates * 7 / 144)  # of a sum of half of the values, see `law.first_moment`
    rarity = (math.sqrt(math.pi / 2) * deviation / tolerance) ** d
    return 1.0 if rarity > _LOOKED_AT else math.exp(-_LOOKED_AT / rarity)


@dataclass(frozen=True, slots=True, eq=False)
class _Cell:
    """One d and one tolerance."""

    z: Float64[np.ndarray, " z"]
    candidates: Float64[np.ndarray, " n"]
    cells: Float64[np.ndarray, "z n"]  # log2 of an upper estimate; NaN where z ≤ t

    def log2_p(self, candidates: float, tolerance: float) -> Float64[np.ndarray, " z"]:
        """For every |z| of the grid, at any number of candidates; may be above 0."""
        measured = np.flatnonzero(~np.isnan(self.cells[:, 0]) & (self.z > tolerance))
        rows = measured if len(measured) else np.array([len(self.z) - 1])
        values = np.array([self._at(self.cells[row], candidates) for row in rows])
        places = np.searchsorted(self.z[rows], grid() * (1 - 1e-12))
        return np.maximum.accumulate(values)[np.minimum(places, len(rows) - 1)]

    def _at(self, row: Float64[np.ndarray, " n"], candidates: float) -> float:
        n = self.candidates
        if candidates < n[0]:
            return 0.0
        if candidates <= n[-1]:
            return float(np.interp(candidates, n, row))
        first = max(len(n) - 3, 0)
        steepness = (row[first] - row[-1]) / (n[-1] - n[first]) if len(n) > 1 else 0.5
        return float(row[-1] - min(steepness, _STEEPEST) * (candidates - n[-1]))


@cache
def _table() -> Mapping[int, Mapping[int, _Cell]]:
    data = json.loads((files("slth.construction") / "vector_miss_table.json").read_text())
    z = np.array(data["z"])
    found: dict[int, dict[int, _Cell]] = {}
    for cell in data["cells"]:
        chance, error = np.array(cell["chance"], np.float64).transpose(2, 0, 1)
        with np.errstate(divide="ignore"):
            cells = np.minimum(np.log2(chance + 2 * error), 0.0)
        cells = np.maximum.accumulate(cells[:, ::-1], axis=1)[:, ::-1]
        cells[z <= 2.0 ** -cell["bits"]] = np.nan
        found.setdefault(cell["d"], {})[cell["bits"]] = _Cell(z, np.array(cell["candidates"], np.float64), cells)
    return found
