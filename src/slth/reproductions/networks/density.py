r"""How wide the random network must be for tickets of a prescribed density (Natale et al., 2024, Figure 1).

γ: density, the kept share of the candidates. n: candidates of one weight; m / m_t = 4n for equal widths and two halves.
"""

import math
from collections.abc import Sequence
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
from slth.reproductions._shares import finite
from slth.reproductions.networks._targets import gaussian, trained
from slth.reproductions.networks._widths import least_width
from slth.theory import bound
from slth.ticket import MOST_CANDIDATES

_DENSITIES = (0.05, 0.06, 0.08, 0.1, 0.13, 0.17, 0.2, 0.26, 0.33, 0.4, 0.5)
_FITTED_AT = 0.2
_FACTOR, _FALL = 1.5, 1.25
_LARGEST = 2 / 3  # |weight| in gains


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
    start = max(math.ceil(2 / density), 8)  # of one candidate there are too few subsets: see `single`
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
    """n = c log₂²(2 ℓ d d' γ n / ε) / H₂(γ) of two layers whose widest is d x d', ε the tolerance of a weight."""
    inputs, outputs = shape
    at = {"gamma": density, "d": inputs, "d_out": outputs, "layers": 2, "epsilon": tolerance}
    return float(bound("natale", **at, c_amp=constant).value)


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
    return float(bound("single", tolerance=tolerance, w=_LARGEST, weights=weights, delta=0.01).value)


def judge(measured: dict[float, float], form: dict[float, float]) -> tuple[Verdict, str]:
    """The verdict on one tolerance: n over density, infinite where no width did, and Theorem 3's form of it."""
    low = [g for g in sorted(measured) if g <= _FITTED_AT]
    first, at, last = min(measured), _FITTED_AT, max(measured)
    factors = {g: max(form[g] / measured[g], measured[g] / form[g]) for g in measured}
    said = (
        f"n is {_width(measured[first])} at density {first:g}, {_width(measured[at])} at {at:g} and "
        f"{_width(measured[last])} at {last:g}, by Theorem 3, fitted at {at:g}, {form[first]:.0f}, {form[at]:.0f} and "
        f"{form[last]:.0f}"
    )
    if _falls(measured) and max(factors.values()) <= _FACTOR:
        return Verdict.REPRODUCED, f"{said}: it never rises, and is the theorem's within a factor of {_FACTOR}."
    fall = measured[first] >= _FALL * measured[at] and _falls({g: measured[g] for g in low})
    if fall and max(factors[g] for g in low) <= _FACTOR:
        return Verdict.IN_SHAPE, f"{said}: up to {at:g} it falls as the theorem has it, above it does not."
    return Verdict.NOT_REPRODUCED, f"{said}: not as the theorem has it, even up to {at:g}."


def _falls(measured: dict[float, float]) -> bool:
    """Nowhere more than one above what it was at a smaller density."""
    n = [measured[g] for g in sorted(measured)]
    return all(later <= min(n[:i]) + 1 for i, later in enumerate(n) if i)


def _width(n: float) -> str:
    return f"{n:g}" if math.isfinite(n) else f"more than {MOST_CANDIDATES}"


def _conclude(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    panels: list[Panel] = []
    rows: list[Row] = []
    found: list[tuple[Verdict, str]] = []
    tolerances = list(dict.fromkeys(part.options["tolerance"] for part in measured))
    sizes = measured[0].outcome
    weights, shape = sizes["weights"], (sizes["inputs"], sizes["outputs"])
    for tolerance in tolerances:
        own = [part for part in measured if part.options["tolerance"] == tolerance]
        n = {part.options["density"]: float(part.outcome["n"] or math.inf) for part in own}
        any_subset, single = n.pop(None), _single(tolerance, weights)
        constant = fitted(n[_FITTED_AT], tolerance, shape)
        form = {g: theorem_3(g, tolerance, shape, constant=constant) for g in n}
        found.append(judge(n, form))
        rows += [
            Row(
                what=f"γ = {g:g}, {tolerance:g} gains: n",
                ours=_width(n[g]),
                note=(f"{part.outcome['kept']} kept; " if part.outcome["n"] else "")
                + f"Theorem 3, fitted {form[g]:.0f}",
            )
            for part in own
            if (g := part.options["density"]) is not None
        ]
        rows.append(Row(what=f"any subset (Pensia), {tolerance:g} gains: n", ours=_width(any_subset)))
        rows.append(
            Row(
                what=f"one product a weight (Malach), {tolerance:g} gains: n",
                ours=f"{single:g}",
                note="a bound, for a chance of 0.01 that one of the weights is missed",
            )
        )
        x = np.geomspace(0.6 / single, 0.5, 25)
        curve = [4 * theorem_3(g, tolerance, shape, constant=constant) for g in x]
        series = (
            finite("least measured", tuple(n), [4 * at for at in n.values()]),
            Series(label=f"Theorem 3, c = {constant:.2g} fitted", x=tuple(x), y=tuple(curve), kind="estimate"),
            Series(label="one product a weight (Malach)", x=(x[0], 1 / single), y=(4 / x[0], 4 * single), kind="bound"),
            finite("any subset (Pensia), drawn at ½", (0.5,), (4 * any_subset,)),
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
    says="For tickets of density γ, n = c log2²(2 l d d' γ n / ε) / H2(γ) candidates a weight suffice (Theorem 3): the "
    "sparser, the wider the source. Up to logarithms Malach et al.'s tickets, of density ε² / m_t², take m_t² / ε² "
    "times the target's size, Pensia et al.'s, of constant density, a logarithm.",
    sources=("natale2024", "malach2020", "pensia2020"),
    place="Figure 1",
    settings="the published ε and m_t are not known to us. Smoke: 64-64-10, Gaussian; small: 784-500-10 trained on "
    "MNIST for 3 epochs, no biases, inputs in [0, 1]; tolerances in gains of each layer. Measured: the least n, up to "
    f"{MOST_CANDIDATES}, for which exactly ⌊γn⌋ of the n candidates of every weight sum to within the tolerance, one "
    "draw; at least two are kept, so that n is at least 2 / γ. Beside it Theorem 3 with ε the tolerance of a weight "
    f"and c, which is not known, fitted at γ = {_FITTED_AT}. Reproduced where n never rises with γ up to ½, by more "
    f"than one, and Theorem 3 is within a factor of {_FACTOR} of it; in shape where both are so up to γ = {_FITTED_AT} "
    f"and n falls there by a factor of at least {_FALL}.",
    parts=_parts,
    conclude=_conclude,
    data={Scale.SMALL: ("mnist",)},
)
