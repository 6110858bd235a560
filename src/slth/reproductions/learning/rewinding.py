"""Magnitude pruning with rewinding against fresh weights in the same masks (Frankle and Carbin, 2019)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from slth.numerics import Stream, words
from slth.reproductions._figure import Figure, Panel, Series
from slth.reproductions._reproduction import Conclusion, Means, Measured, Part, Reproduction, Row, Scale, Verdict
from slth.reproductions.learning._training import Images, accuracy, dense, descend, images, put, task, weights_of

_RATE, _LAST_RATE = 0.2, 0.1  # of what is left, pruned in a round; in the last layer
_BETTER = (0.2, 0.4)  # densities where 60 to 80 % of the weights are pruned
_SPARSE = 0.011  # density, at most, of "99 % pruned"
_MOST = 0.8  # of the comparisons with fresh weights, beyond which rewound ones are better
_LOSS = 0.01  # accuracy that may be lost where pruning still "performs well"


def _measure(
    means: Means, *, data: str, hidden: list[int], rounds: int, epochs: int, again: list[int], seed: int
) -> dict[str, Any]:
    """Densities and test accuracies after every round; of some rounds the masks on fresh weights, too."""
    torch.set_num_threads(means.threads)
    found = images(data, means.data_dir)
    model = dense(*hidden)
    _draw(model, seed, "start")
    start = [weight.detach().clone() for weight in weights_of(model)]
    masks = [torch.ones_like(weight) for weight in start]
    outcome: dict[str, Any] = {"density": [], "rewound": [], "fresh": {}}
    for number in range(rounds + 1):
        put(model, start, masks)
        _train(model, masks, found, epochs, seed, f"round {number}")
        outcome["density"].append(float(sum(mask.sum() for mask in masks) / sum(mask.numel() for mask in masks)))
        outcome["rewound"].append(accuracy(model, found))
        trained = [weight.detach().clone() for weight in weights_of(model)]
        if number in again:
            _draw(model, seed, f"fresh {number}")
            put(model, [weight.detach().clone() for weight in weights_of(model)], masks)
            _train(model, masks, found, epochs, seed, f"round {number}")
            outcome["fresh"][str(number)] = accuracy(model, found)
        masks = [
            _pruned(weight, mask, _LAST_RATE if i == len(masks) - 1 else _RATE)
            for i, (weight, mask) in enumerate(zip(trained, masks, strict=True))
        ]
    return outcome


def _draw(model: nn.Module, seed: int, key: str) -> None:
    """Glorot normal weights."""
    torch.manual_seed(int(words(Stream(seed, f"weights/{key}"), 0, 1)[0]))
    for weight in weights_of(model):
        nn.init.xavier_normal_(weight)


def _train(model: nn.Module, masks: Sequence[Tensor], data: Images, epochs: int, seed: int, key: str) -> None:
    def prune(step: int, steps: int) -> None:
        put(model, weights_of(model), masks)

    steps = data.steps(epochs, seed=seed, key=key)
    descend(model.parameters(), task(model), steps, rate=0.1, momentum=0.0, after=prune)


def _pruned(weight: Tensor, mask: Tensor, rate: float) -> Tensor:
    """The mask without the smallest of the kept weights, ties by index."""
    kept = int(mask.sum())
    left = max(1, kept - round(rate * kept))
    order = torch.where(mask > 0, weight.abs(), -1.0).flatten().argsort(descending=True, stable=True)
    found = torch.zeros(mask.numel())
    found[order[:left]] = 1.0
    return found.view_as(mask)


def _parts(scale: Scale, seed: int) -> Sequence[Part]:
    if scale is Scale.SMOKE:
        options: dict[str, Any] = {"data": "digits", "hidden": [64], "rounds": 21, "epochs": 4, "again": [5, 21]}
        seeds = 1
    elif scale is Scale.SMALL:
        again = [2, 4, 7, 10, 14, 18, 21]
        options = {"data": "mnist", "hidden": [300, 100], "rounds": 21, "epochs": 3, "again": again}
        seeds = 3
    else:  # about 50,000 steps a round
        again = [2, 4, 7, 10, 14, 18, 21]
        options = {"data": "mnist", "hidden": [300, 100], "rounds": 21, "epochs": 107, "again": again}
        seeds = 5
    return [Part(f"seed {seed + i}", _measure, {**options, "seed": seed + i}) for i in range(seeds)]


def _conclude(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    densities = measured[0].outcome["density"]
    rewound = np.array([part.outcome["rewound"] for part in measured])
    numbers = sorted(map(int, measured[0].outcome["fresh"]))
    fresh = np.array([[part.outcome["fresh"][str(number)] for number in numbers] for part in measured])
    better = [i for i, density in enumerate(densities) if _BETTER[0] <= density <= _BETTER[1]]
    gains = rewound[:, better].mean(1) - rewound[:, 0]
    gain, error = float(gains.mean()), _error(gains)
    sparse = next(i for i, density in enumerate(densities) if density <= _SPARSE)
    losses = rewound[:, 0] - rewound[:, sparse]
    is_better, works = gain > 2 * error, float(losses.mean()) <= _LOSS
    won = float((rewound[:, numbers] > fresh).mean())
    shape = won > _MOST
    rows = [
        Row(what="dense", ours=float(rewound[:, 0].mean())),
        Row(what="60 to 80 % pruned, less dense", published="better", ours=gain, note=_spread(gains)),
        Row(
            what=f"{1 - densities[sparse]:.1%} pruned, less dense",
            published="performs well",
            ours=-float(losses.mean()),
            note=_spread(losses),
        ),
    ]
    rows += [
        Row(
            what=f"density {densities[number]:.3g}: rewound less fresh weights",
            published="positive",
            ours=float((rewound[:, number] - fresh[:, i]).mean()),
        )
        for i, number in enumerate(numbers)
    ]
    panel = Panel(
        title="test accuracy over density",
        x="density",
        y="accuracy",
        content=(
            _series("rewound", densities, rewound),
            _series("fresh weights, same masks", [densities[number] for number in numbers], fresh),
        ),
        log_x=True,
    )
    verdict = Verdict.REPRODUCED if is_better and works and shape else Verdict.IN_SHAPE
    if not shape:
        verdict = Verdict.NOT_REPRODUCED
    return Conclusion(
        verdict=Verdict.TOO_SMALL if scale is Scale.SMOKE else verdict,
        because=f"60 to 80 % pruned is {'better' if is_better else 'not clearly better'}: {gain:+.2%} "
        f"({_spread(gains)}); {1 - densities[sparse]:.1%} pruned {'works' if works else 'loses'}: "
        f"{-float(losses.mean()):+.2%}; rewound weights beat fresh ones in {won:.0%} of the comparisons.",
        rows=tuple(rows),
        figures=(Figure(title="Magnitude pruning with rewinding", panels=(panel,)),),
    )


def _spread(values: np.ndarray) -> str:
    return f"standard error {_error(values):.2%}" if len(values) > 1 else "one seed"


def _error(values: np.ndarray) -> float:
    """The standard error of a mean; of one value infinity."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("inf")


