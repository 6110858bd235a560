"""The results folder: one file per cell, written whole, named by the hash of its question.

slth-sweep.json        marks the folder, and says which grid was asked last
<question>.json        the record of a finished cell
<question>.failed.json the record of a cell that failed; tried again by the next run
<question>.lock        while a process works on the cell
shared/                work that several cells need
tickets/               each cell's ticket, if asked for, named by its place in the grid and the start of its question
table.csv, heatmap.svg, report.html  the end
"""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from slth._errors import InputError
from slth._files import check_writable, write_atomically
from slth._locks import locked
from slth.records import GRID_FORMAT, GRID_MARKER, GRID_NAME, GRID_TICKETS, Asked, Record
from slth.records import read as read_records
from slth.sweeps._locks import clean, lock_of
from slth.sweeps._recipe import Cell

_QUESTION = re.compile(r"[0-9a-f]{64}")
_MOST_NAME = 120  # letters of a ticket's name before its question


@dataclass(frozen=True, slots=True)
class Folder:
    """Where a sweep keeps its results."""

    path: Path

    @property
    def shared(self) -> Path:
        return self.path / "shared"

    @property
    def tickets(self) -> Path:
        return self.path / GRID_TICKETS

    def result(self, question: str) -> Path:
        return self.path / f"{question}.json"

    def failure(self, question: str) -> Path:
        return self.path / f"{question}.failed.json"

    def lock(self, question: str) -> Path:
        return self.path / f"{question}.lock"

    def ticket(self, cell: Cell) -> Path:
        """Where a cell's ticket is kept: named for people, and by the question, so that no two recipes collide."""
        words = (f"{name}={str(cell.options[name]).rpartition('/')[2]}" for name in cell.at)
        name = re.sub(r"[^\w.=+,-]+", "_", ",".join(words), flags=re.ASCII)
        return self.tickets / f"{name[:_MOST_NAME] or 'cell'}.{cell.question[:GRID_NAME]}.slth"

    def remember(self, asked: Asked) -> None:
        """Say in the marker which grid was asked last."""
        data = {"format": GRID_FORMAT, "last": asked.as_data()}
        self.write(GRID_MARKER, json.dumps(data, allow_nan=False).encode() + b"\n")

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
        marker = self.path / GRID_MARKER
        try:
            names = {file.name for file in self.path.iterdir()} if self.path.exists() else set[str]()
            text = marker.read_bytes() if GRID_MARKER in names else None
        except OSError as error:
            raise InputError(f"cannot read {self.path}: {error.strerror or error}; choose another folder") from error
        if text is None:
            if any(not name.lstrip(".").startswith("slth-sweep.") for name in names):
                raise InputError(f"{self.path} holds other files and no {GRID_MARKER}; choose a new or an empty folder")
            return
        try:
            form = json.loads(text)["format"]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise InputError(f"{marker} is damaged; choose another folder") from error
        if form != GRID_FORMAT:
            raise InputError(
                f"{marker} states format {form!r}, this version writes {GRID_FORMAT}; choose another folder"
            )

    def open(self) -> None:
        """Refuse what is not ours or cannot be written; make and mark a new folder; clean up after killed runs."""
        self.check()
        try:
            self.path.mkdir(exist_ok=True)
            check_writable(self.path / GRID_MARKER)
            if not (self.path / GRID_MARKER).exists():
                self.write(GRID_MARKER, json.dumps({"format": GRID_FORMAT}).encode() + b"\n")
            self.shared.mkdir(exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot write {self.path}: {error.strerror or error}; choose another folder") from error
        if not os.access(self.shared, os.W_OK):
            raise InputError(f"cannot write {self.shared}: permission denied; choose another folder")
        clean(self.path)
