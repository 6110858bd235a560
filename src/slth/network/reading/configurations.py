"""config.json of a model folder: which architecture it names. Nothing is imported for it."""

import json
from pathlib import Path
from typing import Any

CONFIG = "config.json"
MOST = 1 << 24  # bytes of a configuration


def config_of(path: Path) -> dict[str, Any]:
    """What a folder's config.json says; nothing if it is none."""
    try:
        with open(path / CONFIG, "rb") as file:
            found = json.loads(file.read(MOST))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def architectures(path: Path) -> tuple[str, ...]:
    """The classes that it names."""
    names = config_of(path).get("architectures")
    return tuple(str(name) for name in names if str(name).isidentifier()) if isinstance(names, list) else ()
