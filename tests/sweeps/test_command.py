"""`slth sweep`, and the sweep of `construct`."""

import json

import pytest
from sweeps.squares import SQUARE, logged

from slth import sweeps
from slth.cli.app import run

RECIPE = 'verb = "square"\n[options]\nbad = [7]\n[grid]\nx = [1, 2]\ny = [0, 3]\n'


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    monkeypatch.setitem(sweeps.VERBS, "square", SQUARE)
    path = tmp_path / "try.toml"
    path.write_text(RECIPE)
    return path


def test_a_sweep_prints_its_table_and_writes_beside_the_recipe(recipe, capsys):
    assert run(["sweep", str(recipe)]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == ["result, 4 of 4 cells", r"x \ y  0  3", "1      1  4", "2      4  7"]
    assert "4 of 4 cells" in err
    folder = recipe.with_name("try-results")
    assert (folder / "table.csv").read_text().splitlines()[1] == "1,0,1.0,,1,"
    assert (folder / "heatmap.svg").read_text().count("<svg") == 1
    wrote = (folder / "heatmap.svg").read_bytes()
    assert run(["sweep", str(recipe), "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    assert (folder / "heatmap.svg").read_bytes() == wrote
    assert len(logged(folder, "begun")) == 4


def test_a_dry_run_writes_nothing(recipe, capsys):
    assert run(["sweep", str(recipe), "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "open            4" in out
    assert "unknown" in out
    assert list(recipe.parent.iterdir()) == [recipe]
    assert run(["sweep", str(recipe), "-q"]) == 0
    capsys.readouterr()
    assert run(["sweep", str(recipe), "--dry-run"]) == 0
    assert "estimated time  0 s" in capsys.readouterr().out


def test_json_prints_every_record(recipe, capsys):
    assert run(["sweep", str(recipe), "--json", "-q"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [record["outcome"]["result"] for record in found] == [1, 4, 4, 7]


def test_a_failing_cell_makes_the_exit_code_1(recipe, capsys):
    recipe.write_text(RECIPE.replace("[7]", "[2]"))
    assert run(["sweep", str(recipe)]) == 1
    out, err = capsys.readouterr()
    assert "2      –  –" in out
    assert "failed: x 2, y 3: ArithmeticError: 2 is bad" in err
    recipe.write_text(RECIPE.replace("[7]", "[1, 2]"))
    assert run(["sweep", str(recipe)]) == 1


def test_bad_input_ends_with_2(recipe, capsys):
    assert run(["sweep", str(recipe), "--out", str(recipe.parent)]) == 2
    assert "choose a new or an empty folder" in capsys.readouterr().err
    recipe.write_text(RECIPE.replace("[grid]", "[girds]"))
    assert run(["sweep", str(recipe)]) == 2
    assert "did you mean 'grid'?" in capsys.readouterr().err
    assert run(["sweep", "nowhere.toml"]) == 2


def test_construct_can_be_swept(tmp_path):
    """One target is trained for all cells; a smaller tolerance misses at least as often."""
    pytest.importorskip("torch")
    grid = {"tolerance": [0.03, 0.003]}
    asked = {"hidden": [4], "epochs": 1, "candidates": 10}
    sweep = sweeps.run(sweeps.Recipe(sweeps.VERBS["construct"], asked, grid), tmp_path / "r")
    assert not sweep.failed, sweep.failed[0].outcome["traceback"]
    few, many = (record.outcome for record in sweep.records)
    assert few["misses"] < many["misses"]
    assert few["target_accuracy"] == many["target_accuracy"]
    assert few["verified"]
    assert many["verified"]
    assert 0 < few["measured_error"] <= few["certified_error"]
    assert len(list((tmp_path / "r" / "shared").glob("*.safetensors"))) == 1
    assert sweep.table().value == "accuracy"
