r"""Subsets of exactly k of n numbers: Theorem 2 of Natale et al. (2024), the counting bound, the measured truth.

Theorem 2: n >= c_hyp log2(k/eps) / H2(k/n), k <= n/2, gives every fixed z in [-sqrt k, sqrt k] a chance of at least
c_thm. Counting: C(n, k) sums cover 2 eps each, so that of z uniform on [-sqrt k, sqrt k] at most C(n, k) eps / sqrt k
are reached.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from slth import theory
from slth.records import Proportion
from slth.reproductions._figure import Figure, Panel, Series, Table
from slth.reproductions._reproduction import Conclusion, Means, Measured, Part, Reproduction, Row, Scale, Verdict
from slth.reproductions._shares import crossing, finite
from slth.subsetsum import Status, first_batch, laws

_EPSILON = 0.01
_SIZES = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20)
_COUNTS = tuple(range(4, 41, 2))
_FIXED = (0.0, 0.5, 1.0)  # targets, in units of sqrt k
_DRAWS = {Scale.SMOKE: 300, Scale.SMALL: 5_000, Scale.PAPER: 50_000}
_LEAST = 0.05  # of c_thm
_LEVELS = (1.0, 1.5, 2.0)  # of c_hyp
_OF_ALL = "C(n, k) >= (1 - delta) sqrt(k) / epsilon"  # of a target drawn from [-sqrt k, sqrt k]


def _measure(means: Means, *, k: int, draws: int, seed: int) -> dict[str, Any]:
    """Successes of each n: at targets uniform on [-sqrt k, sqrt k], and the fewest at one of the fixed targets."""
    uniform: list[int] = []
    fixed: list[int] = []
    for n in _COUNTS:
        if n < k:
            uniform.append(0)
            fixed.append(0)
            continue
        rows = laws.candidates(laws.Uniform(), (draws, n), seed=seed, path=f"fixed-size/{k}/{n}")
        z = math.sqrt(k) * laws.candidates(laws.Uniform(), (draws,), seed=seed, path=f"fixed-size/{k}/{n}/target")
        asked = [z, *(np.full(draws, share * math.sqrt(k)) for share in _FIXED)]
        hits = [
            first_batch(rows, z, tol=_EPSILON, size=k, threads=means.threads).count(Status.WITHIN_TOL) for z in asked
        ]
        uniform.append(hits[0])
        fixed.append(min(hits[1:]))
    return {"uniform": uniform, "fixed": fixed}


def _parts(scale: Scale, seed: int) -> Sequence[Part]:
    return [Part(f"k = {k}", _measure, {"k": k, "draws": _DRAWS[scale], "seed": seed}) for k in _SIZES]


def entropy_constant(n: int, k: int, epsilon: float) -> float:
    """The c_hyp that n and k allow: n H2(k/n) / log2(k/eps); 0 where k > n/2, of which Theorem 2 does not speak."""
    if not 0 < 2 * k <= n:
        return 0.0
    share = k / n
    entropy = -share * math.log2(share) - (1 - share) * math.log2(1 - share)
    return n * entropy / math.log2(k / epsilon)


def most_reached(n: int, k: int, epsilon: float) -> float:
    """The share of [-sqrt k, sqrt k] that C(n, k) sums can cover."""
    return min(1.0, math.comb(n, k) * epsilon / math.sqrt(k))


def _conclude(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    draws = measured[0].options["draws"]
    uniform = {p.options["k"]: [h / draws for h in p.outcome["uniform"]] for p in measured}
    fixed = {p.options["k"]: p.outcome["fixed"] for p in measured}
    cells = [(n, k, i) for k in _SIZES for i, n in enumerate(_COUNTS) if n >= k]
    excess = max(uniform[k][i] - most_reached(n, k, _EPSILON) for n, k, i in cells)
    slack = 4 * math.sqrt(0.25 / draws)
    least = {
        level: Proportion(min(fixed[k][i] for n, k, i in cells if entropy_constant(n, k, _EPSILON) >= level), draws)
        for level in _LEVELS
    }
    low, high = least[1.0].interval
    bounded = excess <= slack
    holds, fails = low >= _LEAST and bounded, high < _LEAST or not bounded
    verdict = Verdict.REPRODUCED if holds else Verdict.NOT_REPRODUCED if fails else Verdict.TOO_SMALL
    half = [crossing(_COUNTS, uniform[k], 0.5) for k in _SIZES]
    needed = [float(theory.bound("rfss-lower", k=k, epsilon=_EPSILON, delta=0.5).others[_OF_ALL]) for k in _SIZES]
    beyond = [n - least_n for n, least_n in zip(half, needed, strict=True) if math.isfinite(n)]
    fitted = [float(theory.bound("rfss", k=k, epsilon=_EPSILON).value) for k in _SIZES]
    enough = [_allowed(k) for k in _SIZES]
    rows = [
        Row(
            what=f"c_thm: least chance at a fixed target where c_hyp = {level:g} holds",
            ours=one.value,
            note=f"{_interval(one)}; of z = {', '.join(f'{z:g}' for z in _FIXED)} sqrt k; k <= n/2",
        )
        for level, one in least.items()
    ]
    rows.append(Row(what="largest excess of a share over the counting bound", ours=excess, note=f"noise: {slack:.2g}"))
    rows += [
        Row(
            what=f"k = {k}: n for half of the targets",
            ours=a,
            note=f"counting needs {b:g}; Theorem 2, c_hyp = 1, {c:g}, fitted {e:g}",
        )
        for k, a, b, c, e in zip(_SIZES, half, needed, enough, fitted, strict=True)
        if math.isfinite(a)
    ]
    marked = [(_SIZES.index(k), i) for n, k, i in cells if entropy_constant(n, k, _EPSILON) >= 1]
    table = Table(
        rows=tuple(map(str, _SIZES)),
        columns=tuple(map(str, _COUNTS)),
        values=tuple(
            tuple(round(s, 2) if n >= k else math.nan for n, s in zip(_COUNTS, uniform[k], strict=True)) for k in _SIZES
        ),
        marked=tuple(marked),
    )
    return Conclusion(
        verdict=verdict,
        because=f"Wherever n >= log2(k/epsilon) / H2(k/n), a fixed target is reached with a chance of at least "
        f"{least[1.0].value:.2f} (c_hyp = 1; {_interval(least[1.0])}), {least[2.0].value:.2f} with c_hyp = 2; "
        f"{'no share exceeds' if bounded else 'some shares exceed'} the counting bound. Half of the targets take "
        f"{min(beyond, default=math.nan):.1f} to {max(beyond, default=math.nan):.1f} values more than that bound asks "
        "for.",
        rows=tuple(rows),
        figures=(
            Figure(
                title="Exactly k of n numbers",
                panels=(
                    Panel(
                        title=f"share of [-√k, √k] within {_EPSILON:g}; framed: Theorem 2, c_hyp = 1",
                        x="n",
                        y="k",
                        content=table,
                    ),
                    Panel(
                        title="half of the targets",
                        x="k",
                        y="n",
                        content=(
                            finite("measured", _SIZES, half),
                            finite("Theorem 2, c_hyp fitted: enough", _SIZES, fitted, "bound"),
                            finite("Theorem 2, c_hyp = 1", _SIZES, enough, "estimate"),
                            finite("counting: needed", _SIZES, needed, "bound"),
                        ),
                    ),
                ),
            ),
            Figure(
                title="Success against n for each k",
                name="curves",
                panels=(
                    Panel(
                        title=f"z uniform on [-√k, √k], within {_EPSILON:g}",
                        x="n",
                        y="P(success)",
                        content=tuple(
                            Series(label=f"k = {k}", x=x, y=y)
                            for k in (2, 3, 4, 6, 8, 12, 16)
                            for x, y in [_kept(k, uniform[k])]
                        ),
                    ),
                ),
            ),
        ),
    )


def _interval(one: Proportion) -> str:
    low, high = one.interval
    return f"95 %: {low:.3f} to {high:.3f}"


def _kept(k: int, shares: Sequence[float]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    points = [(n, share) for n, share in zip(_COUNTS, shares, strict=True) if n >= k]
    return tuple(n for n, _ in points), tuple(share for _, share in points)


def _allowed(k: int) -> float:
    """The least n that c_hyp = 1 allows."""
    return next((n for n in range(2 * k, 400) if entropy_constant(n, k, _EPSILON) >= 1), math.inf)


REPRODUCTION = Reproduction(
    name="fixed-size",
    title="subsets of a fixed size",
    says="n >= c_hyp log2(k/epsilon) / H2(k/n) with k <= n/2 gives every fixed z in [-sqrt k, sqrt k] a subset of "
    "exactly k values within epsilon with at least a constant probability c_thm.",
    sources=("natale2024",),
    place="Theorem 2",
    settings=f"values uniform on [-1, 1], epsilon = {_EPSILON}, n = {_COUNTS[0]}, {_COUNTS[1]} ... {_COUNTS[-1]}. "
    "The source gives neither c_hyp nor c_thm; fitted is that of `slth bounds rfss`. Reproduced where every cell with "
    f"c_hyp = 1 reaches each of the fixed targets 0, sqrt(k)/2 and sqrt k with a chance of at least {_LEAST}, by the "
    "whole 95 % interval of the least, and no share of reached targets exceeds the counting bound C(n, k) epsilon / "
    "sqrt k by more than four standard errors of a half. Too small to say where that interval contains "
    f"{_LEAST}.",
    parts=_parts,
    conclude=_conclude,
)
