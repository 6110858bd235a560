"""Verbs run under a clock: their outcome as a record."""

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from slth.evidence import Evaluation, LearnedEvaluation, Proportion, sizes
from slth.records import Record, append, cores, environment
from slth.ticket import Ticket


def evaluation_record(
    verb: Callable[[], Evaluation | LearnedEvaluation], *, asked: dict[str, Any]
) -> tuple[Evaluation | LearnedEvaluation, Record]:
    """Evaluate, and say how long it took."""
    start = time.perf_counter()
    found = verb()
    seconds = {"evaluate": time.perf_counter() - start}
    return found, Record("evaluate", asked, evaluation_outcome(found), seconds, environment(cores()))


def evaluation_outcome(found: Evaluation | LearnedEvaluation) -> dict[str, Any]:
    """An evaluation as plain data, proportions with their intervals."""
    outcome = asdict(found)
    for name in ("accuracy", "target_accuracy", "unchanged_on_box", "unchanged_per_input"):
        part = getattr(found, name, None)
        if isinstance(part, Proportion):
            outcome[name] = {**asdict(part), "value": part.value, "interval": list(part.interval)}
    if isinstance(found, Evaluation):
        outcome["sizes"]["bits_per_weight"] = found.sizes.bits_per_weight
    return outcome


def construction_outcome(ticket: Ticket) -> dict[str, Any]:
    """A construction as plain data."""
    bounds = ticket.certificate
    return {
        "sizes": asdict(sizes(ticket)),
        "misses": ticket.misses,
        "weight_error": max(layer.weight_error for layer in bounds.layers),
        "certified_error": bounds.sup_error,
        "target": ticket.provenance.target,
    }


def keep(record: Record, path: Path | None) -> None:
    """Append the record where the user asked for it."""
    if path is not None:
        append(path, record)
