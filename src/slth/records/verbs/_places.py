"""Where a command writes: no file that it names is lost, and nothing that somebody else has put there.

Looked at before any work. What is there may be replaced by more of the same kind, told by its first bytes; anything
else, and a file that `slth` would name by itself and did not make, needs `--force`.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from slth._errors import InputError
from slth._files import check_writable
from slth.records.verbs._argument import Argument, arguments, flag_of
from slth.records.verbs._kinds import DATA

_HEAD = 4096  # bytes that tell a kind
_MOST_HEADER = 1 << 26  # bytes of a header of tensors that are looked at
_HISTORY = "history.csv"  # what a folder of logs holds


@dataclass(frozen=True, slots=True)
class _Place:
    """A file that a command reads or writes.

    Attributes:
        name: of the argument, or of what the command makes up.
        flag: that says another one.
        kind: what is written; "": it is read.
    """

    name: str
    flag: str
    path: Path
    kind: str = ""


def check_places(asked: Any, *, made: Mapping[str, tuple[Path, str]] | None = None) -> None:
    """No file that is written is another one that the record names, and none is one that must not be replaced.

    Args:
        asked: the record of a verb.
        made: what the command makes up beside it, and its kind, by name; another `out` gives another.

    Raises:
        InputError: naming the file, what is wrong, and the option to change.
    """
    named = arguments(asked)
    places = [place for name in named for place in _places(name, named[name], getattr(asked, name))]
    places += [_Place(name, "--out", path, kind) for name, (path, kind) in (made or {}).items()]
    _check_apart(places, lambda place: f"choose another name with {place.flag}")
    target = getattr(asked, "target", None)
    folders = isinstance(target, str | Path) and Path(target).is_dir()  # that of a model: another may be written
    for place in places:
        if folders and place.kind == "network" and place.path.is_dir():
            _check_model_folder(place.path, place.flag, force=getattr(asked, "force", False))
        elif place.kind:
            _check_place(place, force=getattr(asked, "force", False))


def check_apart(verb: type, **given: Any) -> None:
    """From Python: no file that is written is another one that the arguments name. Only paths are looked at.

    Raises:
        InputError: naming the file, and both arguments.
    """
    named, paths = arguments(verb), (str, Path, tuple, list)
    values = {name: value for name, value in given.items() if isinstance(value, paths)}
    places = [
        place
        for name, value in values.items()
        for place in _places(name, named[name], tuple(value) if isinstance(value, list) else value)
    ]
    _check_apart(places, lambda place: f"choose another {place.name.partition(':')[0]}")


def _places(name: str, argument: Argument, value: Any) -> Iterator[_Place]:
    for path in _files(argument, value):
        yield _Place(name, flag_of(name, argument), path, argument.written)
        if argument.written == "logs":
            yield _Place(f"{name}: {_HISTORY}", flag_of(name, argument), path / _HISTORY, "history")


def _files(argument: Argument, value: Any) -> list[Path]:
    """The files that a value names; data without a suffix is a data set by its name; code is `net.py:function`."""
    if isinstance(value, str) and not argument.kind.file:
        code, colon, _ = value.rpartition(":")
        return [Path(code)] if colon and code.endswith(".py") else []
    parts = value if isinstance(value, tuple) else (value,)
    named = (part for part in parts if argument.kind.file and isinstance(part, str | Path))
    return [Path(part) for part in named if argument.kind is not DATA or isinstance(part, Path) or Path(part).suffix]


def _check_apart(places: list[_Place], advice: Callable[[_Place], str]) -> None:
    for first, second in combinations(places, 2):
        written = first if first.kind else second
        if written.kind and _is_same(first.path, second.path):
            other = first if written is second else second
            raise InputError(f"{written.path} would be both {other.name} and {written.name}; {advice(written)}")


def _is_same(first: Path, second: Path) -> bool:
    """By whatever names: relative, through links, or two names of one file."""
    with suppress(OSError, ValueError):
        if os.path.realpath(first) == os.path.realpath(second):  # which takes links that lead in a circle as they are
            return True
        return first.exists() and second.exists() and first.samefile(second)
    return False


def _check_place(place: _Place, *, force: bool) -> None:
    if place.kind in ("logs", "folder"):  # who fills a folder looks at what is in it
        return
    if place.kind != "history" or place.path.parent.is_dir():
        check_writable(place.path)
    what, fits = _KINDS[place.kind]
    if not place.path.exists() or (force and place.kind not in _KEPT) or fits(place.path):
        return
    more = "" if place.kind in _KEPT else ", or replace it with --force"
    raise InputError(
        f"cannot write {place.path}: what is there is not {what}; choose another name with {place.flag}{more}"
    )


def _check_model_folder(path: Path, flag: str, *, force: bool) -> None:
    """A model is written into a folder that is empty, or into one that may be replaced."""
    try:
        filled = any(path.iterdir())
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}; choose another place") from error
    if filled and not force:
        raise InputError(f"cannot write {path}: the folder holds files; choose another name with {flag}, or --force")


def _head(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_HEAD)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}; choose another place") from error


def _metadata(path: Path) -> Mapping[str, Any] | None:
    """Of a safetensors file; None: it is none."""
    try:
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length)) if 2 <= length <= _MOST_HEADER else None
    except (OSError, ValueError, RecursionError):
        return None
    return header.get("__metadata__", {}) if isinstance(header, dict) else None


def _is_empty(path: Path) -> bool:
    return path.stat().st_size == 0  # as `mktemp` makes files; nothing is lost


def _is_ticket(path: Path) -> bool:
    return _is_empty(path) or "slth" in (_metadata(path) or ())


def _is_checkpoint(path: Path) -> bool:
    return "slth_checkpoint" in (_metadata(path) or ())


def _is_network(path: Path) -> bool:
    """A state dict or an ONNX model, as the suffix says."""
    if path.suffix == ".onnx":
        return _is_empty(path) or _head(path)[:1] == b"\x08"  # ir_version, the first field of a model
    found = _metadata(path)
    return _is_empty(path) or (found is not None and not {"slth", "slth_checkpoint"} & {*found})


def _is_own_network(path: Path) -> bool:
    return _is_network(path) and any(name.startswith("slth.") for name in _metadata(path) or ())


def _is_page(path: Path) -> bool:
    return _is_empty(path) or _head(path).lstrip().lower().startswith((b"<!doctype html", b"<html"))


def _is_picture(path: Path) -> bool:
    head = _head(path)
    return _is_empty(path) or head.startswith((b"\x89PNG", b"%PDF")) or (head.startswith(b"<") and b"<svg" in head)


def _is_property(path: Path) -> bool:
    return _is_empty(path) or _head(path).lstrip().startswith((b";", b"("))


def _is_history(path: Path) -> bool:
    return _is_empty(path) or _head(path).startswith(b"stage,")


def _is_lines(path: Path) -> bool:
    """Its first line is a JSON object, or the beginning of a long one."""
    line, end, _ = _head(path).lstrip().partition(b"\n")
    if not end and len(line) == _HEAD:
        return line.startswith(b'{"')
    with suppress(ValueError, RecursionError):
        return not line or isinstance(json.loads(line), dict)
    return line.startswith(b'{"') and not end  # what a crash has left


_KINDS: dict[str, tuple[str, Callable[[Path], bool]]] = {
    "ticket": ("a ticket", _is_ticket),
    "network": ("a network of that format", _is_network),
    "own network": ("a network that slth made", _is_own_network),
    "property": ("a property in VNN-LIB", _is_property),
    "page": ("a page", _is_page),
    "picture": ("a picture", _is_picture),
    "history": ("the history of a search", _is_history),
    "checkpoint": ("a checkpoint of slth", _is_checkpoint),
    "records": ("a file of JSON lines", _is_lines),
}
_KEPT = ("checkpoint", "records")  # which are gone on with, never replaced
