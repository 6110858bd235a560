"""The page of a sweep: curves with intervals, its table, its cells and tickets, the recipe."""

import json
import os
import re
import tomllib
from dataclasses import replace
from html import unescape
from urllib.parse import unquote

import numpy as np
import pytest
from reporting.test_graphs import text_of
from sweeps.squares import SQUARE, recipe

import slth
from slth import InputError, sweeps
from slth.cli.app import run
from slth.records import read_grid
from slth.reporting import page
from slth.reporting.sweep import recipe as recipe_on


def made(folder, **changes):
    return sweeps.run(replace(recipe(3, 4), rows="x", **changes), folder)


def test_points_are_means_and_bars_student_s_intervals(tmp_path):
    """x² + y over four y: the mean is x² + 1.5, half of the interval t s / √4 = 3.1824 · 1.2910 / 2."""
    asked = sweeps.Recipe(SQUARE, {}, {"x": [1, 2, 3], "scale": [1.0, 2.0], "y": [0, 1, 2, 3]}, "scale", "x")
    sweep = sweeps.run(asked, tmp_path / "r")
    text = text_of(page([], grids=[read_grid(tmp_path / "r")]))
    assert np.allclose(sweep.table().half, 3.182446 * np.std([0, 1, 2, 3], ddof=1) / 2)
    for x in (1, 2, 3):
        assert f"{x * x + 1.5:.4g} ± 2.1" in text
    label = "95 % interval of the mean, Student's"
    assert f"Each point is the mean of 4 cells that differ in y; the bars around it: {label}." in text
    assert f"Each entry is the mean of 4 cells that differ in y; ±: {label}." in text
    assert sweep.table().note == f"±: {label}, over 4 cells that differ in y"


def test_one_cell_has_no_interval(tmp_path):
    sweeps.run(recipe(3, 2), tmp_path / "r")
    html = page([], grids=[read_grid(tmp_path / "r")])
    assert "Each point is one cell; one cell has no interval." in html
    assert "±" not in html
    assert 'class="interval' not in html


@pytest.mark.parametrize(
    ("grid", "sentence"),
    [
        ({"x": [1, 3, 9, 40]}, None),
        ({"x": [0, 1, 2, 400]}, "Places stand evenly, whatever their distance."),
        ({"source": ["a", "b"]}, None),
        ({"x": [5]}, None),
        ({}, None),
        ({"y": list(range(9)), "x": [1, 2]}, None),
    ],
)
def test_any_grid_is_a_page(tmp_path, grid, sentence):
    sweeps.run(sweeps.Recipe(SQUARE, {}, grid), tmp_path / "r")
    html = page([], grids=[read_grid(tmp_path / "r")])
    assert not re.search(r"\b(nan|inf)\b", html)
    assert (sentence or "") in html
    assert html.count("<svg") == bool(grid)


def test_more_curves_than_colours_are_told(tmp_path):
    sweeps.run(sweeps.Recipe(SQUARE, {}, {"x": list(range(8)), "y": list(range(9))}), tmp_path / "r")
    assert "6 of 8 curves are drawn, evenly chosen; the table has all." in page([], grids=[read_grid(tmp_path / "r")])


def test_failures_and_cells_that_are_missing_are_said(tmp_path):
    sweeps.run(recipe(3, 2, bad=[1]), tmp_path / "r")
    text = text_of(page([], grids=[read_grid(tmp_path / "r")]))
    assert "4 of 6 cells are done." in text
    assert "2 failed" in text
    assert "x 1, y 0 ArithmeticError: 1 is bad" in text
    assert "not finished" in text


def test_the_recipe_on_the_page_asks_the_same(tmp_path):
    text = 'verb = "square"\n[options]\nbad = [7, 8.5]\nsource = "a"\n[grid]\nx = [1, 2]\nscale = [0.1, 1e-9]\n'
    (tmp_path / "one.toml").write_text(text)
    asked = sweeps._recipe.read(tmp_path / "one.toml", {"square": SQUARE})
    sweeps.run(asked, tmp_path / "r")
    (tmp_path / "two.toml").write_text("\n".join(recipe_on(read_grid(tmp_path / "r"))))
    again = sweeps._recipe.read(tmp_path / "two.toml", {"square": SQUARE})
    assert [cell.question for cell in again.cells()] == [cell.question for cell in asked.cells()]
    assert tomllib.loads((tmp_path / "two.toml").read_text())["table"] == {
        "rows": "x",
        "columns": "scale",
        "value": "result",
    }


def test_tickets_are_linked_from_wherever_the_page_lies(tmp_path, monkeypatch):
    """Of a sweep of `construct`: each link leads to a ticket of that cell."""
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    asked = {"hidden": [4], "epochs": 1, "candidates": 16}
    grid = {"tolerance": [0.03, 0.01]}
    sweeps.run(sweeps.Recipe(sweeps.VERBS["construct"], asked, grid), "r", keep_tickets=True).write_table()
    (tmp_path / "else").mkdir()
    assert run(["report", "r", "--out", "else/p.html", "-q"]) == 0
    for place in (tmp_path / "else" / "p.html", tmp_path / "r" / "report.html"):
        links = [unquote(unescape(link)) for link in re.findall(r'href="([^"#]*\.slth)"', place.read_text())]
        found = [slth.load(os.path.normpath(place.parent / link)) for link in links]
        assert [ticket.provenance.asked["tolerance"] for ticket in found] == grid["tolerance"]
        assert str(tmp_path) not in place.read_text()


def test_a_folder_that_does_not_say_its_grid_is_refused_in_a_sentence(tmp_path, capsys):
    made(tmp_path / "r")
    marker = tmp_path / "r" / "slth-sweep.json"
    whole = json.loads(marker.read_text())
    cases = [
        ({"format": 1}, "does not say which grid it holds"),
        ({**whole, "last": 3}, "is damaged"),
        ({**whole, "last": {**whole["last"], "questions": ["../../x"] * 12}}, "is damaged"),
        ({**whole, "last": {**whole["last"], "questions": []}}, "is damaged"),
        ({**whole, "last": {**whole["last"], "grid": {"x": []}}}, "is damaged"),
        ({**whole, "last": {**whole["last"], "rows": "z"}}, "is damaged"),
    ]
    for data, sentence in cases:
        marker.write_text(json.dumps(data))
        with pytest.raises(InputError, match=sentence):
            read_grid(tmp_path / "r")
        assert run(["report", str(tmp_path / "r"), "--out", str(tmp_path / "p.html")]) == 2
        assert sentence in capsys.readouterr().err
    assert not (tmp_path / "p.html").exists()


def test_the_command_names_any_folder_as_a_shell_reads_it(tmp_path):
    sweeps.run(recipe(1, 1), tmp_path / "my results")
    assert "slth sweep recipe.toml --out 'my results'" in text_of(page([], grids=[read_grid(tmp_path / "my results")]))
