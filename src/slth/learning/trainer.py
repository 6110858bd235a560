"""One trainer for all methods, on Lightning Fabric: devices, mixed precision and several processes come from there.

Everything random follows from the seed, the stage and the step (dropout on several processes from the process, too): on
a processor a run that was killed ends, resumed, in the same bits. Every process sees its share of a step's batch;
gradients are averaged over all examples of it, so scores and masks are identical everywhere.

The loop is `_Run._train`; beside it stand what a step is (`steps`), its gradient (`gradients`), what ends a run
(`watching`), what chooses a final mask (`measurements`), where one goes on (`resuming`) and what it says (`reporting`).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from slth._errors import InputError
from slth.learning.batches import Batches
from slth.learning.checkpoint import Position
from slth.learning.devices import fabric_for, optimizer_for, seed_torch, set_rate, set_up
from slth.learning.gradients import Gradients, Loss
from slth.learning.masks import Masks
from slth.learning.measurements import Measurements
from slth.learning.reporting import Report
from slth.learning.resuming import Checkpoints, SharedStages
from slth.learning.run_files import RunFiles
from slth.learning.steps import Step, count_steps, steps_of
from slth.learning.training import Stage
from slth.learning.watching import Watch, lost_process


def train(
    masks: Masks,
    stages: Sequence[Stage],
    batches: Batches,
    test: Batches | None,
    *,
    asked: dict[str, Any],
    fabric: Fabric | None = None,
    files: RunFiles | None = None,
    loss: Loss | None = None,
) -> list[dict[str, Any]]:
    """Run the stages of a method one after another; the history, one row per epoch.

    Args:
        masks: the model and what is on it; trained in place.
        batches, test: training examples; examples for the accuracy after each epoch.
        asked: names the run: a checkpoint of another one is refused. Shapes and the number of examples are added.
        fabric: None: this process, on the processor.
        files: checkpoint, logs, shared stages, progress; None: none.
        loss: (outputs, y) -> a scalar, the mean over examples; None: cross entropy.

    Raises:
        InputError: no training examples; a loss, scores or weights that are not finite (step and layer are named);
            labels out of range; a place that cannot be written; a foreign or damaged checkpoint; another process died.
    """
    files = RunFiles() if files is None else files
    fabric = fabric_for(stages[0].training) if fabric is None else fabric
    if not len(batches.x):
        raise InputError("there are no training examples; a search needs some")
    for stage in stages:
        stage.check_steps(count_steps(stage.training, batches))
    run = _Run(masks, tuple(stages), batches, test=test, asked=asked, fabric=fabric, files=files, loss=loss)
    with torch.random.fork_rng(devices=[fabric.device] if fabric.device.type == "cuda" else []):
        try:
            return run.train_all()
        except RuntimeError as error:
            lost = lost_process(error, fabric)
            if lost is None:
                raise
            raise lost from error
        finally:
            run.report.close()


class _Run:
    """One call of `train`."""

    def __init__(
        self,
        masks: Masks,
        stages: tuple[Stage, ...],
        batches: Batches,
        *,
        test: Batches | None,
        asked: dict[str, Any],
        fabric: Fabric,
        files: RunFiles,
        loss: Loss | None,
    ):
        self.modes = [(module, module.training) for module in masks.model.modules()]  # a frozen norm stays frozen
        masks.model.to(fabric.device)  # before an optimiser's state is restored
        self.masks, self.stages, self.fabric, self.files = masks, stages, fabric, files
        self.batches = replace(batches, device=fabric.device)
        test = None if test is None or not len(test.x) else replace(test, device=fabric.device)
        self.test = test if loss is None else None  # for accuracies: there are predictions
        shapes = {n: str(tuple(v.shape)) for n, v in masks.model.state_dict().items() if isinstance(v, Tensor)}
        asked = {**asked, "examples": len(batches.x), "tensors": shapes}
        steps = sum(count_steps(stage.training, batches) for stage in stages)
        self.gradients = Gradients(self.batches, test, fabric=fabric, loss=loss)
        self.checkpoints = Checkpoints(files, masks, fabric, asked=asked)
        self.shared = None if files.share is None else SharedStages(files.share, masks, asked=asked)
        self.report = Report(files, steps, masks.model, test=self.test, writes=fabric.is_global_zero)

    def train_all(self) -> list[dict[str, Any]]:
        """Every stage, from where a checkpoint left off; the history."""
        start = self._resume()
        for number, stage in enumerate(self.stages[start.stage :], start.stage):
            if number == start.stage and start.step:
                self._train(stage, start)
            elif self.shared is not None and stage.shared is not None and self.fabric.world_size == 1:
                self._obtain(stage, number, self.shared)
            else:
                self._train(stage, self._position(number, 0))
            self._choose(stage)
            self.checkpoints.save(self._position(number + 1, 0))
        return self.report.history

    def _train(self, stage: Stage, start: Position) -> None:
        """One stage, from a position in it."""
        masks, training, key = self.masks, stage.training, f"{self.masks.seed}/{stage.key or stage.name}"
        steps = count_steps(training, self.batches)
        seed_torch(f"{key}/begin", self.fabric.device)
        stage.begin(masks)
        optimizer = optimizer_for(masks.move(stage.moving), training)
        if start.step:
            self.checkpoints.restore(start, optimizer)
        stage.schedule(masks, start.step / steps)
        model, stepper = set_up(self.fabric, masks.model, optimizer)
        model.train()
        for module, mode in self.modes:
            module.training = mode
        watch = Watch(masks, stage, self.batches, fabric=self.fabric, loss=start.loss, saved=self.files.checkpoint)
        self.report.skip(start.step)
        self.report.start_clock()
        for step in steps_of(stage, self.batches, key, first=start.step):
            set_rate(optimizer, step.rate)
            loss = self.gradients.forward_backward(model, training, step)
            watch.take_loss(loss, step)
            stepper.step()
            stepper.zero_grad(set_to_none=True)
            stage.after_step(masks)
            stage.schedule(masks, (step.number + 1) / steps)
            self._look_back(start.stage, step, watch, optimizer)
        seed_torch(f"{key}/end", self.fabric.device)
        stage.end(masks)

    def _choose(self, stage: Stage) -> None:
        """The mask that a stage chooses among those it found, and what it says of them."""
        if stage.choose is not None:
            measurements = Measurements(
                self.masks.model, self.batches, self.test, stage.training, self.gradients, self.fabric
            )
            self.report.choice(stage.choose(self.masks, measurements.candidate))
        stage.check(self.masks)

    def _look_back(self, number: int, step: Step, watch: Watch, optimizer: torch.optim.Optimizer) -> None:
        """After a step: it is counted, an epoch that it ends is reported, a checkpoint is saved if one is due."""
        self.report.step()
        if step.ends_epoch:
            self.report.epoch(self.stages[number], step, watch.end_epoch(step))
        if self.checkpoints.due and watch.all_read and not step.ends_stage:
            watch.check_parameters(step)
            self.checkpoints.save(self._position(number, step.number + 1, loss=watch.loss), optimizer)

    def _obtain(self, stage: Stage, number: int, shared: SharedStages) -> None:
        """One stage, as another run left it, or trained and left for others."""
        history = self.report.history
        before = len(history)

        def trained() -> list[dict[str, Any]]:
            self._train(stage, self._position(number, 0))
            return history[before:]

        rows = shared.obtain(number, stage, trained)
        if rows:
            history += rows
            self.report.skip(count_steps(stage.training, self.batches))

    def _resume(self) -> Position:
        """Where to begin. The model is as a finished stage left it; one that was begun is restored when it goes on."""
        start = self.checkpoints.position()
        if start is None:
            return self._position(0, 0)
        self.report.resume(start.history)
        for stage in self.stages[: start.stage]:
            self.report.skip(count_steps(stage.training, self.batches))
        if not start.step:
            self.checkpoints.restore(start)
        if start.stage == len(self.stages):  # all is done; what no checkpoint holds is as after the last step
            last = self.stages[-1]
            self.masks.move(last.moving)
            last.begin(self.masks)
            last.schedule(self.masks, 1.0)
            self.checkpoints.restore(start)
        return start

    def _position(self, stage: int, step: int, *, loss: float = 0.0) -> Position:
        return Position(stage, step, loss, self.report.history)
