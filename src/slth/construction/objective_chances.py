r"""Measured chances of a miss under the objectives `exactly` and `moved`, as tables that err upwards.

`chances_exactly.json` and `chances_moved.json` are made by `benchmarks/objective_tables.py`. Their cells are log₂ of p
plus two standard errors, from rare draws. What is read is meant as an upper estimate:

- p rises in |z|: a cell counts as no more than that of a larger |z|; and where tolerance or move are finer: as no less
  than that of a coarser one;
- |z| is rounded up to the grid; log₂ p is interpolated between numbers of candidates, sizes, tolerances and moves;
- beyond the last cell of a row (p about 10⁻¹¹, or too few misses seen) p falls four fifths as fast as in its last
  cells: a heuristic, for at a fixed size log₂ p is nearly straight in n, or bends down;
- a tolerance below the finest costs one candidate for each bit, and a coarser one than the coarsest counts as that;
- a move only helps: p is at most that of `within` at the same tolerance, and that of the move at any tolerance.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from jaxtyping import Float64

from slth.construction.chances import chances, grid

Row = Float64[np.ndarray, " n"]  # log₂ of an upper estimate of p, for n = 1, 2, ..., 64


def kept_of(density: float, candidates: int) -> int:
    """k = ⌊γ n⌋, γ the decimal that was written: 0.29 of 100 is 29, though the float64 is less.

    >>> kept_of(0.29, 100), kept_of(0.2, 4)
    (29, 0)
    """
    return math.floor(Fraction(repr(density)) * candidates)


def exactly_grid() -> Float64[np.ndarray, " z"]:
    """The |z| of the table of `exactly`, ascending from 0: a coefficient of 0 is a problem like any other."""
    return _exactly().z


def exactly_chances(candidates: int, size: int, tolerance: float) -> Float64[np.ndarray, " z"]:
    """p(z, n, k, t) for every |z| of `exactly_grid`: no subset of k of n candidates within t, t in gains."""
    table = _exactly()
    bits = -math.log2(tolerance)
    finer = max(bits - table.bits[-1], 0.0)
    if not 1 <= size <= table.sizes[-1] or candidates < size:
        return np.ones(len(table.z))
    right = next(at for at, known in enumerate(table.sizes) if known >= size)
    found = table.log2_p(right, bits, float(candidates - finer))
    if table.sizes[right] > size:
        left = table.log2_p(right - 1, bits, float(candidates - finer))
        share = (table.sizes[right] - size) / (table.sizes[right] - table.sizes[right - 1])
        found = found + share * (left - found)
    return np.exp2(np.minimum(np.maximum.accumulate(found), 0.0))


def moved_chances(candidates: int, move: float, tolerance: float) -> Float64[np.ndarray, " z"]:
    """p(z, n, ε, t) for every |z| of `chances.grid`: none within t after moves of at most ε."""
    table, size = _moved(), grid()
    within = chances(candidates, tolerance)
    bits = -math.log2(move)
    if bits > table.bits[-1]:
        return within
    rows = np.searchsorted(table.z, size * (1 - 1e-12))
    found = np.maximum.accumulate(table.log2_p(0, bits, float(candidates)))[np.minimum(rows, len(table.z) - 1)]
    return np.where(size <= tolerance, 0.0, np.minimum(within, np.exp2(np.minimum(found, 0.0))))


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    z: Float64[np.ndarray, " z"]
    bits: tuple[int, ...]  # tolerance, or move, 2^-bits
    sizes: tuple[int, ...]
    cells: dict[tuple[int, int, int], Row]  # (bits, size, z), by position

    def log2_p(self, size: int, bits: float, candidates: float) -> Float64[np.ndarray, " z"]:
        """At a size of the table, any tolerance or move down to the finest, any number of candidates."""
        finer = next((at for at, known in enumerate(self.bits) if known >= bits), len(self.bits) - 1)
        found = self._rows(finer, size, candidates)
        if self.bits[finer] <= bits or finer == 0:
            return found
        coarser = self._rows(finer - 1, size, candidates)
        share = (self.bits[finer] - bits) / (self.bits[finer] - self.bits[finer - 1])
        return found + share * (np.minimum(coarser, found) - found)

    def _rows(self, at: int, size: int, candidates: float) -> Float64[np.ndarray, " z"]:
        axis = np.arange(1, 65)
        if candidates < 1:
            return np.zeros(len(self.z))
        return np.array([np.interp(candidates, axis, self.cells[at, size, row]) for row in range(len(self.z))])


@cache
def _exactly() -> _Table:
    data = json.loads((files("slth.construction") / "chances_exactly.json").read_text())
    return _read(data, tuple(data["sizes"]), data["log2_p"])


@cache
def _moved() -> _Table:
    data = json.loads((files("slth.construction") / "chances_moved.json").read_text())
    return _read(data, (0,), [[table] for table in data["log2_p"]])


def _read(data: Mapping[str, Any], sizes: tuple[int, ...], log2_p: list[Any]) -> _Table:
    known = np.array(data["candidates"], np.float64)
    cells = {
        (at, size, row): _carried_on(known, cell)
        for at, by_size in enumerate(log2_p)
        for size, by_z in enumerate(by_size)
        for row, cell in enumerate(by_z)
    }
    for at, size, row in reversed(list(cells)):
        if row + 1 < len(data["z"]):
            cells[at, size, row] = np.minimum(cells[at, size, row], cells[at, size, row + 1])
    for at, size, row in cells:
        if at:  # dictionaries keep their order: the coarser rows come first
            cells[at, size, row] = np.maximum(cells[at, size, row], cells[at - 1, size, row])
    return _Table(np.array(data["z"]), tuple(data["bits"]), sizes, cells)


def _carried_on(known: Float64[np.ndarray, " cell"], cells: list[float | None]) -> Row:
    """A row for n = 1 ... 64, falling, carried on beyond its last cell by four fifths of its last slope."""
    at = [k for k, value in enumerate(cells) if value is not None]
    n, p = known[at], np.minimum.accumulate(np.array([cells[k] for k in at], np.float64))
    axis = np.arange(1, 65, dtype=np.float64)
    found = np.interp(axis, n, p)
    left = max(len(n) - 4, 0)
    slope = (p[-1] - p[left]) / (n[-1] - n[left]) if len(n) > 1 else 0.0
    return np.where(axis > n[-1], p[-1] + 0.8 * slope * (axis - n[-1]), found)
