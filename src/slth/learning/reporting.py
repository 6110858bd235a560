"""What a run says of itself while it trains: its history, its logs, its progress."""

import logging
import time
from dataclasses import asdict
from typing import Any

from torch import nn

from slth.learning.batches import Batches
from slth.learning.logs import Logs
from slth.learning.predictions import accuracy
from slth.learning.run_files import RunFiles
from slth.learning.steps import Step
from slth.learning.training import Stage
from slth.ticket import Choice

_log = logging.getLogger(__name__)


class Report:
    """The history of a run, one row per epoch, also in `files.logs`; its progress, step by step.

    Args:
        steps: of all stages.
        test: examples for the accuracy of `model` after each epoch; None: it is not measured.
        writes: whether this process writes logs.
    """

    def __init__(self, files: RunFiles, steps: int, model: nn.Module, *, test: Batches | None, writes: bool):
        self.history: list[dict[str, Any]] = []
        self._logs = Logs(files.logs) if writes and files.logs is not None else None
        self._progress, self._done, self._steps = files.progress, 0, steps
        self._model, self._test, self._started = model, test, 0.0

    def resume(self, history: list[dict[str, Any]]) -> None:
        """Go on with the rows of a checkpoint."""
        self.history = history
        if history and self._logs is not None:
            self._logs.write(history, new=False)

    def skip(self, steps: int) -> None:
        """Steps that were done before, or by another run."""
        self._done += steps

    def start_clock(self) -> None:
        """The seconds of the rows to come count from here."""
        self._started = time.monotonic()

    def step(self) -> None:
        """A step is done."""
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._steps)

    def epoch(self, stage: Stage, step: Step, loss: float) -> None:
        """An epoch is done: a row, with the accuracy."""
        seconds = time.monotonic() - self._started
        row: dict[str, Any] = {"stage": stage.name, "epoch": step.epoch + 1, "step": step.number + 1, "loss": loss}
        row["lr"] = step.rate
        if self._test is not None:
            row["accuracy"] = accuracy(self._model, self._test) / len(self._test.x)
        row["seconds"] = seconds
        self.history.append(row)
        measured = row.get("accuracy", "not measured")
        _log.info("%s epoch %d: loss %.4f, accuracy %s", stage.name, step.epoch + 1, loss, measured)
        if self._logs is not None:
            self._logs.write(self.history, new=True)

    def choice(self, choice: Choice) -> None:
        """A stage has chosen a mask: its last row says so, with all candidates."""
        self.history[-1] |= {"chosen": choice.chosen, "candidates": [asdict(one) for one in choice.candidates]}
        _log.info("kept %s so far", choice.chosen)
        if self._logs is not None:
            self._logs.write(self.history, new=False)

    def close(self) -> None:
        """No file stays open."""
        if self._logs is not None:
            self._logs.close()
