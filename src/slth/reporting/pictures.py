"""Pictures as files: no ground of their own, text as text, a title and a description, readable on light and dark.

`draw_anatomy` writes one weight taken apart, `save_picture` any figure of Matplotlib's.
"""

import io
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from slth._errors import InputError
from slth._files import write_atomically
from slth.reporting.anatomy import Panel, panels, sum_words, words_for
from slth.reporting.figures import ANATOMY_HEIGHT, anatomy_parts
from slth.reporting.html import Html, safe, tag
from slth.reporting.svg import WIDTH, words
from slth.ticket import Anatomy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FORMATS = (".svg", ".png", ".pdf")
_KEPT, _MINUS, _PRUNED, _SUM = "#2a6fbb", "#c26a10", "#c9ced6", "#c2334a"
_SIDE, _LETTERS, _LINE = 250.0, 42, 15.0  # width of the words beside a picture, letters and height of a line
_STYLE = """
text { fill: #1d2126; font: 11.5px system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
text.strong { font-weight: 600; } text.head { font-size: 15px; font-weight: 600; }
.kept, .sign { fill: #2a6fbb; } .minus { fill: #c26a10; } .pruned { fill: #b3bac4; }
.sum { fill: none; stroke: #c2334a; stroke-width: 1.8; } .rule { stroke: #1d2126; stroke-dasharray: 5 3; }
.grid { stroke: #8b949e; stroke-opacity: .3; } .axis { stroke: #6e7781; }
@media (prefers-color-scheme: dark) {
  text { fill: #e4e6e8; } .rule { stroke: #e4e6e8; }
  .kept, .sign { fill: #64a5ea; } .minus { fill: #e0a04f; } .pruned { fill: #4d5660; } .sum { stroke: #f2738a; }
}
"""
_DARK = (  # Matplotlib says black by saying nothing, or in a style of each element
    "<style>text { fill: #1d2126; } @media (prefers-color-scheme: dark) { text { fill: #e4e6e8; } "
    '[style*="stroke: #000000"] { stroke: #e4e6e8 !important; } [style*="fill: #000000"] { fill: #e4e6e8 !important; } '
    "}</style>"
)
_GROUND = re.compile(r'(<g id="(?:patch_\d+|legend_\d+)">\s*<path d="[^"]*" style=")fill: #ffffff(?=")')


def check_picture_name(path: Path) -> None:
    """Refuse a format that is not drawn, before the work."""
    if path.suffix not in _FORMATS:
        raise InputError(f"a picture is written as {', '.join(_FORMATS)}; got {path.name!r}")


def draw_anatomy(anatomy: Anatomy, path: str | Path, *, target: float | None = None) -> Path:
    """Write the picture of one weight; the format comes from the suffix (.svg, .png, .pdf)."""
    path = Path(path)
    check_picture_name(path)
    found = panels(anatomy, target)
    if path.suffix == ".svg":
        return write_atomically(path, anatomy_svg(anatomy, found).encode())
    return write_atomically(path, _anatomy_by_matplotlib(anatomy, found, path.suffix[1:]))


def anatomy_svg(anatomy: Anatomy, found: tuple[Panel, ...]) -> str:
    """The halves one below the other, the words beside them."""
    head, above = 30.0, 62.0
    tall = max(ANATOMY_HEIGHT, (_words_height(found) - above * len(found)) / len(found))  # as high as the words beside
    each = tall + above
    title = f"One weight taken apart: {anatomy.name}"
    about = " ".join(
        f"{panel.half.label.capitalize()}: {int(panel.half.kept.sum())} of {len(panel.half.kept)} random products "
        f"kept, {panel.reached}."
        for panel in found
    )
    parts: list[str] = [words(2.0, 18.0, title, "start", "head")]
    for i, panel in enumerate(found):
        half, top = panel.half, head + i * each
        text = f"{half.label.capitalize()}: {int(half.kept.sum())} of {len(half.kept)} random products kept"
        lines = [f"{panel.reached}: ", *wrap(sum_words(half), 56)[:2]]
        parts += [words(2.0, top + 14, text, "start", "strong")]
        parts += [words(2.0, top + 29 + 14 * k, line.strip(": "), "start") for k, line in enumerate(lines)]
        parts.append(f'<g transform="translate(0 {top + above:g})">{"".join(anatomy_parts(panel, tall))}</g>')
    height = max(head + len(found) * each, head + _words_height(found))
    parts += _words_beside(found, WIDTH + 24, head + 14)
    head_ = (
        f'viewBox="0 0 {WIDTH + 24 + _SIDE:g} {height + 8:g}" width="{WIDTH + 24 + _SIDE:g}" height="{height + 8:g}"'
    )
    spoken = f"<title>{safe(title)}</title><desc>{safe(about)}</desc><style>{_STYLE}</style>"
    root = f'<svg xmlns="http://www.w3.org/2000/svg" {head_} role="img">'
    return f'<?xml version="1.0" encoding="utf-8"?>\n{root}{spoken}{"".join(parts)}</svg>\n'


