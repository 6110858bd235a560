"""One trainer for all methods, on Lightning Fabric: devices, mixed precision and several processes come from there.

Everything random follows from the seed, the stage and the step (dropout on several processes from the process, too): on
a processor a run that was killed ends, resumed, in the same bits. Every process sees its share of a step's batch;
gradients are averaged over all examples of it, so scores and masks are identical everywhere.
"""

import logging
import math
import re
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision.precision import Precision
from lightning_fabric.strategies.single_device import SingleDeviceStrategy
from torch import Tensor, nn

from slth._errors import InputError
from slth._files import check_writable
from slth.learning import checkpoint
from slth.learning.batches import Batches, check_labels, seed_of
from slth.learning.checkpoint import Moment
from slth.learning.devices import fabric_for, optimizer_for
from slth.learning.finite import output_not_finite, parameter_not_finite
from slth.learning.logs import Logs
from slth.learning.masks import Masks
from slth.learning.training import Stage, Training

_log = logging.getLogger(__name__)
_LOOK = 50  # steps between two looks at the loss on a device that runs ahead of the host
_LOST = re.compile("gloo|nccl|connection|peer|store|timed out|timeout", re.IGNORECASE)

Progress = Callable[[int, int], None]
Loss = Callable[[Any, Tensor], Tensor]
Share = Callable[[str, Callable[[], bytes]], Path]  # (name, make) -> the file of that name, made once


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where a run leaves its traces.

    Attributes:
        checkpoint: a file to save the run in and to resume it from; None: none.
        every: seconds between two checkpoints; 0: one after every step.
        logs: a folder for `history.csv` and TensorBoard's events, if that is installed; None: none.
        share: where runs leave the outcome of stages that others may need, too; for one process.
        progress: called with (steps done, steps).
    """

    checkpoint: Path | None = None
    every: float = 30.0
    logs: Path | None = None
    share: Share | None = None
    progress: Progress | None = None


def train(
    masks: Masks,
    stages: Sequence[Stage],
    batches: Batches,
    test: Batches | None,
    *,
    asked: dict[str, Any],
    fabric: Fabric | None = None,
    keeping: Keeping | None = None,
    loss: Loss | None = None,
) -> list[dict[str, Any]]:
    """Run the stages of a method one after another; the history, one row per epoch.

    Args:
        masks: the model and what is on it; trained in place.
        batches, test: training examples; examples for the accuracy after each epoch.
        asked: names the run: a checkpoint of another one is refused. Shapes and the number of examples are added.
        fabric: None: this process, on the processor.
        loss: (outputs, y) -> a scalar, the mean over examples; None: cross entropy.

    Raises:
        InputError: no training examples; a loss, scores or weights that are not finite (step and layer are named);
            labels out of range; a place that cannot be written; a foreign or damaged checkpoint; another process died.
    """
    keeping = Keeping() if keeping is None else keeping
    fabric = fabric_for(stages[0].training) if fabric is None else fabric
    if not len(batches.x):
        raise InputError("there are no training examples; a search needs some")
    run = _Run(masks, tuple(stages), batches, test, asked, fabric, keeping, loss)
    with torch.random.fork_rng(devices=[fabric.device] if fabric.device.type == "cuda" else []):
        try:
            return run.all()
        except RuntimeError as error:
            if fabric.world_size > 1 and _LOST.search(f"{type(error).__name__} {error}"):
                said = re.sub(r"^\[\S+\] ", "", str(error)).partition(". ")[0].splitlines()[0]
                raise InputError(
                    f"another process of this run ended, or cannot be reached any more ({said}); "
                    "read what it said, and start again: with a checkpoint the run goes on from there"
                ) from error
            raise
        finally:
            if run.logs is not None:
                run.logs.close()


def accuracy(model: nn.Module, test: Batches) -> int:
    """Correct predictions on all examples, in evaluation mode."""
    modes, hits = {module: module.training for module in model.modules()}, 0
    model.eval()
    with torch.no_grad():
        for start in range(0, len(test.x), test.size):
            x, y = test.take(np.arange(start, min(start + test.size, len(test.x))))
            hits += int((_logits(model(x)).argmax(1) == y).sum())
    for module, mode in modes.items():
        module.training = mode
    return hits


class _Run:
    """The state of one call of `train`."""

    def __init__(
        self,
        masks: Masks,
        stages: tuple[Stage, ...],
        batches: Batches,
        test: Batches | None,
        asked: dict[str, Any],
        fabric: Fabric,
        keeping: Keeping,
        loss: Loss | None,
    ):
        masks.model.to(fabric.device)  # before an optimiser's state is restored
        self.masks, self.stages, self.fabric, self.keeping, self.loss = masks, stages, fabric, keeping, loss
        state = masks.model.state_dict()
        shapes = {name: str(tuple(value.shape)) for name, value in state.items() if isinstance(value, Tensor)}
        self.asked = {**asked, "examples": len(batches.x), "tensors": shapes}
        self.batches = replace(batches, device=fabric.device)
        self.test = None if test is None or not len(test.x) else replace(test, device=fabric.device)
        self.history: list[dict[str, Any]] = []
        self.done = 0  # steps of all stages
        self.total = sum(stage.training.steps(self._per_epoch(stage)) for stage in stages)
        self.saved = time.monotonic()
        # Fabric's wrappers cost 0.2 ms a step; with one process in float32 they do nothing.
        self.plain = type(fabric.strategy) is SingleDeviceStrategy and type(fabric.strategy.precision) is Precision
        self.classes: int | None = None  # outputs, once they are known
        self.logs: Logs | None = None
        if fabric.is_global_zero:
            if keeping.checkpoint is not None:
                check_writable(keeping.checkpoint)
            self.logs = None if keeping.logs is None else Logs(keeping.logs)

    def all(self) -> list[dict[str, Any]]:
        """Every stage, from where a checkpoint left off."""
        start = self._found()
        if start is not None:
            self.history = start.history
            if self.history and self.logs is not None:
                self.logs.write(self.history, new=False)
            if not start.step:
                self._restore(start, None)  # the stage before is done, the next one has not begun
        first = 0 if start is None else start.stage
        for index, stage in enumerate(self.stages):
            midway = start if start is not None and start.stage == index and start.step else None
            if index < first:
                self.done += stage.training.steps(self._per_epoch(stage))
            elif (
                stage.shared is not None
                and self.keeping.share is not None
                and self.fabric.world_size == 1
                and not midway
            ):
                self._shared(index, stage)
            else:
                self._stage(index, stage, midway)
        if start is not None and start.stage == len(self.stages):
            last = self.stages[-1]
            self.masks.move(last.moving)
            last.begin(self.masks)
            if last.before_step is not None:
                steps = last.training.steps(self._per_epoch(last))
                last.before_step(self.masks, steps - 1, steps)
            self._restore(start, None)
        return self.history

    def _found(self) -> Moment | None:
        """Where a checkpoint says the run stands; all processes see the same."""
        path, start = self.keeping.checkpoint, None
        if path is not None:
            if self.fabric.is_global_zero:
                checkpoint.sweep(path)
            if path.exists():
                start = checkpoint.facts(path, self.asked)
                _log.info("resumed %s at stage %d, step %d", path, start.stage, start.step)
        if self.fabric.world_size > 1:
            here = None if start is None else (start.stage, start.step)
            if self.fabric.broadcast(here) != here:
                raise InputError(
                    f"the processes see different checkpoints at {path}; use a folder that all of them share"
                )
        return start

    def _restore(self, at: Moment, optimizer: torch.optim.Optimizer | None) -> None:
        path = self.keeping.checkpoint
        assert path is not None
        if any(tensor.redraw != at.redraw for tensor in self.masks):
            self.masks.redraw(at.redraw)
        checkpoint.restore(path, self.masks.model, optimizer)

    def _shared(self, index: int, stage: Stage) -> None:
        """Take the outcome of a stage from where another run left it, or leave it there."""
        assert self.keeping.share is not None
        before = len(self.history)
        weights = {tensor.path: f"{tensor.stream} {tensor.law} {tensor.scale!r}" for tensor in self.masks}
        asked = {name: value for name, value in self.asked.items() if name not in ("method", "training")}
        asked |= {"shared": stage.shared, "seed": self.masks.seed, "weights": weights}

        def make() -> bytes:
            self._stage(index, stage, None)
            return checkpoint.pack(self.masks.model, None, Moment(index, 0, 0.0, self.history[before:]), asked)

        path = self.keeping.share(f"{checkpoint.question(asked)}.safetensors", make)
        if len(self.history) == before:
            self.masks.move(stage.moving)
            stage.begin(self.masks)
            self.history += checkpoint.facts(path, asked).history
            self.done += stage.training.steps(self._per_epoch(stage))
        checkpoint.restore(path, self.masks.model, None)

    def _per_epoch(self, stage: Stage) -> int:
        return math.ceil(len(self.batches.x) / stage.training.batch)

    def _stage(self, index: int, stage: Stage, midway: Moment | None) -> None:
        """One stage, from its first step or from where a checkpoint left off."""
        masks, fabric, training = self.masks, self.fabric, stage.training
        batches, per_epoch, key = self.batches, self._per_epoch(stage), f"{masks.seed}/{stage.name}"
        steps, first = training.steps(per_epoch), 0
        self._seed(f"{key}/begin")
        stage.begin(masks)
        optimizer, total = optimizer_for(masks.move(stage.moving), training), 0.0
        if midway is not None:
            self._restore(midway, optimizer)
            first, total = midway.step, midway.loss
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "`broadcast_buffers`")  # its successor is not in all versions
            model, wrapped = (masks.model, optimizer) if self.plain else fabric.setup(masks.model, optimizer)
        model.train()
        self.done += first
        order, epoch_of_order, recent = np.empty(0, np.int64), -1, list[Tensor]()
        started = time.monotonic()
        for step in range(first, steps):
            epoch, inside = divmod(step, per_epoch)
            if epoch != epoch_of_order:
                order, epoch_of_order = batches.order(key, epoch), epoch
            if stage.before_step is not None:
                stage.before_step(masks, step, steps)
            rate = training.rate(step, per_epoch)
            for group in optimizer.param_groups:
                group["lr"] = rate
            rows = order[inside * training.batch : (inside + 1) * training.batch]
            recent.append(self._gradient(model, batches, training, rows, f"{key}/{step}"))
            row = inside == per_epoch - 1 or step == steps - 1
            look = row or fabric.device.type == "cpu" or step % _LOOK == _LOOK - 1
            if look:
                losses = [recent[0].item()] if len(recent) == 1 else torch.stack(recent).tolist()
                for late, value in zip(range(len(losses) - 1, -1, -1), losses, strict=True):
                    if not math.isfinite(value):
                        raise self._not_finite(stage, step - late, rows, f"{key}/{step}")
                    total += value
                recent.clear()
            wrapped.step()
            wrapped.zero_grad(set_to_none=True)
            if stage.after_step is not None:
                stage.after_step(masks)
            self.done += 1
            if self.keeping.progress is not None:
                self.keeping.progress(self.done, self.total)
            if row:
                self._agree(stage, step)
                self._row(stage, epoch + 1, step + 1, total / (inside + 1), rate, time.monotonic() - started)
                total = 0.0
            if look and step < steps - 1 and time.monotonic() - self.saved >= self.keeping.every:
                self._save(Moment(index, step + 1, total, self.history), optimizer, stage)
        self._seed(f"{key}/end")
        stage.end(masks)
        self._save(Moment(index + 1, 0, 0.0, self.history), None, stage)

    def _gradient(self, model: Any, batches: Batches, training: Training, rows: np.ndarray, key: str) -> Tensor:
        """Leave the gradient of a step's mean loss in the parameters; the loss, on the device, the same everywhere."""
        fabric, world, count = self.fabric, self.fabric.world_size, len(rows)
        if count >= world:
            mine, copies = np.arange(fabric.global_rank, count, world), world
        else:
            mine, copies = np.arange(count), 1  # fewer examples than processes: everybody takes all
        parts = min(training.accumulate, max(1, count // copies))  # everywhere as many
        self._seed(f"{key}/{fabric.global_rank}")
        value: Tensor | None = None
        for number, part in enumerate([mine] if parts == 1 else np.array_split(mine, parts)):
            x, y = batches.take(rows, key=key, part=part if len(part) < count else None)
            with nullcontext() if self.plain else fabric.no_backward_sync(model, enabled=number < parts - 1):
                outputs = model(x)
                if self.loss is not None:
                    error = self.loss(outputs, y)
                else:
                    logits = _logits(outputs)
                    self._check_labels(logits, y)
                    error = nn.functional.cross_entropy(logits, y, label_smoothing=training.label_smoothing)
                if len(part) * copies != count:
                    error = error * (len(part) * copies / count)
                error.backward() if self.plain else fabric.backward(error)
            found = error.detach().float()
            value = found if value is None else value + found
        assert value is not None
        return value if world == 1 else fabric.all_reduce(value, reduce_op="mean")  # pyright: ignore

    def _seed(self, text: str) -> None:
        """What PyTorch draws from here on follows from a text."""
        torch.default_generator.manual_seed(seed_of(text))
        if self.fabric.device.type == "cuda":
            torch.cuda.manual_seed(seed_of(text))

    def _check_labels(self, logits: Tensor, y: Tensor) -> None:
        """All labels once, before the first gradient; those of a data set as they come."""
        if self.classes is None:
            if logits.ndim != 2:
                raise InputError(
                    f"the model's output has the shape {tuple(logits.shape)}: cross entropy expects (batch, classes); "
                    "change the model, or give a loss"
                )
            self.classes = logits.shape[1]
            for part in (self.batches, self.test):
                if part is not None and part.y is not None:
                    check_labels(part.y, self.classes)
        if self.batches.y is None:
            check_labels(y.detach().cpu().numpy(), self.classes)

    def _agree(self, stage: Stage, step: int) -> None:
        """The statistics of the first process count everywhere; what trains is finite."""
        if self.fabric.world_size > 1:
            for buffer in self.masks.model.buffers():
                torch.distributed.broadcast(buffer.view(torch.uint8) if buffer.dtype == torch.bool else buffer, 0)
        self._check_finite(stage, step)

    def _check_finite(self, stage: Stage, step: int) -> None:
        bad = parameter_not_finite(self.masks.model)
        if bad is not None:
            raise InputError(f"{bad} are not finite after step {step + 1} of stage {stage.name}; {self._advice(stage)}")

    def _row(self, stage: Stage, epoch: int, step: int, loss: float, rate: float, seconds: float) -> None:
        row: dict[str, Any] = {"stage": stage.name, "epoch": epoch, "step": step, "loss": loss, "lr": rate}
        if self.test is not None and self.loss is None:
            row["accuracy"] = accuracy(self.masks.model, self.test) / len(self.test.x)
        row["seconds"] = seconds
        self.history.append(row)
        _log.info("%s epoch %d: loss %.4f, accuracy %s", stage.name, epoch, loss, row.get("accuracy", "not measured"))
        if self.logs is not None:
            self.logs.write(self.history, new=True)

    def _save(self, moment: Moment, optimizer: torch.optim.Optimizer | None, stage: Stage) -> None:
        path = self.keeping.checkpoint
        if path is None or not self.fabric.is_global_zero:
            return
        if moment.step:
            self._check_finite(stage, moment.step - 1)
        moment = replace(moment, redraw=max((tensor.redraw for tensor in self.masks), default=0))
        checkpoint.write(path, checkpoint.pack(self.masks.model, optimizer, moment, self.asked))
        self.saved = time.monotonic()

    def _not_finite(self, stage: Stage, step: int, rows: np.ndarray, key: str) -> InputError:
        """The sentence about a loss that is NaN or infinite: where it began. The weights are those before the step."""
        self._seed(f"{key}/{self.fabric.global_rank}")
        with self.fabric.autocast():
            place = output_not_finite(self.masks.model, self.batches.take(rows, key=key)[0])
        return InputError(
            f"the loss is not finite at step {step + 1} of stage {stage.name}: {place}; {self._advice(stage)}"
        )

    def _advice(self, stage: Stage) -> str:
        path = self.keeping.checkpoint
        kept = f"; {path} holds the last good state" if path is not None and path.exists() else ""
        return f"try a lower rate than {stage.training.lr:g}, or look at the data{kept}"


def _logits(outputs: Any) -> Tensor:
    """The outputs of a module, also of one that wraps them as Hugging Face does."""
    return outputs if isinstance(outputs, Tensor) else outputs.logits
