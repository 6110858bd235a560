"""How are tickets found fastest? Searches for a mask against training a small network and constructing it.

Every way ends in a pruned random network with as many parameters to choose from. Time is processor time of one thread,
training, pruning and construction together.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from slth import api
from slth.learning import Biprop, EdgePopup, attach
from slth.reproductions._figure import Figure, Panel, Series
from slth.reproductions._reproduction import Conclusion, Means, Measured, Part, Reproduction, Row, Scale, Verdict
from slth.reproductions.learning._training import (
    Images,
    accuracy,
    descend,
    draw_kaiming,
    images,
    put,
    task,
    weights_of,
)
from slth.ticket import Ticket

WAYS = ("construct", "edge-popup", "biprop", "magnitude")
_TOLERANCE = 0.01  # of the construction, in gains
_ROUND = 0.5  # of the weights that magnitude pruning keeps in a round


def _measure(means: Means, *, way: str, data: str, epochs: float, density: float, seed: int) -> dict[str, Any]:
    """Accuracy of the ticket, processor seconds, parameters of the random network and those kept."""
    torch.set_num_threads(1)
    found = images(data, means.data_dir)
    _warm(found, seed)
    if way == "construct":
        return _constructed(found, epochs, seed)
    model = _network(found, _width_for(found, seed))
    start = time.process_time()
    steps = found.steps(epochs, seed=seed, key="order")
    if way == "magnitude":
        kept = _magnitude(model, found, epochs, density, seed)
    else:
        method = EdgePopup(0.5) if way == "edge-popup" else Biprop(0.5)
        masks = attach(model, method, seed=seed)
        descend(masks.parameters, task(model), steps, rate=0.1, decay=1e-4, cosine=True)
        kept = masks.kept
    seconds = time.process_time() - start
    size = sum(weight.numel() for weight in weights_of(model))
    return {"accuracy": accuracy(model.eval(), found), "seconds": seconds, "source": size, "kept": kept}


def _warm(found: Images, seed: int) -> None:
    """One step and one construction before the clock starts: what a process loads and compiles at its first use."""
    torch.manual_seed(seed)
    model = _network(found, 1.0)
    descend(model.parameters(), task(model), found.steps(1e-9, seed=seed, key="warm"), rate=0.02, cosine=True)
    _ticket(model, found, seed)


def _constructed(found: Images, epochs: float, seed: int) -> dict[str, Any]:
    """Train the small network, construct it; the accuracy is that of the ticket."""
    start = time.process_time()
    model = _network(found, 1.0)
    draw_kaiming(model, seed)
    descend(model.parameters(), task(model), found.steps(epochs, seed=seed, key="order"), rate=0.02, cosine=True)
    trained = time.process_time() - start
    ticket = _ticket(model, found, seed)
    seconds = time.process_time() - start
    network = api.realised(ticket)
    return {
        "accuracy": accuracy(network, found),
        "target": accuracy(model, found),
        "seconds": seconds,
        "training": trained,
        "source": ticket.size,
        "kept": ticket.kept,
    }


def _magnitude(model: nn.Module, data: Images, epochs: float, density: float, seed: int) -> int:
    """Rounds of training, pruning and rewinding down to a density, in equal parts of the epochs; what is kept."""
    draw_kaiming(model, seed)
    start = [weight.detach().clone() for weight in weights_of(model)]
    masks = [torch.ones_like(weight) for weight in start]
    rounds = max(1, round(np.log(density) / np.log(_ROUND)))
    for number in range(rounds + 1):
        put(model, start, masks)

        def prune(step: int, steps: int) -> None:
            put(model, [weight.detach() for weight in weights_of(model)], masks)  # noqa: B023  # called in this round

        steps = data.steps(epochs / (rounds + 1), seed=seed, key=f"round {number}")
        descend(model.parameters(), task(model), steps, rate=0.02, cosine=True, after=prune)
        if number < rounds:
            left = density ** ((number + 1) / rounds)
            masks = [_largest(weight.detach(), left) for weight in weights_of(model)]
    return int(sum(mask.sum() for mask in masks))


def _largest(weight: Tensor, density: float) -> Tensor:
    count = max(1, round(density * weight.numel()))
    mask = torch.zeros(weight.numel())
    mask[weight.abs().flatten().topk(count).indices] = 1.0
    return mask.view_as(weight)


def _ticket(model: nn.Module, found: Images, seed: int) -> Ticket:
    return api.construct(
        model.eval(),
        input_shape=tuple(found.train_x.shape[1:]),
        input_range=(float(found.train_x.min()), float(found.train_x.max())),
        relative_tolerance=_TOLERANCE,
        seed=seed,
        threads=1,
    )


def _network(found: Images, width: float) -> nn.Sequential:
    """Three convolutions with stride 2, the mean over the image, one dense layer; 8, 16, 32 times the width."""
    first, second, third = (max(1, round(width * channels)) for channels in (8, 16, 32))
    return nn.Sequential(
        nn.Conv2d(found.train_x.shape[1], first, 5, stride=2, bias=False),
        nn.ReLU(),
        nn.Conv2d(first, second, 3, stride=2, bias=False),
        nn.ReLU(),
        nn.Conv2d(second, third, 3, stride=2, bias=False),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(third, 10, bias=False),
    )


def _width_for(found: Images, seed: int) -> float:
    """The width at which a network has as many parameters as the source of a constructed ticket, or a little more."""
    torch.manual_seed(seed)
    source, width = _ticket(_network(found, 1.0), found, seed).size, 1.0
    while sum(weight.numel() for weight in weights_of(_network(found, width))) < source:
        width += 0.125
    return width


def _parts(scale: Scale, seed: int) -> Sequence[Part]:
    if scale is Scale.SMOKE:
        sets: Mapping[str, tuple[float, ...]] = {"digits": (2, 8)}
    elif scale is Scale.SMALL:
        sets = {"mnist": (0.25, 0.5, 1, 2), "fashion_mnist": (0.25, 0.5, 1, 2), "cifar10": (0.25, 0.5, 1)}
    else:
        sets = {"mnist": (1, 2, 5, 20), "fashion_mnist": (1, 2, 5, 20), "cifar10": (1, 5, 20, 100)}
    parts: list[Part] = []
    for data, epochs in sets.items():
        for way in WAYS:
            lengths = (*epochs, 4 * epochs[-1]) if way == "construct" else epochs  # a small network is quickly trained
            for length in lengths:
                options = {"way": way, "data": data, "epochs": length, "density": 0.05}
                parts.append(Part(f"{data}, {way}, {length:g} epochs", _measure, {**options, "seed": seed}))
    return parts


def _conclude(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    sets = list(dict.fromkeys(part.options["data"] for part in measured))
    rows: list[Row] = []
    won: dict[str, list[str]] = {}
    panels: list[Panel] = []
    for data in sets:
        curves = {way: _curve([part for part in measured if _is(part, data, way)]) for way in WAYS}
        sizes = {way: _one(measured, data, way, "source") for way in WAYS}
        for way, (seconds, accuracies) in curves.items():
            rows.append(
                Row(
                    what=f"{data}, {way}: best accuracy",
                    ours=max(accuracies),
                    note=f"after {seconds[int(np.argmax(accuracies))]:.3g} s, source {sizes[way]:,.0f}, kept "
                    f"{_one(measured, data, way, 'kept'):,.0f}",
                )
            )
        won[data] = _fastest(curves)
        rows.append(_until(data, curves))
        series = tuple(Series(label=way, x=curve[0], y=curve[1]) for way, curve in curves.items())
        panels.append(Panel(title=data, x="processor seconds", y="test accuracy", content=series, log_x=True))
    best = ", ".join(f"{data}: {' and '.join(ways)}" for data, ways in won.items())
    lost = max(abs(part.outcome["accuracy"] - part.outcome["target"]) for part in measured if "target" in part.outcome)
    leads = all(ways == ["construct"] for ways in won.values())
    verdict = Verdict.IN_SHAPE if leads else Verdict.NOT_REPRODUCED
    return Conclusion(
        verdict=Verdict.TOO_SMALL if scale is Scale.SMOKE else verdict,
        because=f"The highest accuracy so far, at most of the times at which a run ends: {best}. The accuracy of what "
        f"is constructed is that of the trained small network up to {lost:.2%}; searches choose among about as many "
        "random weights.",
        rows=tuple(rows),
        figures=(Figure(title="How are tickets found fastest?", panels=tuple(panels)),),
    )


def _is(part: Measured, data: str, way: str) -> bool:
    return part.options["data"] == data and part.options["way"] == way


def _one(measured: Sequence[Measured], data: str, way: str, what: str) -> float:
    return float([part.outcome[what] for part in measured if _is(part, data, way)][-1])


def _curve(parts: Sequence[Measured]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """(seconds, accuracies), by time."""
    points = sorted((part.outcome["seconds"], part.outcome["accuracy"]) for part in parts)
    return tuple(seconds for seconds, _ in points), tuple(found for _, found in points)


def _until(data: str, curves: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]]) -> Row:
    """How long the construction takes until it is as good as the best search."""
    best = {way: max(zip(curves[way][1], (-seconds for seconds in curves[way][0]), strict=True)) for way in WAYS[1:]}
    search = max(best, key=lambda way: best[way])
    reached, after = best[search]
    as_good = [seconds for seconds, found in zip(*curves["construct"], strict=True) if found >= reached]
    ours = f"{min(as_good):.3g} s" if as_good else "not in the times tried"
    return Row(what=f"{data}: construct as good as the best search", ours=ours, note=f"{search} after {-after:.3g} s")


def _fastest(curves: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]]) -> list[str]:
    """The ways with the highest accuracy so far at most of the times at which any way has ended; ties are for all."""
    times = sorted(seconds for curve in curves.values() for seconds in curve[0])

    def so_far(way: str, until: float) -> float:
        return max((found for seconds, found in zip(*curves[way], strict=True) if seconds <= until), default=0.0)

    leads = dict.fromkeys(curves, 0)
    for until in times:
        found = {way: so_far(way, until) for way in curves}
        for way, reached in found.items():
            leads[way] += reached == max(found.values())
    return [way for way, count in leads.items() if count == max(leads.values())]


REPRODUCTION = Reproduction(
    name="fastest",
    title="how are tickets found fastest: search for a mask, or train a small network and construct it",
    says="Open: how to find strong tickets efficiently. Mask training takes as long as training the large network; a "
    "construction takes a trained small network and seconds.",
    sources=("pensia2020", "ramanujan2020", "diffenderfer2021", "frankle2019"),
    place="open problem",
    settings="one thread, one seed. The target of the construction: convolutions with 8, 16 and 32 channels (5 x 5, "
    "3 x 3, 3 x 3, stride 2), mean over the image, one dense layer, Kaiming normal, trained for the given epochs, and "
    "for four times the most of them, SGD 0.02, momentum 0.9, cosine; "
    f"tolerance {_TOLERANCE} gains. Searches: the same kind of network, wider until it has the parameters of the "
    "source of an untrained target; edge-popup and biprop at density 0.5 on signed constants, SGD 0.1, momentum 0.9, "
    "decay 1e-4, cosine; magnitude pruning to 5 % in four equal steps, SGD 0.02, momentum 0.9, cosine, with "
    "rewinding (a weak ticket: its weights were trained), the epochs shared among its five rounds. Batches of 128. "
    "Each point is a run of its own length. No published number: who leads at most of the times at which a run ends "
    "is said; in shape where that is the construction on every data set, and nothing beside it.",
    parts=_parts,
    conclude=_conclude,
    data=dict.fromkeys((Scale.SMALL, Scale.PAPER), ("mnist", "fashion_mnist", "cifar10")),
)
