"""The results folder of reproductions: parts as records, the page, the figures.

NAME.jsonl             a record for each finished part, whatever its scale; a later run takes up from here
NAME-SCALE.md          statement, settings, table, verdict, where it ran
NAME-SCALE.svg, ...    the figures
shared/                work that several parts need
"""

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from slth._errors import InputError
from slth._files import check_writable, write_atomically
from slth._locks import locked
from slth._version import __version__
from slth.records import Record, append, environment
from slth.records import read as read_records
from slth.reproductions._reproduction import Measured, Part, Reproduction, Scale

KIND = "reproduce"


@contextmanager
def alone_in(folder: Path, name: str) -> Generator[None]:
    """Make the folder, and hold off other processes that would measure the same there.

    Raises:
        InputError: the folder cannot be made or written, or another process measures the same there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder}: {error.strerror or error}; choose another --out") from error
    check_writable(folder / f"{name}.jsonl")
    with locked(folder / f"{name}.lock", wait=False) as ours:
        if not ours:
            raise InputError(
                f"another process is measuring {name} in {folder}; wait for its end, or choose another --out"
            )
        yield


class Results:
    """What is finished of one reproduction.

    Raises:
        InputError: the folder holds results of another version.
    """

    def __init__(self, folder: Path, reproduction: Reproduction, *, again: bool = False) -> None:
        self.folder = folder
        self.name = reproduction.name
        self.path = folder / f"{reproduction.name}.jsonl"
        if again and self.path.exists():
            write_atomically(self.path, b"")
        self.records = {record.question: record for record in self._read()}

    def find(self, part: Part) -> Measured | None:
        """The part, if it is done."""
        record = self.records.get(Record(KIND, self._asked(part), {}, {}).question)
        return None if record is None else self._measured(part, record)

    def keep(self, part: Part, outcome: Mapping[str, Any], *, seconds: float, threads: int) -> Measured:
        """Add a finished part. What came out is from now on as the file has it: a conclusion is the same when read."""
        record = Record(KIND, self._asked(part), _as_read(outcome), {"total": seconds}, environment(threads))
        append(self.path, record)
        self.records[record.question] = record
        return self._measured(part, record)

    def where(self, parts: Sequence[Measured]) -> list[str]:
        """Commit, processor and threads of these parts, each combination once."""
        found = [self.records[Record(KIND, self._asked(part), {}, {}).question].environment for part in parts]
        threads = {e.threads: f"{e.threads} thread{'s' if e.threads > 1 else ''}" for e in found}
        return list(dict.fromkeys(f"commit {e.commit or 'unknown'}, {e.cpu}, {threads[e.threads]}" for e in found))

    def file(self, scale: Scale, ending: str) -> Path:
        """NAME-SCALE.ending."""
        return self.folder / f"{self.name}-{scale.value}{ending}"

    def _asked(self, part: Part | Measured) -> dict[str, Any]:
        return _as_read({"reproduction": self.name, "part": part.name, "options": dict(part.options)})

    def _measured(self, part: Part, record: Record) -> Measured:
        return Measured(part.name, part.options, record.outcome, record.seconds["total"])

    def _read(self) -> list[Record]:
        if not self.path.exists():
            return []
        records = list(read_records(self.path))
        for record in records:
            version = record.environment.versions.get("slth", "unknown")
            if record.kind != KIND or version not in (__version__, "unknown"):
                what = f"by slth {version}" if record.kind == KIND else f"of the kind {record.kind}"
                raise InputError(
                    f"{self.path} holds results {what}, expected those of slth {__version__}; give --again to measure "
                    "anew, or another folder with --out"
                )
        return records


def _as_read(data: Mapping[str, Any]) -> dict[str, Any]:
    """After it was written and read: lists, keys that are texts, in their order in the file."""
    return json.loads(json.dumps(data, sort_keys=True))
