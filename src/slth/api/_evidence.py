"""What can be said about a ticket: checked from its file, measured on data."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from slth._errors import InputError
from slth.api._inputs import Numbers, flat_examples, flat_standardisation, shaped_examples, standardisation
from slth.evidence import Evaluation, LearnedEvaluation, Verification, evaluate_learned
from slth.evidence import evaluate as _evaluate
from slth.evidence import verify as _verify
from slth.network import read_target
from slth.ticket import LearnedTicket, Ticket, load

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Verification", "evaluate", "verify"]


def verify(
    ticket: Ticket | LearnedTicket | str | Path, *, target: Any = None, order: Sequence[str] | None = None
) -> Verification:
    """Check a ticket against itself and, with `target`, every claim about the network it stands for.

    A learned ticket stands for no target: everything it says is checked from the file alone.

    Regenerates the random weights, never calls a solver. `.holds` is the verdict, `.checks` the list.
    """
    layers = None if target is None else read_target(target, order=order).layers
    return _verify(ticket, target=layers)


def evaluate(
    ticket: Ticket | LearnedTicket | str | Path,
    data: str | Path | tuple[np.ndarray, np.ndarray],
    *,
    target: Any = None,
    order: Sequence[str] | None = None,
    data_dir: str | Path | None = None,
    mean: Numbers | None = None,
    std: Numbers | None = None,
    model: "nn.Module | None" = None,
) -> Evaluation | LearnedEvaluation:
    """Accuracy with confidence interval, and with `target` the predictions changed, distances and proofs.

    Args:
        data: a name ("digits", "mnist", "fashion_mnist", "cifar10"), a path to an `.npz` with `x` and `y`, or the pair
            (x, y) as the network takes it.
        target: the network a constructed ticket stands for; `order`: see `construct`.
        data_dir: the folder of the image data sets.
        mean, std: named data becomes (x − mean) / std; one number each or, for a learned ticket, one per channel.
            None: as the ticket says.
        model: for a learned ticket that is bound to a model of yours: such a model; it is not changed.
    """
    ticket = ticket if isinstance(ticket, Ticket | LearnedTicket) else load(ticket)
    if isinstance(ticket, LearnedTicket):
        if target is not None:
            raise InputError("a learned ticket stands for no target network; evaluate it without a target")
        inputs, labels, name = shaped_examples(data, data_dir, standardisation(mean, std), ticket.inputs)
        return evaluate_learned(ticket, inputs, labels, data=name, model=model)
    if model is not None:
        raise InputError("a constructed ticket needs no model: it is a network by itself; to compare, give a target")
    scale = flat_standardisation(mean, std) or ticket.domain.normalize
    inputs, labels, name = flat_examples(data, data_dir, scale)
    layers = None if target is None else read_target(target, order=order).layers
    return _evaluate(ticket, inputs, labels, data=name, target=layers)
