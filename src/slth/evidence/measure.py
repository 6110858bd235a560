"""What a ticket does on data: accuracy with confidence interval, distance to the target, predictions proved, sizes."""

import copy
import hashlib
import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from slth._errors import InputError
from slth.certificate import Norms, Statistical, certify, proved_per_input, unchanged_on_box
from slth.graph import Graph, Realised, Target
from slth.records import Evaluation, Proportion, Sizes
from slth.ticket import Ticket, network_digest, realised_digest, stored_mask_bits

if TYPE_CHECKING:
    from torch import nn

_BATCH = 500


def sizes(ticket: Ticket) -> Sizes:
    """The counts of a ticket."""
    bits = {path: 8 * len(mask) for path, mask in ticket.masks.items()}
    bits |= {tensor.path: tensor.size for tensor in ticket.tensors if tensor.path in bits and not ticket.gadgets}
    bits |= {f"{path}/mixing": ticket.gadgets[path].cost(op).mask_bits for path, op in ticket.maps.items()}
    ones = {tensor.path: tensor.kept for tensor in ticket.tensors}
    common = Sizes(
        source_parameters=ticket.size,
        kept=ticket.kept,
        density=ticket.density,
        mask_bits=ticket.mask_bits,
        stored_mask_bits=stored_mask_bits(ticket),
        ideal_bits=math.fsum(count * _entropy(ones[path] / count) for path, count in bits.items()),
        carried=ticket.carried_numbers,
        strong=ticket.strong,
        largest_move=ticket.largest_move,
    )
    return _with_maps(ticket, common) if ticket.gadgets else common


