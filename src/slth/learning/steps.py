"""The steps of a stage: which examples, at which rate, under which key. All of it follows from the seed."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from slth.learning.batches import Batches
from slth.learning.training import Stage, Training


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One step of the optimiser.

    Attributes:
        number, epoch: in the stage, from 0.
        of_epoch: steps of its epoch so far, with this one.
        rows: of the examples, int64.
        rate: the learning rate.
        key: names what is random in it.
        ends_epoch, ends_stage: nothing of the epoch, of the stage comes after it. The last epoch may end early.
    """

    number: int
    epoch: int
    of_epoch: int
    rows: np.ndarray
    rate: float
    key: str
    ends_epoch: bool
    ends_stage: bool


def steps_per_epoch(training: Training, batches: Batches) -> int:
    """The last one of them may be smaller."""
    return math.ceil(len(batches.x) / training.batch)


def count_steps(training: Training, batches: Batches) -> int:
    """Steps of a whole stage."""
    return training.steps(steps_per_epoch(training, batches))


def steps_of(stage: Stage, batches: Batches, key: str, *, first: int = 0) -> Iterator[Step]:
    """The steps of a stage from `first` on."""
    training, per_epoch = stage.training, steps_per_epoch(stage.training, batches)
    steps = training.steps(per_epoch)
    order, epoch_of_order = np.empty(0, np.int64), -1
    for number in range(first, steps):
        epoch, inside = divmod(number, per_epoch)
        if epoch != epoch_of_order:
            order, epoch_of_order = batches.order(key, epoch), epoch
        yield Step(
            number,
            epoch,
            of_epoch=inside + 1,
            rows=order[inside * training.batch : (inside + 1) * training.batch],
            rate=training.rate(number, per_epoch),
            key=f"{key}/{number}",
            ends_epoch=inside == per_epoch - 1 or number == steps - 1,
            ends_stage=number == steps - 1,
        )
