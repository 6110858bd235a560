"""The results folder: one file per cell, written whole, named by the hash of its question.

slth-sweep.json        marks the folder
<question>.json        the record of a finished cell
<question>.failed.json the record of a cell that failed; tried again by the next run
<question>.lock        while a process works on the cell
shared/                work that several cells need
table.csv, heatmap.svg the end
"""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from slth._errors import InputError
from slth._files import check_writable, write_atomically
from slth._locks import locked
from slth.records import Record
from slth.records import read as read_records
from slth.sweeps._locks import clean, lock_of

_MARKER = "slth-sweep.json"
_FORMAT = 1
_QUESTION = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Folder:
    """Where a sweep keeps its results."""

    path: Path

    @property
    def shared(self) -> Path:
        return self.path / "shared"

    def result(self, question: str) -> Path:
        return self.path / f"{question}.json"

    def failure(self, question: str) -> Path:
        return self.path / f"{question}.failed.json"

    def lock(self, question: str) -> Path:
        return self.path / f"{question}.lock"

    def attempt(self, question: str) -> tuple[int, int] | None:
        """Which failure is on record: it changes with each."""
        try:
            found = self.failure(question).stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns

    def questions(self) -> list[str]:
        """The finished cells, of any recipe."""
        if not self.path.is_dir():
            return []
        return sorted(file.stem for file in self.path.glob("*.json") if _QUESTION.fullmatch(file.stem))

    def record(self, path: Path) -> Record:
        """The record in a file of this folder, if it is the one that the name promises."""
        found = list(read_records(path))
        if len(found) != 1 or found[0].question != path.name.partition(".")[0]:
            raise InputError(f"{path} does not hold the answer to the question it is named by; remove it")
        return found[0]

    def write(self, name: str, data: bytes) -> Path:
        """Write a file whole, also against another process that writes it now."""
        with locked(lock_of(self.path / name)):
            return write_atomically(self.path / name, data)

    def check(self) -> None:
        """Refuse a folder that is not ours. A missing or an empty one will be."""
        marker = self.path / _MARKER
        try:
            names = {file.name for file in self.path.iterdir()} if self.path.exists() else set[str]()
            text = marker.read_bytes() if _MARKER in names else None
        except OSError as error:
            raise InputError(f"cannot read {self.path}: {error.strerror or error}; choose another folder") from error
        if text is None:
            if any(not name.lstrip(".").startswith("slth-sweep.") for name in names):
                raise InputError(f"{self.path} holds other files and no {_MARKER}; choose a new or an empty folder")
            return
        try:
            form = json.loads(text)["format"]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise InputError(f"{marker} is damaged; choose another folder") from error
        if form != _FORMAT:
            raise InputError(f"{marker} states format {form!r}, this version writes {_FORMAT}; choose another folder")

    def open(self) -> None:
        """Refuse what is not ours or cannot be written; make and mark a new folder; clean up after killed runs."""
        self.check()
        try:
            self.path.mkdir(exist_ok=True)
            check_writable(self.path / _MARKER)
            if not (self.path / _MARKER).exists():
                self.write(_MARKER, json.dumps({"format": _FORMAT}).encode() + b"\n")
            self.shared.mkdir(exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot write {self.path}: {error.strerror or error}; choose another folder") from error
        if not os.access(self.shared, os.W_OK):
            raise InputError(f"cannot write {self.shared}: permission denied; choose another folder")
        clean(self.path)
