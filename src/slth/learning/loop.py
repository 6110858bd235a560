"""A method in a loop that the user writes: its stages, by the fraction of the training that is done.

A search runs the stages of a method one after another. In a loop of the user's own the same happens through one call
after each step of the optimiser, `masks.step(done)`:

    stage i lasts while  e_0 + ... + e_{i-1}  <=  done · (e_0 + ... + e_n)  <  e_0 + ... + e_i,      e: its epochs

and inside a stage the method is told which fraction of *it* is done. With the optimiser, the order of the data and the
rates of a search the loop gives the masks of that search, bit for bit.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from itertools import accumulate
from typing import Any

import torch

from slth._arguments import number, shown, text
from slth._errors import InputError
from slth.learning.guards import check_method
from slth.learning.masks import Masks, TrainingLoss
from slth.learning.method import Masker, Method
from slth.learning.methods import name_of
from slth.learning.predictions import evaluating
from slth.learning.tickets import asked_of, check_model, ticket_of
from slth.learning.training import Stage
from slth.network import architecture_of
from slth.ticket import FOUND, Bound, Builtin, Candidate, Choice, Inputs, Ticket


class Loop:
    """Where the loop of a method stands.

    Args:
        method: if it has no stages, its scores train, and there is nothing to be told.
    """

    def __init__(self, method: Masker):
        self._method = method
        self._stages: Sequence[Stage] = method.stages(method.training) if isinstance(method, Method) else ()
        epochs = [Fraction(str(stage.training.epochs)) for stage in self._stages]
        self._ends = [float(end / sum(epochs)) for end in accumulate(epochs)]
        self._stage = self._steps = 0  # the stage that trains, and its steps so far
        self._done, self._over = 0.0, False
        self._choice: Choice | None = None

    @property
    def kinds(self) -> list[str]:
        """What trains at some time, "weights" or "scores"."""
        return list(dict.fromkeys(stage.moving for stage in self._stages)) or ["scores"]

    def begin(self, masks: Masks) -> None:
        """The first stage begins."""
        if self._stages:
            self._begin(masks)

    def step(self, masks: Masks, done: float, loss: TrainingLoss | None) -> bool:
        """See `Masks.step`."""
        done = number("done", done, example="(step + 1) / steps", above=0, most=1)
        if not self._has_schedule:
            return False
        if loss is None and any(stage.chooses for stage in self._stages):
            raise InputError(
                f"{name_of(self._method)} chooses among masks by their training loss: say it with every step, "
                "masks.step(done, training_loss), a function without arguments that gives the loss of the model as it "
                "is; or ask for one mask: one density, or Supermask(final='threshold')"
            )
        self._check_order(done)
        self._done, self._steps = done, self._steps + 1
        stage, start, end = self._stages[self._stage], self._start, self._ends[self._stage]
        stage.after_step(masks)
        stage.schedule(masks, min((done - start) / (end - start), 1.0))
        if done < end:
            return False
        stage.check_steps(self._steps)
        stage.end(masks)
        if stage.choose is not None and loss is not None:
            said = stage.choose(masks, partial(_candidate, masks, loss))
            before = () if self._choice is None else self._choice.candidates
            self._choice = Choice((*before, *said.candidates), said.chosen)
        stage.check(masks)
        self._over = stage is self._stages[-1]
        if not self._over:
            for parameter in masks.parameters:
                parameter.grad = None  # an optimiser that holds it passes over it, until it trains again
            self._stage, self._steps = self._stage + 1, 0
            self._begin(masks)
        return not self._over

    def ticket(self, masks: Masks, inputs: Inputs | None, data: str | None) -> Ticket:
        """See `Masks.ticket`."""
        method, name = check_method(self._method), name_of(self._method)
        if self._has_schedule and not self._over:
            raise InputError(
                f"the training of {name} is not over: it changes masks or weights on the way, so call "
                "masks.step(done) once after each step of the optimiser, with the fraction of all steps that is done; "
                f"the last call said {self._done:g}, and a ticket needs 1"
            )
        check_model(masks.model)
        self._stages[-1].check(masks)
        data = None if data is None else text("data", data)
        if not isinstance(inputs, Inputs | None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError(f"inputs must be a slth.ticket.Inputs, such as Inputs((1, 28, 28)), got {shown(inputs)}")
        known = architecture_of(masks.model)
        network = Bound() if known is None else Builtin(*known)
        more: dict[str, Any] = {"network": [None, {}] if known is None else list(known)}
        more |= {} if self._choice is None else {FOUND: self._choice.as_data()}
        asked = asked_of(name, method, masks.policy, training=None, seed=masks.seed, data=data, more=more)
        return ticket_of(masks, method, name=name, network=network, inputs=inputs, asked=asked, data=data)

    @property
    def _has_schedule(self) -> bool:
        """Something is to happen on the way: a projection, a density that falls, a pruning, a second stage."""
        return len(self._stages) > 1 or any(stage.acts for stage in self._stages)

    @property
    def _start(self) -> float:
        """Where the stage that trains begins."""
        return self._ends[self._stage - 1] if self._stage else 0.0

    def _begin(self, masks: Masks) -> None:
        stage = self._stages[self._stage]
        stage.begin(masks)
        masks.move(stage.moving)
        stage.schedule(masks, 0.0)

    def _check_order(self, done: float) -> None:
        """Forward only, and no stage without a step."""
        if self._over:
            raise InputError(
                f"masks.step(1) has ended this training, got done = {done:g}; attach new masks for another"
            )
        if done < self._done:
            raise InputError(
                f"done is the fraction of the training that is done and never falls, but after {self._done:g} came "
                f"{done:g}; give (step + 1) / steps, of all epochs together"
            )
        passed = sum(end <= done for end in self._ends) - self._stage
        if passed > 1:
            raise InputError(
                f"from done = {self._done:g} to {done:g} ends {passed} of the {len(self._stages)} stages of "
                f"{name_of(self._method)}, and each needs steps of its own; make more steps, and say done after each"
            )


def _candidate(masks: Masks, loss: TrainingLoss, mask: str) -> Candidate:
    """The mask that is on the model now, measured in evaluation mode."""
    with evaluating(masks.model), torch.no_grad():
        value = float(loss())
    return Candidate(mask, number("the training loss", value), None)
