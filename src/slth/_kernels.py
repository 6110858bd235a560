"""The compiler: a kernel is a plain function of arrays and numbers, compiled when it is first called and kept on disk.

Where it is kept is Numba's choice: NUMBA_CACHE_DIR, beside the code, or in the home. If neither the installation nor a
home can be written, it is a temporary folder of this user alone, since what is kept there is code that will run; if
there is none of that either, each process compiles anew. Either is said once, in the log.
"""

import logging
import os
import stat
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from numba import config, njit

_config: Any = config  # whose names Numba makes when it is imported
_log = logging.getLogger(__name__)
_VARIABLE = "NUMBA_CACHE_DIR"  # which processes that this one starts read, too


def compiled(function: Callable[..., Any] | None = None, *, inline: Literal["never", "always"] = "never") -> Any:
    """Compile a function, without holding the interpreter's lock: `@compiled`, or `@compiled(inline="always")`."""
    if function is None:
        return lambda function: compiled(function, inline=inline)  # pyright: ignore[reportUnknownLambdaType]
    try:
        return njit(function, cache=_KEPT, nogil=True, inline=inline)
    except RuntimeError as error:  # Numba finds no place after all
        if "cannot cache" not in str(error):
            raise
        return njit(function, nogil=True, inline=inline)


def _choose_place() -> bool:
    """Whether compiled kernels can be kept; where Numba would find no place, it is told one."""
    if _config.CACHE_DIR or _can_hold(Path(__file__).with_name("__pycache__")):
        return True
    home = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))
    if home.is_absolute() and _can_hold(home / "numba"):  # without a home it would be a folder called ~
        return True
    place = _private_folder()
    if place is None:
        _log.warning(
            "compiled kernels are not kept, and every start takes longer: neither the installation, a home nor a "
            "temporary folder can be written; %s=FOLDER names one",
            _VARIABLE,
        )
        return False
    os.environ[_VARIABLE] = _config.CACHE_DIR = str(place)
    _log.warning("compiled kernels are kept in %s: neither the installation nor a home can be written", place)
    return True


def _private_folder() -> Path | None:
    """A temporary folder that is this user's alone."""
    with suppress(OSError):
        parent = Path(tempfile.gettempdir())
        if parent == Path.cwd():  # what Python takes where there is no temporary folder
            return None
        owner = os.getuid() if sys.platform != "win32" else 0
        folder = parent / f"slth-kernels-{owner}"
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        private = sys.platform == "win32" or (found.st_uid == owner and not found.st_mode & 0o077)
        if stat.S_ISDIR(found.st_mode) and private and _can_hold(folder):
            return folder
    return None


def _can_hold(folder: Path) -> bool:
    """Whether files can be made in a folder, which is made itself if it is not there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


_KEPT = _choose_place()
