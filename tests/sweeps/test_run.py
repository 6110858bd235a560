"""The runner: what is missing, once; failures beside results; folders that are not ours."""

import os
import stat
from dataclasses import replace

import numpy as np
import pytest
from sweeps.squares import SQUARE, answers, logged, recipe, strays

from slth import InputError, sweeps


def test_a_sweep_answers_every_cell_in_order(tmp_path):
    seen = []
    sweep = sweeps.run(recipe(3, 2), tmp_path / "r", progress=lambda done, total: seen.append((done, total)))
    assert [record.outcome["result"] for record in sweep.records] == [x * x + y for x in range(3) for y in range(2)]
    assert seen == [(done, 6) for done in range(7)]
    assert not sweep.failed
    names = {path.stem for path in (tmp_path / "r").glob("*.json")}
    assert names == {record.question for record in sweep.records} | {"slth-sweep"}


def test_resuming_does_only_what_is_missing(tmp_path):
    sweeps.run(recipe(2, 2), tmp_path / "r")
    sweeps.run(recipe(2, 2), tmp_path / "r")
    assert len(logged(tmp_path / "r", "begun")) == 4
    wider = sweeps.run(recipe(3, 2), tmp_path / "r")
    assert len(wider.records) == 6
    assert len(logged(tmp_path / "r", "begun")) == 6


def test_work_is_shared(tmp_path):
    made = []

    def run(options, shared):
        sweeps.once(shared / "all.bin", lambda: made.append(options["x"]) or b"work")
        return {"result": 0}

    sweeps.run(replace(recipe(3, 1), verb=replace(SQUARE, run=run)), tmp_path / "r")
    assert made == [0]


@pytest.mark.parametrize("workers", [1, 2])
def test_files_of_equal_content_are_one_question(tmp_path, workers):
    for name in "ab":
        (tmp_path / f"{name}.npz").write_text("same")
    asked = sweeps.Recipe(SQUARE, grid={"source": ["a.npz", "b.npz"], "x": [1, 2]}, base=tmp_path)
    sweep = sweeps.run(asked, tmp_path / "r", workers=workers)
    assert sweep.table().mean.tolist() == [[1, 4], [1, 4]]
    assert len(logged(tmp_path / "r", "begun")) == 2


def test_shared_work_that_fails_is_tried_by_the_next(tmp_path):
    def fail():
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        sweeps.once(tmp_path / "a", fail)
    assert sweeps.once(tmp_path / "a", lambda: b"x").read_bytes() == b"x"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_failing_cell_is_recorded_and_stops_no_other(tmp_path):
    sweep = sweeps.run(recipe(3, 1, bad=[1]), tmp_path / "r")
    assert [record.asked.get("x", 0) for record in sweep.records] == [0, 2]
    (failure,) = sweep.failed
    assert failure.outcome["error"] == "ArithmeticError"
    assert failure.outcome["message"] == "1 is bad"
    assert "in square" in failure.outcome["traceback"]
    assert (tmp_path / "r" / f"{failure.question}.failed.json").is_file()


def test_a_failed_cell_is_tried_again_unless_kept(tmp_path):
    place = tmp_path / "r"
    sweeps.run(recipe(2, 1, bad=[1]), place)
    assert len(sweeps.run(recipe(2, 1, bad=[1]), place, keep_failed=True).failed) == 1
    assert len(logged(place, "begun")) == 2
    assert len(sweeps.run(recipe(2, 1, bad=[1]), place).failed) == 1
    assert len(logged(place, "begun")) == 3
    healed = replace(recipe(2, 1, bad=[1]), verb=replace(SQUARE, run=lambda *_: {"result": 1}))
    assert not sweeps.run(healed, place).failed
    assert not list(place.glob("*.failed.json"))


@pytest.mark.parametrize("outcome", [{"result": float("nan")}, {"result": {1, 2}}, None], ids=["nan", "set", "none"])
def test_an_outcome_that_json_cannot_hold_is_a_failure(tmp_path, outcome):
    verb = replace(SQUARE, run=lambda *_: outcome)
    sweep = sweeps.run(replace(recipe(1, 1), verb=verb), tmp_path / "r")
    assert len(sweep.failed) == 1
    assert not sweep.records


def test_worker_processes_give_the_same_records(tmp_path):
    sweeps.run(recipe(3, 2, bad=[2]), tmp_path / "one")
    sweep = sweeps.run(recipe(3, 2, bad=[2]), tmp_path / "two", workers=2)
    assert len(sweep.records) == 4
    assert answers(tmp_path / "one") == answers(tmp_path / "two")


def test_a_killed_run_is_cleaned_up_after(tmp_path):
    place = tmp_path / "r"
    sweep = sweeps.run(recipe(2, 1), place)
    question = sweep.records[0].question
    left = [f".{question}.json.0123abcd.tmp", f"{question}.lock", "shared/.x.bin.0123abcd.tmp", "shared/x.bin.lock"]
    for name in left:
        (place / name).write_bytes(b"half")
    sweeps.run(recipe(2, 1), place)
    assert not strays(place)


