"""HTML in a few functions. A plain `str` is text from anyone and is escaped; only `Html` goes in as it is."""

import math
import re
from collections.abc import Iterable, Sequence
from html import escape

from slth.numerics import rounded_up

# Control characters, halves of surrogate pairs, and marks that turn the direction of what follows.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
MOST_ROWS = 24  # of a table that stands whole
_PHONE, _PAGE, _GAP = 42.0, 90.0, 2.0  # letters of a table's size on a phone, on a page, between columns
_TAG = re.compile(r"<[^>]*>")
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Html(str):
    """Markup, safe to stand on the page."""

    __slots__ = ()


def safe(content: str) -> Html:
    """Text as markup, whoever wrote it; `Html` stays what it is.

    >>> safe("a < b"), safe(Html("<b>"))
    ('a &lt; b', '<b>')
    """
    return content if isinstance(content, Html) else Html(escape(_UNFIT.sub("\ufffd", content)))


def tag(name: str, *content: str, **attributes: str) -> Html:
    """An element; a trailing underscore of an attribute's name is dropped, other ones become hyphens.

    >>> tag("a", "1 < 2", class_="x", href="#top")
    '<a class="x" href="#top">1 &lt; 2</a>'
    """
    head = "".join(f' {key.rstrip("_").replace("_", "-")}="{safe(value)}"' for key, value in attributes.items())
    return Html(f"<{name}{head}>{join(content)}</{name}>")


def join(parts: Iterable[str], between: str = "") -> Html:
    """Parts one after the other."""
    return Html(safe(between).join(safe(part) for part in parts))


def sentence(text: str, *values: str) -> Html:
    """Prose with values set into its `{}`: the prose is ours, the values are escaped."""
    return Html(text.format(*(safe(value) for value in values)))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, label: str, words: int = 1) -> Html:
    """A table that scrolls by itself where it does not fit, and says so; columns after `words` hold numbers.

    Whether it fits is told by its longest texts: a browser without scripts cannot be asked.
    """

    def cells(name: str, row: Sequence[str]) -> Html:
        return join(tag(name, cell, **({"class_": "n"} if i >= words else {})) for i, cell in enumerate(row))

    listed = list(rows)
    body = join(tag("tr", cells("td", row)) for row in listed)
    whole = tag("table", tag("thead", tag("tr", cells("th", head))), tag("tbody", body))
    kind = "scroll tall" if len(listed) > MOST_ROWS else "scroll"
    box = tag("div", whole, class_=kind, role="region", tabindex="0", aria_label=label)
    return join([_hint(head, listed, words), box])


def _hint(head: Sequence[str], rows: Sequence[Sequence[str]], words: int) -> Html:
    """That a table scrolls, and which way; on a phone only, where it fits a page."""
    wide, parts = _width(head, rows, words), list[Html]()
    if len(rows) > MOST_ROWS:
        parts.append(tag("span", f"↓ {len(rows):,} rows, scroll down. "))
    if wide > _PHONE:
        narrow = {} if wide > _PAGE else {"class_": "narrow"}
        parts.append(tag("span", f"→ {len(head)} columns, scroll sideways.", **narrow))
    phone_only = len(rows) <= MOST_ROWS and wide <= _PAGE
    return tag("p", *parts, class_="note hint narrow" if phone_only else "note hint") if parts else Html()


def _width(head: Sequence[str], rows: Sequence[Sequence[str]], words: int) -> float:
    """About how wide a table wants to be, in letters: numbers never break, texts and heads between words."""
    total = 0.0
    for i, name in enumerate(head):
        cells = [_TAG.sub("", row[i]) for row in rows if i < len(row)]
        whole = [len(cell) for cell in cells] if i >= words else [_longest(cell) for cell in cells]
        total += max([_longest(_TAG.sub("", name)), *whole], default=0) + _GAP
    return total


def _longest(text: str) -> int:
    return max(map(len, text.split()), default=0)


def pairs(rows: Iterable[tuple[str, str]]) -> Html:
    """Names and their values."""
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in rows))


def tiles(rows: Iterable[tuple[str, str]]) -> Html:
    """The numbers that matter most, and below each what it is; four stand two by two."""
    boxes = [tag("div", tag("strong", value), tag("span", label)) for value, label in rows]
    return tag("div", *boxes, class_="key four-tiles" if len(boxes) == 4 else "key")


def number(value: float, digits: int = 4) -> str:
    """A number for people.

    >>> number(0.34241), number(-7.19e-06, 2)
    ('0.3424', '−7.2·10⁻⁶')
    """
    mantissa, _, exponent = f"{value:.{digits}g}".partition("e")
    return mantissa.replace("-", "−") + (f"·{power(int(exponent))}" if exponent else "")


def power(exponent: int) -> str:
    """A power of ten.

    >>> power(2), power(-4)
    ('100', '10⁻⁴')
    """
    return f"{10**exponent:,}" if 0 <= exponent <= 3 else "10" + str(exponent).translate(_SUPERSCRIPT)


def at_most(bound: float, digits: int = 5) -> str:
    """An upper bound, rounded up and set for the page; `slth.numerics.at_most` is the same in plain text.

    >>> at_most(0.342411), at_most(7.19e-6, 2), at_most(0.0)
    ('0.34242', '7.2·10⁻⁶', '0')
    """
    return "∞" if math.isinf(bound) else number(rounded_up(bound, digits), digits)


def percent(value: float) -> str:
    """A proportion; never rounded up to everything, never down to nothing. The space does not break.

    >>> percent(0.97523), percent(0.99999), percent(1.0)
    ('97.52\\xa0%', '99.99\\xa0%', '100\\xa0%')
    """
    shown = f"{value:.0%}" if value in (0.0, 1.0) else f"{min(max(value * 100, 0.01), 99.99):.2f}%"
    return shown.replace("%", "\xa0%")


def plural(number: int, noun: str) -> str:
    """
    >>> plural(1, "miss"), plural(1200, "weight")
    ('1 miss', '1,200 weights')
    """
    ending = "" if number == 1 else "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{ending}"
