"""Published results measured again: the kept pages of `slth reproduce` in the navigation, and beside the theorems."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from slth.reproductions import MODULES
from slth.theory import REPRODUCTIONS, Theorem

FOLDER = Path(__file__).resolve().parents[1] / "reproductions"
_SAID = re.compile(r"\A# (?P<title>[^\n]*)\n.*^\*\*Verdict at scale \w+: (?P<verdict>[^*]+)\.\*\* ", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Page:
    """What the page of a reproduction says, and its place."""

    name: str
    place: str
    title: str
    verdict: str


def places() -> list[dict[str, str]]:
    """For the navigation."""
    return [{one.name: one.place} for one in kept()]


def beside(theorem: Theorem) -> list[str]:
    """Links from the page of a theorem to the reproductions that rest on its paper, with their verdicts."""
    found = [one for one in kept() if theorem.sources[0] in REPRODUCTIONS[one.name]]
    return [f"[{one.title}](../{one.place}) ({one.verdict})" for one in found]


@cache
def kept() -> list[Page]:
    """Those in docs/, in the order of the registry."""
    paths = [FOLDER / f"{name}-small.md" for name in MODULES]
    return [_read(name, path) for name, path in zip(MODULES, paths, strict=True) if path.exists()]


def _read(name: str, path: Path) -> Page:
    said = _SAID.match(path.read_text())
    if said is None:
        raise SystemExit(f"docs/reproductions/{path.name} has no verdict; write it with slth reproduce")
    return Page(name, f"reproductions/{path.name}", **said.groupdict())
