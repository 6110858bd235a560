"""`slth reproduce`: a list, one, all; what cannot be measured is said, and stops no other."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from reproductions.test_run import squares

from slth import reproductions
from slth.cli.app import run
from slth.reproductions import Conclusion, Row, Scale, Verdict


@pytest.fixture
def two(monkeypatch, tmp_path):
    """Two reproductions, of which the first needs data that are not there."""
    calls = []
    asked = {
        "lacking": replace(squares(calls), name="lacking", data={Scale.SMOKE: ("mnist",)}),
        "squares": squares(calls),
    }
    monkeypatch.setattr(reproductions, "MODULES", dict.fromkeys(asked, ""))
    monkeypatch.setattr(reproductions, "find", asked.get)
    (tmp_path / "data").mkdir()
    return ["--out", str(tmp_path / "out"), "--threads", "1", "--data-dir", str(tmp_path / "data")]


def test_of_all_those_are_measured_that_can_be(two, capsys):
    assert run(["reproduce", "--all", *two]) == 2
    out, errors = capsys.readouterr()
    assert "squares  in shape" in out
    assert "lacking was not measured: " in errors
    assert "--scale smoke" in errors


def test_of_all_there_is_a_page_of_verdicts(two, tmp_path, capsys):
    run(["reproduce", "--all", *two])
    page = (tmp_path / "out/all-smoke.md").read_text()
    assert "| [squares](squares-smoke.md) | Squares grow. | in shape | They grow. |" in page
    assert "lacking" not in page
    (tmp_path / "out/all-smoke.md").unlink()
    assert run(["reproduce", "--all", "--scale", "paper", *two, "--quiet"]) == 0  # nothing is attempted there
    assert not (tmp_path / "out/all-paper.md").exists()
    assert "wrote" not in capsys.readouterr().err.splitlines()[-1]


def test_one_that_cannot_be_measured_is_refused(two, capsys):
    assert run(["reproduce", "lacking", *two]) == 2
    assert run(["reproduce", "squares", *two, "--json", "--quiet"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["verdict"], data["rows"][1]["difference"]) == ("in_shape", 3)
    assert data["seconds"] >= 0


def test_a_scale_that_is_none_is_refused_once(two, capsys):
    assert run(["reproduce", "--all", *two, "--scale", "smal"]) == 2
    assert capsys.readouterr().err.count("unknown scale 'smal'; did you mean 'small'?") == 1


def no_number(text):
    raise AssertionError(text)


def test_what_is_infinite_is_null_in_json(two, monkeypatch, capsys):
    numbers = (math.inf, math.nan, np.float32(0.5), np.int64(3), "beyond", 2)
    rows = tuple(Row(what="x", ours=ours, published=1.0) for ours in numbers)
    asked = replace(
        squares([]), conclude=lambda measured, scale: Conclusion(verdict=Verdict.IN_SHAPE, because="", rows=rows)
    )
    monkeypatch.setattr(reproductions, "find", lambda name: asked)
    assert run(["reproduce", "squares", *two, "--json", "--quiet"]) == 0
    data = json.loads(capsys.readouterr().out, parse_constant=no_number)
    assert [row["ours"] for row in data["rows"]] == [None, None, 0.5, 3, "beyond", 2]
    assert [row["difference"] for row in data["rows"]] == [None, None, -0.5, 2, None, 1]


@pytest.mark.parametrize(
    ("more", "command"), [([], "the same command"), (["--again"], "the same command without --again")]
)
def test_an_interrupt_says_what_is_kept(two, more, command, monkeypatch):
    monkeypatch.setattr(reproductions, "find", lambda name: squares([], (1, 3)))
    with pytest.raises(
        KeyboardInterrupt, match=f"^finished parts are kept in .*out, and {command} goes on from there$"
    ):
        run(["reproduce", "squares", *two, *more])
