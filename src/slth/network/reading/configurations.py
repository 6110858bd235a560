"""config.json of a model folder: which architecture it names. Nothing is imported for it."""

import json
from pathlib import Path
from typing import Any, NoReturn

from slth._errors import InputError
from slth.network.reading.words import first_line, listed, shown

CONFIG = "config.json"
MOST = 1 << 24  # bytes of a configuration
_EXPECTED = (
    'expected the name of a model of the transformers library, such as "architectures": ["BertModel"], as '
    "save_pretrained writes it; get a fresh copy, pass the module, or give the file of its weights by itself, which is "
    "read as a plain MLP"
)


def is_model_folder(source: Any) -> bool:
    """A folder with a config.json, whatever that holds: `architectures` says what is wrong with it."""
    return isinstance(source, (str, Path)) and (Path(source) / CONFIG).is_file()


def config_of(path: Path) -> dict[str, Any]:
    """What a folder's config.json says.

    Raises:
        InputError: it cannot be read, or is no JSON object.
    """
    try:
        with open(path / CONFIG, "rb") as file:
            found: Any = json.loads(file.read(MOST))
    except OSError as error:
        _refuse(path, f"cannot be read ({error.strerror})")
    except (ValueError, RecursionError) as error:
        _refuse(path, f"is no whole JSON of at most {MOST >> 20} MiB ({first_line(error, 120)})")
    if not isinstance(found, dict):
        _refuse(path, f"holds {'a list' if isinstance(found, list) else shown(json.dumps(found), 60)}, no object")
    return found


def architectures(path: Path) -> tuple[str, ...]:
    """The classes that it names.

    Raises:
        InputError: as `config_of`, or it names none.
    """
    config = config_of(path)
    given: Any = config.get("architectures")
    names = [name for name in given if isinstance(name, str)] if isinstance(given, list) else []
    found = tuple(name for name in names if name.isidentifier())
    if not found:
        said = f"names {shown(json.dumps(given), 60)} as architectures" if given else "names no architectures"
        _refuse(path, f"{said}; it has {listed(sorted(config), 5) or 'nothing'}")
    return found


def _refuse(path: Path, why: str) -> NoReturn:
    raise InputError(f"cannot read the target {shown(path)}: its {CONFIG} {why}; {_EXPECTED}")
