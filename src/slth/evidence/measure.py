"""What a ticket does on data: accuracy with confidence interval, distance to the target, predictions proved, sizes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from slth._errors import InputError
from slth.certificate import Affine, certify, rounded_logits, unchanged_on_box, unchanged_per_input
from slth.ticket import Ticket, unpack

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Proportion:
    """A count out of a count, with Wilson's 95 % confidence interval."""

    hits: int
    count: int

    @property
    def value(self) -> float:
        return self.hits / self.count

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson (1927), z = 1.96: (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)."""
        z, n, p = 1.959964, self.count, self.value
        middle, spread = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, (middle - spread) / (1 + z * z / n)), min(1.0, (middle + spread) / (1 + z * z / n))


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the random network is, and what is kept of it."""

    target_parameters: int
    source_parameters: int  # every entry of lifts, lift biases and mixing matrices
    kept_parameters: int  # surviving edges of lift and mixing, neurons without a kept edge removed
    candidates: tuple[int, ...]  # live candidates of one half, per layer
    widths: tuple[int, ...]  # neurons of each random lift, dead ones included
    mask_bits: int

    @property
    def bits_per_weight(self) -> float:
        """Stored mask bits per target parameter."""
        return self.mask_bits / self.target_parameters


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A ticket measured on labelled data; fields about the target are None without one."""

    data: str
    accuracy: Proportion
    sizes: Sizes
    target_accuracy: Proportion | None
    changed: int | None  # predictions that differ from the target's
    measured_error: float | None  # largest |f − f̂| of one output seen, both in float32
    certified_error: float | None  # bound on it over the whole input domain, in real arithmetic
    unchanged_on_box: Proportion | None  # predictions that provably cannot change, by the bound over the domain
    unchanged_per_input: Proportion | None  # the same by propagating each input's own activations


def sizes(ticket: Ticket) -> Sizes:
    """The counts of a ticket."""
    kept = 0
    for layer, mask in zip(ticket.layers, ticket.masks, strict=True):
        bits = unpack(layer, mask)
        kept += int(bits.sum()) + int(bits.any(axis=0).sum())
    return Sizes(
        target_parameters=ticket.weights,
        source_parameters=ticket.source_parameters,
        kept_parameters=kept,
        candidates=tuple(layer.lift.candidates for layer in ticket.layers),
        widths=tuple(layer.neurons for layer in ticket.layers),
        mask_bits=ticket.mask_bits,
    )


def evaluate(
    ticket: Ticket, inputs: np.ndarray, labels: np.ndarray, *, data: str, target: Sequence[Affine] | None = None
) -> Evaluation:
    """Measure a ticket on labelled inputs.

    Args:
        inputs: float32 (count, inp), normalised as the ticket's domain says.
        labels: int (count,), from 0.
        data: name of the data, for the record.
        target: the network the ticket stands for; adds changed predictions, distances and proofs.

    Raises:
        InputError: wrong shapes, labels out of range, inputs outside the ticket's domain.
    """
    from slth.network import dense, outputs, realised_from

    _check(ticket, inputs, labels)
    parts = [ticket.realised(i) for i in range(len(ticket.layers))]
    ours = outputs(realised_from(parts), inputs, batch=_BATCH)
    accuracy = Proportion(int((ours.argmax(1) == labels).sum()), len(labels))
    if target is None:
        return Evaluation(data, accuracy, sizes(ticket), None, None, None, ticket.certificate.sup_error, None, None)
    theirs = outputs(dense(tuple(target)), inputs, batch=_BATCH)
    exact = inputs.astype(np.float64)
    per_input = unchanged_per_input(target, parts, exact)
    tolerances = [layer.tolerance for layer in ticket.certificate.layers]
    certificate = certify(target, parts, tolerances=tolerances, box=ticket.domain.box(ticket.widths[0]))
    on_box = np.zeros(len(inputs), np.bool_)
    if certificate.sup_error is not None:
        logits, rounding = rounded_logits(target, parts, exact)
        on_box = unchanged_on_box(logits, certificate, logit_error=rounding)
    return Evaluation(
        data=data,
        accuracy=accuracy,
        sizes=sizes(ticket),
        target_accuracy=Proportion(int((theirs.argmax(1) == labels).sum()), len(labels)),
        changed=int((ours.argmax(1) != theirs.argmax(1)).sum()),
        measured_error=float(np.abs(ours - theirs).max()),
        certified_error=certificate.sup_error,  # recomputed: a file is not taken at its word
        unchanged_on_box=Proportion(int(on_box.sum()), len(labels)),
        unchanged_per_input=Proportion(int(per_input.sum()), len(labels)),
    )


def _check(ticket: Ticket, inputs: np.ndarray, labels: np.ndarray) -> None:
    wanted, outputs = ticket.widths[0], ticket.widths[-1]
    if inputs.ndim != 2 or inputs.shape[1] != wanted:
        raise InputError(
            f"the ticket takes {wanted} inputs, the data has shape {inputs.shape}; is it the right data set?"
        )
    if len(inputs) == 0 or labels.shape != (len(inputs),):
        raise InputError(f"expected one label per input, got {len(inputs)} inputs and labels of shape {labels.shape}")
    if not np.isfinite(inputs).all():
        raise InputError("the data holds NaN or infinite values; clean it first")
    if labels.min() < 0 or labels.max() >= outputs:
        raise InputError(f"the ticket has {outputs} outputs, the labels run from {labels.min()} to {labels.max()}")
    box = ticket.domain.box(wanted)
    if box is not None and ((inputs < box.lower).any() or (inputs > box.upper).any()):
        raise InputError(
            f"the data runs from {inputs.min():.6g} to {inputs.max():.6g}, outside the input range the ticket was made "
            "for; set --mean and --std as at construction, or construct with a wider --input-range"
        )
