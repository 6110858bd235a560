"""Projected SGD in an epsilon-box, then edge-popup, over epsilon and the pruned fraction (Xiong et al., 2023)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from slth.learning import EdgePopup, Policy, attach
from slth.reproductions._figure import Figure, Frame, Panel, Table
from slth.reproductions._reproduction import Conclusion, Means, Measured, Part, Reproduction, Row, Scale, Verdict
from slth.reproductions.learning._training import (
    Images,
    accuracy,
    dense,
    descend,
    images,
    small_convolutions,
    task,
    weights_of,
)

EPSILONS = (0.0, 0.001, 0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.1, 0.2, 0.3)
PRUNED = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
PUBLISHED = np.array(
    [
        [0.12, 0.14, 0.25, 0.42, 0.68, 0.84, 0.90, 0.93, 0.96, 0.97, 0.98],
        [0.49, 0.48, 0.65, 0.70, 0.78, 0.82, 0.87, 0.87, 0.94, 0.97, 0.98],
        [0.75, 0.76, 0.77, 0.79, 0.84, 0.86, 0.88, 0.87, 0.93, 0.96, 0.97],
        [0.83, 0.82, 0.82, 0.82, 0.88, 0.88, 0.86, 0.90, 0.92, 0.94, 0.93],
        [0.82, 0.86, 0.88, 0.89, 0.90, 0.89, 0.90, 0.90, 0.88, 0.91, 0.86],
        [0.85, 0.88, 0.86, 0.89, 0.87, 0.88, 0.89, 0.89, 0.90, 0.89, 0.76],
        [0.83, 0.87, 0.87, 0.83, 0.86, 0.88, 0.87, 0.88, 0.87, 0.85, 0.54],
        [0.81, 0.85, 0.84, 0.83, 0.86, 0.82, 0.81, 0.81, 0.79, 0.74, 0.29],
        [0.73, 0.71, 0.71, 0.75, 0.77, 0.75, 0.73, 0.68, 0.77, 0.55, 0.17],
    ]
)
SETTINGS = ("warm scores", "cold scores")
_CORNER = 0.5  # accuracy at s = 0.8, epsilon = 0.3 below which pruning is called destructive (published 0.17)


def _measure(
    means: Means, *, setting: str, epsilon: float, pruned: list[float], data: str, seed: int
) -> dict[str, Any]:
    """Test accuracies over the pruned fractions, at one epsilon."""
    torch.set_num_threads(means.threads)
    found = images(data, means.data_dir)
    run = _warm if setting == "warm scores" else _cold
    return {"accuracy": run(found, epsilon, pruned, seed)}


def _warm(data: Images, epsilon: float, pruned: Sequence[float], seed: int) -> list[float]:
    """Scores that were trained at W_0, and for a moment at W_T: the setting with the destructive corner."""
    gain, key = 1.0, "warm"
    moves = _moves(small_convolutions(), data, epsilon, seed, gain=gain, rate=0.05, epochs=4)

    def mask(model: nn.Module, scores: Sequence[nn.Parameter], moved: Sequence[nn.Parameter]) -> None:
        how: Mapping[str, Any] = {"rate": 0.1, "decay": 1e-4}
        descend(scores, task(model), data.steps(0.2, seed=seed, key=f"{key}/start"), cosine=True, **how)
        _move(moved, moves)
        descend(scores, task(model), data.steps(0.01, seed=seed, key=f"{key}/end"), **how)

    return [_accuracy(small_convolutions(), data, s, seed, gain=gain, moves=moves, mask=mask) for s in pruned]


def _cold(data: Images, epsilon: float, pruned: Sequence[float], seed: int) -> list[float]:
    """Fresh scores at W_T: what Algorithm 1 says, in the setting of `recipes/xiong.toml`."""
    gain = 4.0
    moves = _moves(dense(100), data, epsilon, seed, gain=gain, rate=0.02, epochs=3)

    def mask(model: nn.Module, scores: Sequence[nn.Parameter], moved: Sequence[nn.Parameter]) -> None:
        _move(moved, moves)
        descend(scores, task(model), data.steps(0.5, seed=seed, key="cold"), rate=0.003, cosine=True)

    return [_accuracy(dense(100), data, s, seed, gain=gain, moves=moves, mask=mask) for s in pruned]


def _moves(
    model: nn.Module, data: Images, epsilon: float, seed: int, *, gain: float, rate: float, epochs: int
) -> list[Tensor]:
    """W_T - W_0 of W <- W_0 + clip(W - rate grad - W_0, -epsilon, epsilon), with momentum 0.9, nothing pruned."""
    start = _start(model, seed, gain)
    weights = weights_of(model)

    def project(step: int, steps: int) -> None:
        with torch.no_grad():
            for weight, begin in zip(weights, start, strict=True):
                weight.copy_(begin + (weight - begin).clamp(-epsilon, epsilon))

    if epsilon:
        descend(weights, task(model), data.steps(epochs, seed=seed, key="moves"), rate=rate, after=project)
    return [(weight - begin).detach() for weight, begin in zip(weights, start, strict=True)]


def _start(model: nn.Module, seed: int, gain: float) -> list[Tensor]:
    """Give a model the random weights that masks of this seed lie on; the same values, apart."""
    masks = attach(model, EdgePopup(1.0), seed=seed, policy=Policy(law="kaiming_normal", gain=gain))
    start = [tensor.original.detach().clone() for tensor in masks]
    masks.detach(restore=True)
    with torch.no_grad():
        for weight, begin in zip(weights_of(model), start, strict=True):
            weight.copy_(begin)
    return [begin.clone() for begin in start]


def _accuracy(
    model: nn.Module, data: Images, pruned: float, seed: int, *, gain: float, moves: Sequence[Tensor], mask: Any
) -> float:
    """Of the moved weights, pruned to this fraction by edge-popup; mask(model, scores, weights) moves and trains."""
    if pruned == 0:
        _start(model, seed, gain)
        _move(weights_of(model), moves)
        return accuracy(model, data)
    density = round(1 - pruned, 6)
    masks = attach(model, EdgePopup(density), seed=seed, policy=Policy(law="kaiming_normal", gain=gain))
    mask(model, masks.parameters, [tensor.original for tensor in masks])
    return accuracy(model.eval(), data)


def _move(weights: Sequence[Tensor], moves: Sequence[Tensor]) -> None:
    with torch.no_grad():
        for weight, move in zip(weights, moves, strict=True):
            weight.add_(move)


def _parts(scale: Scale, seed: int) -> Sequence[Part]:
    if scale is Scale.PAPER:  # its network is not known
        return []
    if scale is Scale.SMOKE:
        grid: tuple[Any, ...] = ((0.0, 0.05, 0.3), [0.0, 0.5, 0.8], "digits", 1)
    else:
        grid = (EPSILONS, list(PRUNED), "mnist", 3)
    epsilons, pruned, data, seeds = grid
    return [
        Part(
            f"{setting}, epsilon = {epsilon:g}, seed {seed + i}",
            _measure,
            {"setting": setting, "epsilon": epsilon, "pruned": pruned, "data": data, "seed": seed + i},
        )
        for setting in SETTINGS
        for i in range(seeds)
        for epsilon in epsilons
    ]


def _conclude(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    ours = {setting: _table(measured, setting) for setting in SETTINGS}
    epsilons = sorted({part.options["epsilon"] for part in measured})
    pruned = measured[0].options["pruned"]
    at = np.ix_([PRUNED.index(s) for s in pruned], [EPSILONS.index(e) for e in epsilons])
    published = PUBLISHED[at]
    rows: list[Row] = []
    shapes: dict[str, tuple[bool, bool, bool]] = {}
    for setting, table in ours.items():
        difference = np.abs(table - published)
        best = [pruned[i] for i in table.argmax(0)]
        shapes[setting] = (bool(table[-1, -1] < _CORNER), 0.3 <= best[0] <= 0.6, best[-1] == 0)
        rows += [
            Row(what=f"{setting}: mean |difference| of {table.size} cells", ours=float(difference.mean())),
            Row(what=f"{setting}: cells within 0.05", ours=float((difference <= 0.05).sum())),
            Row(what=f"{setting}: best s at epsilon = 0", published=_best(published[:, 0], pruned), ours=best[0]),
            Row(what=f"{setting}: first epsilon where s = 0 is best", **_first(published, table, epsilons)),
            Row(what=f"{setting}: s = {pruned[-1]:g}, epsilon = 0.3", published=_at(published), ours=_at(table)),
        ]
    figure = Figure(
        title="Accuracy by epsilon and pruned fraction: published, warm scores, cold scores",
        panels=tuple(
            Panel(
                title=name,
                x="epsilon",
                y="pruned fraction s",
                content=_heat(table, epsilons, pruned),
            )
            for name, table in {"published": published, **ours}.items()
        ),
    )
    return Conclusion(
        verdict=_verdict(shapes["warm scores"], np.abs(ours["warm scores"] - published), scale),
        because=_because(shapes, ours),
        rows=tuple(rows),
        figures=(figure,),
    )


def _verdict(shape: tuple[bool, bool, bool], difference: np.ndarray, scale: Scale) -> Verdict:
    """Of the setting with warm scores; see the settings."""
    if scale is Scale.SMOKE:
        return Verdict.TOO_SMALL
    if not all(shape):
        return Verdict.NOT_REPRODUCED
    return Verdict.REPRODUCED if difference.mean() <= 0.05 else Verdict.IN_SHAPE


def _because(shapes: Mapping[str, tuple[bool, bool, bool]], ours: Mapping[str, np.ndarray]) -> str:
    asked = ("the destructive corner", "a best s between 0.3 and 0.6 at epsilon = 0", "s = 0 best at epsilon = 0.3")
    said = []
    for setting, shape in shapes.items():
        has = [what for what, there in zip(asked, shape, strict=True) if there] or ["nothing of the shape"]
        said.append(f"{setting} have {', '.join(has)}")
    ends = ", ".join(f"{table[-1, -1]:.3f} ({setting})" for setting, table in ours.items())
    return (
        f"Of {', '.join(asked)}: {'; '.join(said)}. The corner itself, the most pruned at epsilon = 0.3, is at "
        f"{ends}; published 0.17, destructive is below {_CORNER}. Which setting the paper used is not known."
    )


def _table(measured: Sequence[Measured], setting: str) -> np.ndarray:
    """Mean accuracy over seeds, (pruned fraction, epsilon)."""
    epsilons = sorted({part.options["epsilon"] for part in measured})
    columns = [
        np.mean(
            [
                part.outcome["accuracy"]
                for part in measured
                if (part.options["setting"], part.options["epsilon"]) == (setting, epsilon)
            ],
            axis=0,
        )
        for epsilon in epsilons
    ]
    return np.stack(columns, 1)


def _best(column: np.ndarray, pruned: Sequence[float]) -> float:
    return pruned[int(column.argmax())]


def _first(published: np.ndarray, ours: np.ndarray, epsilons: Sequence[float]) -> dict[str, Any]:
    """The first epsilon at which s = 0 is strictly best, as `published` and `ours` of a row."""
    found: dict[str, Any] = {}
    for name, table in (("published", published), ("ours", ours)):
        wins = table[0] > table[1:].max(0)
        found[name] = epsilons[int(wins.argmax())] if wins.any() else "none"
    return found


def _at(table: np.ndarray) -> float:
    return float(table[-1, -1])


def _heat(table: np.ndarray, epsilons: Sequence[float], pruned: Sequence[float]) -> Table:
    """With the marks of the poster: its legend names a column, a row and a region."""
    above, across = len(pruned), len(epsilons)
    dominated = tuple((1, j, above - 1, 1) for j in range(across) if table[0, j] >= table[1:, j].max())
    return Table(
        rows=tuple(f"{s:g}" for s in pruned),
        columns=tuple(f"{epsilon:g}" for epsilon in epsilons),
        values=tuple(tuple(map(float, row)) for row in table),
        frames=(
            Frame(label="strong tickets", boxes=((0, 0, above, 1),)),
            Frame(label="SGD alone", boxes=((0, 0, 1, across),)),
            Frame(label="no better than SGD alone", boxes=dominated),
        ),
    )


REPRODUCTION = Reproduction(
    name="xiong",
    title="the table of projected SGD and edge-popup over epsilon and the pruned fraction",
    says="At epsilon = 0 the best pruned fraction is 0.5 (85 %); for epsilon from 0.001 to 0.04 it is 0.4 to 0.5 (at "
    "0.04 beside 0); from 0.05 on nothing pruned is best (98 % at 0.3), and there pruning half and more is "
    "destructive (17 % at s = 0.8).",
    sources=("xiong2023", "ramanujan2020"),
    place="the table of PGD + Strong LTH",
    settings="the paper's network and rates are not known. Warm scores: conv 8 (5 x 5, stride 2), conv 16 (3 x 3, "
    "stride 2), fc 10, Kaiming normal, projected SGD 0.05 with momentum 0.9 for 4 epochs; scores SGD 0.1, momentum "
    "0.9, decay 1e-4, 0.2 epoch at W_0 with a cosine rate and from there 0.01 epoch at W_T with a constant one. Cold "
    "scores: 784-100-10, Kaiming normal x "
    "4, projected SGD 0.02 with momentum 0.9 for 3 epochs, fresh scores at W_T, SGD 0.003, momentum 0.9, half an "
    "epoch with a cosine rate. Batches of 128, no biases, three seeds. The verdict is that of warm scores: in shape "
    "where s = 0.8, "
    f"epsilon = 0.3 is below {_CORNER}, the best s at epsilon = 0 lies between 0.3 and 0.6 and nothing pruned is best "
    "at 0.3; reproduced where the mean difference is at most 0.05, too.",
    parts=_parts,
    conclude=_conclude,
    data={Scale.SMALL: ("mnist",)},
)
