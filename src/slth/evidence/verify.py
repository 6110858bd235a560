"""The checker: does a ticket hold what it says? It regenerates the random weights and never calls a solver.

`CHECKS` is a list over what a ticket has. From the file alone: integrity, streams, masks, moves, layout, coefficients,
weights. With the target: which network it is, and every claim.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slth._errors import InputError
from slth.certificate import Certificate, failed_claims
from slth.graph import Graph, Linear, Realised, Target
from slth.numerics import NORMS, SPECTRAL, at_most
from slth.records import Check, Verdict, Verification
from slth.ticket import (
    DamagedTicketError,
    Miss,
    Ticket,
    TwoLayer,
    as_in,
    effective_digest,
    head_digest,
    load,
    network_digest,
    realised_digest,
)


def verify(ticket: Ticket | str | Path, *, target: Target | Callable[[Ticket], Target] | None = None) -> Verification:
    """Check a ticket, from a file or in memory.

    Args:
        target: the network the ticket stands for, or what reads it for this ticket; without it the claims about it
            are not checked.

    Raises:
        InputError: the file is no ticket, or the ticket stands for no target and comes with one. (A ticket that fails
            its own digest is a failed check, not an exception.)
    """
    checks: list[Check] = []
    if not isinstance(ticket, Ticket):
        try:
            ticket = load(ticket)
        except DamagedTicketError as error:
            return Verification((Check("integrity", Verdict.FAILS, str(error)),))
        checks.append(Check("integrity", Verdict.HOLDS, "the content matches the digest; layout and padding are exact"))
    if callable(target):
        target = target(ticket)
    if target is not None and ticket.claims is None:
        raise InputError("a learned ticket stands for no target network; verify it without --target")
    subject = Subject(ticket, target, {})
    for check in CHECKS:
        checks += check(subject)
    return Verification(tuple(checks))


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What the checks look at: a ticket, perhaps a target, and the coefficients regenerated on the way."""

    ticket: Ticket
    target: Target | None
    realised: dict[str, Realised]


def _streams(subject: Subject) -> Iterable[Check]:
    """The first values of each random tensor, generated again from the seed."""
    ticket = subject.ticket
    wrong = [t.stream_path for t in ticket.tensors if head_digest(t, ticket.seed) != ticket.heads[t.path]]
    if wrong:
        names = ", ".join(wrong)[:300]
        return [Check("streams", Verdict.FAILS, f"seed {ticket.seed} does not give the stated {names}")]
    return [Check("streams", Verdict.HOLDS, f"seed {ticket.seed} gives the {len(ticket.tensors)} stated tensors")]


def _masks(subject: Subject) -> Iterable[Check]:
    """Of tensors that are parameters: as many ones as stated."""
    ticket = subject.ticket
    if ticket.gadgets:
        return []
    for tensor in ticket.tensors:
        mask = ticket.masks.get(tensor.path)
        ones = tensor.size if mask is None else int(np.bitwise_count(mask).sum(dtype=np.int64))
        if ones != tensor.kept:
            return [Check("masks", Verdict.FAILS, f"{tensor.path} keeps {ones:,} weights, not {tensor.kept:,}")]
    return [Check("masks", Verdict.HOLDS, f"{ticket.kept:,} of {ticket.size:,} weights are kept, as stated")]


def _moves(subject: Subject) -> Iterable[Check]:
    """Of tensors that are parameters: no weight moved further than claimed."""
    ticket = subject.ticket
    if ticket.gadgets:
        return []
    if ticket.strong:
        return [Check("moves", Verdict.HOLDS, "strong: nothing moved")]
    largest, bound = ticket.largest_move, ticket.move_bound
    moved = ", ".join(tensor.path for tensor in ticket.tensors if tensor.moved)[:200]
    if bound is None:
        detail = f"not strong: weights of {moved} moved, by up to {at_most(largest, 4)}; no bound is claimed"
        return [Check("moves", Verdict.HOLDS, detail)]
    if not largest <= bound:
        return [Check("moves", Verdict.FAILS, f"a weight moved by {largest!r}, more than the claimed {bound!r}")]
    return [Check("moves", Verdict.HOLDS, f"not strong: weights of {moved} moved, none by more than {bound!r}")]


