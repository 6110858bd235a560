"""The folder of a construction under way, such as net.slth.part: what it may hold, and how that is read.

request.json    what was asked, see `slth.construction.question`; written first, removed last
007-<key>.map   a finished map: the SHA-256 of all that follows, a line; key and misses as JSON, a line; the packed bits
lock            while a process works on it

A folder with anything else in it is not ours: it is refused, and nothing in it is ever removed. Every file is written
whole; what a killed writer has left of one is removed by the next.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from slth._errors import InputError
from slth._files import unfinished, write_atomically
from slth._shapes import Bits
from slth.ticket import MOST_MISSES, Miss, Moves

REQUEST, LOCK = "request.json", "lock"
_MAP = re.compile(r"\d{3,}-[0-9a-f]{32}\.map")
_MOST_SHOWN = 4  # differences that a sentence lists


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """What solving one map yields. Its coefficients and every claim are computed from its mask again, never read."""

    bits: Bits  # the mask, as `Gadget.pack` makes it
    misses: tuple[Miss, ...] = ()  # the first of them, as many as a ticket lists
    moves: Mapping[str, Moves] = field(default_factory=dict[str, Moves])  # by tensor; not kept in files


def check_ours(folder: Path) -> None:
    """Refuse a folder that holds other things than a construction keeps. A missing or empty one is fine.

    Raises:
        InputError: naming what does not belong there.
    """
    try:
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise InputError(f"{folder} is no folder, so finished maps cannot be kept there; move it away")
        entries = sorted(folder.iterdir()) if folder.exists() else []
        foreign = [entry.name for entry in entries if not _is_ours(entry)]
    except OSError as error:
        raise InputError(f"cannot read {folder}: {error.strerror or error}; choose another place") from error
    names = {entry.name for entry in entries}
    if foreign:
        raise InputError(f"{folder} holds {foreign[0]!r}, which no construction wrote; move it away, or the folder")
    if REQUEST not in names and any(_MAP.fullmatch(name) for name in names):
        raise InputError(f"{folder} holds maps and no {REQUEST} that says what they are for; remove the folder")


def read_request(folder: Path) -> dict[str, Any] | None:
    """What the maps in the folder are for; None if nothing is there.

    Raises:
        InputError: the file is damaged, or nobody knows who wrote it.
    """
    try:
        asked = json.loads((folder / REQUEST).read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"cannot read {folder / REQUEST}: {error.strerror or error}") from error
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict) or "slth" not in asked:
        raise InputError(f"{folder / REQUEST} is damaged, or none that slth wrote; remove the folder to start anew")
    return asked


def check_same(folder: Path, there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    """Refuse to go on from what was made for another request, or by another version.

    Raises:
        InputError: naming what differs.
    """
    if there.get("slth") != here.get("slth"):
        raise InputError(
            f"{folder} was written by slth {_shown(there, 'slth')}, this is {_shown(here, 'slth')}; go on with that "
            "version, or give --restart to discard what it finished"
        )
    other = [name for name in {**here, **there} if here.get(name, ...) != there.get(name, ...)]
    if other:
        said = [f"{name} is {_shown(there, name)} there and {_shown(here, name)} here" for name in other[:_MOST_SHOWN]]
        more = f" and {len(other) - _MOST_SHOWN} more differences" if len(other) > _MOST_SHOWN else ""
        raise InputError(
            f"{folder} holds maps of another request: {', '.join(said)}{more}; ask for the same to go on from them, "
            "or give --restart to discard them"
        )


def finished_names(folder: Path) -> set[str]:
    """The keys of the maps in the folder."""
    return {file.stem for file in folder.iterdir() if _MAP.fullmatch(file.name)}


def write_map(folder: Path, key: str, finished: Finished) -> None:
    """Write one map's file."""
    facts = {"key": key, "misses": [asdict(miss) for miss in finished.misses[:MOST_MISSES]]}
    body = json.dumps(facts).encode() + b"\n", finished.bits.tobytes()
    digest = hashlib.sha256(body[0])
    digest.update(body[1])
    write_atomically(folder / f"{key}.map", [digest.hexdigest().encode() + b"\n", *body])


def read_map(folder: Path, key: str, *, size: int) -> Finished | None:
    """The map of a key, with a mask of so many bytes; None if it is not there.

    Raises:
        InputError: the file is damaged, or belongs to another key.
    """
    path = folder / f"{key}.map"
    try:
        head, _, body = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    facts, _, bits = body.partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != head:
        raise InputError(f"{path} is damaged")
    try:
        said = json.loads(facts)
        own, misses = said["key"], tuple(Miss(**miss) for miss in said["misses"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(f"{path} is damaged, or none that slth wrote") from error
    if own != key or len(bits) != size:
        raise InputError(f"{path} is the file of another map")
    return Finished(np.frombuffer(bits, np.uint8), misses)


def remove_files(folder: Path) -> None:
    """Remove all that slth wrote there but the lock; the request last: killed in between, a smaller folder is left."""
    files = [file for file in folder.iterdir() if _is_ours(file) and file.name != LOCK]
    for file in sorted(files, key=lambda file: file.name == REQUEST):
        file.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Remove what killed writers have left."""
    for file in folder.iterdir():
        if _is_ours(file) and unfinished(file.name):
            file.unlink(missing_ok=True)


def _is_ours(entry: Path) -> bool:
    name = unfinished(entry.name) or entry.name
    return entry.is_file() and not entry.is_symlink() and (name in (REQUEST, LOCK) or bool(_MAP.fullmatch(name)))


def _shown(asked: Mapping[str, Any], name: str) -> str:
    """A value for people; of a digest the beginning."""
    value = asked.get(name, "absent")
    text = value if isinstance(value, str) else json.dumps(value)
    return f"{text[:12]}..." if len(text) == 64 else text[:80]
