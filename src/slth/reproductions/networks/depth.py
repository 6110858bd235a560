r"""Least width against ε from one neuron to three layers, between what is necessary and what the proof takes.

d: inputs, and outputs of every layer; ℓ: layers; W_i: d x d with spectral norm 1, inputs with ‖x‖₂ ≤ 1, of any sign.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from slth.api import plan
from slth.construction import Request, construct
from slth.graph import Affine, Realised, Target, chain, evaluate
from slth.reproductions._figure import Figure, Panel, Series
from slth.reproductions._reproduction import (
    Conclusion,
    Means,
    Measured,
    Part,
    Reproduction,
    Row,
    Scale,
    Verdict,
)
from slth.reproductions._shares import slope
from slth.theory import bound
from slth.ticket import Inputs

_STRUCTURES = {"one neuron": 0, "one layer": 1, "two layers": 2, "three layers": 3}
_EXPONENTS = tuple(range(2, 11))  # ε = 2^-k
_FITTED = 4  # the slope is that from ε = 2^-4 on: before, reach matters, not resolution
_SLOPES = (0.7, 1.5)
_SEEN = 200  # inputs of norm 1


def _target(d: int, layers: int, rng: np.random.Generator) -> Target:
    """Gaussian matrices over their norms; no layer: one neuron."""
    shapes = [(d, d)] * layers or [(1, d)]
    matrices = [rng.normal(size=shape) for shape in shapes]
    return chain([Affine((w / np.linalg.norm(w, 2))[:, :, None], None) for w in matrices])


def certified(target: Target, parts: Sequence[Realised]) -> float:
    r"""A bound on ‖f(x) - g(x)‖₂ over ‖x‖₂ ≤ 1: e ← (‖W‖ + η) e + η r, r ← ‖W‖ r, η = ‖[P - W, N + W]‖₂."""
    e, r = 0.0, 1.0
    for affine, part in zip(target.coefficients.values(), parts, strict=True):
        w = affine.weight[:, :, 0]
        halves = [part.positive[:, :, 0] - w]
        if part.negative is not None:
            halves.append(part.negative[:, :, 0] + w)
        norm, eta = float(np.linalg.norm(w, 2)), float(np.linalg.norm(np.hstack(halves), 2))
        e, r = (norm + eta) * e + eta * r, norm * r
    return e


def _measure(means: Means, *, d: int, layers: int, most: int, draws: int, seed: int) -> dict[str, Any]:
    """For each n: medians over networks and sources of the certified and the seen error, and sizes."""
    inputs = Inputs((d,), lower=(-1.0,), upper=(1.0,))
    rows: list[dict[str, float]] = []
    for n in range(2, most + 1):
        bounds: list[float] = []
        seen: list[float] = []
        sizes: list[int] = []
        bits = 0
        for draw in range(draws):
            rng = np.random.default_rng((seed, layers, draw))
            target = _target(d, layers, rng)
            asked = Request(objective="closest", candidates=n, seed=seed * draws + draw, lift="relu")
            ticket: Any = construct(target, asked, inputs=inputs)
            parts = {path: ticket.realised(path) for path in ticket.maps}
            bounds.append(certified(target, list(parts.values())))
            x = rng.normal(size=(_SEEN, d))
            x /= np.linalg.norm(x, axis=1, keepdims=True)
            apart = evaluate(ticket.network, parts, x, {}) - evaluate(target.graph, target.coefficients, x, {})
            seen.append(float(np.linalg.norm(apart, axis=1).max()))
            sizes.append(ticket.size)
            bits = ticket.mask_bits
        middle = {"certified": float(np.median(bounds)), "seen": float(np.median(seen))}
        rows.append({"n": n, **middle, "size": float(np.median(sizes)), "bits": bits})
    planned = [_planned(d, layers, 2.0**-k, seed) for k in _EXPONENTS]
    return {"rows": rows, "planned": planned, "weights": d * max(d * layers, 1)}


def _planned(d: int, layers: int, epsilon: float, seed: int) -> dict[str, float]:
    """Width and size for the tolerance of the proof, ε / (2 ℓ d d'), and half a miss expected."""
    target = _target(d, layers, np.random.default_rng((seed, layers, 0)))
    tolerance = epsilon / (2 * target.graph.weights)
    found = plan(target, tolerance=tolerance, failure_probability=0.5, input_range=(-1, 1), lift="relu", threads=1)
    return {"n": max(part.candidates for part in found.maps), "size": float(found.source_parameters)}


def _parts(scale: Scale, seed: int) -> Sequence[Part]:
    if scale is Scale.PAPER:  # there is none
        return []
    d, draws = (6, 5) if scale is Scale.SMOKE else (16, 15)
    options = {"d": d, "most": 24 if scale is Scale.SMOKE else 28, "draws": draws, "seed": seed}
    return [Part(name, _measure, {"layers": layers, **options}) for name, layers in _STRUCTURES.items()]


def necessary(d: int, layers: int, epsilon: float) -> float:
    """Mask bits, and so parameters, below which some target is missed with probability above ½; bounds, all three."""
    name = "packing-neuron" if layers == 0 else "packing-layer" if layers == 1 else "deep-lower"
    return float(bound(name, d=d, epsilon=epsilon, delta=0.5).value)


def sufficient(d: int, layers: int, epsilon: float) -> float:
    """Parameters of the source for each weight, by Theorem 1 with a fitted C."""
    outputs = d if layers else 1
    found = bound("pensia", d=d, d_out=outputs, layers=max(layers, 1), epsilon=epsilon, delta=0.5)
    return float(found.value) * (d + outputs) / (d * outputs)


def least_rows(rows: Sequence[dict[str, float]], key: str = "certified") -> dict[int, dict[str, float]]:
    """For each k the first row whose median error is at most 2^-k, where there is one."""
    found = ((k, next((row for row in rows if row[key] <= 2.0**-k), None)) for k in _EXPONENTS)
    return {k: row for k, row in found if row is not None}


def judge(slopes: dict[str, float], ratios: dict[str, float]) -> tuple[Verdict, str]:
    """The verdict, of candidates for each halving of ε, and of the least ratio of mask bits to what is necessary."""
    said = ", ".join(f"{one:.2f} for {name}" for name, one in slopes.items())
    low = [name for name, ratio in ratios.items() if ratio < 1]
    if low:
        return Verdict.NOT_REPRODUCED, f"Fewer mask bits than are necessary did for {', '.join(low)}."
    over = ", ".join(f"{ratio:.1f}" for ratio in ratios.values())
    text = f"Candidates of a weight for each halving of ε: {said}; mask bits over what is necessary, at least: {over}"
    if all(_SLOPES[0] <= one <= _SLOPES[1] for one in slopes.values()):
        return Verdict.REPRODUCED, f"{text}: the form that both bounds have, log 1/ε."
    return Verdict.NOT_REPRODUCED, f"{text}: not the form log 1/ε."


def _conclude(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    panels: list[Panel] = []
    table: list[Row] = []
    slopes: dict[str, float] = {}
    ratios: dict[str, float] = {}
    for part in measured:
        d, layers, weights = part.options["d"], part.options["layers"], part.outcome["weights"]
        found = least_rows(part.outcome["rows"])
        k = tuple(found)
        fitted = [at for at in k if at >= _FITTED]
        slopes[part.name] = slope(fitted, [found[at]["n"] for at in fitted]) if len(fitted) > 1 else math.nan
        needed = {at: necessary(d, layers, 2.0**-at) for at in k}
        ratios[part.name] = min((found[at]["bits"] / needed[at] for at in k), default=math.nan)
        planned = dict(zip(_EXPONENTS, part.outcome["planned"], strict=True))
        seen = least_rows(part.outcome["rows"], "seen")
        table += [
            Row(
                what=f"{part.name}, ε = 2^-{at}: n, certified",
                ours=found[at]["n"],
                note=f"seen {seen[at]['n']:.0f}, planned by the proof {planned[at]['n']:.0f}; mask bits "
                f"{found[at]['bits']:,.0f}, necessary {needed[at]:,.0f}",
            )
            if at in found
            else Row(what=f"{part.name}, ε = 2^-{at}: n, certified", ours=f"more than {part.options['most']}")
            for at in _EXPONENTS[::4]
        ]
        x = tuple(float(at) for at in k)
        series = [
            Series(label="source, measured", x=x, y=tuple(found[at]["size"] / weights for at in k)),
            Series(label="mask bits, measured", x=x, y=tuple(found[at]["bits"] / weights for at in k)),
            Series(label="necessary", x=x, y=tuple(needed[at] / weights for at in k), kind="bound"),
            Series(
                label="source by the proof, planned",
                x=x,
                y=tuple(planned[at]["size"] / weights for at in k),
                kind="estimate",
            ),
        ]
        y = tuple(sufficient(d, layers, 2.0**-at) for at in k)
        series.append(Series(label="sufficient source, C fitted", x=x, y=y, kind="bound"))
        if layers > 1:
            counted = (bound("deep-expected", d=d, layers=layers, epsilon=2.0**-at, delta=0.5).value for at in k)
            y = tuple(float(bits) / weights for bits in counted)
            series.append(Series(label="by the number of weights: no bound", x=x, y=y, kind="estimate"))
        panels.append(
            Panel(
                title=f"{part.name}, d = {d}",
                x="log2 1/ε",
                y="number for each weight",
                content=tuple(series),
                log_y=True,
            )
        )
    verdict, because = judge(slopes, ratios)
    figure = Figure(title="Parameters and mask bits against ε, measured and bounds", panels=tuple(panels))
    return Conclusion(verdict=verdict, because=because, rows=tuple(table), figures=(figure,))


REPRODUCTION = Reproduction(
    name="depth",
    title="lower bound, upper bound and measured width, from one neuron to three layers",
    says="A width of C d log(d d' l / ε) suffices (Theorem 1), and for one layer d² log2(1 / 2ε) - 1 parameters are "
    "necessary (Theorem 2); how much harder deep targets are is open.",
    sources=("pensia2020",),
    place="Theorems 1 and 2",
    settings="Gaussian d x d matrices over their norms, inputs of norm at most 1 and of any sign; smoke: d = 6, "
    "small: d = 16. Measured: the least n for which the closest subsets have a certified error ‖f - g‖₂ ≤ ε in the "
    "median over networks and sources: of a construction, so less might do. Necessary, in mask bits and so in "
    "parameters: bounds (packing-neuron, packing-layer, which is sharper than Theorem 2, deep-lower); of two and three "
    "layers one layer's is all that is proven, and what their number of weights suggests (deep-expected) an estimate. "
    "Sufficient: Theorem 1 with a fitted C. Planned for the tolerances of its proof, ε / (2 ℓ d d'): an estimate by "
    f"simulated chances. Reproduced where n grows by {_SLOPES[0]} to {_SLOPES[1]} for each halving of ε from "
    f"2^-{_FITTED} on, and mask bits are nowhere below what is necessary.",
    parts=_parts,
    conclude=_conclude,
)