def test_what_a_worker_leaves_that_is_ended_in_a_write_is_removed_in_the_end(tmp_path):
    left = tmp_path / "r" / f".{'0' * 64}.json.01234567.tmp"
    sweeps.run(recipe(2, 1), tmp_path / "r", progress=lambda done, cells: left.touch())
    assert not strays(tmp_path / "r")


def test_the_plan_estimates_and_writes_nothing(tmp_path):
    place = tmp_path / "r"
    plan = sweeps.preview(recipe(2, 2), place)
    assert (plan.cells, plan.done, plan.open, plan.seconds) == (4, 0, 4, None)
    assert not place.exists()
    sweep = sweeps.run(recipe(2, 2, bad=[1]), place)
    before = sorted(place.rglob("*"))
    plan = sweeps.preview(recipe(2, 2, bad=[1]), place)
    assert (plan.done, plan.open, plan.failed) == (2, 2, 2)
    assert plan.seconds == sum(record.seconds["total"] for record in sweep.records)  # each shares its y with one
    assert sorted(place.rglob("*")) == before


def test_a_foreign_folder_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    for act in (sweeps.run, sweeps.preview):
        with pytest.raises(InputError, match=r"holds other files and no slth-sweep\.json"):
            act(recipe(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(("text", "message"), [("{}", "is damaged"), ('{"format": 2}', "states format 2")])
def test_a_marker_that_is_not_ours_is_refused(tmp_path, text, message):
    (tmp_path / "slth-sweep.json").write_text(text)
    with pytest.raises(InputError, match=message):
        sweeps.run(recipe(), tmp_path)


def test_a_file_or_a_missing_parent_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "no" / "r"):
        with pytest.raises(InputError, match="choose another folder"):
            sweeps.run(recipe(), place)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_refused_before_any_work(tmp_path):
    sweeps.run(recipe(1, 1), tmp_path / "r")
    (tmp_path / "r").chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(InputError, match="permission denied"):
        sweeps.run(recipe(2, 1), tmp_path / "r")
    (tmp_path / "r").chmod(stat.S_IRWXU)
    assert len(logged(tmp_path / "r", "begun")) == 1


@pytest.mark.parametrize("text", ["", "{", "other"])
def test_a_damaged_result_is_named_and_nothing_is_computed(tmp_path, text):
    sweep = sweeps.run(recipe(2, 1), tmp_path / "r")
    one, two = (tmp_path / "r" / f"{record.question}.json" for record in sweep.records)
    one.write_text(two.read_text() if text == "other" else text)
    with pytest.raises(InputError, match=rf"{one.name}.* remove"):
        sweeps.run(recipe(3, 1), tmp_path / "r")
    assert len(logged(tmp_path / "r", "begun")) == 2


@pytest.mark.parametrize("workers", [0, 1.5, "2"])
def test_workers_are_counted(tmp_path, workers):
    with pytest.raises((InputError, Exception), match=r"workers|type"):
        sweeps.run(recipe(), tmp_path / "r", workers=workers)


def test_the_table_averages_over_the_rest_of_the_grid(tmp_path):
    asked = replace(recipe(3, 2, bad=[2]), rows="x")
    asked = replace(asked, grid={**asked.grid, "scale": [1.0, 2.0]}, columns="scale")
    table = sweeps.run(asked, tmp_path / "r").table()
    assert table.row_labels == ("0", "1", "2")
    assert table.column_labels == ("1", "2")
    np.testing.assert_array_equal(table.mean[:2], [[0.5, 0.5], [1.5, 1.5]])
    assert np.isnan(table.mean[2]).all()
    np.testing.assert_array_equal(table.count, [[2, 2], [2, 2], [0, 0]])
    np.testing.assert_allclose(table.spread[:2], np.sqrt(0.5))
    assert table.as_csv().splitlines()[1:3] == [
        f"0,1,0.5,0.7071067811865476,2,{float(table.half[0, 0])!r}",
        f"0,2,0.5,0.7071067811865476,2,{float(table.half[0, 1])!r}",
    ]
    np.testing.assert_allclose(table.half[:2], 12.7062047 * 0.5)  # t of one degree of freedom, s / √2 = ½
    assert table.note == "±: 95 % interval of the mean, Student's, over 2 cells that differ in y"
    assert "0.5 ± 6.4" in table.as_text()
    assert "–" in table.as_text().splitlines()[-1]


@pytest.mark.parametrize("value", ["nested.half", "seconds"])
def test_a_table_shows_any_number(tmp_path, value):
    table = sweeps.run(replace(recipe(3, 1), value=value), tmp_path / "r").table()
    assert np.isfinite(table.mean).all()


def test_an_unknown_value_is_named_and_the_results_stay(tmp_path):
    sweep = sweeps.run(replace(recipe(2, 1), value="nested.hlaf"), tmp_path / "r")
    with pytest.raises(InputError, match=r"did you mean 'nested\.half'"):
        sweep.table()
    assert len(answers(tmp_path / "r")) == 2


def test_a_grid_of_no_axis_is_one_cell(tmp_path):
    sweep = sweeps.run(sweeps.Recipe(SQUARE, {"x": 3}), tmp_path / "r")
    assert sweep.table().mean.tolist() == [[9.0]]
    assert sweep.write_table()[1].read_bytes().startswith(b"<?xml")
