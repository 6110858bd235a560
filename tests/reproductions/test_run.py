"""A reproduction is measured part by part: what is finished is kept, what is wrong is said before the work."""

import json
from dataclasses import replace

import pytest

from slth import reproductions
from slth._errors import InputError
from slth.reproductions import Conclusion, Figure, Panel, Part, Reproduction, Row, Scale, Series, Verdict, _run
from slth.reproductions._results import alone_in
from slth.reproductions.subset_sums import error

SQUARES = Figure(
    title="squares", panels=(Panel(title="t", x="x", y="y", content=(Series(label="s", x=(1,), y=(1,)),)),)
)


def measured_by(calls):
    def measure(means, *, x):
        calls.append(x)
        if x == 3:
            raise KeyboardInterrupt
        return {"square": x * x}

    return measure


def squares(calls, numbers=(1, 2)):
    measure = measured_by(calls)

    def conclude(measured, scale):
        rows = tuple(Row(what=part.name, ours=part.outcome["square"], published=1.0) for part in measured)
        return Conclusion(verdict=Verdict.IN_SHAPE, because="They grow.", rows=rows, figures=(SQUARES,))

    def parts(scale, seed):
        return [] if scale is Scale.PAPER else [Part(f"x = {x}", measure, {"x": x}) for x in numbers]

    return Reproduction(
        name="squares",
        title="squares",
        says="Squares grow.",
        sources=("lueker1998",),
        settings="none",
        parts=parts,
        conclude=conclude,
    )


def test_finished_parts_are_not_measured_again(tmp_path):
    calls = []
    first = _run.run(squares(calls), Scale.SMOKE, tmp_path)
    assert calls == [1, 2]
    again = _run.run(squares(calls, (1, 2, 5)), Scale.SMOKE, tmp_path)
    assert calls == [1, 2, 5]
    assert [part.outcome["square"] for part in again.measured] == [1, 4, 25]
    assert first.conclusion.rows == again.conclusion.rows[:2]


def test_what_is_concluded_is_the_same_when_parts_are_read(tmp_path):
    """Of keys in another order than that of the alphabet, which the file has, and of a tuple."""
    drawn = replace(
        squares([]),
        parts=lambda scale, seed: [Part("p", lambda means: {"z": {"b": 1.0, "a": 2.0}, "y": (1, 2)})],
        conclude=lambda measured, scale: Conclusion(
            verdict=Verdict.IN_SHAPE, because=f"{measured[0].outcome}.", figures=()
        ),
    )
    first = _run.run(drawn, Scale.SMOKE, tmp_path)
    assert first.conclusion == _run.run(drawn, Scale.SMOKE, tmp_path).conclusion


def test_an_interrupt_loses_one_part_at_most(tmp_path):
    calls = []
    with pytest.raises(KeyboardInterrupt):
        _run.run(squares(calls, (1, 2, 3, 4)), Scale.SMOKE, tmp_path)
    assert len((tmp_path / "squares.jsonl").read_text().splitlines()) == 2
    assert not (tmp_path / "squares-smoke.md").exists()


def test_parts_run_side_by_side_to_the_same_result(tmp_path):
    drawn = [Part(f"n = {n}", error._measure, {"n": n, "draws": 9, "seed": 0}) for n in range(3, 8)]
    asked = replace(error.REPRODUCTION, parts=lambda scale, seed: drawn)
    seen = []
    found = _run.run(asked, Scale.SMOKE, tmp_path / "two", threads=2, progress=lambda *one: seen.append(one))
    assert [part.options["n"] for part in found.measured] == [3, 4, 5, 6, 7]
    assert sorted(done for _, done, _ in seen) == [1, 2, 3, 4, 5]
    alone = _run.run(asked, Scale.SMOKE, tmp_path / "one", threads=1)
    assert found.conclusion == alone.conclusion


def test_two_processes_do_not_measure_the_same_in_one_folder(tmp_path):
    calls = []
    with alone_in(tmp_path, "squares"), pytest.raises(InputError, match="another process is measuring squares in"):
        _run.run(squares(calls), Scale.SMOKE, tmp_path)
    assert calls == []
    with alone_in(tmp_path, "cubes"):
        _run.run(squares(calls), Scale.SMOKE, tmp_path)
    assert calls == [1, 2]
    assert not list(tmp_path.glob("*.lock"))


def test_again_forgets(tmp_path):
    calls = []
    _run.run(squares(calls), Scale.SMOKE, tmp_path)
    _run.run(squares(calls), Scale.SMOKE, tmp_path, again=True)
    assert calls == [1, 2, 1, 2]


def test_the_page_has_statement_verdict_table_and_place(tmp_path):
    _run.run(squares([]), Scale.SMOKE, tmp_path)
    page = (tmp_path / "squares-smoke.md").read_text()
    for words in (
        "Squares grow.",
        "Measured at this scale: x = 1, 2.",
        "in shape",
        "| x = 2 | 1 | 4 | +3 |",
        "squares-smoke.svg",
        "Lueker (1998)",
        "commit",
    ):
        assert words in page
    assert (tmp_path / "squares-smoke.svg").read_text().startswith("<")


def test_what_a_scale_does_not_attempt_is_said(tmp_path):
    found = _run.run(squares([]), Scale.PAPER, tmp_path)
    assert found.conclusion.verdict is Verdict.NOT_ATTEMPTED
    assert not any(tmp_path.iterdir())


def test_results_of_another_version_are_refused(tmp_path):
    _run.run(squares([]), Scale.SMOKE, tmp_path)
    path = tmp_path / "squares.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        line["environment"]["versions"]["slth"] = "0.0.1"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(InputError, match=r"by slth 0\.0\.1.*--again|by slth 0\.0\.1.*again"):
        _run.run(squares([]), Scale.SMOKE, tmp_path)
    _run.run(squares([]), Scale.SMOKE, tmp_path, again=True)


def test_a_folder_that_cannot_be_made_is_refused_before_the_work(tmp_path):
    (tmp_path / "file").write_text("")
    calls = []
    with pytest.raises(InputError, match="cannot make the folder"):
        _run.run(squares(calls), Scale.SMOKE, tmp_path / "file" / "folder")
    assert calls == []


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"name": "eror"}, "did you mean 'error'"),
        ({"name": "error", "scale": "smal"}, "did you mean 'small'"),
        ({"name": "error", "threads": 0}, "threads"),
        ({"name": "error", "seed": -1}, "seed"),
    ],
)
def test_bad_input_is_one_sentence(given, sentence, tmp_path):
    with pytest.raises(InputError, match=sentence):
        reproductions.reproduce(given.pop("name"), out=tmp_path, **given)
    assert not any(tmp_path.iterdir())


def test_missing_data_are_named_with_what_runs_without(tmp_path):
    calls = []
    asked = replace(squares(calls), data={Scale.SMALL: ("mnist",)})
    with pytest.raises(InputError, match="smoke"):
        _run.run(asked, Scale.SMALL, tmp_path, data_dir=tmp_path)
    assert calls == []
