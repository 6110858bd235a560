"""The documentation site: every public name is documented, every picture is in the gallery, it builds strictly."""

import html
import importlib
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

import slth

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs/_build"))
measured, notebooks, pages, reference, theorems = map(
    importlib.import_module, ("measured", "notebooks", "pages", "reference", "theorems")
)


@pytest.mark.parametrize("package", reference.packages())
def test_something_is_said_of_every_public_name(package):
    """A docstring; of a constant a comment beside or above it, or a sentence of its package."""
    assert reference.undocumented(package) == []


def test_every_package_is_public_or_internal():
    assert not reference.unplaced()
    assert set(slth.__all__) - {"__version__"} == set(reference.public_names("slth"))


def test_a_name_of_which_nothing_is_said_ends_the_build(tmp_path, monkeypatch):
    silent = "def said(x):\n    '''It is.'''\n\n\ndef unsaid(x):\n    return x\n\n\nKNOWN = 1  # of it\nUNKNOWN = 2\n"
    (tmp_path / "silent.py").write_text(silent)
    module = types.ModuleType("slth.silent")
    module.__file__ = str(tmp_path / "silent.py")
    module.__all__ = ["KNOWN", "UNKNOWN", "said", "unsaid"]
    exec(silent, module.__dict__)
    monkeypatch.setitem(sys.modules, "slth.silent", module)
    assert reference.undocumented("slth.silent") == ["UNKNOWN", "unsaid"]
    monkeypatch.setattr(reference, "packages", lambda: ["slth.silent"])
    with pytest.raises(SystemExit, match=r"no docstring: slth\.silent\.UNKNOWN, slth\.silent\.unsaid$"):
        reference.pages()


def test_the_reference_has_every_public_name():
    pytest.importorskip("latex2mathml")
    made = reference.pages()
    for package in reference.packages():
        page = made[f"reference/{package}.md"]
        for name in reference.public_names(package):
            assert re.search(rf"^(## {name}\b|      heading: {name}$)", page, re.MULTILINE), f"{package}.{name}"


@pytest.fixture(scope="module")
def theory():
    return theorems.pages()


def test_every_theorem_has_a_page_a_row_of_the_map_and_a_curve(theory):
    """Every one has a finite number at two values of its letter."""
    for name, theorem in theorems.THEOREMS.items():
        page = theory[f"theory/{name}.md"]
        assert f"| [{name}]({name}.md) | " in theory["theory/index.md"]
        for constant in theorem.constants.values():
            assert constant.standing.value in page
        for assumption in theorem.assumes:
            assert theorems._text(assumption.says) in page
        assert f"]({name}.svg)" in page
        assert theory[f"theory/{name}.svg"].startswith(b"<svg xmlns=")


def test_the_map_is_tables_of_whole_rows(theory):
    """Beside them a heading and a sentence for each, and what the page says at first."""
    lines = theory["theory/index.md"].splitlines()
    assert all(line.count(" | ") == 3 and line.endswith(" |") for line in lines if line.startswith("|"))
    assert len([line for line in lines if line and not line.startswith("|")]) == 2 + 2 * len(theorems.GROUPS)


def test_no_example_is_a_chance_that_is_none():
    chances = [name for name, theorem in theorems.THEOREMS.items() if theorem.unit is theorems.Unit.CHANCE]
    assert "planted" in chances
    assert all(0 < theorems._examples()[name].value < 1 for name in chances)


def test_reproductions_stand_beside_the_theorems_of_their_papers(theory):
    """With verdict and title as the kept page has them."""
    page = theory["theory/natale.md"]
    density = next(one for one in measured.kept() if one.name == "density")
    assert density.title == "Overparameterisation against the density of tickets"
    assert f"[{density.title}](../reproductions/density-small.md) ({density.verdict})" in page
    assert "density-small" not in theory["theory/otsuka.md"]
    assert [*measured.places()[0]] == ["error"]


def test_a_kept_page_without_a_verdict_ends_the_build(tmp_path):
    (tmp_path / "error-small.md").write_text("# Title\n\nWords.\n")
    with pytest.raises(SystemExit, match=r"error-small\.md has no verdict"):
        measured._read("error", tmp_path / "error-small.md")


def test_the_number_of_an_example_is_that_of_the_theorem():
    for name, example in theorems._examples().items():
        if example is not None:
            letters = {letter: example.at[letter] for letter in theorems.THEOREMS[name].letters}
            assert theorems.THEOREMS[name](**letters).value == example.value


def test_every_picture_stands_in_the_gallery_with_a_command():
    gallery = (ROOT / "docs/gallery.md").read_text()
    shown = set(re.findall(r"!\[[^]]+\]\(([^)]+)\)", gallery))
    assert {name for name in shown if "/" not in name} == {path.name for path in (ROOT / "docs").glob("*.svg")}
    for name in re.findall(r"slth reproduce (\S+) --scale small", gallery):
        assert f"reproductions/{name}-small.svg" in shown, name
    for script in re.findall(r"python (benchmarks/\S+?\.py)", gallery):
        assert (ROOT / script).is_file(), script
    for recipe in re.findall(r"slth sweep (\S+\.toml)", gallery):
        assert (ROOT / recipe).is_file(), recipe


def test_pages_from_elsewhere_link_to_each_other():
    made = pages.pages()
    assert "](format.md)" in made["index.md"]
    assert "](architecture.md)" in made["contributing.md"]
    assert "docs/" not in "".join(re.findall(r"\]\(([^)]+)\)", "".join(made.values())))
    assert len(re.findall(r"^# ", made["format.md"], re.MULTILINE)) == 1


def test_a_list_begins_after_an_empty_line_and_code_is_left_alone():
    text = "It has:\n- one,\n  more of it\n- two.\n\n```\na:\n- b\n```\nSee [this](../src/x.py) and [that](y.md).\n"
    assert pages.for_the_site(text) == (
        "It has:\n\n- one,\n  more of it\n- two.\n\n```\na:\n- b\n```\nSee this (`src/x.py`) and [that](y.md).\n"
    )


def test_the_site_builds_and_asks_no_other_server_for_anything(tmp_path):
    """Strictly: a page outside the navigation, a link to nowhere or an unknown anchor is an error.

    What is said of a theorem is shown letter by letter.
    """
    pytest.importorskip("material")
    pytest.importorskip("mkdocstrings")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    listed = {path.relative_to(tmp_path / "site") for path in (tmp_path / "site").rglob("*.html")}
    assert {Path("index.html"), Path("theory/lueker.html"), Path("reference/slth.html")} <= listed
    for path in listed:
        page = (tmp_path / "site" / path).read_text()
        loaded = re.findall(r"<(?:script|img|link|iframe)\b[^>]*?\b(?:src|href)=\"(\w+:)?//[^\"]*\"", page)
        assert not loaded, path
    for name, theorem in theorems.THEOREMS.items():
        shown = html.unescape(re.sub(r"<[^>]+>", "", (tmp_path / f"site/theory/{name}.html").read_text()))
        for said in (theorem.says, theorem.gives, theorem.note, theorem.measured):
            assert " ".join(said.replace("`", "").split()) in " ".join(shown.split())
    assert len(notebooks.pages()) == 1 + len(list((ROOT / "docs/notebooks").glob("*.ipynb")))
