"""What can be asked of `query`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from slth._errors import InputError
from slth.records.verbs import _shared
from slth.records.verbs._argument import Argument, check
from slth.records.verbs._kinds import FILES, TEXT, TRUTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Ask SQL about records: JSON lines and folders of sweeps are one table, `records`, a row for each record.

    Its columns: file, kind, question, seconds, then what was asked (asked_tolerance), what came out
    (outcome_accuracy_value), parts of the time (seconds_construct), cpu, threads, commit, version_numpy, and asked and
    outcome whole, as JSON. "DESCRIBE records" lists them.
    """

    sql: Annotated[
        str,
        Argument(
            TEXT, "A query of DuckDB, such as 'SELECT kind, seconds FROM records'.", positional=True, metavar="SQL"
        ),
    ]
    files: Annotated[
        tuple[Path, ...],
        Argument(FILES, "Records in JSON lines, folders of sweeps.", positional=True, metavar="RECORDS..."),
    ]
    as_json: _shared.Json = False
    as_csv: Annotated[
        bool, Argument(TRUTH, "Print CSV instead of the table.", flag="--csv", command=True, asked=False)
    ] = False

    def __post_init__(self) -> None:
        check(self)
        if self.as_json and self.as_csv:
            raise InputError("--json and --csv are two ways to print; give one of them")
