r"""Integers at n about log2 M: does the chance that no subset hits a target exactly really decay exponentially?

x_i uniform on ±1 ... ±M, an integer target in [-M, M]. Kumar and Natale (2025): with log2(M)/n < 1 an exact subset
exists with probability 1 - O(n^(-1/7)). The unified framework (2026) says 1 - 2 exp(-(n - C log(M + 1))^2 / (kappa n))
of all targets at once. Which of them is seen near n = log2 M?

What to expect: of 2^n subsets a share 1 / (M sqrt n) hits a target in the middle of their range, but the target lies g
deviations off, g nearly normal, and none hits where g^2/2 > (n - log2 M) ln 2: with a chance of about 2^-(n - log2 M).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from slth.records import Proportion
from slth.reproductions._figure import Figure, Panel, Series
from slth.reproductions._reproduction import Conclusion, Means, Measured, Part, Reproduction, Row, Scale, Verdict
from slth.subsetsum import Status, first_batch, laws, worst_error

_BITS = (5, 8, 11)  # log2 M
_SURPLUS = {Scale.SMOKE: tuple(range(-2, 9)), Scale.SMALL: tuple(range(-2, 12))}  # n - log2 M
_RATIOS = (0.5, 0.7, 0.9, 1.0)  # log2(M) / n
_COUNTS = {Scale.SMOKE: (8, 12, 16, 20), Scale.SMALL: tuple(range(8, 25, 2))}
_DRAWS = {Scale.SMOKE: 4_000, Scale.SMALL: 100_000}
_WORK = {Scale.SMOKE: 3e8, Scale.SMALL: 4e9}  # sums listed where all targets are asked for, at most, in one part
_HITS = 20  # failures that a cell needs to count in a fit
_LEAST_RATE = 0.3  # of exp(-rate n), for the verdict
_DIFFERENCE = 4.0  # of two chi², which noise alone seldom makes
_FITS = 3  # at least, for a verdict


def _one(means: Means, *, n: int, largest: int, draws: int, seed: int) -> int:
    """How often one target, uniform on ±1 ... ±M, is no subset sum."""
    rows = laws.candidates(laws.Integers(largest), (draws, n), seed=seed, path=f"integers/{n}/{largest}")
    targets = laws.candidates(laws.Integers(largest), (draws,), seed=seed, path=f"integers/{n}/{largest}/target")
    return draws - first_batch(rows, targets, tol=0.25, threads=means.threads).count(Status.WITHIN_TOL)


def _surplus(means: Means, *, bits: int, surplus: Sequence[int], draws: int, work: float, seed: int) -> dict[str, Any]:
    """Failures at M = 2^bits for n = bits + surplus: of one target, and of all in [-M, M] at once."""
    largest = 2**bits
    one = [_one(means, n=bits + s, largest=largest, draws=draws, seed=seed) for s in surplus]
    some: list[int] = []
    every: list[int] = []
    for s in surplus:
        n = bits + s
        tried = int(min(draws, work / len(surplus) / 2**n))
        rows = laws.candidates(laws.Integers(largest), (tried, n), seed=seed, path=f"integers/all/{n}/{largest}")
        # sums are whole numbers: all targets are hit if and only if no real number is further than a half from a sum
        every.append(sum(worst_error(row, low=-largest, high=largest).error > 0.5 for row in rows))
        some.append(tried)
    return {"one": one, "all": every, "tried": some}


def _ratio(means: Means, *, ratio: float, counts: Sequence[int], draws: int, seed: int) -> dict[str, Any]:
    """Failures of one target at M = 2^(ratio n)."""
    return {"one": [_one(means, n=n, largest=round(2 ** (ratio * n)), draws=draws, seed=seed) for n in counts]}


def _parts(scale: Scale, seed: int) -> Sequence[Part]:
    if scale is Scale.PAPER:
        return []
    shared = {"draws": _DRAWS[scale], "seed": seed}
    return [
        *(
            Part(f"M = 2^{b}", _surplus, {"bits": b, "surplus": list(_SURPLUS[scale]), "work": _WORK[scale]} | shared)
            for b in _BITS
        ),
        *(
            Part(f"log2 M = {ratio:g} n", _ratio, {"ratio": ratio, "counts": list(_COUNTS[scale])} | shared)
            for ratio in _RATIOS
        ),
    ]


@dataclass(frozen=True, slots=True)
class Fit:
    """ln P(failure) = a - rate x, weighted by its own noise: the rate, its 95 % interval, chi²."""

    rate: float
    low: float
    high: float
    squares: float


def fit(x: Sequence[float], failed: Sequence[int], draws: Sequence[int], *, most: float = 0.6) -> Fit | None:
    """Over the cells where at most a share of `most` fail, and enough do; None for fewer than four of those.

    The interval is widened by the misfit where the line is not the whole truth.
    """
    kept = [(a, f, d) for a, f, d in zip(x, failed, draws, strict=True) if _HITS <= f <= most * d]
    if len(kept) < 4:
        return None
    at, hits, tried = (np.array(column, float) for column in zip(*kept, strict=True))
    y, weight = np.log(hits / tried), 1 / np.sqrt(1 / hits - 1 / tried)
    design = np.stack([np.ones_like(at), -at], axis=1) * weight[:, None]
    found, *_ = np.linalg.lstsq(design, y * weight, rcond=None)
    squares = float(np.square(y * weight - design @ found).sum())
    error = math.sqrt(float(np.linalg.inv(design.T @ design)[1, 1]) * max(1.0, squares / (len(at) - 2)))
    return Fit(float(found[1]), float(found[1]) - 1.96 * error, float(found[1]) + 1.96 * error, squares)


def least_kappa(n: Sequence[int], largest: int, failed: Sequence[int], draws: Sequence[int]) -> float:
    """The least kappa with which 2 exp(-(n - log2(M + 1))^2 / (kappa n)) is above every measured share of failures."""
    return max(
        (
            (m - math.log2(largest + 1)) ** 2 / (m * math.log(2 * d / f))
            for m, f, d in zip(n, failed, draws, strict=True)
            if f and m > math.log2(largest + 1)
        ),
        default=math.nan,
    )


def _conclude(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    draws = measured[0].options["draws"]
    fixed = [part for part in measured if "bits" in part.options]
    ratios = [part for part in measured if "ratio" in part.options]
    rows, series, every, lines, better = [], [], [], [], []
    for part in fixed:
        bits, surplus = part.options["bits"], part.options["surplus"]
        n = [bits + s for s in surplus]
        for what, failed, tried, target in (
            ("one target", part.outcome["one"], [draws] * len(n), series),
            ("all of [-M, M]", part.outcome["all"], part.outcome["tried"], every),
        ):
            target.append(_failures(f"M = 2^{bits}", surplus, failed, tried))
            line, power = fit(n, failed, tried), fit([math.log(m) for m in n], failed, tried)
            if line is None or power is None:
                continue
            lines.append(line)
            better.append(power.squares - line.squares)
            rows.append(
                Row(
                    what=f"M = 2^{bits}, {what}: failures like exp(-rate n), rate",
                    ours=line.rate,
                    note=f"{line.low:.3f} to {line.high:.3f}; chi² {line.squares:.1f}, of a power of n "
                    f"{power.squares:.1f} (exponent {power.rate:.1f}); kappa, fitted with C = 1/ln 2: "
                    f"{least_kappa(n, 2**bits, failed, tried):.2f}",
                )
            )
    for part in ratios:
        ratio, failed, n = part.options["ratio"], part.outcome["one"], part.options["counts"]
        found = fit(n, failed, [draws] * len(n), most=0.95)
        seen = f"P(failure) {failed[0] / draws:.3f} at n = {n[0]}, {failed[-1] / draws:.4f} at {n[-1]}"
        rows.append(
            Row(
                what=f"log2 M = {ratio:g} n, one target: rate",
                ours=found.rate if found else "too few failures",
                note=f"{f'{found.low:.3f} to {found.high:.3f}; ' if found else ''}{seen}; (1 - ratio) ln 2 = "
                f"{(1 - ratio) * math.log(2):.3f} far out",
            )
        )
    steady = all(line.low > _LEAST_RATE for line in lines) and all(gain > -_DIFFERENCE for gain in better)
    told = len(lines) >= _FITS and max(better) > _DIFFERENCE
    verdict = Verdict.NOT_REPRODUCED if not steady else Verdict.REPRODUCED if told else Verdict.TOO_SMALL
    at, failed = ratios[-1].options["counts"], ratios[-1].outcome["one"]
    ends = f"{failed[0] / draws:.2f} at n = {at[0]} and {failed[-1] / draws:.2f} at n = {at[-1]}"
    because = "Too few failures, or too few n, to tell an exponential decay from a power of n"
    if verdict is not Verdict.TOO_SMALL:
        rates = f"{min(line.low for line in lines):.2f} to {max(line.high for line in lines):.2f}"
        because = (
            f"Beyond log2 M the failures {'fall' if steady else 'do not all fall'} exponentially: M fixed, by "
            f"exp(-rate) for each value with rates in {rates} (95 % intervals; ln 2 = 0.69, half for each value, is "
            f"expected far out); a power of n fits worse in {sum(gain > 0 for gain in better)} of {len(better)} cases"
        )
    return Conclusion(
        verdict=verdict,
        because=f"{because}. At n = log2 M itself one target fails with a chance of {ends}.",
        rows=tuple(rows),
        figures=(
            Figure(
                title="Integers: the chance that no subset hits a target",
                panels=(
                    Panel(
                        title="one target in [-M, M]",
                        x="n - log2 M",
                        y="P(failure)",
                        content=(*series, _half(series)),
                        log_y=True,
                    ),
                    Panel(
                        title="some target in [-M, M]",
                        x="n - log2 M",
                        y="P(failure)",
                        content=(*every, _half(every)),
                        log_y=True,
                    ),
                    Panel(
                        title="one target, log2 M in proportion to n",
                        x="n",
                        y="P(failure)",
                        content=tuple(
                            _failures(
                                f"log2 M = {p.options['ratio']:g} n",
                                p.options["counts"],
                                p.outcome["one"],
                                [draws] * len(p.options["counts"]),
                            )
                            for p in ratios
                        ),
                        log_y=True,
                    ),
                ),
            ),
        ),
    )


def _failures(label: str, x: Sequence[float], failed: Sequence[int], tried: Sequence[int]) -> Series:
    points = [(a, Proportion(f, t)) for a, f, t in zip(x, failed, tried, strict=True) if f]
    return Series(
        label=label,
        x=tuple(a for a, _ in points),
        y=tuple(p.value for _, p in points),
        low=tuple(p.interval[0] for _, p in points),
        high=tuple(p.interval[1] for _, p in points),
    )


def _half(series: Sequence[Series]) -> Series:
    """2^-x through the last point of the series in the middle."""
    middle = series[len(series) // 2]
    if not middle.x:
        return Series(label="half for each value", x=(), y=(), kind="estimate")
    x, y = middle.x[-1], middle.y[-1]
    start = max(0.0, x - math.log2(1 / y) if y < 1 else 0.0)
    return Series(label="half for each value", x=(start, x), y=(y * 2 ** (x - start), y), kind="estimate")


REPRODUCTION = Reproduction(
    name="integers",
    title="integers at n about log2 M",
    says="With log2(M)/n < 1 a target of size O(M) is a subset sum with probability 1 - O(n^(-1/7)); the unified "
    "framework says at least 1 - 2 exp(-(n - C log(M + 1))^2 / (kappa n)) for all targets of [-M, M] at once: an "
    "exponential decay for a power of n.",
    sources=("unified2026", "kumar2025", "borgs2001"),
    settings="values uniform on ±1 ... ±M, targets uniform on ±1 ... ±M, or all integers of [-M, M]. Reproduced (the "
    "decay is exponential) where in each fit at fixed M the rate is above "
    f"{_LEAST_RATE} with its whole 95 % interval (widened by the misfit where chi² is large), no fit of ln P(failure) "
    f"by ln n is better than that by n by more than {_DIFFERENCE:g} in chi², and one is worse by that; over cells with "
    f"at most 60 % and at least {_HITS} failures (log2 M in proportion to n, which decides nothing: 95 %). Too small "
    f"to say with fewer than {_FITS} fits, or where none can tell.",
    parts=_parts,
    conclude=_conclude,
)
