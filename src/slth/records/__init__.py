"""Measurements and verdicts as frozen rows, in JSON lines files and in the folder of a sweep; `verbs`: what is asked.

Evaluations are imported on first use: they hold claims, which need NumPy, and the command line does not.
"""

from typing import TYPE_CHECKING, Any

from slth._threads import cores
from slth.records import verbs
from slth.records.checks import Check, Verdict, Verification
from slth.records.comparison import Compared, Comparison
from slth.records.grid import (
    GRID_FORMAT,
    GRID_MARKER,
    GRID_NAME,
    GRID_TICKETS,
    Asked,
    Grid,
    GridCell,
    is_grid,
    kept_tickets,
    number_in,
    read_grid,
)
from slth.records.measures import INTERVAL, Z_95, Average, Errors, Proportion, duration
from slth.records.record import Environment, Record, append, environment, read
from slth.records.rows import Rows, as_lines, read_rows
from slth.records.selection import Selection

if TYPE_CHECKING:
    from slth.records.evaluation import Evaluation, Sizes, read_evaluation

_LAZY = ("Evaluation", "Sizes", "read_evaluation")
__all__ = [
    "GRID_FORMAT",
    "GRID_MARKER",
    "GRID_NAME",
    "GRID_TICKETS",
    "INTERVAL",
    "Z_95",
    "Asked",
    "Average",
    "Check",
    "Compared",
    "Comparison",
    "Environment",
    "Errors",
    "Evaluation",
    "Grid",
    "GridCell",
    "Proportion",
    "Record",
    "Rows",
    "Selection",
    "Sizes",
    "Verdict",
    "Verification",
    "append",
    "as_lines",
    "cores",
    "duration",
    "environment",
    "is_grid",
    "kept_tickets",
    "number_in",
    "read",
    "read_evaluation",
    "read_grid",
    "read_rows",
    "verbs",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'slth.records' has no attribute {name!r}")
    from slth.records import evaluation

    globals().update({known: getattr(evaluation, known) for known in _LAZY})
    return globals()[name]