def evaluate(
    ticket: Ticket,
    inputs: np.ndarray,
    labels: np.ndarray,
    *,
    data: str,
    target: Target | None = None,
    model: "nn.Module | None" = None,
    confidence: float = 0.99,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Measure a ticket on labelled inputs.

    Args:
        inputs: float32 (count, ...), as the network takes them.
        labels: int (count,), from 0.
        data: name of the data, for the record.
        target: the network the ticket stands for; adds changed predictions, distances, proofs, and the share of all
            predictions that change, of which `confidence` speaks.
        model: for a bound ticket, a model of the same architecture; it is not changed.
        progress: called with (inputs proved, inputs in all), where there is a target.

    Raises:
        InputError: wrong shapes, labels out of range, inputs outside the ticket's range; a bound ticket without model.

    Memory: one network in float32 at a time, one map of the realisation in float64, and what `per_input_error` keeps.
    """
    _check(ticket, inputs, labels)
    digests: list[str] = []
    ours = _outputs(ticket, inputs, model, digests)
    if np.isnan(ours).any():
        raise InputError("the ticket's outputs are not numbers (NaN) on this data: they overflow float32 on the way")
    if labels.min() < 0 or labels.max() >= ours.shape[1]:
        most = ours.shape[1] - 1
        raise InputError(f"the labels run from {labels.min()} to {labels.max()}, the ticket's outputs from 0 to {most}")
    accuracy = Proportion(int((ours.argmax(1) == labels).sum()), len(labels))
    if target is not None:
        alone = Evaluation(data, accuracy, sizes(ticket))
        found = _beside_the_target(ticket, target, ours, inputs=inputs, labels=labels, progress=progress)
        name = Path(data).name  # a ticket that says it may leave this machine
        changed = Statistical.from_counts(name, changed=found["changed"], examples=len(labels), confidence=confidence)
        return replace(alone, realised=_together(digests), statistical=changed, **found)
    claimed = None if ticket.claims is None else ticket.claims.sup_error
    return Evaluation(data, accuracy, sizes(ticket), certified_error=claimed)


def _outputs(ticket: Ticket, inputs: np.ndarray, model: "nn.Module | None", digests: list[str]) -> np.ndarray:
    """What a ticket computes; the digests of its maps are appended on the way, each regenerated once."""
    from slth.network import apply_to, module_of, outputs, realised_from

    def part(path: str) -> Realised:
        found = ticket.realised(path)
        digests.append(realised_digest(found))
        return found

    if isinstance(ticket.network, Graph):
        network = realised_from(ticket, part)
    else:
        network = module_of(ticket) if model is None else apply_to(ticket, copy.deepcopy(model)).eval()
    return outputs(network, inputs, batch=_BATCH)


def _beside_the_target(
    ticket: Ticket,
    target: Target,
    ours: np.ndarray,
    *,
    inputs: np.ndarray,
    labels: np.ndarray,
    progress: Callable[[int, int], None] | None,
) -> dict[str, Any]:
    """What an `Evaluation` says with a target, by field."""
    from slth.network import outputs, target_module

    assert ticket.claims is not None
    theirs = outputs(target_module(target), inputs, batch=_BATCH)
    norms = Norms()
    proved = proved_per_input(target, ticket.realised, inputs, norms=norms, progress=progress)
    box = None if ticket.inputs is None else ticket.inputs.box
    claims = certify(target, ticket.realised, tolerances=ticket.claims.tolerances, box=box, norms=norms)
    on_box = np.zeros(len(inputs), np.bool_)
    if claims.sup_error is not None:
        on_box = unchanged_on_box(proved.logits, claims, logit_error=proved.rounding)
    examples = len(labels)
    return {
        "target": network_digest(target, inputs.shape[1:]),
        "target_accuracy": Proportion(int((theirs.argmax(1) == labels).sum()), examples),
        "changed": int((ours.argmax(1) != theirs.argmax(1)).sum()),
        "measured_error": float(np.abs(ours - theirs).max()),
        "certified_error": claims.sup_error,  # recomputed: a file is not taken at its word
        "unchanged_on_box": Proportion(int(on_box.sum()), examples),
        "unchanged_per_input": Proportion(int(proved.unchanged.sum()), examples),
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
    if found.realised != _together(ticket.digests[path] for path in ticket.maps):
        raise InputError("the evaluation is of another ticket: evaluate this one, and keep what is found of it")
    others = tuple(claim for claim in ticket.claims.statistical if claim.data != found.statistical.data)
    claims = replace(ticket.claims, statistical=(*others, found.statistical))
    return replace(ticket, claims=claims)


def _together(digests: Iterable[str]) -> str:
    """One digest of those of all maps, in their order."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _with_maps(ticket: Ticket, common: Sizes) -> Sizes:
    return replace(
        common,
        target_parameters=ticket.target_parameters,
        kept_parameters=ticket.kept_parameters(),
        candidates=tuple(gadget.candidates for gadget in ticket.gadgets.values()),
        widths=tuple(gadget.neurons for gadget in ticket.gadgets.values()),
    )


def _check(ticket: Ticket, inputs: np.ndarray, labels: np.ndarray) -> None:
    spec = ticket.inputs
    if inputs.ndim < 2 or len(inputs) == 0 or labels.shape != (len(inputs),):
        raise InputError(
            f"expected inputs (count, ...) and one label per input, got shapes {inputs.shape} and {labels.shape}"
        )
    if spec is not None and inputs.shape[1:] != spec.shape:
        wanted = " x ".join(map(str, spec.shape))
        raise InputError(
            f"the ticket takes inputs of shape {wanted}, the data has shape {inputs.shape}; is it the right data?"
        )
    if not np.isfinite(inputs).all():
        raise InputError("the data holds NaN or infinite values; clean it first")
    if labels.dtype.kind not in "iu" or labels.min() < 0:
        raise InputError(f"expected labels as whole numbers from 0, got {labels.dtype} from {labels.min()}")
    box = None if spec is None else spec.box
    if box is not None and ((inputs < box.lower).any() or (inputs > box.upper).any()):
        raise InputError(
            f"the data runs from {inputs.min():.6g} to {inputs.max():.6g}, outside the input range the ticket was made "
            "for; set --mean and --std as at construction, or construct with a wider --input-range"
        )


def _entropy(p: float) -> float:
    """H₂(p) in bits."""
    return 0.0 if p in (0.0, 1.0) else -p * math.log2(p) - (1 - p) * math.log2(1 - p)
