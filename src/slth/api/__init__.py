"""The public verbs, one function each, with the names of the commands; what else a command needs to print.

`search` loads PyTorch, so it is loaded when it is first asked for.
"""

from typing import TYPE_CHECKING, Any

from slth.api._construct import construct, promise_holds, read_target
from slth.api._evidence import Verification, evaluate, verify
from slth.api._plan import Planned, PlannedMap, plan
from slth.api._record import record
from slth.api._report import Page, report
from slth.api._rows import evaluation_rows, missed, proportion
from slth.api._show import Row, Section, Shown, show, summary
from slth.api._train import train, use_threads
from slth.api._views import apply, export, load, realised, save, source

if TYPE_CHECKING:
    from slth.api._search import first_process, search

_LAZY = ("first_process", "search")
__all__ = [
    "Page",
    "Planned",
    "PlannedMap",
    "Row",
    "Section",
    "Shown",
    "Verification",
    "apply",
    "construct",
    "evaluate",
    "evaluation_rows",
    "export",
    "first_process",
    "load",
    "missed",
    "plan",
    "promise_holds",
    "proportion",
    "read_target",
    "realised",
    "record",
    "report",
    "save",
    "search",
    "show",
    "source",
    "summary",
    "train",
    "use_threads",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'slth.api' has no attribute {name!r}")
    from slth.api import _search

    globals().update({lazy: getattr(_search, lazy) for lazy in _LAZY})
    return globals()[name]
