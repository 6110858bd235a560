"""What a run writes beside its result, and whom it tells how far it is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Progress = Callable[[int, int], None]
Share = Callable[[str, Callable[[], bytes]], Path]  # (name, make) -> the file of that name, made once


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The files of a run.

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
