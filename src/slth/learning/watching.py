"""What is watched while a run trains: numbers stay finite, processes agree, and none of them gets lost."""

import math
import re
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor

from slth._errors import InputError
from slth.learning.batches import Batches
from slth.learning.devices import seed_torch
from slth.learning.finite import output_not_finite, parameter_not_finite
from slth.learning.masks import Masks
from slth.learning.steps import Step
from slth.learning.training import Stage

_UNREAD = 50  # losses that stay on a device that runs ahead of the host: to read one is to wait for it
_LOST = re.compile("gloo|nccl|connection|peer|store|timed out|timeout", re.IGNORECASE)


class Watch:
    """Looks at the losses of a stage and at what trains: NaN or infinity ends the run with a sentence.

    Attributes:
        loss: sum of the losses that were read in this epoch.
    """

    def __init__(
        self, masks: Masks, stage: Stage, batches: Batches, *, fabric: Fabric, loss: float, saved: Path | None
    ):
        self.loss = loss
        self._masks, self._stage, self._batches, self._fabric, self._saved = masks, stage, batches, fabric, saved
        self._unread: list[Tensor] = []

    def take_loss(self, loss: Tensor, step: Step) -> None:
        """Take the loss of a step, before the optimiser's; read it, with all before it, if it is time to.

        Raises:
            InputError: a loss is NaN or infinite; the weights are those before the step.
        """
        self._unread.append(loss)
        if not (step.ends_epoch or self._fabric.device.type == "cpu" or step.number % _UNREAD == _UNREAD - 1):
            return
        losses = [loss.item()] if len(self._unread) == 1 else torch.stack(self._unread).tolist()
        for late, value in zip(range(len(losses) - 1, -1, -1), losses, strict=True):
            if not math.isfinite(value):
                raise self._not_finite(step, late)
            self.loss += value
        self._unread.clear()

    @property
    def all_read(self) -> bool:
        """Every loss that was taken is in the sum."""
        return not self._unread

    def end_epoch(self, step: Step) -> float:
        """The mean loss of an epoch; processes agree, and what trains is finite."""
        if self._fabric.world_size > 1:  # the statistics of the first one count everywhere
            for buffer in self._masks.model.buffers():
                torch.distributed.broadcast(buffer.view(torch.uint8) if buffer.dtype == torch.bool else buffer, 0)
        self.check_parameters(step)
        mean, self.loss = self.loss / step.of_epoch, 0.0
        return mean

    def check_parameters(self, step: Step) -> None:
        """What trains is finite: a NaN in a gradient need not show in the loss."""
        bad = parameter_not_finite(self._masks.model)
        if bad is not None:
            stage = self._stage.name
            raise InputError(f"{bad} are not finite after step {step.number + 1} of stage {stage}; {self._advice()}")

    def _not_finite(self, step: Step, late: int) -> InputError:
        """The sentence about a loss that was NaN or infinite so many steps ago: where it began."""
        seed_torch(f"{step.key}/{self._fabric.global_rank}", self._fabric.device)
        with self._fabric.autocast():
            origin = output_not_finite(self._masks.model, self._batches.take(step.rows, key=step.key)[0])
        number = step.number - late + 1
        return InputError(
            f"the loss is not finite at step {number} of stage {self._stage.name}: {origin}; {self._advice()}"
        )

    def _advice(self) -> str:
        saved = self._saved
        kept = f"; {saved} holds the last good state" if saved is not None and saved.exists() else ""
        return f"try a lower rate than {self._stage.training.lr:g}, or look at the data{kept}"


def lost_process(error: RuntimeError, fabric: Fabric) -> InputError | None:
    """The sentence about another process that ended, if that is what an error says."""
    if fabric.world_size == 1 or not _LOST.search(f"{type(error).__name__} {error}"):
        return None
    said = re.sub(r"^\[\S+\] ", "", str(error)).partition(". ")[0].splitlines()[0]
    return InputError(
        f"another process of this run ended, or cannot be reached any more ({said}); "
        "read what it said, and start again: with a checkpoint the run goes on from there"
    )
