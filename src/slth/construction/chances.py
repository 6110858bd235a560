r"""The measured chance p(z, n, t) of a miss, as tables that err upwards: one for each source of random numbers.

A *source* is a law of the random numbers (`numerics.source_law`), or `centred`: mirrored pairs of U[−1, 1). The tables
`miss_tables/LAW.json` (made by `benchmarks/miss_table.py`) hold p and its standard error for |z| up to 2/3, tolerances
2⁻ᵏ and numbers of candidates, down to p of about 10⁻¹⁰. The objectives within, closest and fewest reach the same sums
and share them. What is read from a table is meant as an upper estimate:

- a cell counts as p plus two standard errors; where that error is over a quarter of p (of the pairs, over a half), or
  no miss was seen, the cell says nothing, and the last cell before it is carried on: along the law in closed form
  (`law`) where there is one, else along the slope of the two cells before, for log p falls faster and faster;
- p falls in n, rises in |z| and falls in t: each cell counts as the largest of those that cannot exceed it. Of pairs
  z = 0 is apart, and the worst: sums come as ±, so that half of them are new. It stands for |z| ≤ t, where the interval
  around z and its mirror image meet;
- |z| is rounded up to the grid; between tolerances and numbers of candidates log p is interpolated, for it is nearly
  straight there; a tolerance above the coarsest one counts as that.

Beyond a table: more candidates follow the law or the slope, too. A tolerance under the finest one costs one candidate
for each bit, and half of log₂ n of both, for subset sums spread like √n.

Without tables of their own:

- `pruned/P`: k of n candidates survive, k is binomial, and zeros change no subset sum: p = Σ_k B(k; n, P) p_uniform(k),
  no more and no less. `mixture/P/OTHER`: the same as an upper estimate, the others left unused (Lueker, 1998, corollary
  3.3): measured, it is 5 to 200 times too large;
- `grid/K`: as uniform, for tolerances of 2⁻ᴷ gains and more.

Of more than 40 candidates the solver looks at 2⁴² subsets only: a tolerance under about 2⁻³⁷ gains is out of reach of
one stage.
"""

import json
import math
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

import numpy as np
from jaxtyping import Float64

from slth._errors import InputError
from slth.construction.law import LIVE, binomial, log2_law
from slth.numerics import source_law
from slth.ticket import MOST_CANDIDATES

CENTRED = "centred"
MEASURED = ("uniform", "normal/20", "hyperbolic/4", "hyperbolic/8", CENTRED)
_SEARCHED, _LOOKED_AT = 40, 2.0**42  # `subsetsum.first`: all subsets of so many values, of more values so many subsets
_NEVER = -1e9  # log2 of a chance of 0
_TRUSTED = 0.25  # standard error of a cell that says something, as a share of it
_TRUSTED_PAIRS = 0.5


def miss_probability(
    z: Float64[np.ndarray, " count"], candidates: int, tolerance: float, *, source: str = "uniform"
) -> Float64[np.ndarray, " count"]:
    """p(z, n, t): the chance that no subset of n candidates u·v reaches z within t; an upper estimate.

    Args:
        z: targets in units of the gain, |z| ≤ 2/3. Those with |z| ≤ t never miss, but for pairs: none of them is empty.
        candidates: n; of `centred`, pairs.
        tolerance: t > 0, in units of the gain.
        source: a law, or `centred`.

    Raises:
        InputError: nothing is known of this source, or of this tolerance of it.
    """
    size = np.abs(z)
    cells = chances(candidates, tolerance, source)
    return np.where(size <= tolerance, cells[0] if source == CENTRED else 0.0, cells[rows_of(size, source)])


def check_source(source: str, tolerance: float) -> None:
    """Refuse a source of which no chances are known.

    Raises:
        InputError: what to try.
    """
    if source in MEASURED or source_law(source).uniform > 0:
        return
    kind, _, size = source.partition("/")
    if kind == "sign":
        raise InputError("sums of signs are whole gains and come near no weight; take another law, such as uniform")
    if kind == "hyperbolic":
        known = ", ".join(name for name in MEASURED if name.startswith("hyperbolic"))
        raise InputError(
            f"chances of a miss were measured for {known}, not for {source}; give --candidates, or one of those"
        )
    if tolerance < 2.0 ** -int(size):
        raise InputError(
            f"{source} is planned for tolerances of 2**-{size} gains and more, got {tolerance:.2g}; take a finer grid, "
            "or give --candidates"
        )


def grid(source: str = "uniform") -> Float64[np.ndarray, " z"]:
    """The |z| of the table, ascending."""
    return _table(_base(source)).z


def rows_of(size: Float64[np.ndarray, " count"], source: str = "uniform") -> np.ndarray:
    """Which |z| of the table stand for some sizes: the next larger one, or the largest."""
    edges = grid(source)
    return np.minimum(np.searchsorted(edges, size * (1 - 1e-12)), len(edges) - 1)


def chances(candidates: int, tolerance: float, source: str = "uniform") -> Float64[np.ndarray, " z"]:
    """p for every |z| of the grid; 0 where |z| ≤ t in every cell that it comes from, but for pairs."""
    check_source(source, tolerance)
    share = 1.0 if source in MEASURED else source_law(source).uniform
    if not 0 < share < 1:
        return _of_table(candidates, tolerance, _base(source))
    alive = np.arange(candidates + 1)
    each = _of_every_number(tolerance)[np.minimum(alive, MOST_CANDIDATES)]
    return np.minimum(binomial(candidates, share) @ each, 1.0)