def _weights(subject: Subject) -> Iterable[Check]:
    """Of tensors that are parameters: what the network computes with, bit for bit. Memory of a block of weights."""
    ticket = subject.ticket
    if ticket.gadgets:
        return []
    for tensor in ticket.tensors:
        mask, move = ticket.masks.get(tensor.path), ticket.moves.get(tensor.path)
        if effective_digest(tensor, ticket.seed, mask, move) != ticket.digests[tensor.path]:
            detail = f"{tensor.path}: seed and mask give other weights than the ticket states"
            return [Check("weights", Verdict.FAILS, detail)]
    return [Check("weights", Verdict.HOLDS, "seed and mask give the stated weights, bit for bit")]


def _coefficients(subject: Subject) -> Iterable[Check]:
    """Layout and coefficients of each map; fills in those of the maps whose layout holds."""
    ticket, realised = subject.ticket, subject.realised
    if not ticket.gadgets:
        return []
    checks: list[Check] = []
    for path, op in ticket.maps.items():
        try:
            ticket.gadgets[path].check_layout(path, op, ticket.seed)
        except InputError as error:
            checks.append(Check("layout", Verdict.FAILS, str(error)))
            continue
        realised[path] = ticket.realised(path)
        if realised_digest(realised[path]) != ticket.digests[path]:
            detail = f"{path}: seed and mask give other coefficients than the ticket states"
            checks.append(Check("coefficients", Verdict.FAILS, detail))
    return checks or [
        Check("layout", Verdict.HOLDS, "every lift ends at its stated width"),
        Check("coefficients", Verdict.HOLDS, "seed and mask give the stated coefficients, bit for bit"),
    ]


def _target(subject: Subject) -> Iterable[Check]:
    """Is it the network that the ticket was made for?"""
    ticket, target = subject.ticket, subject.target
    if ticket.claims is None:
        return []
    if target is None:
        return [Check("target", Verdict.NOT_CHECKED, Verdict.NOT_CHECKED.value)]
    matched = _matched(ticket, target)
    if isinstance(matched, str):
        return [Check("target", Verdict.FAILS, matched)]
    shape = target.input_shape if ticket.inputs is None else ticket.inputs.shape
    if network_digest(target, shape) != ticket.provenance.target:
        return [Check("target", Verdict.FAILS, "not the network the ticket was made for: its digest differs")]
    return [Check("target", Verdict.HOLDS, "it is the network the ticket was made for, bit for bit")]


def _claims(subject: Subject) -> Iterable[Check]:
    """Everything the ticket claims about its target, recomputed."""
    ticket, target, realised = subject.ticket, subject.target, subject.realised
    claims = ticket.claims
    if claims is None:
        return []
    if target is None:
        return [Check("claims", Verdict.NOT_CHECKED, Verdict.NOT_CHECKED.value)]
    matched = _matched(ticket, target)
    if isinstance(matched, str):
        return []
    if len(realised) < len(ticket.maps):
        return [Check("claims", Verdict.FAILS, "a map cannot be regenerated, so no claim holds")]
    other = [name for name, values in matched.carried.items() if not np.array_equal(values, ticket.carried[name])]
    if other:
        return [Check("claims", Verdict.FAILS, f"the target has other numbers than the ticket carries: {other[0]}")]
    failed = failed_claims(
        claims, matched, realised.__getitem__, box=None if ticket.inputs is None else ticket.inputs.box
    )
    failed += _unanswered(ticket, claims)
    for miss in ticket.provenance.misses:
        failed += _false_miss(ticket, miss, matched, realised)
    if failed:
        return [Check("claims", Verdict.FAILS, sentence) for sentence in failed]
    whole = "no bound over a domain is claimed"
    if claims.sup_error is not None and ticket.inputs is not None:
        whole = f"|f - ticket| <= {at_most(claims.sup_error, 4)} on every input, {ticket.inputs.words}"
    elif claims.stops:
        whole = f"claims stop at {', '.join(claims.stops)[:200]}, through which nothing is claimed"
    assumed = f", of the network that was assumed ({'; '.join(ticket.assumed)[:300]})" if ticket.assumed else ""
    looser = sorted({claim.norms for claim in claims.maps.values()} - {SPECTRAL}, key=NORMS.index)
    norms = f"; norms of large maps by {', '.join(looser)}" if looser else ""
    return [
        Check("claims", Verdict.HOLDS, f"every claim about weights, maps and network holds{assumed}; {whole}{norms}")
    ]


