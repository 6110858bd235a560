"""What a page is made from: a ticket, and as plain data whatever else is at hand about it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from slth._errors import InputError
from slth._shapes import TestInputs
from slth.certificate import Statistical
from slth.graph import Target
from slth.records import Record
from slth.ticket import Ticket


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a verification, as `slth verify` prints it."""

    name: str
    verdict: str  # "holds", "fails", "not checked"
    detail: str


@dataclass(frozen=True, slots=True)
class Share:
    """A count out of a count, with its 95 % confidence interval."""

    hits: int
    count: int
    interval: tuple[float, float]

    @property
    def value(self) -> float:
        return self.hits / self.count


@dataclass(frozen=True, slots=True)
class Measured:
    """What an evaluation found; fields about the target are None if it was made without one."""

    data: str
    accuracy: Share
    target_accuracy: Share | None
    changed: int | None
    measured_error: float | None
    certified_error: float | None
    unchanged_on_box: Share | None
    unchanged_per_input: Share | None
    statistical: Statistical | None
    mask_bits: int
    kept_parameters: int | None  # of a constructed ticket


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
    evaluations: tuple[Measured, ...] = ()
    weight: tuple[str, int, int | None, int] | None = None  # the one to take apart: map, output, input or bias, tap

    @property
    def status(self) -> str:
        """What the claims about the target are worth here: "proved", "stated" (not rechecked) or "refuted"."""
        verdicts = {check.verdict for check in self.checks}
        if "fails" in verdicts:
            return "refuted"
        return "proved" if verdicts == {"holds"} else "stated"


def evaluations_of(ticket: Ticket, records: Sequence[Record]) -> tuple[Measured, ...]:
    """The evaluations of this very ticket among some records: mask bits, kept parameters and bound agree."""
    found = dict.fromkeys(read_evaluation(outcome) for record in records for outcome in _evaluations_in(record))
    ours, bound = (ticket.mask_bits, kept_parameters(ticket) if ticket.gadgets else None), bound_of(ticket)
    return tuple(
        one for one in found if (one.mask_bits, one.kept_parameters) == ours and _agree(one.certified_error, bound)
    )


def kept_parameters(ticket: Ticket) -> int:
    """Surviving edges of lift and mixing layers, neurons without a kept edge removed."""
    masks = (ticket.map_mask(path) for path in ticket.maps)
    return sum(int(np.count_nonzero(mask)) + int(np.count_nonzero(mask.any(axis=0))) for mask in masks)


def bound_of(ticket: Ticket) -> float | None:
    """What the ticket claims of its outputs."""
    return None if ticket.claims is None else ticket.claims.sup_error


def _agree(left: float | None, right: float | None) -> bool:
    """The same bound; computed on another machine, it may differ in its last digits."""
    return left == right if left is None or right is None else math.isclose(left, right, rel_tol=1e-5)


def _evaluations_in(record: Record) -> Iterator[Mapping[str, Any]]:
    if record.kind == "evaluate":
        yield record.outcome
    elif record.kind == "construct" and isinstance(record.outcome.get("evaluation"), Mapping):
        yield record.outcome["evaluation"]


def read_evaluation(outcome: Mapping[str, Any]) -> Measured:
    """The outcome of a record of kind "evaluate".

    Raises:
        InputError: naming the entry that is missing or is no such number.
    """
    sizes = outcome.get("sizes")
    if not isinstance(sizes, Mapping):
        raise InputError("an evaluation has an entry 'sizes'; this record lacks it: make it again with slth evaluate")
    accuracy = _share(outcome, "accuracy")
    if accuracy is None:
        raise InputError("an evaluation states an accuracy; this record lacks it: make it again with slth evaluate")
    changed = outcome.get("changed")
    return Measured(
        data=str(outcome.get("data")),
        accuracy=accuracy,
        target_accuracy=_share(outcome, "target_accuracy"),
        changed=None if changed is None else _whole(outcome, "changed"),
        measured_error=_number(outcome, "measured_error"),
        certified_error=_number(outcome, "certified_error"),
        unchanged_on_box=_share(outcome, "unchanged_on_box"),
        unchanged_per_input=_share(outcome, "unchanged_per_input"),
        statistical=_statistical(outcome),
        mask_bits=_whole(cast("Mapping[str, Any]", sizes), "mask_bits"),
        kept_parameters=_count_or_none(cast("Mapping[str, Any]", sizes), "kept_parameters"),
    )


def _share(outcome: Mapping[str, Any], name: str) -> Share | None:
    part = outcome.get(name)
    if part is None:
        return None
    if not isinstance(part, Mapping):
        raise _unfit(name, "hits, count and interval")
    entries = cast("Mapping[str, Any]", part)
    ends = entries.get("interval")
    hits, count = _whole(entries, "hits"), _whole(entries, "count")
    if not isinstance(ends, (list, tuple)) or len(cast("list[Any]", ends)) != 2 or not 0 <= hits <= count > 0:
        raise _unfit(name, "hits, count and interval")
    low, high = (_number({"interval": end}, "interval") or 0.0 for end in cast("list[Any]", ends))
    return Share(hits, count, (low, high))


def _statistical(outcome: Mapping[str, Any]) -> Statistical | None:
    """As its counts and confidence have it; records of earlier versions have none."""
    part = outcome.get("statistical")
    if part is None:
        return None
    expected = "data, examples, changed, confidence and a share that they allow"
    if not isinstance(part, Mapping):
        raise _unfit("statistical", expected)
    entries = cast("Mapping[str, Any]", part)
    data, confidence, share = entries.get("data"), _number(entries, "confidence"), _number(entries, "at_most")
    if not isinstance(data, str) or confidence is None or share is None:
        raise _unfit("statistical", expected)
    counts = _whole(entries, "examples"), _whole(entries, "changed")
    try:
        found = Statistical(data, *counts, confidence, share)
    except InputError as error:
        raise _unfit("statistical", expected) from error
    if not found.holds:
        raise _unfit("statistical", expected)
    return found


def _whole(outcome: Mapping[str, Any], name: str) -> int:
    value = outcome.get(name)
    if type(value) is not int or value < 0:
        raise _unfit(name, "a count")
    return value


def _count_or_none(outcome: Mapping[str, Any], name: str) -> int | None:
    return None if outcome.get(name) is None else _whole(outcome, name)


def _number(outcome: Mapping[str, Any], name: str) -> float | None:
    value = outcome.get(name)
    if value is None:
        return None
    if type(value) not in (int, float) or not math.isfinite(value):
        raise _unfit(name, "a finite number")
    return float(value)


def _unfit(name: str, expected: str) -> InputError:
    return InputError(f"the entry {name!r} of an evaluation must be {expected}; make the record again")
