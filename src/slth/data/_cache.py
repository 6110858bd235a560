"""Arrays that took long to make, kept as .npy files; the SHA-256 of the content decides whether a file is believed."""

import hashlib
import io
import logging
import os
from pathlib import Path

import numpy as np

from slth._errors import InputError
from slth._files import write_atomically
from slth._shapes import Pixels

_log = logging.getLogger(__name__)
_HEADER = 128  # bytes before the array in an .npy file of format 1 with a short header


def cache_folder() -> Path:
    """The environment variable SLTH_CACHE; else `slth` in XDG_CACHE_HOME, or in ~/.cache."""
    if given := os.environ.get("SLTH_CACHE"):
        return Path(given).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "slth"


def digest_of(rows: Pixels) -> str:
    """SHA-256 of the bytes in C order, hexadecimal."""
    return hashlib.sha256(np.ascontiguousarray(rows).data).hexdigest()


def read_cached(name: str, shape: tuple[int, ...], sha256: str) -> Pixels | None:
    """The cached array, or None if there is none that is whole and right."""
    path = _place(name, sha256)
    try:
        if path.stat().st_size != _HEADER + np.prod(shape, dtype=int):  # a header may promise more than there is
            return None
        with open(path, "rb") as file:
            rows = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError):
        return None
    if not (isinstance(rows, np.ndarray) and rows.dtype == np.uint8 and rows.shape == shape):
        return None
    return rows if digest_of(rows) == sha256 else None


def write_cached(name: str, rows: Pixels, sha256: str) -> None:
    """Keep the array; a place that cannot be written costs a warning, not the array."""
    path = _place(name, sha256)
    content = io.BytesIO()
    np.save(content, rows)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content.getvalue())
    except (OSError, InputError) as reason:
        _log.warning("%s is not cached and will be decoded again: %s; SLTH_CACHE names another folder", name, reason)


def _place(name: str, sha256: str) -> Path:
    return cache_folder() / f"{name}-{sha256[:16]}.npy"
