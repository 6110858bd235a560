"""Does the move that SGD makes coincide with a good set of perturbations? (Xiong et al., 2023)

A trained target F; a source with eight live candidates u v for each weight, whose v may move by at most epsilon g. SGD
moves them, projected into that box, for one of three losses; then subsets are chosen, and it is asked how many weights
of F are hit, and how far the pruned source is from F. The best of all subsets and moves together stands beside it.

task      cross entropy of the unpruned source: SGD never sees F
function  ||F(x) - G_{W + dW}(x)||^2 of the unpruned source: their Eq. (2) without a mask
masked    the same, of the source pruned to the closest subsets before any move: the mask is in the loop
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear

from slth.numerics import Stream, uniform
from slth.reproductions._figure import Figure, Panel, Series
from slth.reproductions._reproduction import Conclusion, Means, Measured, Part, Reproduction, Row, Scale, Verdict
from slth.reproductions.learning._training import (
    Images,
    accuracy,
    dense,
    descend,
    draw_kaiming,
    images,
    task,
    weights_of,
)

MOVED = ("task", "function", "masked")  # by SGD
WAYS = ("none", *MOVED, "best")
_COUNT = 8  # live candidates of a weight
_ETA = 1e-4  # in gains: what counts as hit
_RATES = (1e-4, 1e-3, 1e-2, 1e-1)  # of each loss the one with the lowest loss at the end is taken
_COIN = 0.55  # agreement in direction beyond which SGD does not throw a coin


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One map of the source: z is hit by sums of u v over kept candidates, v within `gain` and free to move."""

    z: Tensor  # (out, inp), the target's weights
    u: Tensor  # (inp, candidate), lifts
    v: Tensor  # (out, inp, candidate), mixing weights before any move
    gain: float


def _measure(means: Means, *, epsilon: float, data: str, hidden: int, epochs: int, seed: int) -> dict[str, Any]:
    """Of each way: weights hit, error of the coefficients in gains, distance of the functions; and directions."""
    torch.set_num_threads(means.threads)
    found = images(data, means.data_dir)
    target = dense(hidden)
    draw_kaiming(target, seed)
    descend(target.parameters(), task(target), found.steps(epochs, seed=seed, key="target"), rate=0.05)
    layers = [_layer(weight.detach(), i, seed) for i, weight in enumerate(weights_of(target))]
    wanted = target.eval()
    closest = [_choose(layer, layer.v, 0.0) for layer in layers]
    seen = found.train_x.flatten(1).std(0) > 0  # inputs that are always the same give SGD nothing to go by
    outcome: dict[str, Any] = {"target": accuracy(wanted, found)}
    for way in WAYS:
        moved = _moved(way, layers, closest, wanted, found, epsilon, seed)
        slacks = [epsilon * layer.gain * (way == "best") for layer in layers]
        kept = closest if way == "masked" else list(map(_choose, layers, moved, slacks))
        outcome[way] = _judge(layers, moved, kept, slacks, target=wanted, data=found, seen=seen)
        if way in MOVED:
            outcome[way]["direction"] = _agreement(layers, moved, closest, seen)
    return outcome


def _layer(weight: Tensor, number: int, seed: int) -> Layer:
    out, inp = weight.shape
    gain = float(2.0 ** np.ceil(np.log2(1.5 * float(weight.abs().max()))))
    u = np.abs(uniform(Stream(seed, f"perturbations/{number}/lift"), (inp, _COUNT)))
    v = uniform(Stream(seed, f"perturbations/{number}/mixing"), (out, inp, _COUNT)) * np.float32(gain)
    return Layer(weight.clone(), torch.from_numpy(u), torch.from_numpy(v), gain)


def _moved(
    way: str,
    layers: Sequence[Layer],
    closest: Sequence[Tensor],
    target: nn.Module,
    data: Images,
    epsilon: float,
    seed: int,
) -> list[Tensor]:
    """The mixing weights after one epoch of projected SGD on the loss of this way; those of the start for others."""
    start = [layer.v for layer in layers]
    if way in ("none", "best") or not epsilon:
        return start
    kept = closest if way == "masked" else [torch.ones_like(v) for v in start]
    runs = [_descended(way, layers, kept, target, data, epsilon, seed=seed, rate=rate) for rate in _RATES]
    return min(runs, key=lambda run: run[0])[1]


