"""Pictures as files: no ground, text as text, a title and a description, signs, words beside."""

import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from helpers.tickets import any_ticket
from matplotlib.figure import Figure

from slth.evidence import sizes
from slth.records import Evaluation, Proportion
from slth.reporting import data, draw_anatomy, save_picture
from slth.reporting.anatomy import panels, sum_words, words_for
from slth.reporting.facts import Raster
from slth.reporting.figures import mask
from slth.ticket import take_apart

SVG = "{http://www.w3.org/2000/svg}"
DOCS = Path(__file__).parents[2] / "docs"


def anatomy(**more):
    ticket, target = any_ticket((6, 8, 3))
    weight = next(iter(target.coefficients.values())).weight
    return take_apart(ticket, "layers/0", output=2, input=5, **more), float(weight[2, 5, 0])


def test_signs_stand_at_the_kept_candidates_and_words_beside(tmp_path):
    """One + or − for each kept candidate of a half, blue and orange, and grey bars without."""
    found, target = anatomy()
    root = ElementTree.parse(draw_anatomy(found, tmp_path / "w.svg", target=target)).getroot()
    texts = [(e.text, e.get("class", "")) for e in root.iter(f"{SVG}text")]
    kept = np.concatenate([half.candidates[half.kept] for half in found.halves])
    assert sum(text == "+" and "kept" in kind for text, kind in texts) == (kept >= 0).sum()
    assert sum(text == "−" and "minus" in kind for text, kind in texts) == (kept < 0).sum()
    bars = [e.get("class") for e in root.iter(f"{SVG}rect")]
    assert (bars.count("kept"), bars.count("minus")) == ((kept >= 0).sum(), (kept < 0).sum())
    assert len(bars) == sum(len(half.candidates) for half in found.halves)
    assert {word for word, _ in words_for(panels(found))} <= {text for text, _ in texts}
    assert root.find(f"{SVG}title").text == f"One weight taken apart: {found.name}"
    for panel in panels(found, target):
        assert panel.reached in root.find(f"{SVG}desc").text


@pytest.mark.parametrize(
    ("name", "stage", "told"),
    [
        ("positive", 0, {"half"}),
        ("negative", 1, {"half", "stage"}),
        ("whole", 0, {"both signs"}),
        ("whole", 1, {"both signs", "stage"}),
        ("bias", 0, set()),
    ],
)
def test_words_are_those_of_the_picture(name, stage, told):
    """No half is explained where one subset serves both signs, no stage where there is one, no minus without a half."""
    found, _ = anatomy()
    picture = replace(found, halves=(replace(found.halves[0], name=name, stage=stage),))
    words = dict(words_for(panels(picture)))
    assert words.keys() & {"half", "both signs", "stage"} == told
    assert ("minus" in words["dashed line"]) == (name == "negative")


@pytest.mark.parametrize("rows", [3, 4, 8, 30])
def test_labels_of_a_low_mask_do_not_meet(rows):
    """The first and the last output stand in lines of their own, or the last one is not named."""
    kept = np.ones((rows, 4, 22), np.bool_)
    html = mask(Raster(np.arange(rows), np.arange(4), kept, 0), label="m")
    lines = [float(y) for y, text in re.findall(r'y="([\d.]+)"[^>]*>([^<]*)</text>', str(html)) if "input" not in text]
    ends = lines[-2:] if rows > 4 else lines[-1:]
    assert len(lines) == 4 + len(ends)  # one for each input
    assert np.diff(ends).size == 0 or np.diff(ends)[0] > 12


@pytest.mark.parametrize(("positions", "interval"), [(1, True), (16, False)])
def test_intervals_are_explained_where_they_stand(positions, interval):
    """Positions of one input are not drawn one by one, so their share has none."""
    ticket, _ = any_ticket((6, 8, 3))
    found = Evaluation("d", 9, sizes(ticket), None, positions=positions, accuracy=Proportion(7, 9 * positions))
    assert data.has_interval(found) == interval == any("[" in text for _, text in data.rows(found))


def test_the_sum_is_written_with_its_signs():
    """What is written adds up to what is realised, to the digits that are shown."""
    found, _ = anatomy()
    for half in found.halves:
        left, right = sum_words(half, most=99).replace("−", "-").split(" = ")
        terms = re.findall(r"[+-]?\s?\d+\.\d+", left)
        assert len(terms) == half.kept.sum()
        assert abs(sum(float(term.replace(" ", "")) for term in terms) - float(right)) < 1e-4 * len(terms)
        assert f"{half.candidates[half.kept].sum():.6f}" == right
    none = replace(found.halves[0], kept=np.zeros_like(found.halves[0].kept))
    assert sum_words(none) == "0 = 0.000000"
    every = replace(none, kept=np.ones_like(none.kept))
    assert f"and {len(every.kept) - 2} smaller" in sum_words(every, most=2)


@pytest.mark.parametrize("suffix", [".png", ".pdf"])
def test_other_formats_are_drawn_too(tmp_path, suffix):
    found, target = anatomy()
    assert draw_anatomy(found, tmp_path / f"w{suffix}", target=target).stat().st_size > 5000


def test_a_figure_of_matplotlib_loses_its_ground_and_gains_words(tmp_path):
    figure = Figure()
    figure.add_subplot().plot([1, 2, 3])
    paths = [save_picture(figure, tmp_path / f"{i}.svg", title="a < b", about="three & more") for i in range(2)]
    text = paths[0].read_text()
    assert text == paths[1].read_text()
    assert "fill: #ffffff" not in text
    root = ElementTree.fromstring(text)
    assert (root.find(f"{SVG}title").text, root.find(f"{SVG}desc").text) == ("a < b", "three & more")
    assert list(root.iter(f"{SVG}text"))


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.svg")), ids=lambda path: path.stem)
def test_every_picture_of_the_documents_is_such_a_picture(path):
    text = path.read_text()
    root = ElementTree.fromstring(text)
    assert root.get("role") == "img"
    assert unescape(root.find(f"{SVG}title").text).strip()
    assert root.find(f"{SVG}desc").text.strip()
    assert len(list(root.iter(f"{SVG}text"))) > 5
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r'<g id="patch_[12]">\s*<path d="[^"]*" style="fill: #ffffff', text)
