"""LaTeX as MathML, which browsers show by themselves."""

import re
from html import escape

_MATHS = re.compile(r"(?<![\w$])(\${1,2})([^\s$](?:[^$]*[^\s$])?)\1(?![\w$])")
_CODE = re.compile(r"(``.*?``|`[^`\n]*`)", re.DOTALL)


def with_maths(text: str) -> str:
    """LaTeX between dollars as MathML; what is no LaTeX stays as it is."""
    blocks = re.split(r"(^    >>> .*?(?:\n\n|\Z))", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.startswith("    >>> ") else _outside_code(part) for part in blocks)


def _outside_code(text: str) -> str:
    return "".join(part if part.startswith("`") else _MATHS.sub(_mathml, part) for part in _CODE.split(text))


def _mathml(found: re.Match) -> str:
    from latex2mathml.converter import convert

    latex = " ".join(found[2].split())
    try:
        made = convert(latex, display="block" if found[1] == "$$" else "inline")
    except Exception:  # whatever a parser of somebody else may raise
        return f"<code>{escape(latex)}</code>"
    return f"<span>{made.replace('*', '&#42;').replace('_', '&#95;')}</span>"  # at the start of a line <math> is a block
