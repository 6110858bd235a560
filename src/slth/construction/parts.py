"""Finished maps of a construction, kept in a folder while it runs, so that the same request goes on where it ended.

Solving a map is most of the work, and what it yields is small: the packed mask. That is kept, one file for each map;
what the map realises and every claim about it are computed again. A map is looked up by all that decides its mask, so
that several attempts with other widths or tolerances share a folder.

What is kept when: of a construction of 2²⁰ subset-sum problems or more (about a second of solving) each map as soon as
it is finished, so that an interrupt or kill -9 loses the map in flight and nothing else. Of a smaller one nothing,
unless it has taken ten seconds for whatever reason: no folder is made for work that is repeated in a moment.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from slth._errors import InputError
from slth._files import check_writable, write_atomically
from slth._locks import locked
from slth.construction import part_files
from slth.construction.layout import Layout
from slth.construction.part_files import Finished
from slth.graph import Linear

__all__ = ["Finished", "Parts", "discard", "keep_parts", "map_keys"]

WORTH_KEEPING = 1 << 20  # problems of a construction; less is solved again in about a second
LONG = 10.0  # seconds after which a smaller construction is kept, too
_log = logging.getLogger("slth.api")  # its notes are shown by the command line


def map_keys(maps: Mapping[str, Linear], layout: Layout, method: str) -> dict[str, str]:
    """By path, the name of a map's file: its number, and a digest of all that decides its mask but the target."""

    def digest(path: str, op: Linear) -> str:
        decides = [path, repr(op), repr(layout.gadgets[path]), layout.tolerances[path]]
        decides += [layout.seed, method, repr(layout.recipe)]
        return hashlib.sha256(json.dumps(decides).encode()).hexdigest()[:32]

    return {path: f"{i:03d}-{digest(path, op)}" for i, (path, op) in enumerate(maps.items())}


class Parts:
    """The folder of one construction. Made by `keep_parts`.

    Attributes:
        folder: where it is, or would be.
        is_open: it is there, and held by this process.
        failed: a map could not be written.
    """

    def __init__(self, folder: Path, question: Callable[[], Mapping[str, Any]], *, restart: bool = False) -> None:
        self.folder, self.is_open, self.failed = folder, False, False
        self._question, self._lock, self._start = question, ExitStack(), time.monotonic()
        self._waiting: dict[str, Finished] = {}  # not worth a file yet
        self._wanted: set[str] = set()  # keys of the attempt under way
        self._sizes: dict[str, int] = {}  # of their masks, in bytes
        self._kept: set[str] = set()  # keys with a file
        self._before: frozenset[str] = frozenset()  # those that an earlier process left
        self._is_worth_keeping, self._restart = False, restart

    def begin(self, keys: Mapping[str, str], *, sizes: Mapping[str, int], problems: int) -> set[str]:
        """An attempt begins, of so many problems and masks of so many bytes: the maps that need no solving, by path.

        Says how many there are, if an earlier process left them. A file that is damaged is named, and removed.
        """
        self._wanted, self._is_worth_keeping = set(keys.values()), problems >= WORTH_KEEPING
        self._sizes = {key: sizes[path] for path, key in keys.items()}
        if self._restart:
            discard(self.folder)
            self._restart = False
        if self._is_worth_keeping:
            self.open()
        found = {path for path, key in keys.items() if self.get(key) is not None}
        if any(keys[path] in self._before for path in found):
            _log.info("resuming: %d of %d maps were finished", len(found), len(keys))
        return found

    def get(self, key: str) -> Finished | None:
        """A finished map, or None; every file is checked each time that it is read."""
        if key in self._waiting or key not in self._kept:
            return self._waiting.get(key)
        try:
            found = part_files.read_map(self.folder, key, size=self._sizes[key])
        except InputError as error:
            found = None
            _log.info("%s: that map is solved again", error)
            with suppress(OSError):
                (self.folder / f"{key}.map").unlink()
        if found is None:
            self._kept.discard(key)
        return found

    def put(self, key: str, finished: Finished) -> None:
        """Keep a map, as the docstring of this module says.

        Raises:
            InputError: it cannot be written; those before it are still there.
        """
        self._waiting[key] = finished
        if self.is_open or self._is_worth_keeping or time.monotonic() - self._start >= LONG:
            self.flush()

    def flush(self) -> None:
        """Write every map that waits."""
        try:
            self.open()
            for key in list(self._waiting):
                part_files.write_map(self.folder, key, self._waiting[key])
                self._kept.add(key)
                del self._waiting[key]
        except InputError as error:
            self.failed = True
            raise InputError(f"{error}; {self.sentence}" if self._kept else str(error)) from error

    def open(self) -> None:
        """Make the folder, or go on with the one that is there.

        Raises:
            InputError: it is not ours, in use, or made for another request.
        """
        if self.is_open:
            return
        part_files.check_ours(self.folder)
        with _sentences(self.folder):
            self.folder.mkdir(exist_ok=True)
        if not self._lock.enter_context(locked(self.folder / part_files.LOCK, wait=False)):
            raise _in_use(self.folder)
        part_files.check_ours(self.folder)
        here = json.loads(json.dumps(self._question()))
        there = part_files.read_request(self.folder)
        if there is not None:
            part_files.check_same(self.folder, there, here)
        with _sentences(self.folder):
            part_files.remove_unfinished(self.folder)
            self._kept = part_files.finished_names(self.folder)
        if there is None:
            write_atomically(self.folder / part_files.REQUEST, json.dumps(here, indent=1).encode() + b"\n")
        self._before, self.is_open = frozenset(self._kept), True

    def close(self, *, remove: bool) -> None:
        """Let go of the folder; `remove`: nobody will go on from it. Without a map in it, it is removed, too."""
        with self._lock:
            if self.is_open and (remove or not self._kept):
                with _sentences(self.folder):
                    part_files.remove_files(self.folder)
        self.is_open = False
        with suppress(OSError):  # a folder without files is none; any other stays
            self.folder.rmdir()

    @property
    def resumed(self) -> bool:
        """An earlier process has left maps here. They outlive a refusal: it may be for want of memory, this once."""
        return bool(self._before)

    @property
    def sentence(self) -> str:
        """How many maps are kept where; empty if none is."""
        kept = len(self._kept & self._wanted) if self._wanted else len(self._kept)
        of = f" of {len(self._wanted)}" if self._wanted else ""
        return f"{kept}{of} maps are kept in {self.folder}, and the same command goes on from there" if kept else ""


