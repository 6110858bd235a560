"""Learned tickets checked and measured: do seed, mask and moves give what the ticket says, and how good is it?"""

import copy
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from slth._errors import InputError
from slth.evidence.checks import Check, Verdict
from slth.evidence.measure import Proportion
from slth.numerics import at_most
from slth.ticket import LearnedTicket, effective_digest, head_digest

if TYPE_CHECKING:
    from torch import nn

_BATCH = 500


@dataclass(frozen=True, slots=True)
class LearnedEvaluation:
    """A learned ticket measured on labelled data, and counted."""

    data: str
    accuracy: Proportion
    masked: int  # weights that come from streams
    kept: int
    density: float  # kept / masked
    mask_bits: int  # as stored in the file
    ideal_bits: float  # Σ N H₂(kept / N) over the tensors: no coder that knows only the counts needs less
    carried: int  # numbers stored beside
    strong: bool  # nothing moved
    largest_move: float  # max |Δ|


def learned_checks(ticket: LearnedTicket) -> list[Check]:
    """Everything a learned ticket says about itself. O(size) time; memory is bounded by a block of weights."""
    return [_streams(ticket), _masks(ticket), _moves(ticket), _weights(ticket)]


def evaluate_learned(
    ticket: LearnedTicket, inputs: np.ndarray, labels: np.ndarray, *, data: str, model: "nn.Module | None" = None
) -> LearnedEvaluation:
    """Accuracy of a learned ticket, and its sizes.

    Args:
        inputs: float32 (count, ...), as the network takes them.
        labels: int (count,), from 0.
        data: name of the data, for the record.
        model: for a bound ticket, a model of the same architecture; it is not changed.

    Raises:
        InputError: wrong shapes, labels out of range, values that are not finite; a bound ticket without a model.
    """
    from slth.network import apply_to, module_of

    _check(ticket, inputs, labels)
    network = module_of(ticket) if model is None else apply_to(ticket, copy.deepcopy(model)).eval()
    logits = _outputs(network, inputs)
    if labels.max() >= logits.shape[1]:
        raise InputError(f"the ticket has {logits.shape[1]} outputs, the labels run to {labels.max()}")
    return LearnedEvaluation(
        data=data,
        accuracy=Proportion(int((logits.argmax(1) == labels).sum()), len(labels)),
        masked=ticket.size,
        kept=ticket.kept,
        density=ticket.density,
        mask_bits=ticket.stored_mask_bits,
        ideal_bits=math.fsum(tensor.size * _entropy(tensor.kept / tensor.size) for tensor in ticket.tensors),
        carried=ticket.carried_numbers,
        strong=ticket.strong,
        largest_move=ticket.largest_move,
    )


def _streams(ticket: LearnedTicket) -> Check:
    wrong = [
        tensor.source
        for tensor, head in zip(ticket.tensors, ticket.heads, strict=True)
        if head_digest(tensor.spec, ticket.seed) != head
    ]
    if wrong:
        return Check("streams", Verdict.FAILS, f"seed {ticket.seed} does not give the stated {', '.join(wrong)[:300]}")
    return Check("streams", Verdict.HOLDS, f"seed {ticket.seed} gives the {len(ticket.tensors)} stated tensors")


def _masks(ticket: LearnedTicket) -> Check:
    for tensor, mask in zip(ticket.tensors, ticket.masks, strict=True):
        ones = tensor.size if mask is None else int(np.bitwise_count(mask).sum(dtype=np.int64))
        if ones != tensor.kept:
            return Check("masks", Verdict.FAILS, f"{tensor.path} keeps {ones:,} weights, not {tensor.kept:,}")
    return Check("masks", Verdict.HOLDS, f"{ticket.kept:,} of {ticket.size:,} weights are kept, as stated")


def _moves(ticket: LearnedTicket) -> Check:
    if ticket.strong:
        return Check("moves", Verdict.HOLDS, "strong: nothing moved")
    largest, epsilon = ticket.largest_move, ticket.epsilon
    moved = ", ".join(tensor.path for tensor in ticket.tensors if tensor.moved)[:200]
    if epsilon is None:
        detail = f"not strong: weights of {moved} moved, by up to {at_most(largest, 4)}; no bound is claimed"
        return Check("moves", Verdict.HOLDS, detail)
    if not largest <= epsilon:
        return Check("moves", Verdict.FAILS, f"a weight moved by {largest!r}, more than the claimed {epsilon!r}")
    return Check("moves", Verdict.HOLDS, f"not strong: weights of {moved} moved, none by more than {epsilon!r}")


def _weights(ticket: LearnedTicket) -> Check:
    parts = zip(ticket.tensors, ticket.masks, ticket.moves, ticket.digests, strict=True)
    for tensor, mask, move, digest in parts:
        if effective_digest(tensor, ticket.seed, mask, move) != digest:
            detail = f"{tensor.path}: seed and mask give other weights than the ticket states"
            return Check("weights", Verdict.FAILS, detail)
    return Check("weights", Verdict.HOLDS, "seed and mask give the stated weights, bit for bit")


def _check(ticket: LearnedTicket, inputs: np.ndarray, labels: np.ndarray) -> None:
    if inputs.ndim < 2 or len(inputs) == 0 or labels.shape != (len(inputs),):
        raise InputError(
            f"expected inputs (count, ...) and one label for each, got shapes {inputs.shape} and {labels.shape}"
        )
    if ticket.inputs is not None and inputs.shape[1:] != ticket.inputs.shape:
        wanted = " x ".join(map(str, ticket.inputs.shape))
        raise InputError(f"the ticket takes inputs {wanted}, the data has shape {inputs.shape}; is it the right data?")
    if not np.isfinite(inputs).all():
        raise InputError("the data holds NaN or infinite values; clean it first")
    if labels.dtype.kind not in "iu" or labels.min() < 0:
        raise InputError(f"expected labels as whole numbers from 0, got {labels.dtype} from {labels.min()}")


def _outputs(network: Any, inputs: np.ndarray) -> np.ndarray:
    """Logits (count, classes) float32, on the device of the network."""
    import torch

    device = next((value.device for value in network.parameters()), torch.device("cpu"))
    parts: list[np.ndarray] = []
    with torch.inference_mode():
        for start in range(0, len(inputs), _BATCH):
            x = torch.from_numpy(np.array(inputs[start : start + _BATCH], np.float32)).to(device)
            found = network(x)
            logits = getattr(found, "logits", found)
            if not isinstance(logits, torch.Tensor) or logits.ndim != 2 or len(logits) != len(x):
                raise InputError("expected a network that gives logits (count, classes); this one gives something else")
            parts.append(logits.float().cpu().numpy())
    return np.concatenate(parts)


def _entropy(p: float) -> float:
    """H₂(p) in bits."""
    return 0.0 if p in (0.0, 1.0) else -p * math.log2(p) - (1 - p) * math.log2(1 - p)
