"""The results folder of reproductions: parts as records, the page, the figures.

NAME.jsonl             a record for each finished part, whatever its scale; a later run takes up from here
NAME-SCALE.md          statement, settings, table, verdict, where it ran
NAME-SCALE.svg, ...    the figures
shared/                work that several parts need
"""

import json
import logging
from collections import Counter
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from slth._errors import InputError
from slth._files import check_writable, write_atomically
from slth._locks import locked
from slth._version import __version__
from slth.records import Environment, Record, append, environment
from slth.records import read as read_records
from slth.reproductions._reproduction import Measured, Part, Scale

KIND = "reproduce"
_NOWHERE = Environment(versions={}, commit=None, cpu="", threads=1)
_log = logging.getLogger("slth.api")  # its notes are shown by the command line


@contextmanager
def alone_in(folder: Path, name: str) -> Generator[None]:
    """Make the folder, and hold off other processes that would measure the same there.

    Raises:
        InputError: the folder cannot be made or written, or another process measures the same there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = "it is no folder" if isinstance(error, FileExistsError) else error.strerror or error
        raise InputError(f"cannot make the folder {folder}: {why}; choose another --out") from error
    check_writable(folder / f"{name}.jsonl")
    with locked(folder / f"{name}.lock", wait=False) as ours:
        if not ours:
            raise InputError(
                f"another process is measuring {name} in {folder}; wait for its end, or choose another --out"
            )
        yield


def file_of(folder: Path, name: str, scale: Scale, ending: str) -> Path:
    """NAME-SCALE and its ending."""
    return folder / f"{name}-{scale.value}{ending}"


class Results:
    """What is finished of some parts of a reproduction.

    Raises:
        InputError: the file holds something else, or some of these parts by another version.
    """

    def __init__(self, folder: Path, name: str, parts: Sequence[Part], *, again: bool = False) -> None:
        self.folder = folder
        self.name = name
        self.path = folder / f"{name}.jsonl"
        asked = {self._question(part) for part in parts}
        records = list(read_records(self.path)) if self.path.exists() else []
        _check_kind(self.path, records)
        if again and records:  # what is finished of other scales and seeds stays
            lines = zip(self.path.read_bytes().splitlines(), records, strict=True)
            kept = [line + b"\n" for line, record in lines if record.question not in asked]
            if len(kept) < len(records):
                write_atomically(self.path, kept)
            records = []
        self.records = {record.question: record for record in records if record.question in asked}
        _check_version(self.path, self.records.values())
        _note_other_commits(self.name, self.records.values())

    def find(self, part: Part) -> Measured | None:
        """The part, if it is done."""
        record = self.records.get(self._question(part))
        return None if record is None else self._measured(part, record)

    def keep(self, part: Part, outcome: Mapping[str, Any], *, seconds: float, threads: int) -> Measured:
        """Add a finished part. What came out is from now on as the file has it: a conclusion is the same when read."""
        record = Record(KIND, self._asked(part), _as_read(outcome), {"total": seconds}, environment(threads))
        append(self.path, record)
        self.records[record.question] = record
        return self._measured(part, record)

    def where(self, parts: Sequence[Measured]) -> list[str]:
        """Commit, processor and threads of these parts, each combination once."""
        found = [self.records[self._question(part)].environment for part in parts]
        threads = {e.threads: f"{e.threads} thread{'s' if e.threads > 1 else ''}" for e in found}
        return list(dict.fromkeys(f"commit {e.commit or 'unknown'}, {e.cpu}, {threads[e.threads]}" for e in found))

    def _asked(self, part: Part | Measured) -> dict[str, Any]:
        return _as_read({"reproduction": self.name, "part": part.name, "options": dict(part.options)})

    def _question(self, part: Part | Measured) -> str:
        return Record(KIND, self._asked(part), {}, {}, _NOWHERE).question

    def _measured(self, part: Part, record: Record) -> Measured:
        return Measured(part.name, part.options, record.outcome, record.seconds["total"])


def _as_read(data: Mapping[str, Any]) -> dict[str, Any]:
    """After it was written and read: lists, keys that are texts, in their order in the file."""
    return json.loads(json.dumps(data, sort_keys=True))


def _check_kind(path: Path, records: Sequence[Record]) -> None:
    other = next((record for record in records if record.kind != KIND or "total" not in record.seconds), None)
    if other is not None:
        raise InputError(
            f"{path} holds a record of the kind {other.kind} that is no part of a reproduction; choose another folder "
            "with --out"
        )


def _check_version(path: Path, records: Iterable[Record]) -> None:
    versions = {record.environment.versions.get("slth", "unknown") for record in records}
    for version in sorted(versions - {__version__, "unknown"}):
        raise InputError(
            f"{path} holds results by slth {version}, expected those of slth {__version__}; give --again to measure "
            "anew, or another folder with --out"
        )


def _note_other_commits(name: str, records: Collection[Record]) -> None:
    """The code may have changed since a part was finished."""
    if not records:
        return
    here = environment().commit
    others = Counter(record.environment.commit or "unknown" for record in records if record.environment.commit != here)
    for commit, count in others.items():
        parts = f"{count} parts of commit {commit} are" if count > 1 else f"1 part of commit {commit} is"
        _log.info("%s (kept): %s taken up, and this is %s; --again measures anew", name, parts, here or "unknown")
