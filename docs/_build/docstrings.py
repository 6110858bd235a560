"""Docstrings as MkDocs reads them: examples in a section of their own, LaTeX as MathML, which browsers show by themselves."""

import re

import griffe
from maths import with_maths


class Docstrings(griffe.Extension):
    """Reads the docstring of every object once, before its sections are told apart."""

    def on_object(self, *, obj, **_):
        """Of modules, classes, functions and attributes."""
        if obj.docstring is not None:
            obj.docstring.value = for_the_site(obj.docstring.value)


def for_the_site(text: str) -> str:
    """A docstring with its examples and its mathematics marked.

    >>> for_the_site("It adds.\\n\\n>>> 1 + 1\\n2")
    'It adds.\\n\\nExamples:\\n    >>> 1 + 1\\n    2'
    """
    return with_maths(with_examples(text))


def with_examples(text: str) -> str:
    """What begins with >>> stands under "Examples:"."""
    if re.search(r"^Examples?:$", text, re.MULTILINE):
        return text
    lines: list[str] = []
    inside = False
    for line in text.split("\n"):
        if line.startswith(">>> ") and not inside:
            lines += [] if not lines or not lines[-1].strip() else [""]
            lines.append("Examples:")
            inside = True
        elif inside and not line.strip():
            inside = False
        lines.append(f"    {line}" if inside else line)
    return re.sub(r"\n\nExamples:\n(?=    >>>)", _first_only(), "\n".join(lines))


def _first_only():
    """Several blocks of examples are one section."""
    seen: list[bool] = []

    def mend(found: re.Match) -> str:
        seen.append(True)
        return found[0] if len(seen) == 1 else "\n\n"

    return mend