@contextmanager
def keep_parts(
    folder: Path | None, question: Callable[[], Mapping[str, Any]], *, restart: bool = False
) -> Generator[Parts | None]:
    """Keep the finished maps of a construction in a folder, which stays until `discard`; None: keep nothing.

    Interrupted, the `KeyboardInterrupt` says what is kept. Where the request is refused, nothing that this run made is:
    it would end like that again.

    Args:
        question: what was asked, as plain data; called where the folder is there or made.
        restart: discard what is there, once solving begins: a request that is refused before discards nothing.

    Raises:
        InputError: the folder is not ours, in use, or made for another request.
    """
    if folder is None:
        yield None
        return
    parts = Parts(folder, question, restart=restart)
    remove = False
    try:
        if not (folder.exists() or folder.is_symlink()):
            check_writable(folder)
        elif restart:
            part_files.check_ours(folder)
        else:
            parts.open()
        try:
            yield parts
        except InputError:
            remove = not parts.failed and not parts.resumed
            raise
        except KeyboardInterrupt as stop:
            with suppress(InputError):
                if parts.is_open:
                    parts.flush()
            stop.args = (parts.sentence,) if parts.sentence else ()
            raise
    finally:
        parts.close(remove=remove)


def discard(folder: Path) -> None:
    """Remove a folder of finished maps: what slth wrote in it, then itself if it is empty.

    Raises:
        InputError: it holds other files, or another process works on it.
    """
    if not (folder.exists() or folder.is_symlink()):
        return
    part_files.check_ours(folder)
    part_files.read_request(folder)  # refuses what only has our file's name
    with locked(folder / part_files.LOCK, wait=False) as ours:
        if not ours:
            raise _in_use(folder)
        with _sentences(folder):
            part_files.remove_files(folder)
    with suppress(OSError):
        folder.rmdir()


def _in_use(folder: Path) -> InputError:
    return InputError(f"another process works on {folder}; wait until it has finished, or choose another place")


@contextmanager
def _sentences(folder: Path) -> Generator[None]:
    """What the file system refuses, as a sentence."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot write {folder}: {error.strerror or error}; choose another place") from error
