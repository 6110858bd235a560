"""Mixtures that contain a uniform: the theorem holds for them, with a constant of their own (Lueker, 1998).

A density p U[-1, 1] + (1 - p) g: of n values, binomially many are uniform, and the others may stay away. So with the
chances P_m of m uniform values, P(mixture) >= sum over m of Bin(m; n, p) P_m, whatever g is. Both sides are measured.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from slth import theory
from slth.numerics import Stream
from slth.records import Proportion
from slth.reproductions._figure import Figure, Panel, Series
from slth.reproductions._reproduction import Conclusion, Means, Measured, Part, Reproduction, Row, Scale, Verdict
from slth.reproductions._shares import crossing, curve, finite, slope
from slth.subsetsum import Status, first_batch, laws

_EPSILONS = (0.1, 0.03, 0.01, 0.003, 0.001)
_SHOWN = 0.01  # epsilon of the first panel
_LEVEL = 0.9
_LATE = 1.5  # times the growth for the larger errors, at most: log(1/epsilon)^2 makes 1.7, a root of 1/epsilon 3
_NONE_FEWER = "No mixture succeeds less often than its uniform values alone"
_BOUNDED = ("uniform", "p = 1/2, else 0")
_DRAWS = {Scale.SMOKE: 500, Scale.SMALL: 5_000, Scale.PAPER: 50_000}


def _zeros(stream: Stream, shape: tuple[int, ...]) -> np.ndarray:
    return np.zeros(shape)


_LAWS: dict[str, tuple[float, laws.Law, tuple[int, ...]]] = {  # share of the uniform, law, counts
    "uniform": (1.0, laws.Uniform(), tuple(range(1, 41))),
    "p = 1/2, else 0": (0.5, laws.Mixture(0.5, _zeros), tuple(range(4, 49, 4))),
    "p = 1/4, else 0": (0.25, laws.Mixture(0.25, _zeros), tuple(range(8, 65, 4))),
    "p = 1/2, else ±1": (0.5, laws.Mixture(0.5, laws.Signs()), tuple(range(4, 41, 4))),
    "p = 1/2, else N(0, 100)": (0.5, laws.Mixture(0.5, laws.Normal(10.0)), tuple(range(4, 41, 4))),
}


def _measure(means: Means, *, law: str, draws: int, seed: int) -> dict[str, Any]:
    """Successes of each epsilon and n: one target, uniform on [-1, 1]."""
    _, sampler, counts = _LAWS[law]
    hits: list[list[int]] = []
    for n in counts:
        rows = laws.candidates(sampler, (draws, n), seed=seed, path=f"mixtures/{law}/{n}")
        targets = laws.candidates(laws.Uniform(), (draws,), seed=seed, path=f"mixtures/{law}/{n}/target")
        hits.append(
            [
                first_batch(rows, targets, tol=epsilon, threads=means.threads).count(Status.WITHIN_TOL)
                for epsilon in _EPSILONS
            ]
        )
    return {"hits": np.transpose(hits).tolist()}


def _parts(scale: Scale, seed: int) -> Sequence[Part]:
    return [Part(law, _measure, {"law": law, "draws": _DRAWS[scale], "seed": seed}) for law in _LAWS]


def coupled(uniform: Sequence[float], n: int, p: float) -> float:
    """The sum over m of Bin(m; n, p) P_m, of the chances P_0, P_1 ... of uniform values; the last one for all beyond.

    >>> coupled([0.0, 1.0], 2, 0.5)
    0.75
    """
    last = len(uniform) - 1
    return math.fsum(math.comb(n, m) * p**m * (1 - p) ** (n - m) * uniform[min(m, last)] for m in range(n + 1))


def is_fewer(hits: int, draws: int, share: float) -> bool:
    """Are the hits too few for a share that has noise of its own: by the 95 % interval and two standard errors?"""
    error = math.sqrt(max(share * (1 - share), 1 / draws) / draws)
    return Proportion(hits, draws).interval[1] < share - 2 * error


def _conclude(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    draws = measured[0].options["draws"]
    shares = {part.options["law"]: np.array(part.outcome["hits"]) / draws for part in measured}
    # with no value the empty sum is 0: z is within epsilon of it with chance epsilon
    alone = [[epsilon, *row] for epsilon, row in zip(_EPSILONS, shares["uniform"].tolist(), strict=True)]
    rows, first, second, broken, slopes, late = [], [], [], [], [], []
    bits = [math.log2(1 / epsilon) for epsilon in _EPSILONS]
    at = _EPSILONS.index(_SHOWN)
    for law, (p, _, counts) in _LAWS.items():
        least = [crossing(counts, row, _LEVEL) for row in shares[law].tolist()]
        promised = [[coupled(alone[i], n, p) for n in counts] for i in range(len(_EPSILONS))]
        for i, epsilon in enumerate(_EPSILONS):
            for n, share, said in zip(counts, shares[law][i], promised[i], strict=True):
                if p < 1 and is_fewer(round(share * draws), draws, said):
                    broken.append(f"{law}, n = {n}, epsilon = {epsilon:g}")
        known = all(map(math.isfinite, least))
        slopes.append(slope(bits, least) if known else math.nan)
        late.append(slope(bits[2:], least[2:]) / slope(bits[:3], least[:3]) if known else math.nan)
        first.append(curve(law, counts, [round(share * draws) for share in shares[law][at]], draws))
        if p < 1:
            first.append(finite(f"{law}: its uniform values alone", counts, promised[at], "bound"))
        second.append(finite(law, bits, least))
        if law in _BOUNDED:
            said = [theory.bound("mixture", p=p, epsilon=epsilon, delta=1 - _LEVEL).value for epsilon in _EPSILONS]
            second.append(finite(f"p = {p:g}: enough for every z, C fitted", bits, said, "bound"))
        rows.append(
            Row(
                what=f"{law}: more values for half the error",
                ours=slopes[-1] if known else "not known",
                note=f"n = {', '.join(f'{n:.1f}' for n in least)} at epsilon = "
                f"{', '.join(f'{e:g}' for e in _EPSILONS)}",
            )
        )
    unknown = [law for law, more in zip(_LAWS, slopes, strict=True) if math.isnan(more)]
    latest = max((ratio for ratio in late if not math.isnan(ratio)), default=math.nan)
    fails = bool(broken) or latest > _LATE
    verdict = Verdict.NOT_REPRODUCED if fails else Verdict.TOO_SMALL if unknown else Verdict.REPRODUCED
    each = _list([f"{law}: {more:.1f}" for law, more in zip(_LAWS, slopes, strict=True) if law not in unknown])
    because = (
        f"Nine successes of ten take so many more values for half the error: {each}. For the smaller half of the "
        f"errors that is at most {latest:.2f} times what it is for the larger: n grows "
        f"{'like log(1/epsilon)' if latest <= _LATE else 'faster than log(1/epsilon)'}. "
        f"{f'Not reached: {_list(unknown)}. ' if unknown else ''}"
        f"{f'Fewer successes than uniform values alone: {_list(broken)}' if broken else _NONE_FEWER}."
    )
    return Conclusion(
        verdict=verdict,
        because=because,
        rows=tuple(rows),
        figures=(
            Figure(
                title="Subset sums of mixtures that contain a uniform",
                panels=(
                    Panel(title=f"one target within {_SHOWN:g}", x="n", y="P(success)", content=tuple(_thin(first))),
                    Panel(title="nine successes of ten", x="log2(1 / epsilon)", y="n", content=tuple(second)),
                ),
            ),
        ),
    )


def _list(names: Sequence[str]) -> str:
    return "; ".join(names)


def _thin(series: Sequence[Series]) -> list[Series]:
    """Of bounds one for each share of the uniform: they are the same."""
    return [one for one in series if one.kind != "bound" or "else 0" in one.label]


REPRODUCTION = Reproduction(
    name="mixtures",
    title="subset sums of mixtures that contain a uniform",
    says="The theorem on uniform numbers, n >= C log(1/epsilon), holds for every density p f + (1 - p) g where f is "
    "uniform and p > 0 is constant, with a constant C(p): a constant fraction of the samples can be coupled to uniform "
    "ones, the others are not used.",
    sources=("lueker1998", "dacunha2022rss", "pensia2020"),
    place="Corollary 3.3",
    settings="one target uniform on [-1, 1]; p = 1, 1/2, 1/4 beside zeros, which help nobody, signs, and a normal law "
    "of deviation 10; n up to 40 if uniform, to 64 at p = 1/4, in steps of 4 in mixtures. Reproduced where no mixture "
    "succeeds less often than its uniform values alone, by more than the 95 % interval and two standard errors, and n "
    f"for nine of ten, over log2(1/epsilon), is at most {_LATE:g} times as steep for the smaller three epsilon as for "
    "the larger three. Too small to say where nine of ten are not reached for some epsilon.",
    parts=_parts,
    conclude=_conclude,
)
