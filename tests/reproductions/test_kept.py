"""The results in docs/reproductions: of every reproduction, at scale small, and the pages say what the records say."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from slth import reproductions
from slth.records import read
from slth.reproductions import Measured, Scale
from slth.reproductions._page import overview, page

FOLDER = Path(__file__).parents[2] / "docs/reproductions"
NAMES = list(reproductions.MODULES)


@pytest.mark.parametrize("name", NAMES)
def test_a_kept_page_is_what_its_records_and_its_code_say(name):
    """All but where it ran, concluded again from the kept parts."""
    one = reproductions.find(name)
    measured = kept_parts(one)
    conclusion = one.conclude(measured, Scale.SMALL)
    pictures = {
        FOLDER / f"{name}-small{f'-{figure.name}' if figure.name else ''}.svg": figure.title
        for figure in conclusion.figures
    }
    made = page(one, Scale.SMALL, conclusion, measured=measured, where=(), seconds=0, pictures=[*pictures])
    assert without_place((FOLDER / f"{name}-small.md").read_text()) == without_place(made)
    for file, title in pictures.items():
        assert ElementTree.parse(file).findtext("{http://www.w3.org/2000/svg}title") == title


def test_the_page_of_verdicts_is_that_of_the_pages():
    found = [(one, one.conclude(kept_parts(one), Scale.SMALL)) for one in reproductions.reproductions()]
    assert (FOLDER / "all-small.md").read_text() == overview(found, Scale.SMALL)


def test_nothing_else_is_kept():
    pages = {path.name for path in FOLDER.glob("*.md")}
    assert pages == {f"{name}-small.md" for name in [*NAMES, "all"]}
    shown = "".join((FOLDER / name).read_text() for name in pages)
    assert all(f"]({path.name})" in shown for path in FOLDER.glob("*.svg"))
    assert {path.stem for path in FOLDER.glob("*.jsonl")} == set(NAMES)


def without_place(text):
    return text.rpartition("\n\n")[0]


def kept_parts(one):
    """Of scale small and seed 0, in their order."""
    records = {json.dumps(record.asked, sort_keys=True): record for record in read(FOLDER / f"{one.name}.jsonl")}
    found = []
    for part in one.parts(Scale.SMALL, 0):
        asked = {"reproduction": one.name, "part": part.name, "options": dict(part.options)}
        record = records[json.dumps(asked, sort_keys=True)]
        found.append(Measured(part.name, part.options, record.outcome, record.seconds["total"]))
    return found
