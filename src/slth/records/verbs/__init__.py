"""What can be asked of each verb: one frozen record per verb, every argument declared once. Imports no NumPy.

The options of the command line, those of sweeps, the question of a record and the request that a command hands on are
derived from these; the functions of `slth` spell their signatures out for people, and a test compares.
"""

from slth.records.verbs._argument import (
    Argument,
    arguments,
    check,
    defaults,
    flag_of,
    group,
    groups,
    keywords,
    question,
    read,
    swept,
)
from slth.records.verbs._bounds import Bounds
from slth.records.verbs._cite import Cite
from slth.records.verbs._construct import (
    DEFAULT_TARGET,
    NOT_WITH_A_SHAPE,
    Construct,
    Plan,
    check_layers_only,
    check_objective,
    check_one_promise,
)
from slth.records.verbs._kinds import Kind, WeightAt
from slth.records.verbs._places import check_apart, check_places
from slth.records.verbs._query import Query
from slth.records.verbs._reproduce import Reproduce
from slth.records.verbs._search import Search
from slth.records.verbs._shared import BACKENDS, EMBEDDINGS, GADGETS, LIFTS, OBJECTIVES
from slth.records.verbs._sweep import Sweep
from slth.records.verbs._ticket import Compare, Evaluate, Export, Report, Show, Verify
from slth.records.verbs._train import Train

VERBS: tuple[type, ...] = (
    Construct,
    Plan,
    Verify,
    Evaluate,
    Show,
    Compare,
    Export,
    Report,
    Train,
    Search,
    Sweep,
    Bounds,
    Cite,
    Query,
    Reproduce,
)

__all__ = [
    "BACKENDS",
    "DEFAULT_TARGET",
    "EMBEDDINGS",
    "GADGETS",
    "LIFTS",
    "NOT_WITH_A_SHAPE",
    "OBJECTIVES",
    "VERBS",
    "Argument",
    "Bounds",
    "Cite",
    "Compare",
    "Construct",
    "Evaluate",
    "Export",
    "Kind",
    "Plan",
    "Query",
    "Report",
    "Reproduce",
    "Search",
    "Show",
    "Sweep",
    "Train",
    "Verify",
    "WeightAt",
    "arguments",
    "check",
    "check_apart",
    "check_layers_only",
    "check_objective",
    "check_one_promise",
    "check_places",
    "defaults",
    "flag_of",
    "group",
    "groups",
    "keywords",
    "question",
    "read",
    "swept",
]
