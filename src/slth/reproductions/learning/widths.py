"""Pruned random networks over their width, beside a trained one: edge-popup, and biprop (Ramanujan et al., 2020).

Two reproductions of one measurement: from which width on a pruned random network is as good as a trained smaller one,
and whether binary tickets beat the trained original.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from slth.learning import Biprop, EdgePopup, attach
from slth.reproductions._figure import Figure, Panel, Series
from slth.reproductions._reproduction import Conclusion, Means, Measured, Part, Reproduction, Row, Scale, Verdict
from slth.reproductions.learning._training import (
    accuracy,
    descend,
    draw_kaiming,
    images,
    small_convolutions,
    task,
    weights_of,
)

_METHODS = {"edge-popup": EdgePopup, "biprop": Biprop}
_NEAR = 0.005  # accuracy: two networks this close are as good as each other


def _measure(
    means: Means, *, method: str, width: float, density: float, data: str, epochs: int, seed: int
) -> dict[str, Any]:
    """The test accuracy of a trained network, or of a pruned random one."""
    torch.set_num_threads(means.threads)
    found = images(data, means.data_dir)
    model = small_convolutions(width)
    steps = found.steps(epochs, seed=seed, key="order")
    if method == "trained":
        draw_kaiming(model, seed)
        descend(model.parameters(), task(model), steps, rate=0.02, decay=1e-4, cosine=True)
    else:
        masks = attach(model, _METHODS[method](density), seed=seed)
        descend(masks.parameters, task(model), steps, rate=0.1, decay=1e-4, cosine=True)
    return {"accuracy": accuracy(model.eval(), found), "weights": sum(weight.numel() for weight in weights_of(model))}


def _cells(method: str, densities: Sequence[float], scale: Scale, seed: int) -> list[Part]:
    if scale is Scale.SMOKE:
        shared: dict[str, Any] = {"data": "digits", "epochs": 6}
        widths, seeds = [0.5, 1.0, 2.0], 1
    else:
        shared = {"data": "fashion_mnist", "epochs": 3 if scale is Scale.SMALL else 100}
        widths, seeds = [0.5, 1.0, 2.0, 4.0], 3
    grid = [("trained", 1.0, width) for width in widths]
    grid += [(method, density, width) for density in densities for width in widths]
    return [
        Part(
            f"{way}, density {density:g}, width {width:g}, seed {seed + i}",
            _measure,
            {"method": way, "width": width, "density": density, "seed": seed + i, **shared},
        )
        for way, density, width in grid
        for i in range(seeds)
    ]


def _mean(measured: Sequence[Measured]) -> Mapping[tuple[str, float, float], tuple[float, float]]:
    """(mean, standard deviation) of the accuracy by method, density and width."""
    found: dict[tuple[str, float, float], list[float]] = {}
    for part in measured:
        at = part.options["method"], part.options["density"], part.options["width"]
        found.setdefault(at, []).append(part.outcome["accuracy"])
    return {at: (float(np.mean(values)), float(np.std(values))) for at, values in found.items()}


def _series(label: str, table: Mapping[tuple[str, float, float], tuple[float, float]], at: tuple[str, float]) -> Series:
    widths = sorted(width for method, density, width in table if (method, density) == at)
    points = [table[(*at, width)] for width in widths]
    return Series(
        label=label,
        x=tuple(widths),
        y=tuple(mean for mean, _ in points),
        low=tuple(mean - spread for mean, spread in points),
        high=tuple(mean + spread for mean, spread in points),
    )


def _figure(method: str, densities: Sequence[float], measured: Sequence[Measured]) -> Figure:
    table = _mean(measured)
    series = [_series("trained", table, ("trained", 1.0))]
    series += [_series(f"{method}, density {density:g}", table, (method, density)) for density in densities]
    panel = Panel(
        title=f"accuracy over width, {measured[0].options['data']}",
        x="width, times 8 and 16 channels",
        y="test accuracy",
        content=tuple(series),
        log_x=True,
    )
    return Figure(title=f"{method} over width, beside trained networks", panels=(panel,))


def _rows(measured: Sequence[Measured]) -> tuple[Row, ...]:
    return tuple(
        Row(
            what=f"{method}, density {density:g}, width {width:g}",
            ours=mean,
            note=f"standard deviation {spread:.2g}" if spread else "",
        )
        for (method, density, width), (mean, spread) in _mean(measured).items()
    )


def _conclude_widths(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    table = _mean(measured)
    widths = sorted({part.options["width"] for part in measured})
    pruned = [table["edge-popup", 0.5, width][0] for width in widths]
    rises = all(later > earlier for earlier, later in pairwise(pruned))
    met = {
        width: next((w for w, mean in zip(widths, pruned, strict=True) if mean >= trained - _NEAR), None)
        for width in widths
        for trained in (table["trained", 1.0, width][0],)
    }
    found = ", ".join(f"{width:g} at {w:g}" for width, w in met.items() if w)
    lacking = ", ".join(f"{width:g}" for width, w in met.items() if not w)
    wider = any(
        mean >= table["trained", 1.0, width][0] - _NEAR
        for w, mean in zip(widths, pruned, strict=True)
        for width in widths
        if w > width
    )
    verdict = Verdict.IN_SHAPE if rises and wider else Verdict.NOT_REPRODUCED
    return Conclusion(
        verdict=Verdict.TOO_SMALL if scale is Scale.SMOKE else verdict,
        because=f"Accuracy {'rises' if rises else 'does not always rise'} with the width. Trained widths that are "
        f"met: {found or 'none'}; that no width tried meets: {lacking or 'none'}.",
        rows=_rows(measured),
        figures=(_figure("edge-popup", (0.5,), measured),),
    )


_DENSITIES = (0.2, 0.5, 0.8)


def _conclude_biprop(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    table = _mean(measured)
    widths = sorted({part.options["width"] for part in measured})
    best = {width: max(table["biprop", density, width][0] for density in _DENSITIES) for width in widths}
    trained = {width: table["trained", 1.0, width][0] for width in widths}
    beats = [width for width in widths if best[width] > trained[width]]
    gaps = ", ".join(f"{best[width] - trained[width]:+.1%} at width {width:g}" for width in widths)
    verdict = Verdict.REPRODUCED if beats == widths else Verdict.IN_SHAPE if beats else Verdict.NOT_REPRODUCED
    return Conclusion(
        verdict=Verdict.TOO_SMALL if scale is Scale.SMOKE else verdict,
        because=f"The best binary ticket beats the trained network of its width at {len(beats)} of {len(widths)} "
        f"widths: {gaps}.",
        rows=_rows(measured),
        figures=(_figure("biprop", _DENSITIES, measured),),
    )


_SETTINGS = (
    "conv 8 w (5 x 5, stride 2), conv 16 w (3 x 3, stride 2), fc 10, no biases, Fashion-MNIST, three epochs in batches "
    "of 128, three seeds; tickets: signed constants, SGD 0.1 on the scores; trained: Kaiming normal, SGD 0.02; all "
    "with momentum 0.9, decay 1e-4 and a cosine rate. "
)
_DATA = {Scale.SMALL: ("fashion_mnist",), Scale.PAPER: ("fashion_mnist",)}

WIDTHS = Reproduction(
    name="widths",
    title="from which width on a pruned random network meets a trained smaller one",
    says="A random Wide-ResNet-50, pruned to 30 %, reaches 73.3 % on ImageNet, what a trained ResNet-34 reaches; "
    "accuracy of pruned random networks rises with their width.",
    sources=("ramanujan2020",),
    place="Figures 1 and 6",
    settings=_SETTINGS
    + "Edge-popup at density 0.5. In shape where accuracy rises with the width and a trained network is met (within "
    f"{_NEAR}) by a wider pruned one.",
    parts=partial(_cells, "edge-popup", (0.5,)),
    conclude=_conclude_widths,
    data=_DATA,
)
BIPROP = Reproduction(
    name="biprop",
    title="do binary tickets beat the trained original",
    says="Binary tickets with real activations match or beat the trained network: 94.66 % for ResNet-18 on CIFAR-10 "
    "with 80 % pruned, 91.48 % for VGG-Small with 95 % pruned.",
    sources=("diffenderfer2021",),
    place="Table 2",
    settings=_SETTINGS
    + f"Biprop at densities {', '.join(map(str, _DENSITIES))}, the best of them on the test images (in its favour). "
    "Reproduced where it beats the trained network at every width, in shape where at some.",
    parts=partial(_cells, "biprop", _DENSITIES),
    conclude=_conclude_biprop,
    data=_DATA,
)
