r"""Width against the largest move ε of a random number (Xiong, Liao and Kyrillidis, 2023, Theorem 2 and its Remark).

A kept v may move by at most ε, u does not; ε is in the unit of the random numbers, U[-1, 1], η and z are in gains.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from slth.construction import Recipe
from slth.numerics import Stream, uniform
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
from slth.reproductions.networks._widths import least, least_width
from slth.subsetsum import solve_moved
from slth.theory import bound
from slth.ticket import STEP

_MOVES = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
_LARGE = (1.0, 3.0, 10.0)
_TOLERANCE = 2e-3  # η, in gains
_SHARE = 0.99  # of draws, of one weight
_MEAN_FACTOR = 0.75  # of u, uniform on [½, 1]
_NEAR = 0.2


def _reached(n: int, move: float, targets: np.ndarray, seed: int) -> float:
    """The share of targets that n candidates u v reach, u uniform on [½, 1], v on [-1, 1]."""
    count = len(targets)
    u = (uniform(Stream(seed, f"moves/u/{n}"), (count, n)).astype(np.float64) + 1) / 4 + 0.5
    x = u * uniform(Stream(seed, f"moves/v/{n}"), (count, n))
    return float(solve_moved(x, move * u, targets, tol=_TOLERANCE).reached.mean())


def _one_weight(means: Means, *, move: float, draws: int, seed: int) -> dict[str, Any]:
    """The least n that reaches one weight, z uniform on ±½, in 99 % of draws."""
    targets = uniform(Stream(seed, "moves/z"), (draws,)).astype(np.float64) / 2
    return {"n": least(range(1, 40), lambda n: _reached(n, move, targets, seed) < _SHARE)}


def _network(means: Means, *, network: Sequence[int] | str, move: float, seed: int) -> dict[str, Any]:
    """The least n for which no weight of the network misses."""
    if isinstance(network, str):
        target = trained(means, network, hidden=(500,), epochs=3, seed=seed)
    else:
        target = gaussian(network, seed)
    recipe = Recipe(objective="moved", most_move=move) if move >= STEP else Recipe()
    start = 1 if move > 0.05 else 8
    first = target.coefficients[next(iter(target.graph.maps))].weight
    n = least_width(target, recipe, tolerance=_TOLERANCE, seed=seed, start=start)
    return {"n": n, "inputs": first.shape[1], "outputs": first.shape[0], "weights": target.graph.weights}


def _large(means: Means, *, move: float, weights: int, seed: int) -> dict[str, Any]:
    """The least n that reaches each of so many Gaussian weights, the largest of ⅔, by candidates of its own."""
    z = np.random.default_rng(seed).normal(size=weights)
    z /= 1.5 * np.abs(z).max()
    return {"n": least(range(1, 40), lambda n: _reached(n, move, z, seed) < 1)}


def _parts(scale: Scale, seed: int) -> Sequence[Part]:
    if scale is Scale.PAPER:  # its networks are not said
        return []
    smoke = scale is Scale.SMOKE
    network = (96, 64, 10) if smoke else "mnist"
    draws, weights = (1_000, 4_000) if smoke else (4_000, 400_000)
    parts = [Part(f"network, ε = {e:g}", _network, {"network": network, "move": e, "seed": seed}) for e in _MOVES]
    parts += [Part(f"one weight, ε = {e:g}", _one_weight, {"move": e, "draws": draws, "seed": seed}) for e in _MOVES]
    return parts + [Part(f"large, ε = {e:g}", _large, {"move": e, "weights": weights, "seed": seed}) for e in _LARGE]


def theorem_2(move: float, n: float) -> float:
    """n(0) / (1 + ε), its O taken from ε = 0."""
    return n / (1 + move)


def logarithmic(move: float, n: float) -> float:
    """n(0) - log₂(1 + ¾ ε / η): a kept value of mean u = ¾ relaxes η by ¾ ε; each doubling saves one."""
    return n - math.log2(1 + _MEAN_FACTOR * move / _TOLERANCE)


def judge(n: dict[float, int]) -> tuple[Verdict, str]:
    """The verdict on the factor, of the least n of a network over ε."""
    falls = all(later <= earlier for earlier, later in pairwise(n[move] for move in sorted(n)))
    factor = {move: theorem_2(move, n[0.0]) for move in n}
    small = [move for move in n if move <= 0.1]
    law = max(abs(n[move] - logarithmic(move, n[0.0])) for move in small)
    said = (
        f"n falls from {n[0.0]} to {n[0.1]} at ε = 0.1 and {n[1.0]} at 1, where n(0) / (1 + ε) is {factor[0.1]:.1f} "
        f"and {factor[1.0]:.1f}; up to 0.1 the logarithmic law is off by at most {law:.1f} candidates"
    )
    if falls and all(abs(n[move] - factor[move]) <= _NEAR * factor[move] for move in n):
        return Verdict.REPRODUCED, f"{said}."
    if not falls:
        return Verdict.NOT_REPRODUCED, f"{said}. It rises on the way."
    if all(n[move] <= factor[move] + 1 for move in n):
        return Verdict.IN_SHAPE, f"{said}. The factor suffices, and moves save more."
    return Verdict.NOT_REPRODUCED, f"{said}. The factor does not suffice."


def _conclude(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    def of(kind: str) -> dict[float, Any]:
        return {part.options["move"]: part.outcome for part in measured if part.name.startswith(kind)}

    network = of("network")
    n = {move: outcome["n"] for move, outcome in network.items()}
    single = {move: outcome["n"] for move, outcome in of("one weight").items()}
    inputs, outputs = network[0.0]["inputs"], network[0.0]["outputs"]
    verdict, said = judge(n)
    rows = [
        Row(
            what=f"ε = {move:g}, n over n(0)",
            published=theorem_2(move, 1.0) if move else None,
            ours=n[move] / n[0.0],
            note=f"n = {n[move]}, logarithmic law {logarithmic(move, n[0.0]):.1f}; one weight {single[move]}",
        )
        for move in n
    ]
    large = of("large")
    rows += [
        Row(
            what=f"ε = {move:g}, neurons of the first layer",
            published=float(outputs) if move == max(large) else None,
            ours=float(outcome["n"] * inputs),
            note=f"n(0) / (1 + ε) for each input: {theorem_2(move, n[0.0]) * inputs:.0f}",
        )
        for move, outcome in large.items()
    ]
    limit = large[max(large)]["n"] * inputs
    said += (
        f" For large ε {limit} neurons are left, {limit // inputs} for each input; the Remark's limit, d_l, is "
        f"{outputs}, the formula's own 0."
    )
    x = tuple(max(move, 3e-4) for move in n)
    series = (
        Series(label=f"network of {network[0.0]['weights']:,} weights, no miss", x=x, y=tuple(n.values())),
        Series(label="n(0) / (1 + ε), Theorem 2", x=x, y=tuple(theorem_2(e, n[0.0]) for e in n), kind="estimate"),
        Series(label="n(0) - log2(1 + ¾ ε/η)", x=x, y=tuple(logarithmic(e, n[0.0]) for e in n), kind="estimate"),
    )
    panel = Panel(
        title=f"tolerance {_TOLERANCE:g} gains; ε = 0 at the left end",
        x="largest move ε of a random number",
        y="candidates n of a weight",
        content=series,
        log_x=True,
    )
    at = {"epsilon": _TOLERANCE, "delta": 1 - _SHARE}
    laws = tuple(
        Series(
            label=f"{label}, sufficient for every z, U[-1, 1], C fitted",
            x=x,
            y=tuple(float(bound(name, **at, move=move).value) for move in n),
            kind="bound",
        )
        for name, label in (("xiong-sums", "1 / (1 + ε)"), ("perturbed", "exact reduction"))
    )
    alone = Panel(
        title="one weight",
        x="largest move ε of a random number",
        y="candidates n",
        content=(Series(label="measured, 99 % of targets", x=x, y=tuple(single.values())), *laws),
        log_x=True,
    )
    figure = Figure(title="Candidates of a weight against the largest move", panels=(panel, alone))
    return Conclusion(verdict=verdict, because=said, rows=tuple(rows), figures=(figure,))


REPRODUCTION = Reproduction(
    name="moves",
    title="width against the largest move of a random number",
    says="If every random number may move by ε, a width of O(d log(d d' l / η) / (1 + ε)) suffices, a factor of "
    "1 / (1 + ε) less than without moves; as ε grows the width tends to d_l (Remark).",
    sources=("xiong2023", "pensia2020"),
    place="Theorem 2",
    settings=f"only v moves, ε in its unit, tolerance η = {_TOLERANCE:g} gains. Smoke: 96-64-10, Gaussian; small: "
    "784-500-10 trained on MNIST for 3 epochs, no biases, inputs in [0, 1]. The least n for which no weight misses, "
    "one draw; one weight, z uniform on ±½, in 99 % of draws. Neurons of the first layer, for larger ε than tickets "
    "have: n for each input, of Gaussian weights, each with candidates of its own. Reproduced where n never "
    f"rises with ε and is within {_NEAR:.0%} of n(0) / (1 + ε), n(0) measured, for every ε; in shape where it never "
    "rises and is at most one above it. The logarithmic law is ours: every kept value relaxes η by u ε.",
    parts=_parts,
    conclude=_conclude,
    data={Scale.SMALL: ("mnist",)},
)
