"""Forward and backward of one step: the gradient of its mean loss over all examples, the same in every process."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
from lightning_fabric import Fabric
from torch import Tensor, nn

from slth._errors import InputError
from slth.learning.batches import Batches, check_labels
from slth.learning.devices import is_plain, seed_torch
from slth.learning.predictions import logits_of
from slth.learning.steps import Step
from slth.learning.training import Training

Loss = Callable[[Any, Tensor], Tensor]  # of what the model returns, and of y


class Gradients:
    """The gradients of a run.

    Args:
        batches, test: the examples, and those whose labels are looked at, too, before the first gradient.
        loss: (outputs, y) -> a scalar, the mean over examples; None: cross entropy.
    """

    def __init__(self, batches: Batches, test: Batches | None, *, fabric: Fabric, loss: Loss | None):
        self._batches, self._test, self._fabric, self._loss = batches, test, fabric, loss
        self._plain = is_plain(fabric)
        self._classes: int | None = None  # outputs, once they are known

    def forward_backward(self, model: Any, training: Training, step: Step) -> Tensor:
        """Leave the gradient of a step's mean loss in the parameters; the loss, on the device, the same everywhere."""
        fabric, count = self._fabric, len(step.rows)
        mine, copies = _share(count, fabric.global_rank, fabric.world_size)
        parts = min(training.accumulate, max(1, count // copies))  # everywhere as many
        seed_torch(f"{step.key}/{fabric.global_rank}", fabric.device)
        total: Tensor | None = None
        for number, part in enumerate([mine] if parts == 1 else np.array_split(mine, parts)):
            x, y = self._batches.take(step.rows, key=step.key, part=part if len(part) < count else None)
            with nullcontext() if self._plain else fabric.no_backward_sync(model, enabled=number < parts - 1):
                loss = self.mean_loss(model(x), y, training)
                if len(part) * copies != count:
                    loss = loss * (len(part) * copies / count)
                loss.backward() if self._plain else fabric.backward(loss)
            value = loss.detach().float()
            total = value if total is None else total + value
        assert total is not None
        return total if fabric.world_size == 1 else fabric.all_reduce(total, reduce_op="mean")  # pyright: ignore

    def mean_loss(self, outputs: Any, y: Tensor, training: Training) -> Tensor:
        """The loss of some outputs, the mean over their examples."""
        if self._loss is not None:
            return self._loss(outputs, y)
        logits = logits_of(outputs)
        self._check_labels(logits, y)
        return nn.functional.cross_entropy(logits, y, label_smoothing=training.label_smoothing)

    def _check_labels(self, logits: Tensor, y: Tensor) -> None:
        """All labels once, before the first gradient; those of a data set as they come."""
        if self._classes is None:
            if logits.ndim != 2:
                raise InputError(
                    f"the model's output has the shape {tuple(logits.shape)}: cross entropy expects (batch, classes); "
                    "change the model, or give a loss"
                )
            self._classes = logits.shape[1]
            for examples in (self._batches, self._test):
                if examples is not None and examples.y is not None:
                    check_labels(examples.y, self._classes)
        if self._batches.y is None:
            check_labels(y.detach().cpu().numpy(), self._classes)


def _share(count: int, rank: int, world: int) -> tuple[np.ndarray, int]:
    """(which examples of a step a process takes, how many processes share the step).

    Where examples are fewer than processes, everybody takes all.
    """
    return (np.arange(rank, count, world), world) if count >= world else (np.arange(count), 1)
