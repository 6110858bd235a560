r"""Products of a two-layer network contain a uniform (Pensia et al., 2020, Corollary 1).

X ~ U[0, 1], Y ~ U[-1, 1]: X Y has density ln(1/|z|) / 2, so D = 1/2 at 0 + 1/2 X Y is at least ln(2)/4 dense on
[-1/2, 1/2]: a mixture with ln(2)/4 of U[-1/2, 1/2]. D is the law of max(u, 0) v, u and v uniform on [-1, 1]. Then
subset sums of the products succeed at least as often as those of binomially many U[-1/2, 1/2].
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from slth import theory
from slth.records import Proportion
from slth.reproductions._figure import Figure, Panel, Series
from slth.reproductions._reproduction import Conclusion, Means, Measured, Part, Reproduction, Row, Scale, Verdict
from slth.reproductions._shares import curve
from slth.reproductions.subset_sums.mixtures import coupled, is_fewer
from slth.subsetsum import Status, count, first_batch, laws

_WEIGHT = math.log(2) / 4
_BINS = 20  # of [-1/2, 1/2]
_TOL = 0.01
_RAW = (8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64)
_PLAIN = 24  # uniform numbers, from 1 on
_DENSITY = {Scale.SMOKE: 1_000_000, Scale.SMALL: 10_000_000}
_DRAWS = {Scale.SMOKE: 1_000, Scale.SMALL: 20_000}
_COUNTED = (16, 0.3)  # products, target


def _density(means: Means, *, draws: int, seed: int) -> dict[str, Any]:
    """How many of so many products fall into each bin of [-1/2, 1/2]."""
    found = np.zeros(_BINS, np.int64)
    for block in range(-(-draws // 1_000_000)):
        values = laws.candidates(laws.RawProducts(), (1_000_000,), seed=seed, path=f"products/density/{block}")
        values = values[values != 0]
        found += np.histogram(values, _BINS, (-0.5, 0.5))[0]
    return {"bins": found.tolist()}


def _success(means: Means, *, n: int, law: str, draws: int, seed: int) -> dict[str, Any]:
    """Successes of raw products, or of U[-1/2, 1/2], at targets uniform on [-1/2, 1/2]."""
    sampler = laws.RawProducts() if law == "raw" else laws.Uniform(-0.5, 0.5)
    rows = laws.candidates(sampler, (draws, n), seed=seed, path=f"products/{law}/{n}")
    targets = laws.candidates(laws.Uniform(-0.5, 0.5), (draws,), seed=seed, path=f"products/{law}/{n}/target")
    return {"hits": first_batch(rows, targets, tol=_TOL, threads=means.threads).count(Status.WITHIN_TOL)}


def _subsets(means: Means, *, draws: int, seed: int) -> dict[str, Any]:
    """The mean number of subsets of live products within the tolerance, and its standard error."""
    n, target = _COUNTED
    rows = laws.candidates(laws.LiveProducts(), (draws, n), seed=seed, path="products/counted")
    counts = np.array([count(row, target, tol=_TOL).count for row in rows])
    return {"mean": float(counts.mean()), "error": float(counts.std() / math.sqrt(draws))}


def _parts(scale: Scale, seed: int) -> Sequence[Part]:
    if scale is Scale.PAPER:
        return []
    draws = {"draws": _DRAWS[scale], "seed": seed}
    return [
        Part("density", _density, {"draws": _DENSITY[scale], "seed": seed}),
        Part("subsets", _subsets, {"draws": _DRAWS[scale], "seed": seed}),
        *(Part(f"raw, n = {n}", _success, {"n": n, "law": "raw"} | draws) for n in _RAW),
        *(Part(f"uniform, n = {n}", _success, {"n": n, "law": "uniform"} | draws) for n in range(1, _PLAIN + 1)),
    ]


def _conclude(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    density, subsets = measured[0], measured[1]
    draws, bins = density.options["draws"], density.outcome["bins"]
    dense = [Proportion(hits, draws) for hits in bins]
    width = 1 / _BINS
    thin = min(dense, key=lambda one: one.value)
    each = measured[2].options["draws"]
    raw = {p.options["n"]: p.outcome["hits"] for p in measured[2:] if p.options["law"] == "raw"}
    plain = [2 * _TOL, *(p.outcome["hits"] / each for p in measured[2:] if p.options["law"] == "uniform")]
    promised = {n: coupled(plain, n, _WEIGHT) for n in raw}
    fewer = [n for n, hits in raw.items() if is_fewer(hits, each, promised[n])]
    holds = thin.interval[1] / width >= _WEIGHT and not fewer
    n, z = _COUNTED
    expected = theory.bound("subsets-products", n=n, z=z, epsilon=_TOL).value
    rows = [
        Row(
            what="least density of D on [-1/2, 1/2], a bin's mean",
            published=_WEIGHT,
            ours=thin.value / width,
            note="published: at least, and attained at the ends",
        ),
        Row(
            what=f"subsets of {n} live products within {_TOL:g} of {z:g}, mean",
            ours=subsets.outcome["mean"],
            note=f"± {subsets.outcome['error']:.2g}; `slth bounds subsets-products` has {expected:.0f}",
        ),
        *(
            Row(what=f"{m} raw pairs, success", ours=hits / each, note=f"its share of uniforms alone {promised[m]:.3f}")
            for m, hits in raw.items()
        ),
    ]
    x = (np.arange(_BINS) + 0.5) * width - 0.5
    return Conclusion(
        verdict=Verdict.REPRODUCED if holds else Verdict.NOT_REPRODUCED,
        because=f"The density of the products on [-1/2, 1/2] is {thin.value / width:.3f} where it is least, ln(2)/4 = "
        f"{_WEIGHT:.3f} is said; {'no' if not fewer else 'some'} number of pairs succeeds less often than its share of "
        "uniforms alone. Nine successes of ten take "
        f"{_least({m: hits / each for m, hits in raw.items()})} raw pairs, of the numbers tried; that share alone "
        f"would take {_least(promised)}.",
        rows=tuple(rows),
        figures=(
            Figure(
                title="Products of two layers against the uniform they contain",
                panels=(
                    Panel(
                        title="D, but for its mass at 0",
                        x="z",
                        y="density",
                        content=(
                            Series(label="max(u, 0) v", x=tuple(x), y=tuple(one.value / width for one in dense)),
                            Series(label="ln(1/|z|) / 4", x=tuple(x), y=tuple(np.log(1 / abs(x)) / 4), kind="estimate"),
                            Series(label="ln(2) / 4", x=(-0.5, 0.5), y=(_WEIGHT, _WEIGHT), kind="bound"),
                        ),
                    ),
                    Panel(
                        title=f"z uniform on [-1/2, 1/2], within {_TOL:g}",
                        x="raw pairs",
                        y="P(success)",
                        content=(
                            curve("all products", tuple(raw), tuple(raw.values()), each),
                            Series(
                                label="ln(2)/4 of them, uniform",
                                x=tuple(promised),
                                y=tuple(promised.values()),
                                kind="bound",
                            ),
                        ),
                    ),
                ),
            ),
        ),
    )


def _least(shares: dict[int, float]) -> str:
    return next((str(n) for n, share in shares.items() if share >= 0.9), f"more than {_RAW[-1]}")


REPRODUCTION = Reproduction(
    name="products",
    title="products of two layers contain a uniform",
    says="For X ~ U[0, 1] and Y ~ U[-1, 1], half a point mass at 0 and half the law of X Y contain U[-1/2, 1/2] with "
    "weight ln(2)/4, so that subset sums of the products u⁺v of a two-layer network reach as those of uniforms.",
    sources=("pensia2020", "lueker1998"),
    place="Corollary 1",
    settings=f"raw pairs u, v uniform on [-1, 1], the product max(u, 0) v; density in {_BINS} bins; tolerance {_TOL}. "
    "Reproduced where the least density is not below ln(2)/4 by its 95 % interval, and no number of pairs succeeds "
    "less often than binomially many U[-1/2, 1/2], by more than its interval and two standard errors.",
    parts=_parts,
    conclude=_conclude,
)
