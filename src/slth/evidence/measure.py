"""What a ticket does on data: accuracy or error, distance to the target, predictions proved, with their intervals."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from slth._errors import InputError
from slth.certificate import (
    Norms,
    Statistical,
    certify,
    per_input_error,
    proved_per_input,
    unchanged_on_box,
)
from slth.evidence.errors import errors_of, rms_on_box, rms_per_input
from slth.evidence.sizes import sizes
from slth.evidence.truth import Truth, truth_of
from slth.graph import Box, Graph, Realised, Target
from slth.records import Errors, Evaluation, Proportion
from slth.ticket import Ticket, computed_digest, network_digest, realised_digest, rewritten_for

if TYPE_CHECKING:
    from torch import nn

_BATCH = 500
Progress = Callable[[int, int], None]


def evaluate(
    ticket: Ticket,
    inputs: np.ndarray,
    y: np.ndarray | None,
    *,
    data: str,
    target: Target | None = None,
    model: "nn.Module | None" = None,
    confidence: float = 0.99,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure a ticket on inputs, and on what is known of them.

    Args:
        inputs: float32 (count, ...), as the network takes them; of tokens int64.
        y: labels or numbers, (count, ...); `truth` decides what outputs are held against. None goes with a target.
        data: name of the data, for the record.
        target: the network the ticket stands for; adds its own accuracy or error, distances and proofs, and where there
            are predictions those that change, and the share of all that do, of which `confidence` speaks.
        model: for a bound ticket, a model of the same architecture; it is not changed.
        progress: called with (inputs proved, inputs in all), where there is a target.

    Raises:
        InputError: y that does not fit the outputs, inputs outside the ticket's range; a bound ticket without model.

    Memory: one network in float32 at a time, one map of the realisation in float64, and what `per_input_error` keeps.
    """
    _check(ticket, inputs, y)
    if y is None and target is None:
        raise InputError(
            "the data has no y, so there is nothing to hold the ticket's outputs against; give y, or --target F"
        )
    truth, ours, realised = _run(ticket, model, inputs, y)
    found = Evaluation(
        data=data,
        inputs=len(inputs),
        sizes=sizes(ticket),
        decision=truth.decision,
        positions=1 if truth.decision is None else truth.decision.classes(ours[:1]).size,
        accuracy=_accuracy(truth, ours),
        errors=_errors(truth, ours),
        realised=realised,
        domain=None if ticket.inputs is None or ticket.inputs.box is None else ticket.inputs.words,
    )
    if target is None:
        claimed = None if ticket.claims is None else ticket.claims.sup_error
        return replace(found, certified_error=claimed)
    found = replace(found, **_beside(ticket, target, truth, ours=ours, inputs=inputs, progress=progress))
    if found.changed is None or found.positions > 1:  # positions of one input are not drawn independently
        return found
    name = Path(data).name  # a ticket that says it may leave this machine
    changed = Statistical.from_counts(name, changed=found.changed, examples=len(inputs), confidence=confidence)
    return replace(found, statistical=changed)


def _network(ticket: Ticket, model: "nn.Module | None") -> tuple["nn.Module", str]:
    """What a ticket computes, and a digest of it; each map is regenerated once."""
    from slth.network import apply_to, module_of, realised_from

    digests: list[str] = []

    def part(path: str) -> Realised:
        found = ticket.realised(path)
        digests.append(realised_digest(found))
        return found

    if isinstance(ticket.network, Graph) and ticket.joined:
        network = realised_from(ticket, part)
        return network, computed_digest(ticket, digests)
    network = module_of(ticket) if model is None else apply_to(ticket, copy.deepcopy(model)).eval()
    return network, computed_digest(ticket)


def _run(
    ticket: Ticket, model: "nn.Module | None", inputs: np.ndarray, y: np.ndarray | None
) -> tuple[Truth, np.ndarray, str]:
    """What outputs are held against, decided on those of one input; all outputs; a digest. The network is dropped."""
    from slth.network import as_taken, ends_in_sigmoid, outputs

    network, realised = _network(ticket, model)
    inputs = as_taken(network, inputs)
    shape = outputs(network, inputs[:1]).shape[1:]
    truth = truth_of(y, (len(inputs), *shape), sigmoid=ends_in_sigmoid(network))
    found = outputs(network, inputs, batch=_BATCH)
    if np.isnan(found).any() or (truth.decision is None and not np.isfinite(found).all()):
        raise InputError("the ticket's outputs are not numbers (NaN, ∞) on this data: they overflow float32 on the way")
    return truth, found, realised


def _accuracy(truth: Truth, outputs: np.ndarray) -> Proportion | None:
    if truth.decision is None or truth.y is None:
        return None
    right = truth.decision.classes(outputs) == truth.y
    return Proportion(int(right.sum()), right.size)


def _errors(truth: Truth, outputs: np.ndarray) -> Errors | None:
    return errors_of(outputs, truth.y) if truth.decision is None and truth.y is not None else None


