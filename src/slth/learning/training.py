"""How a stage of a search trains: plain data, checked when made."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from slth import _arguments
from slth._errors import InputError
from slth.learning.masks import Masks
from slth.ticket import Candidate, Choice

OPTIMIZERS = ("sgd", "adam", "adamw")
SCHEDULES = ("constant", "cosine", "multistep")
PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")


@dataclass(frozen=True, slots=True)
class Training:
    """Settings of one training run.

    Attributes:
        epochs: passes over the training data; fractions are whole steps, rounded up.
        batch: examples per step, over all processes together.
        optimizer: sgd, adam or adamw.
        lr: the highest rate. momentum, weight_decay: as in PyTorch (momentum: sgd only).
        schedule: "constant"; "cosine", half a wave from lr after the warm-up down to 0; "multistep", × factor at each
            milestone.
        warmup: epochs of linear rise from 0 at the start, before any schedule.
        milestones, factor: in epochs; multistep only.
        label_smoothing: of the cross entropy.
        accumulate: a step's batch is cut into so many parts, whose gradients add up.
        precision: "32-true", "bf16-mixed" or "16-mixed"; scores and weights are float32 in any case.
    """

    epochs: float = 10.0
    batch: int = 128
    optimizer: Literal["sgd", "adam", "adamw"] = "sgd"
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 1e-4
    schedule: Literal["constant", "cosine", "multistep"] = "cosine"
    warmup: float = 0.0
    milestones: tuple[float, ...] = ()
    factor: float = 0.1
    label_smoothing: float = 0.0
    accumulate: int = 1
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"

    def __post_init__(self) -> None:
        for name, value, legal in (
            ("optimizer", self.optimizer, OPTIMIZERS),
            ("schedule", self.schedule, SCHEDULES),
            ("precision", self.precision, PRECISIONS),
        ):
            if value not in legal:
                raise InputError(f"{name}: expected one of {', '.join(legal)}; got {value!r}")
        for name, number in (("epochs", self.epochs), ("lr", self.lr), ("factor", self.factor)):
            if not (_arguments.is_finite(number) and number > 0):
                raise InputError(f"{name} must be a positive number, got {number!r}")
        for name, whole in (("batch", self.batch), ("accumulate", self.accumulate)):
            if not _arguments.is_whole(whole) or whole < 1:
                raise InputError(f"{name} must be a whole number, at least 1, got {whole!r}")
        for name, number in (("momentum", self.momentum), ("label_smoothing", self.label_smoothing)):
            if not (_arguments.is_finite(number) and 0 <= number < 1):
                raise InputError(f"{name} must be at least 0 and below 1, got {number!r}")
        if not (_arguments.is_finite(self.weight_decay) and self.weight_decay >= 0):
            raise InputError(f"weight_decay must be a number of at least 0, got {self.weight_decay!r}")
        if not (_arguments.is_finite(self.warmup) and 0 <= self.warmup <= self.epochs):
            raise InputError(f"warmup must lie between 0 and epochs = {self.epochs:g}, got {self.warmup!r}")
        if not all(_arguments.is_finite(milestone) and milestone >= 0 for milestone in self.milestones):
            raise InputError(f"milestones are epochs, numbers of at least 0; got {self.milestones}")

    def steps(self, per_epoch: int) -> int:
        """Steps of the whole run, at least one."""
        return max(1, math.ceil(_scaled(self.epochs, per_epoch)))

    def rate(self, step: int, per_epoch: int) -> float:
        """The learning rate of a step, counted from 0.

        >>> Training(epochs=2.0, lr=1.0).rate(10, 10)
        0.5
        """
        total, warm = self.steps(per_epoch), _scaled(self.warmup, per_epoch)
        if step < warm:
            return self.lr * min((step + 1) / warm, 1.0)
        if self.schedule == "cosine":
            return self.lr * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1.0, total - warm)))
        if self.schedule == "multistep":
            return self.lr * self.factor ** sum(step >= _scaled(at, per_epoch) for at in self.milestones)
        return self.lr


@lru_cache(maxsize=256)
def _scaled(epochs: float, per_epoch: int) -> float:
    """Epochs in steps, of the decimal that the user wrote: 0.7 epochs of 10 steps are 7, while 0.7 * 10 is above 7."""
    return float(Fraction(str(epochs)) * per_epoch)


Measure = Callable[[str], Candidate]  # the name of the mask that is on the model now -> the mask, measured


def _nothing(*_: object) -> None:
    """Nothing to do."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One training run of a method: what moves, and what happens around it.

    Attributes:
        name: for logs and checkpoints; different for every stage of a method.
        moving: "scores", or "weights".
        begin: called before the first step: of the first stage by `attach` already, then by a search; also by a
            resumed run, which restores what was saved afterwards.
        after_step: called after each step of the optimiser: projections.
        schedule: called with (masks, done) after `begin` and after each step: sets what depends on nothing but `done`,
            the fraction of the stage's steps that are done.
        end: called once after the last step.
        choose: called after `end`, with what measures a mask; puts the mask that is kept on the model and says among
            what it chose. Where several stages choose, each adds what it found, and the last word counts.
        only_says: `choose` leaves the mask as it is: a loop of the user's own can do without.
        check: called last, and before every ticket of a loop of the user's own: refuses what is no result.
        check_steps: called with the number of its steps, to refuse too few: by a search before any step, by a loop of
            the user's own at the end of the stage.
        shared: what the stage's outcome, before a choice, depends on; equal texts may share it. None: never shared.
        key: names its order of examples and its draws; stages of one key see the same. Empty: its name.
    """

    name: str
    training: Training
    moving: Literal["scores", "weights"]
    begin: Callable[[Masks], None] = _nothing
    after_step: Callable[[Masks], None] = _nothing
    schedule: Callable[[Masks, float], None] = _nothing
    end: Callable[[Masks], None] = _nothing
    choose: Callable[[Masks, Measure], Choice] | None = None
    only_says: bool = False
    check: Callable[[Masks], None] = _nothing
    check_steps: Callable[[int], None] = _nothing
    shared: str | None = None
    key: str = ""

    @property
    def chooses(self) -> bool:
        """The mask that it leaves depends on training losses."""
        return self.choose is not None and not self.only_says

    @property
    def acts(self) -> bool:
        """Something happens on the way or at the end, beside the training of what moves."""
        return self.chooses or any(hook is not _nothing for hook in (self.after_step, self.schedule, self.end))
