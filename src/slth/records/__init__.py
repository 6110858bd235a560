"""Measurements and verdicts as frozen rows, and in JSON lines files; `verbs`: what can be asked of each verb.

Evaluations are imported on first use: they hold claims, which need NumPy, and the command line does not.
"""

from typing import TYPE_CHECKING, Any

from slth.records import verbs
from slth.records.checks import Check, Verdict, Verification
from slth.records.record import Environment, Record, append, cores, environment, read

if TYPE_CHECKING:
    from slth.records.evaluation import Errors, Evaluation, Proportion, Sizes, read_evaluation

_LAZY = ("Errors", "Evaluation", "Proportion", "Sizes", "read_evaluation")
__all__ = [
    "Check",
    "Environment",
    "Errors",
    "Evaluation",
    "Proportion",
    "Record",
    "Sizes",
    "Verdict",
    "Verification",
    "append",
    "cores",
    "environment",
    "read",
    "read_evaluation",
    "verbs",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'slth.records' has no attribute {name!r}")
    from slth.records import evaluation

    globals().update({known: getattr(evaluation, known) for known in _LAZY})
    return globals()[name]