def _lines_beside(found: Sequence[Panel]) -> list[tuple[str, list[str]]]:
    return [(word, wrap(meaning, _LETTERS)) for word, meaning in words_for(found)]


def _words_height(found: Sequence[Panel]) -> float:
    return sum(_LINE * (len(lines) + 1) + 8 for _, lines in _lines_beside(found)) + 20


def _words_beside(found: Sequence[Panel], x: float, y: float) -> list[str]:
    parts: list[str] = []
    for word, lines in _lines_beside(found):
        parts.append(words(x, y, word, "start", "strong"))
        parts += [words(x, y + _LINE * (k + 1), text, "start") for k, text in enumerate(lines)]
        y += _LINE * (len(lines) + 1) + 8
    return parts


def glossary(found: Sequence[Panel]) -> Html:
    """The words of the picture, for a page."""
    rows = (tag("div", tag("dt", word), tag("dd", meaning)) for word, meaning in words_for(found))
    return tag("dl", *rows, class_="words")


def _anatomy_by_matplotlib(anatomy: Anatomy, found: tuple[Panel, ...], form: str) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.1 * len(found)), layout="constrained")
    plots = figure.subplots(len(found), 1, squeeze=False)[:, 0]
    for axes, panel in zip(plots, found, strict=True):
        half = panel.half
        at = range(len(half.candidates))
        pairs = zip(half.candidates.tolist(), half.kept.tolist(), strict=True)
        colours = [(_MINUS if value < 0 else _KEPT) if kept else _PRUNED for value, kept in pairs]
        axes.bar(at, half.candidates, color=colours, width=0.7)
        axes.step(at, panel.running, where="mid", color=_SUM, linewidth=1.6)
        axes.axhline(panel.wanted, color="black", linewidth=0.9, linestyle=(0, (4, 3)))
        axes.axhline(0, color="black", linewidth=0.5)
        axes.set_title(
            f"{half.label}: {int(half.kept.sum())} of {len(at)} random products kept (blue +, orange −), "
            f"running sum (red)\n{panel.reached}",
            fontsize=10,
        )
        axes.set_ylabel(f"{'weight' if half.sign > 0 else 'minus the weight'}, dashed", fontsize=9)
        axes.set_xlabel("candidate: gain × lift weight × mixing weight", fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(anatomy.name, fontsize=11)
    buffer = io.BytesIO()
    figure.savefig(buffer, format=form, dpi=130)
    return buffer.getvalue()


def save_picture(figure: "Figure", path: str | Path, *, title: str, about: str, dpi: int = 110) -> Path:
    """Write a figure of Matplotlib's, see `picture_bytes`."""
    return write_atomically(path, picture_bytes(figure, Path(path).suffix[1:], title=title, about=about, dpi=dpi))


def picture_bytes(figure: "Figure", form: str, *, title: str, about: str, dpi: int = 110) -> bytes:
    """A figure of Matplotlib's, the same bytes every time; an "svg" as this file says, a "png" as it is."""
    from matplotlib import rc_context

    buffer = io.BytesIO()
    if form != "svg":
        figure.savefig(buffer, format=form, dpi=dpi)
        return buffer.getvalue()
    with rc_context({"svg.hashsalt": "slth", "svg.fonttype": "none"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return finished(buffer.getvalue().decode(), title=title, about=about).encode()


def finished(svg: str, *, title: str, about: str) -> str:
    """An SVG of Matplotlib's without its white ground, with a title and a description, readable on light and dark."""
    spoken = f"<title>{escape(title)}</title>\n <desc>{escape(about)}</desc>\n {_DARK}"
    head, end, body = _GROUND.sub(r"\1fill: none", svg).partition('version="1.1">')
    return f'{head}version="1.1" role="img">\n {spoken}{body}' if end else svg