def _statistical(subject: Subject) -> Iterable[Check]:
    """Of what is claimed of populations: whether each share follows from its counts, which only the data can give."""
    claims = subject.ticket.claims
    for claim in () if claims is None else claims.statistical:
        counts = f"{claim.changed:,} of {claim.examples:,}"
        if claim.holds:
            detail = f"{claim.text}: follows from what the file says was counted, {counts}; only the data can show that"
            yield Check("statistical", Verdict.HOLDS, detail)
        else:
            yield Check("statistical", Verdict.FAILS, f"{claim.text}: does not follow from {counts}")


def _matched(ticket: Ticket, target: Target) -> Target | str:
    """The target under the ticket's names, or how its network differs: in its maps, or at the first node that does."""
    theirs, ours = list(target.graph.maps.values()), list(ticket.maps.values())
    if len(theirs) != len(ours):
        return f"the target has {len(theirs)} maps, the ticket {len(ours)}"
    for i, (given, wanted) in enumerate(zip(theirs, ours, strict=True)):
        if (given.coefficients, given.bias) != (wanted.coefficients, wanted.bias):
            return f"map {i} of {len(theirs)} differs: the target's is {_size(given)}, the ticket's {_size(wanted)}"
    if not isinstance(ticket.network, Graph):
        return "the ticket spells out no network"
    return as_in(target, ticket.network)


CHECKS: Sequence[Callable[[Subject], Iterable[Check]]] = (
    _streams,
    _masks,
    _moves,
    _weights,
    _coefficients,
    _target,
    _claims,
    _statistical,
)


def _size(op: Linear) -> str:
    """A map in words.

    >>> from slth.graph import Dense
    >>> _size(Linear("fc", Dense(784, 500), True))
    '784 -> 500 with a bias'
    """
    through = "" if op.basis.taps == 1 else f" ({op.basis.taps} taps)"
    return f"{op.basis.inputs} -> {op.basis.outputs}{through} {'with a' if op.bias else 'without'} bias"


def _unanswered(ticket: Ticket, claims: Certificate) -> list[str]:
    """What was asked for is claimed: every tolerance, every tolerance over its map's gain, the network's error."""
    asked = ticket.provenance.asked
    tolerance, relative, epsilon = (asked.get(key) for key in ("tolerance", "relative_tolerance", "epsilon"))
    failed: list[str] = []
    if tolerance is not None and any(claimed != tolerance for claimed in claims.tolerances.values()):
        failed.append("a map counts its misses against another tolerance than was asked for")
    if relative is not None and any(
        not isinstance(gadget, TwoLayer) or claims.tolerances[path] / gadget.gain != relative
        for path, gadget in ticket.gadgets.items()
    ):
        failed.append("a map counts its misses against another tolerance than was asked for, relative to its gain")
    if epsilon is not None and (claims.sup_error is None or claims.sup_error > epsilon):
        failed.append(f"the network's error was asked to be at most {epsilon}; the ticket claims more")
    if asked.get("exact") is not None:
        failed.append("the target itself was asked for; the ticket does not claim to be it")
    return failed


def _false_miss(ticket: Ticket, miss: Miss, target: Target, realised: dict[str, Realised]) -> list[str]:
    """A listed miss must be one, with the error it states."""
    wanted, got = target.coefficients[miss.map], realised[miss.map]
    at = (miss.output % len(wanted.weight), miss.input, miss.tap)
    if miss.half == "bias" and miss.input == -1 and wanted.bias is not None and got.bias is not None:
        error = abs(got.bias[miss.output] - wanted.bias[miss.output])
    elif miss.half == "positive" and miss.input >= 0:
        error = abs(got.positive[at] - wanted.weight[at])
    elif miss.half == "negative" and miss.input >= 0 and got.negative is not None and got.signed[miss.input]:
        error = abs(got.negative[at] + wanted.weight[at])
    else:
        return [f"{miss.map}: a miss is listed for a {miss.half} half that does not exist"]
    if ticket.claims is None or (error == miss.error and error > ticket.claims.maps[miss.map].tolerance):
        return []
    what = f"{miss.map}: the {miss.half} half of weight {(miss.output, miss.input)}"
    return [f"{what} is listed as missed by {miss.error}, not {error}"]
