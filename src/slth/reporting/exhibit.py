"""What a page is made from: a ticket, and as plain data whatever else is at hand about it."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slth._shapes import TestInputs
from slth.graph import Target
from slth.records import Check, Evaluation, Record, Verdict, read_evaluation
from slth.ticket import Ticket, computed_digest


@dataclass(frozen=True, slots=True, eq=False)
class Exhibit:
    """A ticket and what is known about it. Only the ticket is needed; every section says what it misses."""

    name: str  # of the file
    ticket: Ticket
    size: int  # of the file, bytes
    digest: str  # SHA-256 of the file
    checks: tuple[Check, ...]
    target: Target | None = None
    target_name: str | None = None
    model: str | None = None  # the code that gives the target: package.module:function
    inputs: TestInputs | None = None  # as the network takes them
    data: str | None = None  # name of the inputs
    evaluations: tuple[Evaluation, ...] = ()
    searches: tuple[Record, ...] = ()  # records of the search that found it
    weight: tuple[str, int, int | None, int] | None = None  # the one to take apart: map, output, input or bias, tap

    @property
    def file(self) -> str:
        """The name of the file as a word for a shell."""
        return file_word(self.name)

    @property
    def status(self) -> str:
        """What the claims about the target are worth here: "proved", "stated" (not rechecked) or "refuted"."""
        verdicts = {check.verdict for check in self.checks} - {Verdict.SAYS}
        if Verdict.FAILS in verdicts:
            return "refuted"
        return "proved" if verdicts == {Verdict.HOLDS} else "stated"


def file_word(name: str) -> str:
    """A name of a file for a shell, which takes it neither apart nor for an option."""
    return shlex.quote(f"./{name}" if name.startswith("-") else name)


def searches_of(ticket: Ticket, records: Sequence[Record]) -> tuple[Record, ...]:
    """The searches that asked what this ticket was asked, and kept as much: with those settings and this seed."""
    if ticket.gadgets:
        return ()
    ours = {"kept": ticket.kept, "size": ticket.size, "mask_bits": ticket.mask_bits}
    asked = ticket.provenance.question
    return tuple(
        record
        for record in records
        if record.kind == "search"
        and record.asked == asked
        and {name: record.outcome.get(name) for name in ours} == ours
    )


def evaluations_of(ticket: Ticket, records: Sequence[Record]) -> tuple[Evaluation, ...]:
    """The evaluations of this very ticket among some records: those that carry the digest of what it computes.

    Numbers of other records, and of those that name no ticket, are quoted in the table of records alone.
    """
    found = dict.fromkeys(read_evaluation(outcome) for record in records for outcome in _evaluations_in(record))
    ours = computed_digest(ticket)
    return tuple(one for one in found if one.realised == ours)


def bound_of(ticket: Ticket) -> float | None:
    """What the ticket claims of its outputs."""
    return None if ticket.claims is None else ticket.claims.sup_error


def _evaluations_in(record: Record) -> Iterator[Mapping[str, Any]]:
    if record.kind == "evaluate":
        yield record.outcome
    elif record.kind == "construct" and isinstance(record.outcome.get("evaluation"), Mapping):
        yield record.outcome["evaluation"]
