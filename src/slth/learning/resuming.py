"""Where a run goes on: from a checkpoint of its own, or from a stage that another run has left for all."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from slth._errors import InputError
from slth._files import check_writable
from slth.learning import checkpoint
from slth.learning.checkpoint import Position
from slth.learning.masks import Masks
from slth.learning.run_files import RunFiles, Share
from slth.learning.training import Stage

_log = logging.getLogger(__name__)


class Checkpoints:
    """The checkpoint file of a run; without one nothing is found and nothing is saved.

    Raises:
        InputError: the file cannot be written.
    """

    def __init__(self, files: RunFiles, masks: Masks, fabric: Fabric, *, asked: dict[str, Any]):
        self._path, self._every, self._last_save = files.checkpoint, files.every, time.monotonic()
        self._masks, self._fabric, self._asked = masks, fabric, asked
        if self._path is not None and fabric.is_global_zero:
            check_writable(self._path)

    def position(self) -> Position | None:
        """Where the file says the run stands; all processes see the same.

        Raises:
            InputError: the file is damaged or of another run, or the processes see different ones.
        """
        path, start = self._path, None
        if path is not None:
            if self._fabric.is_global_zero:
                checkpoint.remove_leftovers(path)
            if path.exists():
                start = checkpoint.read_position(path, self._asked)
                _log.info("resumed %s at stage %d, step %d", path, start.stage, start.step)
        if self._fabric.world_size > 1:
            seen = None if start is None else (start.stage, start.step)
            if self._fabric.broadcast(seen) != seen:
                raise InputError(
                    f"the processes see different checkpoints at {path}; use a folder that all of them share"
                )
        return start

    def restore(self, position: Position, optimizer: torch.optim.Optimizer | None = None) -> None:
        """The model, and the optimiser if one is given, as they were saved at a position."""
        assert self._path is not None
        if any(tensor.redraw != position.redraw for tensor in self._masks):
            self._masks.redraw(position.redraw)
        checkpoint.restore(self._path, self._masks.model, optimizer)

    @property
    def due(self) -> bool:
        """It is time to save, and this process writes."""
        return self._written is not None and time.monotonic() - self._last_save >= self._every

    def save(self, position: Position, optimizer: torch.optim.Optimizer | None = None) -> None:
        """Replace the file, if this process writes it."""
        path = self._written
        if path is None:
            return
        position = replace(position, redraw=max((tensor.redraw for tensor in self._masks), default=0))
        checkpoint.write(path, checkpoint.pack(self._masks.model, optimizer, position, asked=self._asked))
        self._last_save = time.monotonic()

    @property
    def _written(self) -> Path | None:
        """The file, in the one process that writes it."""
        return self._path if self._fabric.is_global_zero else None


class SharedStages:
    """Outcomes of stages that do not depend on what runs differ in: made once, for all of them."""

    def __init__(self, share: Share, masks: Masks, *, asked: dict[str, Any]):
        self._share, self._masks, self._asked = share, masks, asked

    def obtain(self, number: int, stage: Stage, train: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
        """Put the outcome of a stage into the model: another run's, or what `train` makes, left for others.

        Args:
            train: trains the stage; the rows of its history.

        Returns:
            The stage's rows of the history, if another run trained it; none if `train` was called.
        """
        masks, trained = self._masks, False
        weights = {tensor.path: f"{tensor.stream} {tensor.law} {tensor.scale!r}" for tensor in masks}
        asked = {name: value for name, value in self._asked.items() if name not in ("method", "training")}
        asked |= {"shared": stage.shared, "seed": masks.seed, "weights": weights}

        def make() -> bytes:
            nonlocal trained
            trained, position = True, Position(number, 0, 0.0, train())
            return checkpoint.pack(masks.model, None, position, asked=asked)

        path = self._share(f"{checkpoint.asked_digest(asked)}.safetensors", make)
        rows: list[dict[str, Any]] = []
        if not trained:
            masks.move(stage.moving)
            stage.begin(masks)
            stage.schedule(masks, 1.0)
            rows = checkpoint.read_position(path, asked).history
        checkpoint.restore(path, masks.model, None)
        return rows
