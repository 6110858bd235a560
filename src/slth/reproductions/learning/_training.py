"""Images, order of the examples, plain SGD and accuracies: what the reproductions of learning share."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from slth.data import load
from slth.numerics import Stream, words

LARGE = 28  # pixels: the digits become as large as MNIST, so that one network takes both


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """A data set with mean 0 and deviation 1 over the training images, float32 (count, channels, height, width)."""

    train_x: Tensor
    train_y: Tensor
    test_x: Tensor
    test_y: Tensor

    def steps(self, epochs: float, *, seed: int, key: str, batch: int = 128) -> "Steps":
        """Batches of so many epochs, in an order that seed and key name; at least one where epochs are more than 0."""
        count = round(epochs * -(-len(self.train_x) // batch)) or int(epochs > 0)
        return Steps(self.train_x, self.train_y, count, batch, Stream(seed, key))


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Batches (x, y), each made when it has its turn."""

    x: Tensor
    y: Tensor
    count: int
    batch: int
    stream: Stream  # its path and the number of an epoch name the order of the examples

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        wanted = self.count
        for epoch in range(-(-wanted * self.batch // len(self.x))):
            stream = Stream(self.stream.seed, f"{self.stream.path}/{epoch}")
            order = np.argsort(words(stream, 0, len(self.x)), kind="stable")
            for start in range(0, len(order), self.batch):
                if not wanted:
                    return
                rows = torch.from_numpy(order[start : start + self.batch])
                wanted -= 1
                yield self.x[rows], self.y[rows]


def images(name: str, data_dir: Path | None) -> Images:
    """A named data set, standardised; the digits enlarged to 28 x 28."""
    data = load(name, data_dir=data_dir)
    train, test = (_floats(x, enlarged=name == "digits") for x in (data.train_x, data.test_x))
    mean, deviation = train.mean(), train.std()
    labels = (torch.from_numpy(np.asarray(y, np.int64)) for y in (data.train_y, data.test_y))
    train_y, test_y = labels
    return Images((train - mean) / deviation, train_y, (test - mean) / deviation, test_y)


def descend(
    parameters: Iterable[nn.Parameter],
    loss: Callable[[Tensor, Tensor], Tensor],
    steps: Steps,
    *,
    rate: float,
    momentum: float = 0.9,
    decay: float = 0.0,
    cosine: bool = False,
    after: Callable[[int, int], object] | None = None,
) -> None:
    """SGD on loss(x, y); `after(step, steps)` follows each step."""
    optimizer = torch.optim.SGD(list(parameters), lr=rate, momentum=momentum, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(len(steps), 1)) if cosine else None
    for step, (x, y) in enumerate(steps, 1):
        optimizer.zero_grad()
        loss(x, y).backward()
        optimizer.step()
        if schedule:
            schedule.step()
        if after:
            after(step, len(steps))


def task(model: nn.Module) -> Callable[[Tensor, Tensor], Tensor]:
    """The cross entropy of a model's outputs."""
    return lambda x, y: cross_entropy(model(x), y)


def accuracy(model: Callable[[Tensor], Tensor], data: Images) -> float:
    """On the test images."""
    with torch.no_grad():
        hits = sum(
            int((model(x).argmax(1) == y).sum())
            for x, y in zip(data.test_x.split(1000), data.test_y.split(1000), strict=True)
        )
    return hits / len(data.test_y)


def small_convolutions(width: float = 1.0, shape: tuple[int, ...] = (1, LARGE, LARGE)) -> nn.Sequential:
    """conv 8 (5 x 5, stride 2), conv 16 (3 x 3, stride 2), fc 10, no biases; `width` times the channels."""
    channels, side = shape[0], (((shape[1] - 5) // 2 + 1) - 3) // 2 + 1
    first, second = max(1, round(8 * width)), max(1, round(16 * width))
    return nn.Sequential(
        nn.Conv2d(channels, first, 5, stride=2, bias=False),
        nn.ReLU(),
        nn.Conv2d(first, second, 3, stride=2, bias=False),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(second * side**2, 10, bias=False),
    )


def dense(*hidden: int, inputs: int = LARGE * LARGE) -> nn.Sequential:
    """inputs - hidden ... - 10 without biases."""
    sizes = (inputs, *hidden, 10)
    layers: list[nn.Module] = [nn.Flatten()]
    for i, (before, after) in enumerate(pairwise(sizes)):
        layers += [nn.ReLU()] * (i > 0) + [nn.Linear(before, after, bias=False)]
    return nn.Sequential(*layers)


def draw_kaiming(model: nn.Module, seed: int) -> None:
    """Kaiming normal weights that a seed names."""
    torch.manual_seed(seed)
    for weight in weights_of(model):
        nn.init.kaiming_normal_(weight)


def put(model: nn.Module, weights: Sequence[Tensor], masks: Sequence[Tensor]) -> None:
    """Write weights under masks into a model."""
    with torch.no_grad():
        for place, weight, mask in zip(weights_of(model), weights, masks, strict=True):
            place.copy_(weight * mask)


def weights_of(model: nn.Module) -> list[nn.Parameter]:
    """The weights of linear and convolutional layers, in order."""
    layers = [module for module in model.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    return [cast(nn.Parameter, layer.weight) for layer in layers]


def _floats(x: np.ndarray, *, enlarged: bool) -> Tensor:
    found = torch.from_numpy(np.asarray(x)).float()
    found = found / 255 if x.dtype == np.uint8 else found
    if not enlarged:
        return found
    return nn.functional.interpolate(found, size=(LARGE, LARGE), mode="bilinear", align_corners=False)
