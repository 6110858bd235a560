"""Constructions of a small chain that are interrupted, and what they leave in their folder."""

import pytest

from helpers.networks import inputs_of, random_target
from slth.construction import Request, construct, keep_parts, parts, question
from slth.ticket import encode

WIDTHS = (4, 6, 5, 3)  # three maps
REQUEST = Request(tolerance=1e-3)
COARSE = Request(tolerance=1e-3, candidates=8)  # misses


def made(folder, request=REQUEST, target=None, *, ends=(-1.0, 1.0), restart=False, stop_at=None, started=None):
    """The ticket's bytes, its maps kept in a folder; `stop_at`: an interrupt comes in the map of this number."""
    target = random_target(WIDTHS) if target is None else target
    inputs = inputs_of(target, *ends)

    def progress(done, total):
        if started is not None and not started:
            started.append((done, total))

    with keep_parts(folder, lambda: question(target, request, inputs), restart=restart) as kept:
        if stop_at is not None:
            interrupt(kept, stop_at)
        return encode(construct(target, request, inputs=inputs, progress=progress, parts=kept))


def interrupt(kept, number):
    """Ctrl-C in the middle of a map: it is solved, and not yet kept."""
    put, count = kept.put, []

    def interrupted(key, finished):
        count.append(key)
        if len(count) == number:
            raise KeyboardInterrupt
        put(key, finished)

    kept.put = interrupted


def interrupted(folder, number, request=REQUEST, **asked):
    """A folder in which all maps before one are kept."""
    with pytest.raises(KeyboardInterrupt) as stop:
        made(folder, request, stop_at=number, **asked)
    return str(stop.value)


def maps_in(folder):
    return sorted(file.name for file in folder.iterdir() if file.suffix == ".map")


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def solved(monkeypatch):
    """The paths of the maps of a chain that are solved from now on."""
    paths, put = [], parts.Parts.put

    def counted(kept, key, finished):
        paths.append(f"layers/{int(key[:3])}")
        put(kept, key, finished)

    monkeypatch.setattr(parts.Parts, "put", counted)
    return paths
