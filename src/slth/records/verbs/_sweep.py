"""What can be asked of `sweep`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from slth import _arguments
from slth.records.verbs import _shared
from slth.records.verbs._argument import Argument, check
from slth.records.verbs._kinds import FILE, TRUTH, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Run a grid of options; run it again to do what is missing. Several runs may fill one folder together.

    Writes a record per cell, table.csv, heatmap.svg and report.html, a page about them. Exit code 1 if cells
    failed; the others are done all the same. What no cell can be is refused before the first.
    """

    recipe: Annotated[
        Path, Argument(FILE, "Verb, options, grid, table.", positional=True, metavar="RECIPE.toml", command=True)
    ]
    out: Annotated[
        Path | None,
        Argument(
            FILE,
            "For the results. Default: RECIPE-results beside the recipe.",
            metavar="FOLDER",
            command=True,
            written="folder",
        ),
    ] = None
    workers: Annotated[
        int | None,
        Argument(
            whole(least=1),
            "Processes, which share the processors. Default: 1; with --backend ray one for each processor.",
        ),
    ] = None
    backend: _shared.Backend = "local"
    dry_run: Annotated[
        bool, Argument(TRUTH, "Print what is open and the estimated time; write nothing.", command=True)
    ] = False
    keep_failed: Annotated[bool, Argument(TRUTH, "Leave alone the cells that failed before.")] = False
    keep_tickets: Annotated[
        bool, Argument(TRUTH, "Keep each cell's ticket, in the folder tickets; finished cells without one are redone.")
    ] = False
    as_json: _shared.Json = False
    quiet: _shared.Quiet = False

    def __post_init__(self) -> None:
        check(self)
        _arguments.one_of(self.backend, _shared.BACKENDS, "backend")
