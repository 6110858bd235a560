"""What a reproduction found, as a page of Markdown and as lines of a terminal."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from slth.records import duration
from slth.reproductions._reproduction import Conclusion, Measured, Reproduction, Row, Scale, Verdict
from slth.theory import REFERENCES

HEAD = ("", "published", "ours", "difference", "")  # of the columns of a table
OVERVIEW_HEAD = ("name", "what is claimed", "verdict", "because")


def page(
    reproduction: Reproduction,
    scale: Scale,
    conclusion: Conclusion,
    *,
    measured: Sequence[Measured],
    where: Sequence[str],
    seconds: float,
    pictures: Sequence[Path],
) -> str:
    """The page: statement, verdict, figures, table, settings, sources, where it ran."""
    place = f", {reproduction.place}" if reproduction.place else ""
    first, *others = [REFERENCES[key] for key in reproduction.sources]
    lines = [
        f"# {reproduction.title[:1].upper()}{reproduction.title[1:]}",
        f"{reproduction.says} *{first.short}{place}.*",
        f"**Verdict at scale {scale.value}: {conclusion.verdict.value}.** {conclusion.because}",
    ]
    lines += [f"![{reproduction.title}]({picture.name})" for picture in pictures]
    if conclusion.rows:
        body = [_line(HEAD), _line(["---"] * len(HEAD)), *(_line(cells(row)) for row in conclusion.rows)]
        lines.append("\n".join(body))
    lines.append(f"Settings: {reproduction.settings}")
    lines.append(f"Measured at this scale: {_options(measured)}.")
    if others:
        lines.append(f"Beside it: {'; '.join(reference.short for reference in others)}.")
    lines.append(
        f"`slth reproduce {reproduction.name} --scale {scale.value}`, {duration(seconds)}; {'; '.join(where)}."
    )
    return "\n\n".join(lines) + "\n"


def overview(found: Sequence[tuple[Reproduction, Conclusion]], scale: Scale) -> str:
    """One page for many: what is claimed, the verdict, why."""
    lines = [_line(OVERVIEW_HEAD), _line(["---"] * len(OVERVIEW_HEAD))]
    for one, conclusion in found:
        name = (
            f"[{one.name}]({one.name}-{scale.value}.md)"
            if conclusion.verdict is not Verdict.NOT_ATTEMPTED
            else one.name
        )
        lines.append(_line((name, one.says, conclusion.verdict.value, conclusion.because)))
    about = (
        f"By `slth reproduce --all --scale {scale.value}`. The page of each has the table published / ours / "
        "difference, the figure, what was chosen where the source is silent, by which rule the verdict is drawn, and "
        "where it ran. *Reproduced*: what is claimed is seen, with its numbers where it has any. *In shape*: a law, an "
        "order or a bound of it is seen, not its numbers, or not all of it. *Not reproduced* is a result, too; to an "
        "open question it is a no."
    )
    return f"# Published results, measured again\n\n{about}\n\n" + "\n".join(lines) + "\n"


def _options(measured: Sequence[Measured]) -> str:
    """Every option of the parts with the values that it took, each once: what is true at this scale."""
    taken: dict[str, dict[str, None]] = {}
    for part in measured:
        for name, value in part.options.items():
            taken.setdefault(name, {})[_option(value)] = None
    return "; ".join(f"{name} = {', '.join(values)}" for name, values in taken.items())


def _option(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_option, cast('Sequence[Any]', value)))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def cells(row: Row) -> tuple[str, ...]:
    """What, published, ours, difference, note, as texts."""
    difference = "" if row.difference is None else f"{row.difference:+.3g}"
    return row.what, _shown(row.published), _shown(row.ours), difference, row.note


def _shown(value: float | str | None) -> str:
    return "" if value is None else value if isinstance(value, str) else f"{value:.4g}"


def _line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(text.replace('|', '&#124;') for text in texts)} |"
