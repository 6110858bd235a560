"""The checker: does a ticket hold what it says? It regenerates the random weights and never calls a solver.

From the file alone: integrity, streams, layout, realised coefficients. With the target: every claim of the certificate.
A learned ticket needs no target: streams, masks, moves, effective weights.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from slth._errors import InputError
from slth.certificate import Affine, Realised, failed_claims
from slth.evidence.checks import Check, Verdict, Verification
from slth.evidence.learned import learned_checks
from slth.numerics import at_most
from slth.ticket import (
    DamagedTicketError,
    LearnedTicket,
    Miss,
    Ticket,
    head_digest,
    load,
    realise,
    realised_digest,
    target_digest,
    unpack,
)


def verify(ticket: Ticket | LearnedTicket | str | Path, *, target: Sequence[Affine] | None = None) -> Verification:
    """Check a ticket, from a file or in memory.

    Args:
        target: the layers of the network the ticket stands for; without them the claims about it are not checked.

    Raises:
        InputError: the file is no ticket, or a learned one, which stands for no target, comes with one. (A ticket that
            fails its own digest is a failed check, not an exception.)
    """
    checks: list[Check] = []
    if not isinstance(ticket, Ticket | LearnedTicket):
        try:
            ticket = load(ticket)
        except DamagedTicketError as error:
            return Verification((Check("integrity", Verdict.FAILS, str(error)),))
        checks.append(Check("integrity", Verdict.HOLDS, "the content matches the digest; layout and padding are exact"))
    if isinstance(ticket, LearnedTicket):
        if target is not None:
            raise InputError("a learned ticket stands for no target network; verify it without --target")
        return Verification((*checks, *learned_checks(ticket)))
    checks += _streams(ticket)
    found, realised = _coefficients(ticket)
    checks += found
    checks += _claims(ticket, target, realised)
    return Verification(tuple(checks))


def _streams(ticket: Ticket) -> list[Check]:
    """The first values of each random tensor, generated again from the seed."""
    wrong = [
        tensor.path
        for tensor, head in zip(ticket.tensors, ticket.heads, strict=True)
        if head_digest(tensor, ticket.seed) != head
    ]
    if wrong:
        return [Check("streams", Verdict.FAILS, f"seed {ticket.seed} does not give the stated {', '.join(wrong)}")]
    return [Check("streams", Verdict.HOLDS, f"seed {ticket.seed} gives the {len(ticket.tensors)} stated tensors")]


def _coefficients(ticket: Ticket) -> tuple[list[Check], list[Realised]]:
    """Layout and realised coefficients of each layer; the coefficients of the layers whose layout holds."""
    checks: list[Check] = []
    realised: list[Realised] = []
    for i, layer in enumerate(ticket.layers):
        try:
            lift = ticket.lift(i)
        except InputError as error:
            checks.append(Check("layout", Verdict.FAILS, str(error)))
            continue
        if lift.neurons != layer.neurons:
            detail = f"{layer.path}: the scan ends after {lift.neurons} neurons, the ticket says {layer.neurons}"
            checks.append(Check("layout", Verdict.FAILS, detail))
            continue
        realised.append(realise(layer, lift, ticket.seed, unpack(layer, ticket.masks[i])))
        if realised_digest(realised[-1]) != ticket.digests[i]:
            detail = f"{layer.path}: seed and mask give other coefficients than the ticket states"
            checks.append(Check("coefficients", Verdict.FAILS, detail))
    if not checks:
        checks.append(Check("layout", Verdict.HOLDS, "every lift ends at its stated width"))
        checks.append(Check("coefficients", Verdict.HOLDS, "seed and mask give the stated coefficients, bit for bit"))
    return checks, realised


def _claims(ticket: Ticket, target: Sequence[Affine] | None, realised: Sequence[Realised]) -> list[Check]:
    """Everything the ticket says about its target."""
    if target is None:
        return [Check(name, Verdict.NOT_CHECKED, Verdict.NOT_CHECKED.value) for name in ("target", "certificate")]
    other = _other_shape(ticket, target)
    if other:
        return [Check("target", Verdict.FAILS, other)]
    if target_digest(target) == ticket.provenance.target:
        checks = [Check("target", Verdict.HOLDS, "it is the network the ticket was made for, bit for bit")]
    else:
        checks = [Check("target", Verdict.FAILS, "not the network the ticket was made for: its digest differs")]
    if len(realised) < len(target):
        return [*checks, Check("certificate", Verdict.FAILS, "a layer cannot be regenerated, so no claim holds")]
    failed = failed_claims(ticket.certificate, target, realised, box=ticket.domain.box(ticket.widths[0]))
    asked = ticket.provenance.asked
    if asked.tolerance is not None and any(layer.tolerance != asked.tolerance for layer in ticket.certificate.layers):
        failed.append("a layer counts its misses against another tolerance than was asked for")
    claimed = ticket.certificate.sup_error
    if asked.epsilon is not None and (claimed is None or claimed > asked.epsilon):
        failed.append(f"the network's error was asked to be at most {asked.epsilon}; the certificate claims more")
    failed += [
        sentence for miss in ticket.provenance.misses for sentence in _false_miss(ticket, miss, target, realised)
    ]
    if failed:
        return [*checks, *(Check("certificate", Verdict.FAILS, sentence) for sentence in failed)]
    bound = ticket.certificate.sup_error
    whole = "no bound over a domain is claimed"
    if bound is not None:
        whole = f"|f - ticket| <= {at_most(bound, 4)} on every input"
    return [*checks, Check("certificate", Verdict.HOLDS, f"every weight, layer and network claim holds; {whole}")]


def _other_shape(ticket: Ticket, target: Sequence[Affine]) -> str:
    """How the target's layers differ from those of the ticket: their number, or the first that does; else nothing."""
    if len(target) != len(ticket.layers):
        return f"the target has {len(target)} layers, the ticket {len(ticket.layers)}"
    for i, (theirs, ours) in enumerate(zip(target, ticket.layers, strict=True)):
        shape, bias = theirs.weight.shape, theirs.bias is not None
        wanted, wants = (ours.outputs, ours.lift.inputs, ours.taps), ours.lift.constants > 0
        if (shape, bias) != (wanted, wants):
            given = f"{_size(shape, bias)}, the ticket's {_size(wanted, wants)}"
            return f"layer {i} of {len(target)} differs: the target's is {given}"
    return ""


