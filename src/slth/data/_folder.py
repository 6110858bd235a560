"""Where the files of the image sets lie."""

import os
from pathlib import Path

from slth._errors import InputError


def data_folder(name: str, data_dir: Path | None) -> Path:
    """The folder given, or the environment variable SLTH_DATA.

    Raises:
        InputError: neither is given, or there is no such folder.
    """
    given = data_dir if data_dir is not None else os.environ.get("SLTH_DATA", "")
    if not str(given):
        raise InputError(f"{name}: expected a folder that holds its files, got none; use --data-dir or SLTH_DATA")
    folder = Path(given).expanduser()
    if not folder.is_dir():
        raise InputError(f"{name}: expected a data folder, but {folder} is no folder; use --data-dir or SLTH_DATA")
    return folder
