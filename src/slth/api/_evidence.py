"""What can be said about a ticket: checked from its file, measured on data."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from slth import _arguments
from slth._errors import InputError, UnfitInputs
from slth.api._construct import Reading, read_target
from slth.api._inputs import Numbers, examples_of
from slth.api._views import ticket_of
from slth.evidence import evaluate as _evaluate
from slth.evidence import in_words_of
from slth.evidence import verify as _verify
from slth.evidence import with_claim as _with_claim
from slth.graph import Graph, OneHot, Target
from slth.network import is_model_folder, is_onnx, read_state
from slth.records import Evaluation, Verification, verbs
from slth.ticket import Ticket

if TYPE_CHECKING:
    from torch import nn

_log = logging.getLogger("slth.api")  # its notes are shown by the command line

__all__ = ["Verification", "evaluate", "target_of", "verify", "with_claim"]


def verify(
    ticket: Ticket | str | Path,
    *,
    target: Any = None,
    model: str | None = None,
    order: Sequence[str] | None = None,
    activation: str | None = None,
    from_node: str | None = None,
    to_node: str | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Verification:
    """Check a ticket against itself and, with `target`, every claim about the network it stands for.

    A ticket without claims stands for no target: everything it says is checked from the file alone.

    Regenerates the random weights, never calls a solver. `.holds`: no check failed; `.complete`: every claim
    was checked; `.checks`: the list. `target`, `model`, `order`, `activation`, `from_node` and `to_node`: see
    `construct`; an ONNX file is cut as the ticket says. `threads`: None uses the processors of this process; what is
    found does not depend on them. `progress` is called with (weights regenerated, weights in all). Memory of the
    ticket's masks and one map, beside the target.

    Raises:
        InputError: the file is no ticket, or the target cannot be read. A ticket that was changed is a failed check.
    """
    if target is None and model is None:
        return _verify(ticket, progress=progress, threads=threads)

    def read(ticket: Ticket) -> Target:
        return target_of(ticket, target, model, Reading(order, activation, from_node, to_node))

    return _verify(ticket, target=read, progress=progress, threads=threads)


def target_of(ticket: Ticket, target: Any, model: str | None, reading: Reading) -> Target:
    """The network that a ticket is compared with, on inputs of its shape; a graph is cut as the ticket says."""
    if not ticket.joined:
        return _layers_for(ticket, target, model)
    graph = is_onnx(target)
    fits = ticket.inputs is not None and (
        graph or model is not None or hasattr(target, "forward") or is_model_folder(target)
    )
    made = ticket.provenance.cut if graph else {}
    inputs = ticket.inputs if fits else None
    tokens = inputs is not None and inputs.tokens is not None
    try:
        network = read_target(
            target,
            model=model,
            input_shape=None if inputs is None or tokens else inputs.shape,
            example=np.zeros((1, *inputs.shape), np.int64) if inputs is not None and tokens else None,
            embeddings="ticketed" if any(isinstance(op.basis, OneHot) for op in ticket.maps.values()) else "carried",
            exact=ticket.claims is not None and ticket.claims.exact is not None,
            order=reading.order,
            activation=reading.activation,
            from_node=made.get("from_node") if reading.from_node is None else reading.from_node,
            to_node=made.get("to_node") if reading.to_node is None else reading.to_node,
        )
    except UnfitInputs as error:
        if inputs is None:
            raise
        what = f"{' x '.join(map(str, inputs.shape))} {'tokens' if tokens else 'numbers'}"
        raise InputError(
            f"the ticket takes inputs of {what}, and the target does not: {error.reason}; give the network that the "
            "ticket was made for"
        ) from error
    return in_words_of(ticket, network)


def _layers_for(ticket: Ticket, target: Any, model: str | None) -> Target:
    """The layers that a ticket was made for; a state dict says which tensors are theirs by their names."""
    from slth.network import layers_in

    if model is not None or not isinstance(target, str | Path | Mapping):
        return read_target(target, model=model, layers_only=True)
    assert isinstance(ticket.network, Graph)
    return layers_in(read_state(target), ticket.network, ticket.provenance.names)


def evaluate(
    ticket: Ticket | str | Path,
    data: str | Path | tuple[np.ndarray, np.ndarray | None],
    *,
    target: Any = None,
    model: "nn.Module | str | None" = None,
    order: Sequence[str] | None = None,
    activation: str | None = None,
    from_node: str | None = None,
    to_node: str | None = None,
    data_dir: str | Path | None = None,
    mean: Numbers | None = None,
    std: Numbers | None = None,
    confidence: float = 0.99,
    name: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Accuracy or error with confidence interval, and with `target` predictions changed, distances and proofs.

    Labels 0, 1, ... are held against the largest output, or the sign where there is one: class 1 above 0, or above ½
    where the network ends in a sigmoid; labels of each position, such as a pixel, against its outputs. Real numbers
    are held against the outputs by their error. `.evaluated_by` says what was done. With `target`, y may be missing.

    With `target`, `.statistical` says what the changed predictions mean for the population that the data was drawn
    from: with this confidence, at most a share of all predictions changes. It is no bound. `with_claim` keeps it.

    Args:
        data: a name ("digits", "mnist", "fashion_mnist", "cifar10"), a path to an `.npz` with `x` and `y`, or the pair
            (x, y) as the network takes it; y None: nothing is known.
        target: the network a constructed ticket stands for; `order`, `activation`: see `construct`.
        data_dir: the folder of the image data sets.
        mean, std: named data becomes (x − mean) / std; one number, one per channel, or an array of one input's shape.
            None: as the ticket says.
        model: for a ticket that is bound to a model of yours: such a model; it is not changed. As a text, code that is
            run, see `construct`: it gives that model or, of a constructed ticket, the target.
        confidence: of `.statistical`, between 0 and 1: so often it is true, over draws of as many examples.
        name: what the data is called in what is said of it. None: its own name; of a pair (x, y) "arrays".
        progress: called with (inputs proved, inputs in all), where there is a target.
    """
    confidence = verbs.read(verbs.Evaluate, "confidence", confidence)
    ticket = ticket_of(ticket)
    if target is not None and ticket.claims is None:
        raise InputError("a learned ticket stands for no target network; evaluate it without a target")
    if not ticket.joined and target is not None and not isinstance(model, str):
        raise InputError("layers by themselves are evaluated in a model: give it as model=, and no target")
    if ticket.gadgets and ticket.joined and not (model is None or isinstance(model, str)):
        raise InputError("a constructed ticket needs no model: it is a network by itself; to compare, give a target")
    inputs, y, own = examples_of(ticket.inputs, data, data_dir, mean, std)
    if y is not None and y.dtype.kind == "f" and (y == np.rint(y)).all():
        _log.info(
            "y holds whole numbers as real ones: outputs are held against them by their error; y.astype(int): labels"
        )
    name = own if name is None else _arguments.text("name", name)
    if not (name and name.isprintable()):
        raise InputError(f"name must be a printable text, got {name!r:.60}")
    if not ticket.gadgets or not ticket.joined:
        if isinstance(model, str):
            from slth.network import load_model

            model = load_model(model, target)
        return _evaluate(ticket, inputs, y, data=name, model=model)
    code = model if isinstance(model, str) else None
    network = None
    if target is not None or code is not None:
        network = target_of(ticket, target, code, Reading(order, activation, from_node, to_node))
    found = _evaluate(ticket, inputs, y, data=name, target=network, confidence=confidence, progress=progress)
    if network is not None and found.target != ticket.provenance.target:
        _log.warning("the target is not the network that the ticket was made for: its digest differs")
    return found


def with_claim(ticket: Ticket | str | Path, found: Evaluation) -> Ticket:
    """The ticket with the statistical claim of an evaluation among its claims; `slth.save` writes it.

    It takes the place of what the ticket says of the same data. The evaluation must be beside the network that the
    ticket was made for.

    >>> import numpy as np, slth
    >>> model, x = {"weight": np.array([[0.5, -0.25], [0.25, 0.5]])}, np.array([[0.0, 1.0], [1.0, 0.25]])
    >>> ticket = slth.construct(model, input_range=(0, 1), tolerance=0.01)
    >>> found = slth.evaluate(ticket, (x, np.array([1, 0])), target=model, confidence=0.9)
    >>> round(found.statistical.at_most, 3)  # none of two: 1 - sqrt(0.1)
    0.684
    >>> slth.with_claim(ticket, found).claims.statistical == (found.statistical,)
    True
    """
    return _with_claim(ticket_of(ticket), found)