@lru_cache(maxsize=64)
def _of_every_number(tolerance: float) -> Float64[np.ndarray, "n z"]:
    """Of 0, 1, ..., 64 uniform candidates; with none at all only |z| ≤ t is reached."""
    none = np.where(grid() <= tolerance, 0.0, 1.0)
    return np.array([none, *(_of_table(n, tolerance, "uniform") for n in range(1, MOST_CANDIDATES + 1))])


def _base(source: str) -> str:
    """The source whose table is read."""
    return source if source in MEASURED else "uniform"


def _of_table(candidates: int, tolerance: float, source: str) -> Float64[np.ndarray, " z"]:
    found = np.exp2(np.minimum(_table(source).log2_p(float(candidates), -math.log2(tolerance)), 0.0))
    return np.maximum(found, _overlooked(candidates, tolerance, source))


def _overlooked(candidates: int, tolerance: float, source: str) -> float:
    """The chance that no subset within the tolerance is among those that the solver looks at; 0 if it looks at all."""
    if candidates <= _SEARCHED:
        return 0.0
    square = LIVE["uniform" if source == CENTRED else source].square
    deviation = math.sqrt(candidates * square / 4)  # of a sum of half of the values, see `first_moment`
    if source == CENTRED:
        deviation *= 2  # of Σ ±x
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
        return _rising(between, self.z)

    def _row(self, at: int, candidates: float) -> Float64[np.ndarray, " z"]:
        """At one tolerance of the table."""
        if candidates < self.candidates[0]:
            return np.zeros(len(self.z))
        cells = self.cells[at]
        right = max(int(np.searchsorted(self.candidates, candidates)), 1)
        left, step = self.candidates[right - 1], self.candidates[right] - self.candidates[right - 1]
        return cells[:, right - 1] + (candidates - left) / step * (cells[:, right] - cells[:, right - 1])


@cache
def _table(source: str) -> _Table:
    data = json.loads((files("slth.construction") / f"miss_tables/{source.replace('/', '-')}.json").read_text())
    z, bits, candidates = np.array(data["z"]), tuple(data["bits"]), np.array(data["candidates"], np.float64)
    beyond = np.arange(candidates[-1] + 1, MOST_CANDIDATES + 1)
    chance, error = (
        np.pad(np.array(data[name]), ((0, 0), (0, 0), (0, len(beyond)))) for name in ("chance", "error")
    )  # never seen: carried on
    candidates = np.concatenate([candidates, beyond])
    return _Table(z, bits, candidates, _upper(chance, error, z, bits, candidates, source))


def _upper(
    chance: Float64[np.ndarray, "tolerance z n"],
    error: Float64[np.ndarray, "tolerance z n"],
    z: Float64[np.ndarray, " z"],
    bits: tuple[int, ...],
    candidates: Float64[np.ndarray, " n"],
    source: str = "uniform",
) -> Float64[np.ndarray, "tolerance z n"]:
    """log2 of p + 2 standard errors, carried on from the first cell that says nothing; monotone."""
    with np.errstate(divide="ignore"):
        cells = np.minimum(np.log2(chance + 2 * error), 0.0)
    trusted = _TRUSTED_PAIRS if source == CENTRED else _TRUSTED
    for at, row in np.ndindex(cells.shape[:2]):
        tolerance = 2.0 ** -bits[at]
        if z[row] <= tolerance and source != CENTRED:
            cells[at, row] = _NEVER
            continue
        unsure = np.flatnonzero(~(error[at, row] <= trusted * chance[at, row]) | (chance[at, row] == 0))
        if len(unsure):
            last = int(unsure[0]) - 1  # the first cells have many misses
            carried = _carried(cells[at, row], last, float(z[row]), tolerance, candidates, source)
            cells[at, row, last + 1 :] = cells[at, row, last] + carried
    falling = np.maximum.accumulate(cells[:, :, ::-1], axis=2)[:, :, ::-1]
    return np.maximum.accumulate(_rising(falling, z), axis=0)


def _rising(cells: Float64[np.ndarray, "..."], z: Float64[np.ndarray, " z"]) -> Float64[np.ndarray, "..."]:
    """The largest up to each |z|, which is the last axis or the one before; z = 0 is apart."""
    axis, apart = (0 if cells.ndim == 1 else 1), int(z[0] == 0.0)
    parts = np.split(cells, [apart], axis=axis)
    return np.concatenate([parts[0], np.maximum.accumulate(parts[1], axis=axis)], axis=axis)


def _carried(
    cells: Float64[np.ndarray, " n"],
    last: int,
    z: float,
    tolerance: float,
    candidates: Float64[np.ndarray, " n"],
    source: str,
) -> Float64[np.ndarray, " beyond"]:
    """How much log p falls beyond the last cell that says something."""
    if source in LIVE and LIVE[source].density is not None:
        law = log2_law(z, candidates, tolerance, source)
        return law[last + 1 :] - law[last]
    slope = (cells[last] - cells[last - 1]) / (candidates[last] - candidates[last - 1]) if last else 0.0
    return min(slope, 0.0) * (candidates[last + 1 :] - candidates[last])
