"""Names and values of others in messages: nothing that a terminal would act on, nothing endless."""

from typing import Any


def shown(text: Any, most: int = 120) -> str:
    r"""Text with every character that does not print as an escape, cut.

    >>> shown("fc\x1b[31m")
    'fc\\x1b[31m'
    """
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))
    return plain if len(plain) <= most else f"{plain[: most - 3]}..."


def listed(names: Any, most: int = 8) -> str:
    """The first names, separated by commas.

    >>> listed(["a", "b", "c"], most=2)
    'a, b, ... (3 in all)'
    """
    known = [shown(name) for name in names]
    return ", ".join(known) if len(known) <= most else f"{', '.join(known[:most])}, ... ({len(known)} in all)"


def first_line(error: BaseException, most: int = 200) -> str:
    """What an exception of others says first, or its type."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return shown(lines[0], most) if lines else type(error).__name__
