"""How wide must the random network be? From measured chances of a miss to a promise about the whole network.

A coefficient w misses if no subset of its n candidates sums to w/g within τ/g. `p(z, n, t)` is the measured chance of
that for z = |w|/g and t = τ/g, shipped as a table (`miss_table.json`, made by `benchmarks/miss_table.py`). By the union
bound

    P(any miss) ≤ E[misses] = Σ_w p(|w|/g, n, τ/g) ≤ δ,

also though candidates of one input share their lift values: expectations add whatever the dependence.

Beyond the table, all on the safe side but for noise: |z| is rounded up to the grid, on which p grows; one candidate
more offsets half the tolerance (measured: nearly so; the worse of the two neighbouring tolerances counts); and in n,
log p is concave, so that it falls at least as fast as the line through the last four numbers of candidates that were
seen to miss often enough to be measured, with the shallowest slope of all tolerances.

Of more than 40 candidates the solver looks at 2⁴² subsets only: a tolerance under about 2⁻³⁷ gains is out of reach.

First moments say nothing here: 2ⁿ subsets cover a target many times over on average long before all of 10⁵ targets are
covered in one draw.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from jaxtyping import Float64, Int64

from slth._errors import InputError
from slth._shapes import Signed
from slth.graph import Affine, Target
from slth.ticket import MOST_CANDIDATES

_SEARCHED, _LOOKED_AT = 40, 2.0**42  # `subsetsum.first`: all subsets of so many values, of more values so many subsets
_SEEN = 50  # misses that make a measured chance trustworthy to 14 %


@dataclass(frozen=True, slots=True)
class Width:
    """What the random network of one map needs."""

    tolerance: float  # τ of its coefficients
    gain: float  # g
    bias_gain: float  # g_b
    candidates: int  # n per coefficient and half
    constants: int  # n_c for the bias; 0 without one
    expected_misses: float


def gain(coefficients: Float64[np.ndarray, "..."]) -> float:
    """g, the smallest power of two that is at least 1.5 max|w|; 1 for zeros.

    >>> gain(np.array([0.32, -0.1])), gain(np.array([0.0]))
    (0.5, 1.0)
    """
    largest = 1.5 * float(np.max(np.abs(coefficients), initial=0.0))
    if largest == 0.0:
        return 1.0
    mantissa, exponent = math.frexp(largest)
    return math.ldexp(1.0, exponent - 1 if mantissa == 0.5 else exponent)


def miss_probability(
    z: Float64[np.ndarray, " count"], candidates: int, tolerance: float
) -> Float64[np.ndarray, " count"]:
    """p(z, n, t): the chance that no subset of n candidates u·v reaches z within t; an upper estimate.

    Args:
        z: targets in units of the gain, |z| ≤ 2/3. Those with |z| ≤ t never miss.
        candidates: n.
        tolerance: t > 0, in units of the gain.
    """
    table = _table()
    size = np.abs(z)
    row = np.minimum(np.searchsorted(table.z, size * (1 - 1e-12)), len(table.z) - 1)
    return np.where(size <= tolerance, 0.0, table.chances(candidates, tolerance)[row])


def plan_width(
    affine: Affine,
    tolerance: float,
    *,
    signed: Signed,
    failure: float,
    candidates: int | None = None,
    extra: int = 0,
) -> Width:
    """The fewest candidates with at most `failure` expected misses in one map.

    Args:
        tolerance: τ.
        signed: inputs that can be negative; their coefficients are two problems each.
        failure: expected misses allowed; weights and bias get half of it each if there are both.
        candidates: n, if it is given rather than planned.
        extra: candidates on top of that, up to 64 in all.

    Raises:
        InputError: more than 64 candidates would be needed.
    """
    gains = gain(affine.weight), 1.0 if affine.bias is None else gain(affine.bias)
    sizes = np.abs(affine.weight)
    problems = np.concatenate([sizes.ravel(), sizes[:, signed].ravel()])
    share = failure if affine.bias is None else failure / 2
    n, missed = _fewest(problems / gains[0], tolerance / gains[0], share, candidates, extra)
    if affine.bias is None:
        return Width(tolerance, *gains, n, 0, missed)
    n_c, missed_bias = _fewest(np.abs(affine.bias) / gains[1], tolerance / gains[1], share, candidates, extra)
    return Width(tolerance, *gains, n, n_c, missed + missed_bias)


def plan_widths(
    target: Target,
    tolerances: Mapping[str, float],
    *,
    signed: Mapping[str, Signed],
    failure_probability: float,
    candidates: int | None = None,
    extra: int = 0,
) -> dict[str, Width]:
    """The width of every map so that P(any miss in the network) ≤ failure_probability, as far as the table is true.

    The allowance is shared among the maps by their numbers of coefficients. Other arguments by map, as `plan_width`.
    """
    sizes = {path: op.weights for path, op in target.graph.maps.items()}
    return {
        path: plan_width(
            affine,
            tolerances[path],
            signed=signed[path],
            failure=failure_probability * sizes[path] / sum(sizes.values()),
            candidates=candidates,
            extra=extra,
        )
        for path, affine in target.coefficients.items()
    }


def finest_tolerance(affine: Affine, *, signed: Signed, failure: float) -> float:
    """The finest tolerance that 64 candidates reach with at most `failure` expected misses, to a factor of 2.

    Other arguments as for `plan_width`.
    """
    top = gain(affine.weight if affine.bias is None else np.concatenate([affine.weight.ravel(), affine.bias]))
    coarse, fine = 0, 47  # powers of two below the gain: sums are multiples of 2⁻⁴⁶, so nothing is finer
    while fine - coarse > 1:
        middle = (coarse + fine) // 2
        try:
            plan_width(affine, top * 2.0**-middle, signed=signed, failure=failure)
            coarse = middle
        except InputError:
            fine = middle
    return top * 2.0**-coarse


def first_moment(z: float, tolerance: float) -> int:
    """Fewest n with one subset expected within t of z: 2ⁿ · 2t · N(z; 0, n E[x²]/2) ≥ 1. A rule of thumb, no bound.

    For u uniform on [½, 1], v on [−1, 1]: E[x²] = 7/36. Over values and subset, a subset sum has mean 0 and variance
    n E[x²]/2 = 7n/72.
    """
    for n in range(1, MOST_CANDIDATES + 1):
        variance = n * 7 / 72
        normal = math.exp(-z * z / (2 * variance)) / math.sqrt(2 * math.pi * variance)
        if n + math.log2(2 * tolerance * normal) >= 0:
            return n
    return MOST_CANDIDATES


def theorem(tolerance: float, failure: float) -> float:
    r"""What the theorem asks for, in units of its constant: n / C = ln(2 / min{t, δ'}).

    For n ≥ C ln(2 / min{t, δ'}) random candidates, with probability at least 1 − δ' every target in [−1, 1] has a
    subset sum within t. C is universal and not known numerically: the formula says how a width grows, not what it is.

    Args:
        tolerance: t > 0, in units of the gain.
        failure: δ' > 0, the chance of a miss allowed to one subset-sum problem.

    Sources: Lueker (1998), corollary 3.3; in this form Pensia et al. (2020).

    >>> round(theorem(1e-3, 2e-8), 2), round(theorem(1e-3, 0.5), 2)
    (18.42, 7.6)
    """
    return math.log(2 / min(tolerance, failure))


def _fewest(z: np.ndarray, tolerance: float, failure: float, candidates: int | None, extra: int) -> tuple[int, float]:
    """The fewest candidates for at most `failure` expected misses, plus `extra`, and the misses then expected."""
    table = _table()
    alive = z[z > tolerance]
    rows = np.minimum(np.searchsorted(table.z, alive * (1 - 1e-12)), len(table.z) - 1)
    counts = np.bincount(rows, minlength=len(table.z))

    def missed(n: int) -> float:
        return float(counts @ table.chances(n, tolerance))

    n = candidates
    if n is None:
        n = next((n for n in range(1, MOST_CANDIDATES + 1) if missed(n) <= failure), None)
    if n is None:
        raise InputError(
            f"a tolerance of {tolerance:.2g} gains needs more than {MOST_CANDIDATES} candidates, or a longer search, "
            f"for an expected {failure:.2g} misses; ask for a larger tolerance or a larger failure probability"
        )
    n = min(n + extra, MOST_CANDIDATES)
    return n, missed(n)


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
    bits: tuple[int, ...]
    extra: tuple[int, ...]
    log2_p: Float64[np.ndarray, "tolerance z n"]  # log2 of the measured chance
    slope: Float64[np.ndarray, "tolerance z"]  # per candidate, beyond the last trusted n
    last: Int64[np.ndarray, "tolerance z"]  # index of the last trusted n

    def chances(self, candidates: int, tolerance: float) -> Float64[np.ndarray, " z"]:
        """p for every z of the grid: the larger one by the next coarser and the next finer tolerance of the table."""
        wanted = max(-math.log2(tolerance), float(self.bits[0]))
        coarser = max(sum(bits <= wanted for bits in self.bits) - 1, 0)
        finer = min(coarser + 1, len(self.bits) - 1)
        extra = candidates - wanted
        log2_p = np.maximum(self._row(coarser, extra), self._row(finer, extra))
        chances = np.where(extra < self.extra[0], 1.0, np.exp2(np.minimum(log2_p, 0.0)))
        return np.maximum(chances, _overlooked(candidates, tolerance))

    def _row(self, at: int, extra: float) -> Float64[np.ndarray, " z"]:
        """log2 p at one tolerance: between measured numbers of candidates, or along the tail."""
        found = np.empty(len(self.z))
        for row, known in enumerate(self.last[at]):
            if extra <= self.extra[known]:
                found[row] = np.interp(extra, self.extra[: known + 1], self.log2_p[at, row, : known + 1])
            else:
                found[row] = self.log2_p[at, row, known] + self.slope[at, row] * (extra - self.extra[known])
        return found


@cache
def _table() -> _Table:
    data = json.loads((files("slth.construction") / "miss_table.json").read_text())
    misses = np.array(data["misses"], np.float64)
    extra = tuple(data["extra"])
    log2_p = np.log2(np.maximum(misses, 0.5) / data["samples"])
    last = np.maximum((misses >= _SEEN).sum(axis=2) - 1, 1)
    slope = np.zeros(last.shape)
    for at in np.ndindex(last.shape):
        fitted = slice(max(int(last[at]) - 3, 0), int(last[at]) + 1)
        slope[at] = min(np.polyfit(extra[fitted], log2_p[at][fitted], 1)[0], 0.0)
    slope[1:] = slope[1:].max(axis=0)  # the shallowest; at the coarsest tolerance some z never miss
    return _Table(np.array(data["z"]), tuple(data["bits"]), extra, log2_p, slope, last)