def _size(shape: Sequence[int], bias: bool) -> str:
    """
    >>> _size((500, 784, 1), True)
    '784 -> 500 with a bias'
    """
    outputs, inputs, taps = shape
    through = "" if taps == 1 else f" ({taps} taps)"
    return f"{inputs} -> {outputs}{through} {'with a' if bias else 'without'} bias"


def _false_miss(ticket: Ticket, miss: Miss, target: Sequence[Affine], realised: Sequence[Realised]) -> list[str]:
    """A listed miss must be one, with the error it states."""
    wanted, got = target[miss.layer], realised[miss.layer]
    at = (miss.output, miss.input)
    if miss.half == "bias" and miss.input == -1 and wanted.bias is not None and got.bias is not None:
        error = abs(got.bias[miss.output] - wanted.bias[miss.output])
    elif miss.half == "positive" and miss.input >= 0:
        error = np.abs(got.positive[at] - wanted.weight[at]).max()
    elif miss.half == "negative" and miss.input >= 0 and got.negative is not None and got.signed[miss.input]:
        error = np.abs(got.negative[at] + wanted.weight[at]).max()
    else:
        return [f"layer {miss.layer}: a miss is listed for a {miss.half} half that does not exist"]
    if error == miss.error and error > ticket.certificate.layers[miss.layer].tolerance:
        return []
    what = f"layer {miss.layer}: the {miss.half} half of weight {at}"
    return [f"{what} is listed as missed by {miss.error}, not {error}"]
