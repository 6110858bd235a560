"""The page in a real browser: it asks for nothing, complains about nothing, fits a phone, and knows two schemes."""

import math
import os
from dataclasses import replace

import numpy as np
import pytest
from helpers.graph_tickets import graph_ticket
from helpers.learned import any_learned, ticket_with
from helpers.tickets import any_ticket
from reporting.browser import CHROMIUM, Browser
from reporting.examples import EVIL, evaluation, exhibit, outcome
from reporting.test_graphs import deep
from reporting.test_learned_pages import record_of
from sweeps.squares import SQUARE

from slth import sweeps
from slth.records import read_evaluation, read_grid
from slth.reporting import write_page
from slth.ticket import RandomTensor

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and os.environ.get("CI") != "true", reason="no Chromium on this machine: apt-get install chromium"
)


@pytest.fixture(scope="module")
def browser():
    with Browser() as running:
        yield running


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Everything at once; a hostile ticket with endless names; records alone."""
    folder = tmp_path_factory.mktemp("pages")
    ticket, target = any_ticket((20, 30, 3))
    inputs = np.random.default_rng(0).uniform(-1, 1, (50, 20)).astype(np.float32)
    whole = exhibit(ticket, target, inputs=inputs, data="d", evaluations=(read_evaluation(outcome(ticket)),))
    learned = ticket_with(
        [
            RandomTensor(f"features.{i}.convolution.weight", shape, "sign", 0.5, math.prod(shape) // 3)
            for i, shape in enumerate([(16, 3, 3, 3), (300, 784), (10, 300)])
        ]
    )
    grids = []
    for name, asked in (
        ("one", sweeps.Recipe(SQUARE, {}, {"x": list(range(7)), "y": list(range(30))})),
        ("two", sweeps.Recipe(SQUARE, {"bad": [3]}, {"scale": [0.001, 0.1, 1.0], "x": [1, 2, 3], "y": [0, 1, 2]})),
    ):
        sweeps.run(asked, folder / name)
        grids.append(read_grid(folder / name))
    long = EVIL + "x" * 900
    origin = replace(ticket.provenance, names=dict.fromkeys(ticket.maps, (long, long)))
    object.__setattr__(origin, "method", long[:200])  # past the check
    hostile = exhibit(ticket)
    hostile = replace(hostile, ticket=replace(ticket, provenance=origin), name=long, target_name=long, data=long)
    return [
        write_page(folder / "whole.html", [whole], [evaluation(ticket)]),
        write_page(folder / "hostile.html", [hostile, whole], [replace(evaluation(ticket), asked={long: long})]),
        write_page(folder / "records.html", [], [evaluation(ticket)]),
        write_page(folder / "graphs.html", [exhibit(*deep(60)), exhibit(*graph_ticket(1)), exhibit(any_learned())]),
        write_page(
            folder / "learned.html", [exhibit(learned, searches=(record_of(learned, controls={"dense": 0.9}),))]
        ),
        write_page(folder / "sweep.html", [], grids=grids),
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_no_request_no_complaint_no_overflow(browser, pages, width, scheme):
    for path in pages:
        events = browser.open(path, width=width, scheme=scheme)
        asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
        assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
        kinds = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Network.loadingFailed")
        assert [event for event in events if event["method"] in kinds] == []
        assert browser.value("document.documentElement.scrollWidth") <= width
        assert browser.value("document.body.getBoundingClientRect().right") <= width
        assert browser.value(UNTOLD) == []


# Labels of the boxes that scroll, and above which no sentence that can be seen says so.
UNTOLD = """[...document.querySelectorAll('.scroll')].filter(box => {
  const hint = box.previousElementSibling;
  const said = hint && hint.classList.contains('hint') && hint.offsetHeight > 0 ? hint.innerText : '';
  const sideways = box.scrollWidth > box.clientWidth + 1, down = box.scrollHeight > box.clientHeight + 1;
  return sideways && !/sideways|frame/.test(said) || down && box.tagName === 'DIV' && !/down|frame/.test(said);
}).map(box => box.getAttribute('aria-label'))"""


def test_pictures_speak_for_themselves(browser, pages):
    """Each has a name that a screen reader says, and what it shows; none has a ground of its own."""
    for path in pages[:1] + pages[4:]:
        browser.open(path, width=1280)
        names = browser.value("[...document.querySelectorAll('svg')].map(e => e.querySelector('title').textContent)")
        assert names
        assert all(names)
    ask = (
        "[...document.querySelectorAll('svg')].every(e => e.getAttribute('role') === 'img' && e.querySelector('desc'))"
    )
    browser.open(pages[5], width=1280)
    assert browser.value(ask)


def test_both_schemes_are_readable(browser, pages):
    """Text and figures against the background: contrast of 4.5 for text, 3 for marks (WCAG 2)."""
    ask = """(() => {
      const light = c => c.match(/[0-9.]+/g).slice(0, 3).map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
      const paper = light(getComputedStyle(document.body).backgroundColor);
      const contrast = (query, property) => {
        const other = light(getComputedStyle(document.querySelector(query))[property]);
        return (Math.max(paper, other) + 0.05) / (Math.min(paper, other) + 0.05);
      };
      return [paper, contrast("p", "color"), contrast(".note", "color"), contrast("svg text", "fill"),
        contrast("svg .kept", "fill"), contrast("svg .missed", "fill"), contrast("svg .sum", "stroke"),
        contrast("svg .rule", "stroke"), contrast("svg .cells", "stroke"), contrast("svg .measured", "fill")];
    })()"""
    papers = []
    for scheme in ("light", "dark"):
        browser.open(pages[0], width=1100, scheme=scheme)
        paper, *contrasts = browser.value(ask)
        papers.append(paper)
        assert min(contrasts[:3]) >= 4.5, contrasts
        assert min(contrasts[3:]) >= 3, contrasts
    assert papers[0] > 0.8
    assert papers[1] < 0.05


def test_a_long_network_scrolls_inside_the_page_and_its_words_do_not_overlap(browser, pages):
    """Sixty maps in a box of a screen's height, heads of tables in sight; no text of the picture covers another."""
    browser.open(pages[3], width=1100)
    heights = browser.value("[...document.querySelectorAll('.tall')].map(e => [e.clientHeight, e.scrollHeight])")
    assert any(whole > 2 * seen for seen, whole in heights)
    assert all(seen < 600 for seen, _ in heights)
    ask = """[...document.querySelectorAll('svg.graph')].map(svg => {
      const boxes = [...svg.querySelectorAll('text')].map(t => t.getBoundingClientRect()).filter(b => b.width > 0);
      return boxes.some((a, i) => boxes.slice(i + 1, i + 3).some(b => a.left < b.right - 1 && b.left < a.right - 1
        && a.top < b.bottom - 4 && b.top < a.bottom - 4));
    })"""
    assert browser.value(ask) == [False, False]


def test_a_script_in_a_ticket_does_not_run(browser, pages):
    browser.open(pages[1], width=1100)
    assert browser.value("document.scripts.length") == 0
    assert browser.value("document.querySelector('h1, h2').textContent.includes('strong lottery tickets')")