def _beside(
    ticket: Ticket,
    target: Target,
    truth: Truth,
    *,
    ours: np.ndarray,
    inputs: np.ndarray,
    progress: Progress | None,
) -> dict[str, Any]:
    """What an `Evaluation` says with a target, by field."""
    from slth.network import outputs, target_module

    assert ticket.claims is not None
    theirs, norms = outputs(target_module(target), inputs, batch=_BATCH), Norms()
    if theirs.shape != ours.shape:
        raise InputError(
            f"the target gives outputs of shape {theirs.shape}, the ticket of {ours.shape}: another network"
        )
    if not (np.isfinite(theirs).all() and np.isfinite(ours).all()):
        raise InputError("outputs of the ticket or its target overflow float32 on this data; nothing can be measured")
    target = rewritten_for(ticket, target)
    box = None if ticket.inputs is None else ticket.inputs.box
    claims = certify(target, ticket.realised, tolerances=ticket.claims.tolerances, box=box, norms=norms)
    common = {
        "target": network_digest(target, inputs.shape[1:]),
        "target_accuracy": _accuracy(truth, theirs),
        "target_errors": _errors(truth, theirs),
        "measured_error": float(np.abs(ours - theirs).max()),
        "certified_error": claims.sup_error,  # recomputed: a file is not taken at its word
    }
    if truth.decision is None:
        errors = per_input_error(target, ticket.realised, inputs, norms=norms, progress=progress)
        return common | {"rms_per_input": rms_per_input(errors), "rms_on_box": rms_on_box(claims, errors.shape[1])}
    decision = truth.decision
    proved = proved_per_input(target, ticket.realised, inputs, decision=decision, norms=norms, progress=progress)
    on_box = np.zeros_like(proved.unchanged)
    if claims.sup_error is not None:
        on_box = unchanged_on_box(proved.logits, claims, decision=decision, logit_error=proved.rounding)
    if box is not None:  # tickets made before ends were widened: what is an end in float32 alone is not in the box
        within = _inside(inputs, box, np.float64)
        on_box = on_box & within.reshape(-1, *(1 for _ in on_box.shape[1:]))
    return common | {
        "changed": int((decision.classes(ours) != decision.classes(theirs)).sum()),
        "unchanged_on_box": Proportion(int(on_box.sum()), on_box.size),
        "unchanged_per_input": Proportion(int(proved.unchanged.sum()), on_box.size),
    }


def with_claim(ticket: Ticket, found: Evaluation) -> Ticket:
    """The ticket with `found.statistical` among its claims, in the place of what it says of the same data.

    Raises:
        InputError: an evaluation without a target, of another ticket, or beside a network that it was not made for.
    """
    if found.statistical is None:
        raise InputError("this evaluation says nothing of changed predictions: evaluate with the target")
    if ticket.claims is None:
        raise InputError("a learned ticket stands for no target network, so its predictions change from none")
    if found.target != ticket.provenance.target:
        raise InputError("the evaluation is of another network than the ticket was made for: its digest differs")
    if found.realised != computed_digest(ticket):
        raise InputError("the evaluation is of another ticket: evaluate this one, and keep what is found of it")
    others = tuple(claim for claim in ticket.claims.statistical if claim.data != found.statistical.data)
    claims = replace(ticket.claims, statistical=(*others, found.statistical))
    return replace(ticket, claims=claims)


def _inside(inputs: np.ndarray, box: Box, precision: type[np.floating[Any]]) -> np.ndarray:
    """Which inputs lie in a box whose ends are rounded so: data at an end is that end in the precision of the data."""
    with np.errstate(over="ignore"):
        lower, upper = box.lower.astype(precision), box.upper.astype(precision)
    inside = np.logical_and(inputs >= lower, inputs <= upper)
    return np.all(inside.reshape(len(inputs), -1), axis=1)


def _check(ticket: Ticket, inputs: np.ndarray, y: np.ndarray | None) -> None:
    spec = ticket.inputs
    if inputs.ndim < 2 or len(inputs) == 0:
        raise InputError(f"expected inputs (count, ...), at least one, got shape {inputs.shape}")
    if y is not None and (y.dtype.kind not in "biuf" or y.shape[:1] != inputs.shape[:1]):
        raise InputError(
            f"expected one label per input, or numbers for each, got y of {y.dtype} and shape {y.shape} for "
            f"{len(inputs):,} inputs"
        )
    if spec is not None and inputs.shape[1:] != spec.shape:
        wanted = " x ".join(map(str, spec.shape))
        raise InputError(
            f"the ticket takes inputs of shape {wanted}, the data has shape {inputs.shape}; is it the right data?"
        )
    if not np.isfinite(inputs).all():
        raise InputError("the data holds NaN or infinite values; clean it first")
    if spec is not None and spec.tokens is not None:
        spec.normalised(inputs)  # refuses what is no token
        return
    box = None if spec is None else spec.box
    if box is not None and not _inside(inputs, box, np.float32).all():
        raise InputError(
            f"the data runs from {inputs.min():.6g} to {inputs.max():.6g}, outside the input range the ticket was made "
            "for; set --mean and --std as at construction, or construct with a wider --input-range"
        )
