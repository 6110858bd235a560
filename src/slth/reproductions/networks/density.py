r"""How wide the random network must be for tickets of a prescribed density (Natale et al., 2024, Figure 1).

γ: density, the kept share of the candidates. n: candidates of one weight; m / m_t = 4n for equal widths and two halves.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from slth.construction import Recipe, kept_of
from slth.graph import Target
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
from slth.reproductions.networks._targets import gaussian, trained
from slth.reproductions.networks._widths import least_width
from slth.theory import bound

_DENSITIES = (0.05, 0.06, 0.08, 0.1, 0.13, 0.17, 0.2, 0.26, 0.33, 0.4, 0.5)
_FITTED_AT = 0.2
_FACTOR, _RISE = 1.5, 1.25


def _target(means: Means, network: Sequence[int] | str, seed: int) -> Target:
    """Gaussian weights of these widths, or 784-500-10 trained on MNIST."""
    return gaussian(network, seed) if not isinstance(network, str) else trained(
        means, network, hidden=(500,), epochs=3, seed=seed
    )  # fmt: skip


def _measure(
    means: Means, *, network: Sequence[int] | str, tolerance: float, density: float | None, seed: int
) -> dict[str, Any]:
    """The least n for which every weight has a subset of exactly ⌊γ n⌋ of its candidates; γ None: any subset."""
    target = _target(means, network, seed)
    widest = max((affine.weight.shape[:2] for affine in target.coefficients.values()), key=math.prod)
    sizes = {"weights": target.graph.weights, "inputs": widest[1], "outputs": widest[0]}
    if density is None:
        return {"n": least_width(target, Recipe(), tolerance=tolerance, seed=seed, start=4), **sizes}
    recipe = Recipe(objective="exactly", density=density)
    start = max(math.ceil(2 / density), 8)  # of one candidate there are too few subsets
    n = least_width(target, recipe, tolerance=tolerance, seed=seed, start=start, fits=lambda n: kept_of(density, n) > 0)
    return {"n": n, "kept": None if n is None else kept_of(density, n), **sizes}


def _parts(scale: Scale, seed: int) -> Sequence[Part]:
    if scale is Scale.PAPER:  # its size is not said
        return []
    network = (64, 64, 10) if scale is Scale.SMOKE else "mnist"
    tolerances = (0.02,) if scale is Scale.SMOKE else (0.02, 0.002)
    options = {"network": network, "seed": seed}
    return [
        Part(f"{tolerance:g} gains, {'any' if g is None else f'{g:g}'}", _measure, options | at)
        for tolerance in tolerances
        for g in (None, *_DENSITIES)
        for at in ({"tolerance": tolerance, "density": g},)
    ]


def theorem_3(density: float, tolerance: float, shape: Sequence[int], *, constant: float) -> float:
    """n = c log₂²(2 ℓ d d' γ n / ε) / H₂(γ) of two layers whose widest is d x d'."""
    inputs, outputs = shape
    at = {"gamma": density, "d": inputs, "d_out": outputs, "layers": 2, "epsilon": tolerance}
    return float(bound("natale", **at, c_amp=constant).value)


def theorem_5(density: float, tolerance: float, *, weights: int) -> float:
    """Parameters for each weight below which some targets of norm √k are out of reach."""
    d = math.isqrt(weights)
    return float(bound("natale-density-lower", d=d, gamma=density, epsilon=tolerance).value) / d**2


def fitted(n: float, tolerance: float, shape: Sequence[int]) -> float:
    """The least constant with which Theorem 3 gives n at the density of the fit."""
    low, high = 1e-6, 1e3
    while high / low > 1 + 1e-9:
        middle = math.sqrt(low * high)
        enough = theorem_3(_FITTED_AT, tolerance, shape, constant=middle) >= n
        low, high = (low, middle) if enough else (middle, high)
    return high


def _single(tolerance: float, weights: int) -> float:
    """Malach et al.'s way, a single product near each weight: n with a chance of 0.01 of a miss."""
    return float(bound("single", tolerance=tolerance, weights=weights, delta=0.01).value)


def judge(
    measured: dict[float, int], form: dict[float, float], *, any_subset: int, single: float
) -> tuple[Verdict, str]:
    """The verdict on one tolerance: n over density, Theorem 3's form of it, n of any subset, n of one product."""
    n = [measured[g] for g in sorted(measured)]
    falls = all(later <= earlier + 1 for earlier, later in pairwise(n))
    near = all(1 / _FACTOR <= form[g] / measured[g] <= _FACTOR for g in measured)
    if falls and near:
        return Verdict.REPRODUCED, "The width never rises with the density, as Theorem 3 has it up to its constant."
    least = min(n)
    bottom = min(g for g in measured if measured[g] == least)
    if n[0] >= _RISE * least and any_subset <= least and single > max(n):
        tail = f", and rises again above it, to {n[-1]} at {max(measured):g}" if n[-1] > least + 1 else ""
        return Verdict.IN_SHAPE, (
            f"The width falls from {n[0]} candidates at density {min(measured):g} to {least} at {bottom:g}{tail}; one "
            f"product a weight takes {single:.0f}, any subset {any_subset}."
        )
    return Verdict.NOT_REPRODUCED, f"The width does not fall with the density: {n[0]} to {n[-1]} candidates."


def _conclude(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    panels: list[Panel] = []
    rows: list[Row] = []
    found: list[tuple[Verdict, str]] = []
    tolerances = list(dict.fromkeys(part.options["tolerance"] for part in measured))
    sizes = measured[0].outcome
    weights, shape = sizes["weights"], (sizes["inputs"], sizes["outputs"])
    for tolerance in tolerances:
        own = [part for part in measured if part.options["tolerance"] == tolerance and part.outcome["n"] is not None]
        n = {part.options["density"]: part.outcome["n"] for part in own}
        any_subset, single = n.pop(None), _single(tolerance, weights)
        constant = fitted(n[_FITTED_AT], tolerance, shape)
        form = {g: theorem_3(g, tolerance, shape, constant=constant) for g in n}
        found.append(judge(n, form, any_subset=any_subset, single=single))
        rows += [
            Row(
                what=f"γ = {part.options['density']:g}, {tolerance:g} gains",
                ours=float(part.outcome["n"]),
                note=f"{part.outcome['kept']} of {part.outcome['n']} kept; Theorem 3, fitted: "
                f"{form[part.options['density']]:.1f}",
            )
            for part in own
            if part.options["density"] is not None
        ]
        rows.append(Row(what=f"any subset (Pensia), {tolerance:g} gains", ours=float(any_subset)))
        d = math.isqrt(weights // 2)
        polynomial = float(bound("malach", d=d, layers=2, epsilon=tolerance).value)
        rows.append(Row(what=f"malach, m / m_t at C = 1, {tolerance:g}", ours=polynomial, note="computed"))
        rows.append(Row(what=f"one product a weight (Malach), {tolerance:g} gains", ours=single, note="computed"))
        x = np.geomspace(0.6 / single, 0.5, 25)
        curve = [4 * theorem_3(g, tolerance, shape, constant=constant) for g in x]
        needed = tuple(theorem_5(g, tolerance, weights=weights) for g in x)
        series = (
            Series(label="least measured", x=tuple(n), y=tuple(4.0 * at for at in n.values())),
            Series(label=f"Theorem 3, c = {constant:.2g} fitted", x=tuple(x), y=tuple(curve), kind="estimate"),
            Series(label="Theorem 5, of targets of norm √k", x=tuple(x), y=needed, kind="bound"),
            Series(label="one product a weight (Malach)", x=(1 / single,), y=(4 * single,), kind="published"),
            Series(label="any subset (Pensia)", x=(0.5,), y=(4.0 * any_subset,)),
        )
        panels.append(
            Panel(
                title=f"{weights:,} weights, tolerance {tolerance:g} gains",
                x="density γ",
                y="overparameterisation m / m_t = 4n",
                content=series,
                log_x=True,
                log_y=True,
            )
        )
    order = (Verdict.NOT_REPRODUCED, Verdict.IN_SHAPE, Verdict.REPRODUCED)
    verdict = min((one for one, _ in found), key=order.index)
    said = " ".join(f"{tolerance:g} gains: {why}" for tolerance, (_, why) in zip(tolerances, found, strict=True))
    figure = Figure(title="Overparameterisation against the density of tickets", panels=tuple(panels))
    return Conclusion(verdict=verdict, because=said, rows=tuple(rows), figures=(figure,))


REPRODUCTION = Reproduction(
    name="density",
    title="overparameterisation against the density of tickets",
    says="A ticket of density γ needs n = c log2²(2 l d d' γ n / ε) / H2(γ) candidates a weight: the sparser, the "
    "wider the source. Malach et al.'s tickets, of density ε² / m_t², take m_t² / ε² times the target's size, Pensia "
    "et al.'s, of constant density, a logarithm.",
    sources=("natale2024", "malach2020", "pensia2020"),
    place="Figure 1",
    settings="the published ε and m_t are not known to us. Smoke: 64-64-10, Gaussian; small: 784-500-10 trained on "
    "MNIST for 3 epochs, no biases, inputs in [0, 1]; tolerances in gains of each layer. Measured: the least n for "
    "which exactly ⌊γn⌋ of the n candidates of every weight sum to within the tolerance, one draw. Beside it Theorem 3 "
    f"with its c, which is not known, fitted at γ = {_FITTED_AT}. Reproduced where n never rises with γ up to ½, by "
    f"more than one, and Theorem 3 is within a factor of {_FACTOR} of it; in shape where n at the smallest γ is at "
    f"least {_RISE} times its least value and lies between any subset and one product a weight.",
    parts=_parts,
    conclude=_conclude,
    data={Scale.SMALL: ("mnist",)},
)
