"""Tickets kept, questions refused before the first cell, and a range for the inputs."""

import pytest
from sweeps.squares import SQUARE

import slth
from slth import InputError, sweeps
from slth.cli.app import run
from slth.sweeps import Recipe

CONSTRUCT, SEARCH = sweeps.VERBS["construct"], sweeps.VERBS["search"]
SMALL = {"epochs": 0.2, "hidden": [16], "batch": 64}


def kept(folder):
    return sorted(path.name for path in (folder / "tickets").glob("*.slth"))


def test_each_cell_s_ticket_is_kept_and_a_killed_sweep_goes_on(tmp_path):
    pytest.importorskip("lightning_fabric")
    asked, place = Recipe(SEARCH, SMALL, {"density": [0.25, 0.5], "seed": [1, 2]}), tmp_path / "r"
    sweeps.run(asked, place)
    assert sweeps.preview(asked, place).open == 0
    assert sweeps.preview(asked, place, keep_tickets=True).open == 4  # finished, but nothing was kept
    sweep = sweeps.run(asked, place, keep_tickets=True)
    names = kept(place)
    assert [name.rpartition(".slth")[0].rpartition(".")[0] for name in names] == [
        f"density={density},seed={seed}" for density in (0.25, 0.5) for seed in (1, 2)
    ]
    for name, record in zip(names, sweep.records, strict=True):
        ticket = slth.load(place / "tickets" / name)
        assert ticket.seed == record.outcome["options"]["seed"]
        assert ticket.kept == record.outcome["kept"]
        assert slth.verify(ticket).holds
    stamps = {name: (place / "tickets" / name).stat().st_mtime_ns for name in names}
    (place / "tickets" / names[0]).unlink()  # as if killed between ticket and record
    sweeps.run(asked, place, keep_tickets=True)
    assert kept(place) == names
    assert {n: (place / "tickets" / n).stat().st_mtime_ns for n in names[1:]} == {n: stamps[n] for n in names[1:]}


def test_a_verb_without_tickets_says_so(tmp_path):
    with pytest.raises(InputError, match="the cells of square make no tickets"):
        sweeps.run(Recipe(SQUARE, {}, {"x": [1]}), tmp_path / "r", keep_tickets=True)
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("verb", "options", "grid", "sentence"),
    [
        (SEARCH, SMALL, {"seed": [0], "density": [0.5, 1.5]}, "seed 0, density 1.5: "),
        (SEARCH, SMALL, {"density": [0.5, 0.0]}, "density 0.0: "),
        (SEARCH, {**SMALL, "method": "edge-pop"}, {"seed": [0]}, "edge-popup"),
        (SEARCH, {**SMALL, "rate": 0.2}, {"seed": [0]}, "rate"),
        (SEARCH, {**SMALL, "law": "cauchy"}, {"seed": [0]}, "law"),
        (SEARCH, {**SMALL, "lr": -1}, {"seed": [0]}, "lr must be a positive number"),
        (SEARCH, {**SMALL, "model": "lenet_5"}, {"seed": [0]}, "hidden"),
        (CONSTRUCT, {}, {"tolerance": [0.01, 0]}, "tolerance 0.0: tolerance must be a positive number"),
        (CONSTRUCT, {"candidates": 65}, {"seed": [0]}, "candidates must be"),
        (CONSTRUCT, {"tolerance": 0.1, "epsilon": 0.1}, {"seed": [0]}, "one of the two"),
        (CONSTRUCT, {"input_range": [0, 1], "raw_range": [0, 1]}, {"seed": [0]}, "both state the inputs"),
        (CONSTRUCT, {"input_range": [0]}, {"seed": [0]}, "input_range"),
        (CONSTRUCT, {"mean": 0.5}, {"seed": [0]}, "std"),
    ],
)
def test_what_no_cell_can_be_is_refused_before_the_first(tmp_path, verb, options, grid, sentence):
    pytest.importorskip("lightning_fabric")
    asked = Recipe(verb, options, grid)
    for act in (sweeps.run, sweeps.preview):
        with pytest.raises(InputError, match=sentence):
            act(asked, tmp_path / "r")
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("name", "given", "ends"), [("input_range", [-1, 2], (-1.0, 2.0)), ("raw_range", [0, 1], None)]
)
def test_a_range_of_the_inputs_can_be_said(tmp_path, name, given, ends):
    """Otherwise it is that of the data."""
    pytest.importorskip("torch")
    asked = {"hidden": [4], "epochs": 1, "tolerance": 0.03, "mean": 0.5, "std": 0.5, name: given}
    sweep = sweeps.run(Recipe(CONSTRUCT, asked), tmp_path / "r", keep_tickets=True)
    assert not sweep.failed, sweep.failed[0].outcome["traceback"]
    (path,) = (tmp_path / "r" / "tickets").glob("*.slth")
    inputs = slth.load(path).inputs
    assert (inputs.lower, inputs.upper) == ((-1.0,), (1.0,) if ends is None else (2.0,))


def test_cells_that_are_refused_are_not_to_be_run_again_as_they_are(tmp_path, monkeypatch, capsys):
    def refuse(options, shared):
        raise InputError("it cannot be read")

    monkeypatch.setitem(sweeps.VERBS, "square", sweeps.Verb("square", SQUARE.options, refuse, "result"))
    (tmp_path / "a.toml").write_text('verb = "square"\n[grid]\nx = [1, 2]\n')
    assert run(["sweep", str(tmp_path / "a.toml")]) == 1
    err = capsys.readouterr().err
    assert "2 of 2 cells failed; mend what they say, and run again" in err
    assert "run again to try them again" not in err
