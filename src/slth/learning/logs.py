"""What a run leaves to read: `history.csv`, and TensorBoard's events where that is installed."""

import csv
import io
from pathlib import Path
from typing import Any

from slth._files import check_writable, write_atomically

_CURVES = ("loss", "accuracy", "lr")
_LISTS = ("candidates",)  # of a row; the table has one value in a cell


class Logs:
    """The history of a run in a folder, which is made if only its last part is missing.

    Raises:
        InputError: the folder cannot be made or written.
    """

    def __init__(self, folder: Path):
        self._table = folder / "history.csv"
        self._events: Any = None
        if folder.parent.is_dir() and not folder.exists():
            check_writable(folder)
            folder.mkdir(exist_ok=True)
        check_writable(self._table)

    def write(self, history: list[dict[str, Any]], *, new: bool) -> None:
        """`history.csv`, whole at any moment; if it is new, the last row goes to TensorBoard, too."""
        text = io.StringIO()
        names = list(dict.fromkeys(name for row in history for name in row if name not in _LISTS))
        writer = csv.DictWriter(text, names, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(history)
        write_atomically(self._table, text.getvalue().encode())
        if new:
            self._add(history[-1])

    def close(self) -> None:
        """No file stays open."""
        if self._events:
            self._events.close()

    def _add(self, row: dict[str, Any]) -> None:
        if self._events is None:
            try:
                from torch.utils.tensorboard.writer import SummaryWriter
            except ImportError:
                self._events = False
            else:
                self._events = SummaryWriter(str(self._table.parent))
        if self._events:
            for name in _CURVES:
                if name in row:
                    self._events.add_scalar(f"{row['stage']}/{name}", row[name], row["step"])
            self._events.flush()
