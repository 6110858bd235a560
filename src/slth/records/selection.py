"""What a query selects: names of columns, and rows of plain values."""

import csv
import io
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Selection:
    """The answer of a query. Values are None, bool, int, float, str, and lists and dictionaries of these."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def as_plain(self) -> list[dict[str, Any]]:
        """A dictionary for each row; of columns of one name the last one stays.

        >>> Selection(("kind", "n"), (("search", 3),)).as_plain()
        [{'kind': 'search', 'n': 3}]
        """
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def as_csv(self) -> str:
        """Comma-separated values with a header; nothing where there is no value, JSON for lists and dictionaries."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([_text(value) for value in row] for row in self.rows)
        return text.getvalue()

    def as_text(self, most: int = 60) -> str:
        """Columns beside each other, numbers to the right; a value of more than `most` characters is cut."""
        cells = [[_short(value, most) for value in row] for row in self.rows]
        lines = [self.columns, *cells]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        right = [all(_is_number(row[i]) or row[i] is None for row in self.rows) for i in range(len(self.columns))]
        shown = (
            "  ".join(
                cell.rjust(width) if last else cell.ljust(width)
                for cell, width, last in zip(line, widths, right, strict=True)
            ).rstrip()
            for line in lines
        )
        return "\n".join(shown)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict | bool) else value


def _short(value: Any, most: int) -> str:
    text = "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(_text(value))
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
