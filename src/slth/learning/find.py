"""The verb: a model, data and a method in; a ticket, its accuracy and the way there out."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn

from slth._errors import InputError
from slth.learning.attach import attach
from slth.learning.batches import Batches
from slth.learning.devices import fabric_for
from slth.learning.gradients import Loss
from slth.learning.guards import check_method
from slth.learning.method import Method
from slth.learning.policy import Policy
from slth.learning.predictions import accuracy
from slth.learning.run_files import RunFiles
from slth.learning.tickets import asked_of, check_carried_by, check_model, ticket_of
from slth.learning.trainer import train
from slth.learning.training import Training
from slth.ticket import FOUND, Bound, Builtin, Candidate, Choice, Inputs, Ticket


@dataclass(frozen=True, slots=True, eq=False)
class SearchResult:
    """The outcome of a search."""

    ticket: Ticket
    hits: int | None  # correct predictions on the test examples, by the masked model
    count: int  # test examples
    history: list[dict[str, Any]]  # one row per epoch: stage, epoch, step, loss, lr, accuracy, seconds
    seconds: float
    controls: dict[str, float] = field(default_factory=dict[str, float])  # accuracy of each, if asked for
    choice: Choice | None = None  # the masks among which this one was chosen, by their training loss

    @property
    def accuracy(self) -> float | None:
        """Fraction of test examples predicted correctly."""
        return None if self.hits is None else self.hits / self.count

    def outcome(self) -> dict[str, Any]:
        """What came out, as plain data for a record."""
        ticket = self.ticket
        return {
            "accuracy": self.accuracy,
            "count": self.count,
            "density": ticket.kept / ticket.size,
            "kept": ticket.kept,
            "size": ticket.size,
            "mask_bits": ticket.mask_bits,
            "strong": ticket.strong,
            "carried": ticket.carried_numbers,
            "controls": self.controls,
            "choice": None if self.choice is None else self.choice.as_data(),
            "history": self.history,
        }


def find(
    model: nn.Module,
    batches: Batches,
    test: Batches | None,
    method: Method,
    *,
    name: str,
    seed: int = 0,
    training: Training | None = None,
    policy: Policy | None = None,
    network: Builtin | Bound | None = None,
    inputs: Inputs | None = None,
    data: str | None = None,
    asked: Mapping[str, Any] | None = None,
    fabric: Fabric | None = None,
    files: RunFiles | None = None,
    loss: Loss | None = None,
) -> SearchResult:
    """Attach a method's masks to a model, train them, and write down what was found.

    Args:
        model: trained in place; afterwards it holds the masked weights, as plain parameters.
        name: of the method, for the record.
        training, policy: None: the method's own.
        network, inputs, data, asked: what the ticket says about the model, its inputs, the data and what was asked.
        files, loss: see `train`.

    Raises:
        InputError: see `attach` and `train`; also something asked that is no plain data, before anything is changed.
    """
    start = time.perf_counter()
    check_method(method)
    training = method.training if training is None else training
    policy = method.policy if policy is None else policy
    # what no ticket can hold is refused now, not after hours
    said = asked_of(name, method, policy, training=training, seed=seed, data=data, more=asked)
    check_model(model)
    masks = attach(model, method, seed=seed, policy=policy)
    try:
        check_carried_by(masks)
    except InputError:
        masks.detach(restore=True)
        raise
    fabric = fabric_for(training) if fabric is None else fabric
    history = train(masks, method.stages(training), batches, test, asked=said, fabric=fabric, files=files, loss=loss)
    choice = _choice(history)
    said = said if choice is None else {**said, FOUND: choice.as_data()}
    network = Bound() if network is None else network
    ticket = ticket_of(masks, method, name=name, network=network, inputs=inputs, asked=said, data=data)
    hits = None if test is None or loss is not None else accuracy(model, _on_device_of(model, test))
    masks.detach()
    count, seconds = 0 if test is None else len(test.x), time.perf_counter() - start
    return SearchResult(ticket, hits, count, history, seconds, choice=choice)


def _choice(history: list[dict[str, Any]]) -> Choice | None:
    """What all stages found, and the last word on it; None: nothing was chosen."""
    rows = [row for row in history if "chosen" in row]
    candidates = tuple(Candidate(**one) for row in rows for one in row["candidates"])
    return Choice(candidates, rows[-1]["chosen"]) if rows else None


def _on_device_of(model: nn.Module, test: Batches) -> Batches:
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    return replace(test, device=device)
