"""What can be asked of `reproduce`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from slth import _arguments
from slth._errors import InputError
from slth.records.verbs import _shared
from slth.records.verbs._argument import Argument, check
from slth.records.verbs._kinds import FILE, TEXT, TRUTH, one_of, whole

SCALES = ("smoke", "small", "paper")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduce:
    """Measure a published result again: table published / ours / difference, figure, verdict. Without a name: a list.

    Finished parts are kept in the folder; after Ctrl-C the same command goes on from there. A result that is not
    reproduced is a result: exit code 0.
    """

    name: Annotated[str | None, Argument(TEXT, "Which one.", positional=True, metavar="NAME")] = None
    every: Annotated[bool, Argument(TRUTH, "All of them.", flag="--all", command=True)] = False
    scale: Annotated[
        str,
        Argument(
            one_of(*SCALES),
            "{known}: generated or embedded data, at most 30 s; real data, at most 10 minutes on two cores; as "
            "published.",
        ),
    ] = "smoke"
    out: Annotated[Path, Argument(FILE, "For records, pages and figures.", metavar="FOLDER", written="folder")] = Path(
        "reproductions"
    )
    seed: Annotated[int, Argument(whole(least=0), "Of everything random.")] = 0
    data_dir: _shared.DataDir = None
    threads: _shared.Threads = None
    again: Annotated[bool, Argument(TRUTH, "Measure anew what is finished of this scale and seed.")] = False
    as_json: _shared.Json = False
    quiet: _shared.Quiet = False

    def __post_init__(self) -> None:
        check(self)
        _arguments.one_of(self.scale, SCALES, "scale")
        if self.every and self.name is not None:
            raise InputError(f"expected a name or --all, got both; leave {self.name} out")
