"""How wide must the random network be? From chances of a miss to a promise about the whole network.

A coefficient w misses if no subset of its n candidates sums to w/g within τ/g. `p(z, n, t)` is the measured chance of
that for z = |w|/g and t = τ/g, an upper estimate (`chances`). By the union bound

    P(any miss) ≤ E[misses] = Σ_w p(|w|/g, n, τ/g) ≤ δ,

also though candidates of one input share their lift values: expectations add whatever the dependence. The sum runs over
the table's |z| and needs no more of the weights than how many there are of each size (`sizes`), so that a network can
be planned that exists as a shape only. Beside it stands the same sum by the law in closed form (`law`).

Tolerances that are finer than one stage takes cheaply are shared by several, see `stages`.

First moments say nothing here: 2ⁿ subsets cover a target many times over on average long before all of 10⁵ targets are
covered in one draw.
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float64

from slth._errors import InputError
from slth._shapes import Signed
from slth.construction.chances import chances, check_source, grid
from slth.construction.law import miss_law
from slth.construction.needs import Needs
from slth.construction.sizes import Sizes, sizes_of
from slth.construction.stages import FINEST, StagePlan, later_stage, plan_stages, share_bits
from slth.graph import Affine
from slth.ticket import MOST_CANDIDATES


@dataclass(frozen=True, slots=True)
class StageWidth:
    """What one stage needs."""

    gain: float  # g
    bias_gain: float  # g_b
    candidates: int  # n per coefficient and half
    constants: int  # n_c for the bias; 0 without one


@dataclass(frozen=True, slots=True)
class Width:
    """What the random network of one map needs; gains and candidates are those of its first stage."""

    tolerance: float  # τ of its coefficients
    gain: float  # g
    bias_gain: float  # g_b
    candidates: int  # n per coefficient and half
    constants: int  # n_c for the bias; 0 without one
    expected_misses: float  # of all stages, those that are mended not counted
    law_misses: float | None  # the same by the law in closed form, of the first stage; None: there is none
    later: tuple[StageWidth, ...] = ()
    size: int = 0  # K of the grid on which random numbers lie, where they lie on one

    @property
    def half_step(self) -> float:
        """τ; on a grid, where that is 0, half a step of the products: within it a sum is the target itself."""
        return self.tolerance or self.gain * 2.0 ** (-2 * self.size - 1)

    @property
    def stages(self) -> tuple[StageWidth, ...]:
        """All of them."""
        return StageWidth(self.gain, self.bias_gain, self.candidates, self.constants), *self.later

    def at_most(self, candidates: int) -> "Width":
        """The same with no more candidates than that in any stage."""
        later = tuple(
            replace(s, candidates=min(s.candidates, candidates), constants=min(s.constants, candidates))
            for s in self.later
        )
        n, n_c = min(self.candidates, candidates), min(self.constants, candidates)
        return replace(self, candidates=n, constants=n_c, later=later)


def gain(coefficients: Float64[np.ndarray, "..."]) -> float:
    """g, the smallest power of two that is at least 1.5 max|w|; 1 for zeros.

    >>> gain(np.array([0.32, -0.1])), gain(np.array([0.0]))
    (0.5, 1.0)
    """
    return gain_of(float(np.max(np.abs(coefficients), initial=0.0)))


def gain_of(largest: float) -> float:
    """The same of max|w|."""
    if largest == 0.0:
        return 1.0
    mantissa, exponent = math.frexp(1.5 * largest)
    return math.ldexp(1.0, exponent - 1 if mantissa == 0.5 else exponent)


def plan_width(
    affine: Affine,
    tolerance: float,
    *,
    signed: Signed,
    failure: float,
    candidates: int | None = None,
    extra: int = 0,
    source: str = "uniform",
) -> Width:
    """The fewest candidates with at most `failure` expected misses in one map.

    Args:
        tolerance: τ.
        signed: inputs that can be negative; their coefficients are two problems each.
        failure: expected misses allowed; weights and bias get half of it each if there are both.
        candidates: n, if it is given rather than planned.
        extra: candidates on top of that, in every stage, up to 64 of each.
        source: of the random numbers, see `chances`.

    Raises:
        InputError: float64 holds no such tolerance beside these weights, or more than 64 candidates would be needed in
            any number of stages; says which tolerance is in reach.
    """
    return plan_sizes(
        *affine_sizes(affine, signed), tolerance, failure=failure, candidates=candidates, extra=extra, source=source
    )


def plan_sizes(
    weights: Sizes,
    bias: Sizes | None,
    tolerance: float,
    *,
    failure: float,
    candidates: int | None = None,
    extra: int = 0,
    source: str = "uniform",
    one_stage: bool = False,
) -> Width:
    """The same of a map of which only the sizes of its coefficients are known; `one_stage`: the gadget has no more."""
    g, top = gain_of(weights.largest), _top(weights, bias)
    finer = candidates is None and tolerance < top * 2.0 ** -(FINEST + 1)
    found = None if finer else _width(weights, bias, tolerance, failure, candidates, extra, source, one_stage)
    if found is not None:
        return found
    finest = _finest(weights, bias, failure, source, one_stage)
    stages = "the one stage that there is" if one_stage else "any number of stages"
    why = (
        "is finer than float64 holds beside coefficients of that size"
        if finer
        else f"needs more than {MOST_CANDIDATES} candidates, in {stages}, for an expected {failure:.2g} misses"
    )
    raise InputError(
        f"a tolerance of {tolerance / g:.2g} gains {why}; ask for a larger tolerance ({finest / g:.2g} gains, "
        f"{finest:.2g}, is in reach here)" + ("" if finer else " or a larger failure probability")
    )


def plan_needs(needs: Needs, *, one_stage: bool = False, source: str = "uniform") -> Width:
    """The same of what one map needs."""
    return plan_sizes(
        needs.weights,
        needs.bias,
        needs.tolerance,
        failure=needs.failure,
        candidates=needs.candidates,
        extra=needs.extra,
        one_stage=one_stage,
        source=source,
    )


def finest_tolerance(
    affine: Affine, *, signed: Signed, failure: float, source: str = "uniform", one_stage: bool = False
) -> float:
    """The finest tolerance in reach with at most `failure` expected misses, to a factor of 2.

    Other arguments as for `plan_sizes`.
    """
    return _finest(*affine_sizes(affine, signed), failure, source, one_stage)


def affine_sizes(affine: Affine, signed: Signed) -> tuple[Sizes, Sizes | None]:
    """The problems of a map: those of its weights, twice where an input can be negative; and those of its bias."""
    return sizes_of(affine.weight, signed), None if affine.bias is None else sizes_of(affine.bias)


def _width(
    weights: Sizes,
    bias: Sizes | None,
    tolerance: float,
    failure: float,
    candidates: int | None,
    extra: int,
    source: str,
    one_stage: bool = False,
) -> Width | None:
    """None: more than 64 candidates are needed."""
    g, g_b = gain_of(weights.largest), 1.0 if bias is None else gain_of(bias.largest)
    share = failure if bias is None else failure / 2
    if one_stage or source != "uniform":
        return _in_one_stage(weights, bias, tolerance, (g, g_b), share, candidates, extra, source)
    of_weights = _Coefficients(weights, g, tolerance, candidates, extra)
    stages = of_weights.stages(share)
    if stages is None:
        return None
    of_bias, constants = None, None
    if bias is not None:
        of_bias = _Coefficients(bias, g_b, tolerance, candidates, extra)
        constants = of_bias.in_stages(len(stages), share)
        if constants is None:
            return None
    missed = sum(stage.expected_misses for stage in (*stages, *(constants or ())))
    law = of_weights.by_law(stages[0]) + (of_bias.by_law(constants[0]) if of_bias and constants else 0.0)
    later: list[StageWidth] = []
    for s in range(1, len(stages)):
        gain = g * 2.0 ** -sum(stage.bits for stage in stages[:s])
        bias_gain = g_b * 2.0 ** -sum(stage.bits for stage in constants[:s]) if constants else 1.0
        later.append(StageWidth(gain, bias_gain, stages[s].candidates, constants[s].candidates if constants else 0))
    n_c = constants[0].candidates if constants else 0
    return Width(tolerance, g, g_b, stages[0].candidates, n_c, missed, law, tuple(later))


@dataclass(frozen=True, slots=True, eq=False)
class _Coefficients:
    """The weights of a map, or its biases, before their stages are planned."""

    sizes: Sizes
    gain: float
    tolerance: float
    candidates: int | None  # given
    extra: int
    known: dict[float, np.ndarray] = field(default_factory=dict[float, np.ndarray])  # counts, by tolerance

    @property
    def bits(self) -> float:
        """log2(g / 2τ)."""
        return math.log2(self.gain / self.tolerance) - 1.0

    def stages(self, failure: float) -> tuple[StagePlan, ...] | None:
        """As many stages as cost least."""
        counts = self._counts(self.gain * 2.0**-FINEST)
        return plan_stages(
            float(counts.sum()),
            self.bits,
            failure=failure,
            first=lambda bits, share: self._first(bits, share, counts),
            candidates=self.candidates,
            extra=self.extra,
        )

    def in_stages(self, count: int, failure: float) -> tuple[StagePlan, ...] | None:
        """Bits shared by so many."""
        counts = self._counts(self.gain * 2.0**-FINEST)
        bits, share = share_bits(self.bits, count), failure / count
        rests, n, extra = float(counts.sum()), self.candidates, self.extra
        later = [later_stage(rests, each, failure=share, candidates=n, extra=extra) for each in bits[1:]]
        known = tuple(stage for stage in (self._first(bits[0], share, counts), *later) if stage is not None)
        return known if len(known) == count else None

    def by_law(self, first: StagePlan) -> float:
        """Misses of the first stage by the law in closed form."""
        t = self._tolerance(first.bits) / self.gain
        return float(self._counts(self._tolerance(first.bits)) @ miss_law(grid(), first.candidates, t))

    def _first(self, bits: float, failure: float, counts: Float64[np.ndarray, " z"]) -> StagePlan | None:
        """The fewest candidates for at most `failure` expected misses, plus `extra`; `counts` of all coefficients."""
        tolerance = self._tolerance(bits)
        own = self._counts(tolerance) if bits == self.bits else counts

        def missed(n: int) -> float:
            return float(own @ chances(n, tolerance / self.gain))

        n = self.candidates
        if n is None:
            n = next((n for n in range(1, MOST_CANDIDATES + 1) if missed(n) <= failure), None)
        if n is None:
            return None
        n = min(n + self.extra, MOST_CANDIDATES)
        return StagePlan(bits, n, missed(n))

    def _tolerance(self, bits: float) -> float:
        """τ of a first stage: that of the map, where it is the only one."""
        return self.tolerance if bits == self.bits else self.gain * 2.0 ** (-bits - 1)

    def _counts(self, tolerance: float) -> Float64[np.ndarray, " z"]:
        if tolerance not in self.known:
            self.known[tolerance] = self.sizes.by_row(self.gain, tolerance)
        return self.known[tolerance]


def _top(weights: Sizes, bias: Sizes | None) -> float:
    """The largest gain."""
    return gain_of(max(weights.largest, 0.0 if bias is None else bias.largest))


def _finest(weights: Sizes, bias: Sizes | None, failure: float, source: str, one_stage: bool = False) -> float:
    top = _top(weights, bias)
    coarse, fine = 0, FINEST + 2  # powers of two below the gain

    def reaches(tolerance: float) -> bool:
        return _width(weights, bias, tolerance, failure, None, 0, source, one_stage) is not None

    if source == "uniform" and reaches(top * 2.0 ** -(fine - 1)):
        return top * 2.0 ** -(fine - 1)
    while fine - coarse > 1:
        middle = (coarse + fine) // 2
        if not _is_known(source, 2.0**-middle) or not reaches(top * 2.0**-middle):
            fine = middle
        else:
            coarse = middle
    return top * 2.0**-coarse


def _in_one_stage(
    weights: Sizes,
    bias: Sizes | None,
    tolerance: float,
    gains: tuple[float, float],
    failure: float,
    candidates: int | None,
    extra: int,
    source: str,
) -> Width | None:
    """Of a gadget or a source without stages: what one leaves was measured for uniform numbers only."""
    n, missed, by_law = _fewest(weights, gains[0], tolerance, failure, candidates, extra, source)
    if bias is None:
        return None if n is None else Width(tolerance, *gains, n, 0, missed, by_law)
    n_c, missed_bias, bias_by_law = _fewest(bias, gains[1], tolerance, failure, candidates, extra, source)
    if n is None or n_c is None:
        return None
    return Width(tolerance, *gains, n, n_c, missed + missed_bias, by_law + bias_by_law)


def _is_known(source: str, tolerance: float) -> bool:
    """Whether chances of a miss are known at this tolerance, in gains."""
    try:
        check_source(source, tolerance)
    except InputError:
        return False
    return True


def _fewest(
    sizes: Sizes, gain: float, tolerance: float, failure: float, candidates: int | None, extra: int, source: str
) -> tuple[int | None, float, float]:
    """The fewest candidates for at most `failure` expected misses, plus `extra`; the misses then expected, twice.

    Where the candidates are given, misses of a source without a table are not expected but unknown: NaN.
    """
    t = tolerance / gain
    if candidates is not None and not _is_known(source, t):
        return min(candidates + extra, MOST_CANDIDATES), math.nan, math.nan
    counts = sizes.by_row(gain, tolerance, source)

    def missed(n: int) -> float:
        return float(counts @ chances(n, t, source))

    n = candidates
    if n is None:
        n = next((n for n in range(1, MOST_CANDIDATES + 1) if missed(n) <= failure), None)
    if n is None:
        return None, math.inf, math.inf
    n = min(n + extra, MOST_CANDIDATES)
    return n, missed(n), float(counts @ miss_law(grid(source), n, t, source=source))
