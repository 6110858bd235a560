"""Pages that stand elsewhere in the repository: README, FORMAT.md, the changelog, examples; Markdown as MkDocs reads it."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = {
    "index.md": "README.md",
    "format.md": "src/slth/ticket/FORMAT.md",
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "architecture.md": "ARCHITECTURE.md",
}
_FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_ITEM = re.compile(r"^ {0,2}([-*]|\d+\.) ")
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")


def pages() -> dict[str, str]:
    """Every page of these, by its place in the site."""
    made = {place: _one_title(_linked((ROOT / source).read_text(), source)) for place, source in ELSEWHERE.items()}
    return {**made, "examples.md": _examples(), "other_language.md": _other_language()}


def for_the_site(markdown: str) -> str:
    """A page of docs/ as MkDocs reads it: an empty line before a list, and no link out of docs/."""
    parts = _FENCE.split(markdown)
    return "".join(part if part.startswith("```") else _outside(_spaced(part)) for part in parts)


def _spaced(text: str) -> str:
    """GitHub begins a list anywhere, Python's Markdown after an empty line; inside a list it needs four spaces."""
    lines: list[str] = []
    for line in text.split("\n"):
        before = lines[-1] if lines else ""
        item = _ITEM.match(line)
        if item and before.strip() and not before.startswith(" ") and not _ITEM.match(before):
            lines.append("")
        lines.append(line)
    return "\n".join(lines)


def _outside(text: str) -> str:
    """A link to a file that is not on the site becomes its name."""

    def mend(found: re.Match) -> str:
        mark, name, target = found.groups()
        return f"{name} (`{target[3:]}`)" if target.startswith("../") and not mark and "md" not in target else found[0]

    return _LINK.sub(mend, text)


def _linked(text: str, source: str) -> str:
    """Links of a page at the root of the repository as links between pages of the site."""
    back = {file: place for place, file in ELSEWHERE.items()}
    folder = str(Path(source).parent)

    def mend(found: re.Match) -> str:
        mark, name, target = found.groups()
        path, hash_, anchor = target.partition("#")
        if not path or "://" in path:
            return found[0]
        path = path if folder == "." else f"{folder}/{path}"
        if path in back:
            return f"{mark}[{name}]({back[path]}{hash_}{anchor})"
        if path.startswith("docs/"):
            name = _title(ROOT / path) if name == path else name
            return f"{mark}[{name}]({path[5:]}{hash_}{anchor})"
        return f"{name} (`{path}`)"

    return _LINK.sub(mend, text)


def _one_title(text: str) -> str:
    """Of a page with several titles the others become sections, so that they stand in its table of contents."""
    parts = _FENCE.split(text)
    if sum(len(re.findall(r"^# ", part, re.MULTILINE)) for part in parts if not part.startswith("```")) < 2:
        return text
    deeper = [part if part.startswith("```") else re.sub(r"^(#+ )", r"#\1", part, flags=re.MULTILINE) for part in parts]
    return "".join(deeper).removeprefix("#")


def _title(page: Path) -> str:
    return page.read_text().partition("\n")[0].strip("# ")


def _examples() -> str:
    """Every example: what it says first, its code."""
    parts = [
        "# Examples",
        "Each is a file in `examples/` of at most 60 lines, runs in seconds on one core, and is run by the tests.",
    ]
    for path in sorted((ROOT / "examples").glob("*.py")):
        text = path.read_text()
        title, _, more = (ast.get_docstring(ast.parse(text)) or "").partition("\n\n")
        code = text.partition('"""\n\n')[2]
        parts += [
            f"## {path.stem.replace('_', ' ').capitalize()}",
            title,
            more,
            f"`python examples/{path.name}`",
            f"```python\n{code}```",
        ]
    return "\n\n".join(part for part in parts if part)


def _other_language() -> str:
    code = (ROOT / "examples/read_ticket.mjs").read_text()
    return f"""# Read a ticket in 60 lines of another language

[The ticket file](format.md) is a specification: a reader needs SHA-256, Philox4x32-10, JSON, and nothing of `slth`. Here is one in
plain JavaScript. It regenerates the random numbers from the seed, decides which neuron serves which input, decodes the mask, adds
up what is kept, and compares the digest of what it computed with the one in the file: the coefficients are equal bit for bit.

```sh
node examples/read_ticket.mjs tests/golden/v1.slth
```

The tests run it on the golden tickets and compare every coefficient with those of `slth`; a ticket with one changed bit is refused.
It reads constructed tickets of version 1; version 2 adds graphs, and the same scan of the same streams.

```javascript
{code}```
"""
