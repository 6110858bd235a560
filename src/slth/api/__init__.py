"""The public verbs, one function each, with the names of the commands; what else a command needs to print.

`search` loads PyTorch, `report` all that makes pages, `bounds` all theorems, so they are loaded when first asked for.
"""

from typing import TYPE_CHECKING, Any

from slth.api._cite import Cited, cite
from slth.api._compare import Compared, Comparison, compare
from slth.api._construct import check_construct, construct, discard, promise_holds, read_target
from slth.api._evidence import Verification, evaluate, verify, with_claim
from slth.api._export import Exported, export
from slth.api._plan import Planned, PlannedMap, plan
from slth.api._query import Selection, query
from slth.api._record import record
from slth.api._rows import accuracy, data_rows, evaluation_rows, missed, search_rows
from slth.api._show import Row, Section, Shown, show, summary
from slth.api._train import train, use_threads
from slth.api._views import apply, load, realised, save, source

if TYPE_CHECKING:
    from slth.api._bounds import Bounds, Series, bounds
    from slth.api._report import Page, report
    from slth.api._search import check_search, choices, first_process, search

_LAZY = {
    "Bounds": "_bounds",
    "Series": "_bounds",
    "bounds": "_bounds",
    "Page": "_report",
    "report": "_report",
    "check_search": "_search",
    "choices": "_search",
    "first_process": "_search",
    "search": "_search",
}
__all__ = [
    "Bounds",
    "Cited",
    "Compared",
    "Comparison",
    "Exported",
    "Page",
    "Planned",
    "PlannedMap",
    "Row",
    "Section",
    "Selection",
    "Series",
    "Shown",
    "Verification",
    "accuracy",
    "apply",
    "bounds",
    "check_construct",
    "check_search",
    "choices",
    "cite",
    "compare",
    "construct",
    "data_rows",
    "discard",
    "evaluate",
    "evaluation_rows",
    "export",
    "first_process",
    "load",
    "missed",
    "plan",
    "promise_holds",
    "query",
    "read_target",
    "realised",
    "record",
    "report",
    "save",
    "search",
    "search_rows",
    "show",
    "source",
    "summary",
    "train",
    "use_threads",
    "verify",
    "with_claim",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'slth.api' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"slth.api.{_LAZY[name]}"), name)
    globals()[name] = value
    return value