def _series(label: str, densities: Sequence[float], values: np.ndarray) -> Series:
    order = np.argsort(densities)
    means = values.mean(0)[order]
    spread = values.std(0)[order]
    return Series(
        label=label,
        x=tuple(np.array(densities)[order]),
        y=tuple(means),
        low=tuple(means - spread),
        high=tuple(means + spread),
    )


REPRODUCTION = Reproduction(
    name="rewinding",
    title="magnitude pruning with rewinding: is sparser better, does 99 % work",
    says="A trained network, pruned by magnitude and set back to its first weights, trains as well as the dense one "
    "and better than the same masks on fresh weights; pruning 60 to 80 % of the edges can lead to better accuracies "
    "(Diffenderfer and Kailkhura, 2021), 99 % can perform well (Hoefler et al., 2021).",
    sources=("frankle2019", "diffenderfer2021", "hoefler2021"),
    place="Figures 3 and 4",
    settings=f"784-300-100-10 without biases, Glorot normal, SGD 0.1 in batches of 128, {_RATE:.0%} of the rest "
    f"pruned in a round and {_LAST_RATE:.0%} in the last layer, 21 rounds of three epochs (the paper: 50,000 steps), "
    f"three seeds. Better: the mean gain over densities {_BETTER[0]} to {_BETTER[1]} exceeds two standard errors. 99 "
    f"% works: at the first density of at most {_SPARSE} at most {_LOSS:.0%} is lost. Not reproduced where rewound "
    f"weights do not beat fresh ones, trained in the same order, in more than {_MOST:.0%} of the comparisons; in shape "
    "where they do and one of the two claims fails, or both.",
    parts=_parts,
    conclude=_conclude,
    data={Scale.SMALL: ("mnist",), Scale.PAPER: ("mnist",)},
)
