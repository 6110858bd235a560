"""The checker: does a ticket hold what it says? It regenerates the random weights and never calls a solver.

`CHECKS` is a list over what a ticket has. From the file alone: integrity, streams, masks, moves, weights, layout,
coefficients, that a network named by the ticket is there, that claims agree. With the target: which network it is, and
every claim. What is left is only what the file says, and is shown as such.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from slth._errors import InputError
from slth._threads import cores
from slth.evidence.constructed import check_maps
from slth.evidence.said import check_network, check_said
from slth.evidence.subject import Progress, Subject
from slth.evidence.targets import in_words_of
from slth.graph import Target
from slth.numerics import at_most
from slth.records import Check, Verdict, Verification
from slth.ticket import DamagedTicketError, Ticket, effective_digest, head_digest, load


def verify(
    ticket: Ticket | str | Path,
    *,
    target: Target | Callable[[Ticket], Target] | None = None,
    progress: Progress | None = None,
    threads: int | None = None,
) -> Verification:
    """Check a ticket, from a file or in memory.

    Args:
        target: the network the ticket stands for, or what reads it for this ticket; without it the claims about it
            are not checked.
        progress: called with (weights regenerated, weights in all), map by map.
        threads: None uses the processors of this process. What is found does not depend on them.

    Raises:
        InputError: the file is no ticket, or the ticket stands for no target and comes with one. (A ticket that fails
            its own digest is a failed check, not an exception.)
    """
    checks: list[Check] = []
    if not isinstance(ticket, Ticket):
        try:
            ticket = load(ticket, threads=threads)
        except DamagedTicketError as error:
            return Verification((Check("integrity", Verdict.FAILS, str(error)),))
        checks.append(Check("integrity", Verdict.HOLDS, "the content matches the digest; layout and padding are exact"))
    if callable(target):
        target = target(ticket)
    if target is not None and ticket.claims is None:
        raise InputError("a learned ticket stands for no target network; verify it without --target")
    subject = Subject(ticket, None if target is None else in_words_of(ticket, target), progress, threads or cores())
    for check in CHECKS:
        checks += check(subject)
    return Verification(tuple(checks))


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
    """No weight moved further than claimed; of gadgets that move nothing there is nothing to say."""
    ticket = subject.ticket
    if ticket.gadgets and not ticket.moved:
        return []
    if not ticket.moved:
        foreign = f"nothing moved; not strong: {ticket.unseeded_numbers:,} carried numbers that no stream made"
        return [Check("moves", Verdict.HOLDS, "strong: nothing moved" if ticket.strong else foreign)]
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


def _statistical(subject: Subject) -> Iterable[Check]:
    """Of what is claimed of populations: whether each share follows from its counts, which only the data can give."""
    claims = subject.ticket.claims
    for claim in () if claims is None else claims.statistical:
        counts = f"{claim.changed:,} of {claim.examples:,}"
        if claim.holds:
            detail = f"{claim.text}: follows from what the file says was counted, {counts}; only the data can show that"
            yield Check("statistical", Verdict.SAYS, detail)
        else:
            yield Check("statistical", Verdict.FAILS, f"{claim.text}: does not follow from {counts}")


CHECKS: Sequence[Callable[[Subject], Iterable[Check]]] = (
    _streams,
    _masks,
    _moves,
    _weights,
    check_network,
    check_maps,
    _statistical,
    check_said,
)