def _descended(
    way: str,
    layers: Sequence[Layer],
    kept: Sequence[Tensor],
    target: nn.Module,
    data: Images,
    epsilon: float,
    *,
    seed: int,
    rate: float,
) -> tuple[float, list[Tensor]]:
    """(mean loss of the last tenth of an epoch, mixing weights) at one rate; what diverges has an infinite loss."""
    moving = [nn.Parameter(layer.v.clone()) for layer in layers]
    losses: list[float] = []

    def loss(x: Tensor, y: Tensor) -> Tensor:
        out = _source(layers, moving, kept, x)
        if way == "task":
            found = cross_entropy(out / _COUNT, y)  # the unpruned source is loud; a constant changes no prediction
        else:
            with torch.no_grad():
                wanted = target(x)
            found = (out - wanted).square().sum(1).mean()
        losses.append(float(found.detach()))
        return found

    def project(step: int, steps: int) -> None:
        with torch.no_grad():
            for v, layer in zip(moving, layers, strict=True):
                box = epsilon * layer.gain
                v.copy_(layer.v + (v - layer.v).clamp(-box, box))

    descend(moving, loss, data.steps(1, seed=seed, key="moves"), rate=rate, after=project)
    tail = losses[-max(1, len(losses) // 10) :]
    end = float(np.mean(tail))
    return end if np.isfinite(end) else float("inf"), [v.detach() for v in moving]


def _source(layers: Sequence[Layer], mixing: Sequence[Tensor], kept: Sequence[Tensor], x: Tensor) -> Tensor:
    """The network that is made of the kept candidates; both halves of a ReLU lift take the same subset."""
    x = x.flatten(1)
    for i, (layer, v, mask) in enumerate(zip(layers, mixing, kept, strict=True)):
        x = linear(x.relu() if i else x, (v * mask * layer.u).sum(2))
    return x


def _choose(layer: Layer, v: Tensor, slack: float) -> Tensor:
    """The mask (out, inp, candidate) of the subset that comes closest to z if every kept v may move by `slack`."""
    subsets = ((torch.arange(1 << _COUNT)[:, None] >> torch.arange(_COUNT)) & 1).double()
    masks = torch.empty(v.shape)
    for j in range(v.shape[1]):  # input by input: (out, subsets) at a time
        lifts = layer.u[j].double()
        residual = layer.z[:, j, None].double() - (v[:, j].double() * lifts) @ subsets.T
        masks[:, j] = subsets[((residual.abs() - slack * (subsets @ lifts)).clamp(min=0)).argmin(1)].float()
    return masks


def _judge(
    layers: Sequence[Layer],
    moved: Sequence[Tensor],
    kept: Sequence[Tensor],
    slacks: Sequence[float],
    *,
    target: nn.Module,
    data: Images,
    seen: Tensor,
) -> dict[str, float]:
    """Weights hit, their median error in gains, distance of the functions; every kept v may move by its slack."""
    errors: list[Tensor] = []
    coefficients: list[Tensor] = []
    for i, (layer, v, mask, slack) in enumerate(zip(layers, moved, kept, slacks, strict=True)):
        residual = layer.z - (v * mask * layer.u).sum(2)
        residual = residual.sign() * (residual.abs() - slack * (mask * layer.u).sum(2)).clamp(min=0)
        coefficients.append(layer.z - residual)
        inputs = seen if i == 0 else torch.ones(layer.z.shape[1], dtype=torch.bool)
        errors.append((residual.abs() / layer.gain)[:, inputs].flatten())
    whole = torch.cat(errors)
    with torch.no_grad():
        x = data.test_x.flatten(1)
        out = linear(linear(x, coefficients[0]).relu(), coefficients[1])
        wanted = target(data.test_x)
        distance = float((out - wanted).square().mean().sqrt() / wanted.square().mean().sqrt())
        hits = float((out.argmax(1) == data.test_y).float().mean())
    within = float((whole <= _ETA).float().mean())
    return {"within": within, "error": float(whole.median()), "distance": distance, "accuracy": hits}


def _agreement(layers: Sequence[Layer], moved: Sequence[Tensor], closest: Sequence[Tensor], seen: Tensor) -> float:
    """How often a kept candidate moves towards what its sum lacks, of those that move; a coin: 0.5."""
    votes: list[Tensor] = []
    for i, (layer, v, kept) in enumerate(zip(layers, moved, closest, strict=True)):
        lacks = (layer.z - (layer.v * kept * layer.u).sum(2)).sign()[:, :, None]
        moves = (v - layer.v).sign()
        counted = (kept > 0) & (moves != 0) & (lacks != 0)
        if i == 0:
            counted &= seen[None, :, None]
        votes.append((moves == lacks)[counted].float())
    return float(torch.cat(votes).mean())


def _parts(scale: Scale, seed: int) -> Sequence[Part]:
    if scale is Scale.PAPER:  # the question is open: nothing was measured there
        return []
    if scale is Scale.SMOKE:
        epsilons, shared = (0.02, 0.1), {"data": "digits", "hidden": 20, "epochs": 5}
        seeds = 1
    else:
        epsilons, shared = (0.005, 0.01, 0.02, 0.05, 0.1), {"data": "mnist", "hidden": 100, "epochs": 3}
        seeds = 3
    return [
        Part(f"epsilon = {epsilon:g}, seed {seed + i}", _measure, {"epsilon": epsilon, "seed": seed + i, **shared})
        for i in range(seeds)
        for epsilon in epsilons
    ]


def _conclude(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    epsilons = sorted({part.options["epsilon"] for part in measured})

    def mean(way: str, what: str, epsilon: float) -> float:
        chosen = [part.outcome[way][what] for part in measured if part.options["epsilon"] == epsilon]
        return float(np.mean(chosen))

    def each(ways: Sequence[str], what: str, epsilon: float) -> str:
        return ", ".join(f"{way} {mean(way, what, epsilon):.3g}" for way in ways)

    asked = (
        ("fraction of weights hit", WAYS, "within"),
        ("||F - G|| / ||F||", WAYS, "distance"),
        ("kept candidates moved to what is lacking", MOVED, "direction"),
    )
    rows = [
        Row(what=f"epsilon = {epsilon:g}: {what}", ours=each(ways, key, epsilon))
        for epsilon in epsilons
        for what, ways, key in asked
    ]
    largest = epsilons[-1]
    direction = {way: mean(way, "direction", largest) for way in MOVED}
    left = {way: mean(way, "distance", largest) for way in WAYS}
    coincides = [way for way, agreed in direction.items() if agreed > _COIN]
    good = "a good set of moves" if left["masked"] <= left["best"] else "not as good a set of moves"
    same = "the same one" if "masked" in coincides else "not the one that is best weight by weight"
    because = (
        f"At epsilon = {largest:g} a kept candidate moves towards what its sum lacks in "
        + ", ".join(f"{agreed:.1%} ({way})" for way, agreed in direction.items())
        + " of all cases, where a coin has 50 %. ||F - G|| / ||F|| is "
        + ", ".join(f"{distance:.3g} ({way})" for way, distance in left.items())
        + f": what SGD finds with the mask in the loop is {good} by that, and {same}."
    )
    verdict = Verdict.IN_SHAPE if "masked" in coincides else Verdict.NOT_REPRODUCED
    series = {
        what: tuple(
            Series(label=way, x=tuple(epsilons), y=tuple(mean(way, what, epsilon) for epsilon in epsilons))
            for way in WAYS
        )
        for what in ("within", "distance")
    }
    panels = (
        Panel(title=f"weights within {_ETA:g} gains", x="epsilon", y="fraction", content=series["within"], log_x=True),
        Panel(
            title="distance of the functions",
            x="epsilon",
            y="||F - G|| / ||F||, test images",
            content=series["distance"],
            log_x=True,
            log_y=True,
        ),
    )
    return Conclusion(
        verdict=Verdict.TOO_SMALL if scale is Scale.SMOKE else verdict,
        because=because,
        rows=tuple(rows),
        figures=(Figure(title="Moves of SGD and the best moves", panels=panels),),
    )


REPRODUCTION = Reproduction(
    name="perturbations",
    title="does SGD move weights as a good set of perturbations would?",
    says="An open question of the paper: whether the move that SGD makes coincides with a good set of perturbations, "
    "those for which a pruned network comes close to the target, min ||F(x) - G_{W + dW}(x)||.",
    sources=("xiong2023",),
    place="second part",
    settings="the target is 784-100-10 without biases, Kaiming normal, three epochs of SGD 0.05 with momentum 0.9. The "
    f"source has {_COUNT} live candidates u v for each weight, u in [0, 1], v within the gain of the map, a power of "
    "two of at least 1.5 times its largest weight; v moves by at most epsilon gains, one epoch of projected SGD with "
    f"momentum 0.9, batches of 128; of the rates {', '.join(map(str, _RATES))} the one with the lowest loss over the "
    "last tenth. Losses: "
    "task (cross entropy, the unpruned source), function (squared distance to F, unpruned), masked (the same, pruned "
    "to the closest subsets before any move, which it keeps). Elsewhere the closest subsets are chosen then; best: "
    "the best of all subsets and moves together. Pixels that never change are left out of the counts; a weight is "
    f"hit within {_ETA:g} gains. Three seeds. In shape where, at the largest epsilon, masked moves agree with what is "
    f"lacking in more than {_COIN:.0%}.",
    parts=_parts,
    conclude=_conclude,
    data={Scale.SMALL: ("mnist",)},
)
