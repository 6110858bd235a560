"""What can be said about a ticket: checked from its file, measured on data."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from slth._errors import InputError
from slth.api._construct import read_target
from slth.api._inputs import Numbers, examples_of
from slth.evidence import Evaluation, Verification
from slth.evidence import evaluate as _evaluate
from slth.evidence import verify as _verify
from slth.graph import Target
from slth.ticket import DamagedTicketError, Ticket, load

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Verification", "evaluate", "target_of", "verify"]


def verify(
    ticket: Ticket | str | Path, *, target: Any = None, model: str | None = None, order: Sequence[str] | None = None
) -> Verification:
    """Check a ticket against itself and, with `target`, every claim about the network it stands for.

    A ticket without claims stands for no target: everything it says is checked from the file alone.

    Regenerates the random weights, never calls a solver. `.holds` is the verdict, `.checks` the list. `target`, `model`
    and `order`: see `construct`.
    """
    if target is None and model is None:
        return _verify(ticket)
    try:
        ticket = ticket if isinstance(ticket, Ticket) else load(ticket)
    except DamagedTicketError:
        return _verify(ticket)  # says so
    return _verify(ticket, target=target_of(ticket, target, model, order))


def target_of(ticket: Ticket, target: Any, model: str | None, order: Sequence[str] | None) -> Target:
    """The network that a ticket is compared with, on inputs of the ticket's shape."""
    module = model is not None or hasattr(target, "forward")
    shape = ticket.inputs.shape if module and ticket.inputs is not None else None
    return read_target(target, model=model, input_shape=shape, order=order)


def evaluate(
    ticket: Ticket | str | Path,
    data: str | Path | tuple[np.ndarray, np.ndarray],
    *,
    target: Any = None,
    model: "nn.Module | str | None" = None,
    order: Sequence[str] | None = None,
    data_dir: str | Path | None = None,
    mean: Numbers | None = None,
    std: Numbers | None = None,
) -> Evaluation:
    """Accuracy with confidence interval, and with `target` the predictions changed, distances and proofs.

    Args:
        data: a name ("digits", "mnist", "fashion_mnist", "cifar10"), a path to an `.npz` with `x` and `y`, or the pair
            (x, y) as the network takes it.
        target: the network a constructed ticket stands for; `order`: see `construct`.
        data_dir: the folder of the image data sets.
        mean, std: named data becomes (x − mean) / std; one number each or, for images, one per channel. None: as the
            ticket says.
        model: for a ticket that is bound to a model of yours: such a model; it is not changed. As a text, code that is
            run, see `construct`: it gives that model or, of a constructed ticket, the target.
    """
    ticket = ticket if isinstance(ticket, Ticket) else load(ticket)
    if target is not None and ticket.claims is None:
        raise InputError("a learned ticket stands for no target network; evaluate it without a target")
    if ticket.gadgets and not (model is None or isinstance(model, str)):
        raise InputError("a constructed ticket needs no model: it is a network by itself; to compare, give a target")
    inputs, labels, name = examples_of(ticket.inputs, data, data_dir, mean, std)
    if not ticket.gadgets:
        if isinstance(model, str):
            from slth.network import load_model

            model = load_model(model)
        return _evaluate(ticket, inputs, labels, data=name, model=model)
    code = model if isinstance(model, str) else None
    network = None if target is None and code is None else target_of(ticket, target, code, order)
    return _evaluate(ticket, inputs, labels, data=name, target=network)
