r"""The convolutions of a trained LeNet-5 as subset sums: errors against n (da Cunha, Natale and Viennot, 2022).

By the authors' way of counting: n plain numbers U[-1, 1], fresh for every weight and bias, the closest subset. Beside
it a real random network, whose candidates are products that the weights of one input share.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from slth.api import use_threads
from slth.construction import gain
from slth.data import Examples, load
from slth.graph import Realised
from slth.network import read_target
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
from slth.reproductions._shares import slope
from slth.subsetsum import closest_batch
from slth.theory import bound
from slth.ticket import Stage, TwoLayer

_COUNTS = (5, 10, 15, 20, 25, 30)
_PUBLISHED = {  # read off the figures, training set
    ("mnist", "weights"): (0.89, 0.57, 1.8e-2, 7.3e-4, 7.7e-5, 7.7e-6),
    ("mnist", "outputs"): (0.54, 0.15, 5.8e-3, 3.7e-4, 2.8e-5, 2.5e-6),
    ("fashion_mnist", "weights"): (0.79, 0.77, 0.51, 2.6e-3, 1.5e-5, 2.2e-5),
    ("fashion_mnist", "outputs"): (0.62, 0.16, 0.24, 1.2e-3, 6.0e-6, 9.9e-6),
}
_CONVOLUTIONS = ("0", "3")  # paths in LeNet-5
_IMAGES = 2_000
_SLOPE, _FACTOR, _FLOOR = 0.4, 2.0, 5e-5


def _examples(data: str, means: Means) -> Examples:
    """A named set; of the digits twice as large images, for LeNet-5 wants 12 x 12."""
    examples = load(data, data_dir=means.data_dir)
    if data != "digits":
        return examples
    larger = {part: np.kron(getattr(examples, part), np.ones((2, 2), np.float32)) for part in ("train_x", "test_x")}
    return replace(examples, **larger)


def values_of(x: np.ndarray) -> np.ndarray:
    """Grey values in [0, 1]."""
    return x.astype(np.float32) / 255 if x.dtype == np.uint8 else x


def replaced(values: np.ndarray, n: int, *, stream: Stream, threads: int = 1) -> np.ndarray:
    """Each number by the closest subset sum of n fresh numbers U[-1, 1]."""
    rows = uniform(stream, (values.size, n)).astype(np.float64)
    found = closest_batch(rows, values.ravel(), threads=threads)
    return (rows * found.kept).sum(axis=1).reshape(values.shape)


def _measure(means: Means, *, data: str, epochs: int, n: int, draws: int, seed: int) -> dict[str, Any]:
    """For each draw: max |w - ŵ| / max |w| over weights and biases of both convolutions, and the same of outputs."""
    use_threads(means.threads)
    import torch

    from slth.network import outputs
    from slth.reproductions.networks._lenet import trained_lenet

    examples = _examples(data, means)
    model = trained_lenet(means, examples, data=data, epochs=epochs, seed=seed)
    x = values_of(examples.train_x[:_IMAGES])
    before, accuracy = outputs(model, x), _accuracy(model, examples)
    products = _random_network(model, examples.shape, n, seed)
    parameters = {name: p for path in _CONVOLUTIONS for name, p in model.get_submodule(path).named_parameters(path)}
    trained = {name: parameter.double().numpy() for name, parameter in parameters.items()}
    largest = max(float(np.abs(own).max()) for own in trained.values())
    weights: list[float] = []
    errors: list[float] = []
    for draw in range(draws):
        apart = 0.0
        for name, own in trained.items():
            stream = Stream(seed, f"convolutions/{n}/{draw}/{name}")
            ours = replaced(own, n, stream=stream, threads=means.threads)
            apart = max(apart, float(np.abs(ours - own).max()))
            parameters[name].copy_(torch.from_numpy(ours))
        weights.append(apart / largest)
        errors.append(float(np.abs(outputs(model, x) - before).max() / np.abs(before).max()))
    return {
        "weights": weights,
        "outputs": errors,
        "network": products,
        "accuracy": accuracy,
        "replaced": _accuracy(model, examples),
    }


def _accuracy(model: Any, examples: Examples) -> float:
    from slth.network import outputs

    return float((outputs(model, values_of(examples.test_x)).argmax(1) == examples.test_y).mean())


def _random_network(model: Any, shape: tuple[int, ...], n: int, seed: int) -> float:
    """max |w - ŵ| / max |w| over the weights, in a random network of n candidates, closest subsets."""
    target = read_target(model, input_shape=shape)
    apart, largest = 0.0, 0.0
    for path in _CONVOLUTIONS:
        op, affine = target.graph.maps[path], target.coefficients[path]
        bare = type(op)(op.map, op.basis, False)
        gadget = TwoLayer((Stage(n, 0, 0, gain(affine.weight), 1.0),), ()).fitted(path, bare, seed)
        wanted = Realised.of(affine, gadget.signed(op))
        for block in gadget.problems(path, bare, seed):
            found = closest_batch(block.candidates().reshape(-1, n), block.targets(wanted).ravel())
            apart = max(apart, float(found.error.max()) * block.gain)
        largest = max(largest, float(np.abs(affine.weight).max()))
    return apart / largest


def _parts(scale: Scale, seed: int) -> Sequence[Part]:
    sets = ("digits",) if scale is Scale.SMOKE else ("mnist", "fashion_mnist")
    epochs = {Scale.SMOKE: 5, Scale.SMALL: 3, Scale.PAPER: 50}[scale]
    counts, draws = (_COUNTS[:5], 3) if scale is Scale.SMOKE else (_COUNTS, 10)
    return [
        Part(f"{data}, n = {n}", _measure, {"data": data, "epochs": epochs, "n": n, "draws": draws, "seed": seed})
        for data in sets
        for n in counts
    ]


def decades(n: Sequence[float], errors: Sequence[float]) -> float:
    """Decades of the error for five numbers more, from n = 10 on."""
    later = [(at, error) for at, error in zip(n, errors, strict=True) if at >= 10]
    return 5 * slope([at for at, _ in later], [math.log10(error) for _, error in later])


def outside(draws: Sequence[float], published: float) -> float:
    """The factor by which a published point lies outside of our draws; 1 inside.

    >>> outside([1.0, 4.0, 2.0], 3.0), outside([1.0, 4.0, 2.0], 8.0), outside([1.0, 4.0, 2.0], 0.5)
    (1.0, 2.0, 2.0)
    """
    return max(1.0, published / max(draws), min(draws) / published)


def judge(slopes: dict[str, tuple[float, float]], factors: dict[str, float]) -> tuple[Verdict, str]:
    """The verdict, of decades for five numbers more, ours and published, and of points outside of our draws."""
    said = ", ".join(f"{ours:.2f} ({published:.2f}) for {name}" for name, (ours, published) in slopes.items())
    text = (
        f"Five numbers more change the error by decades, ours and published, of {said}; published points lie outside "
        f"of our draws by a factor of at most {max(factors.values()):.1f}."
    )
    if not all(abs(ours - published) <= _SLOPE for ours, published in slopes.values()):
        return Verdict.NOT_REPRODUCED, text
    return (Verdict.REPRODUCED if max(factors.values()) <= _FACTOR else Verdict.IN_SHAPE), text


def _conclude(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    rows: list[Row] = []
    panels: list[Panel] = []
    slopes: dict[str, tuple[float, float]] = {}
    factors: dict[str, float] = {}
    for data in dict.fromkeys(part.options["data"] for part in measured):
        own = [part for part in measured if part.options["data"] == data]
        n = tuple(float(part.options["n"]) for part in own)
        for kind in ("weights", "outputs"):
            draws = [part.outcome[kind] for part in own]
            ours, low, high = (tuple(float(of(each)) for each in draws) for of in (np.median, min, max))
            published = _PUBLISHED.get((data, kind))
            label = f"median of {len(draws[0])} draws, and all"
            series = [Series(label=label, x=n, y=ours, low=low, high=high)]
            if published:
                slopes[f"{kind} on {data}"] = decades(n, ours), decades(n, published)
                series.append(Series(label="published", x=n, y=published, kind="published"))
                factors[f"{kind} on {data}"] = max(
                    outside(each, point) for each, point in zip(draws, published, strict=True) if point > _FLOOR
                )
            if kind == "weights":
                products = tuple(part.outcome["network"] for part in own)
                series.append(Series(label="in a real random network", x=n, y=products))
            rows += [
                Row(
                    what=f"{data}, n = {at:g}: {kind}",
                    ours=ours[i],
                    published=published[i] if published else None,
                    note=f"{low[i]:.2g} to {high[i]:.2g}",
                )
                for i, at in enumerate(n)
            ]
            title = f"{data}, {kind}"
            panels.append(
                Panel(title=title, x="numbers n for a weight", y="relative error", content=tuple(series), log_y=True)
            )
        last = own[-1].outcome
        rows.append(
            Row(
                what=f"{data}: accuracy at n = {n[-1]:g}",
                ours=last["replaced"],
                note=f"of the trained network {last['accuracy']:.4f}",
            )
        )
    enough = bound("dacunha-cnn", kernel=5, c=6, c_out=16, layers=2, epsilon=0.01).value
    rows.append(
        Row(
            what="products for a weight that suffice for an error of 0.01, C fitted",
            ours=float(enough),
            note="dacunha-cnn: of every target whose kernels have norm at most 1, at once",
        )
    )
    if slopes:
        verdict, because = judge(slopes, factors)
    else:
        errors = [float(np.median(part.outcome["weights"])) for part in measured]
        verdict = Verdict.TOO_SMALL
        because = f"On the digits the error of a weight falls from {errors[0]:.2g} to {errors[-1]:.2g}."
    figure = Figure(title="Errors of LeNet-5 with replaced convolutions against n", panels=tuple(panels))
    return Conclusion(verdict=verdict, because=because, rows=tuple(rows), figures=(figure,))


REPRODUCTION = Reproduction(
    name="convolutions",
    title="errors of a convolutional network replaced by subset sums",
    says="LeNet-5's convolutions, each weight the closest subset sum of n numbers U[-1, 1]: the largest relative error "
    "of a weight falls from 0.89 at n = 5 to 7.7e-6 at n = 30 on MNIST, that of an output from 0.54 to 2.5e-6, about a "
    "decade for five numbers.",
    sources=("dacunha2022cnn",),
    place="experiments",
    settings="LeNet-5 trained by Adam, 1e-3, batch 64: 50 epochs in the paper, small 3, smoke 5 on the digits, twice "
    "as large; the second convolution is not padded (theirs is). Weights and biases of both convolutions, exactly "
    f"closest subsets (theirs: Gurobi); outputs on {_IMAGES:,} training images. A point is the median of draws (theirs "
    "is one), each of maxima over 2,572 numbers, of which at small n one is often out of reach. Reproduced where five "
    "numbers more, from n = 10 on, are worth as many decades as in the published curve, within "
    f"{_SLOPE}, and every point that is published above {_FLOOR:g}, where solver and float32 end, lies among our draws "
    f"or outside of them by a factor of at most {_FACTOR:g}; in shape with the decades alone.",
    parts=_parts,
    conclude=_conclude,
    data={Scale.SMALL: ("mnist", "fashion_mnist"), Scale.PAPER: ("mnist", "fashion_mnist")},
)
