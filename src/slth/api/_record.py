"""A verb that was run as a record: what was asked, what came out, how long it took."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from slth.evidence import sizes
from slth.records import Evaluation, Record, cores, environment, verbs
from slth.ticket import Ticket


def record(
    asked: verbs.Construct | verbs.Evaluate | verbs.Search,
    result: Any,
    *,
    seconds: Mapping[str, float],
    evaluation: Evaluation | None = None,
) -> Record:
    """The record of a verb.

    Args:
        asked: the verb's record.
        result: what it returned.
        seconds: of each part.
        evaluation: of a constructed ticket, if it was measured, too.
    """
    if isinstance(asked, verbs.Search):
        return _record("search", result.ticket.provenance.question, result.outcome(), seconds)
    if isinstance(asked, verbs.Evaluate):
        return _record("evaluate", verbs.question(asked), result.as_data(), seconds)
    outcome = construction_outcome(result)
    if evaluation is not None:
        outcome["evaluation"] = evaluation.as_data()
    return _record("construct", _construction(asked, result), outcome, seconds, asked.threads)


def construction_outcome(ticket: Ticket) -> dict[str, Any]:
    """A construction as plain data."""
    claims = ticket.claims
    return {
        "sizes": asdict(sizes(ticket)),
        "misses": ticket.misses,
        "weight_error": None if claims is None else claims.weight_error,
        "certified_error": None if claims is None else claims.sup_error,
        "target": ticket.provenance.target,
    }


def _construction(asked: verbs.Construct, ticket: Ticket) -> dict[str, Any]:
    """The question: the target by its digest, the range as it was in the end, wherever it came from."""
    inputs = ticket.inputs
    ends = None
    if inputs is not None and inputs.lower is not None and inputs.upper is not None:
        ends = [list(inputs.lower), list(inputs.upper)]
    return {**verbs.question(asked), "target": ticket.provenance.target, "input_range": ends}


def _record(
    kind: str,
    asked: dict[str, Any],
    outcome: dict[str, Any],
    seconds: Mapping[str, float],
    threads: int | None = None,
) -> Record:
    return Record(kind, asked, outcome, dict(seconds), environment(threads or cores()))
