"""A reproduction is measured part by part: what is finished is kept, what is wrong is said before the work."""

import json
from dataclasses import replace

import pytest

from slth import reproductions
from slth._errors import InputError
from slth.records import Environment
from slth.reproductions import (
    Conclusion,
    Figure,
    Panel,
    Part,
    Reproduction,
    Row,
    Scale,
    Series,
    Verdict,
    _results,
    _run,
)
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


def of_each_scale(calls):
    """One part at each scale and seed, of another number."""
    asked = squares(calls)
    measure = measured_by(calls)

    def parts(scale, seed):
        x = {Scale.SMOKE: 10, Scale.SMALL: 20}[scale] + seed
        return [Part(f"x = {x}", measure, {"x": x})]

    return replace(asked, parts=parts)


def test_again_forgets_what_is_asked_and_nothing_else(tmp_path):
    calls = []
    asked = of_each_scale(calls)
    for scale, seed in ((Scale.SMOKE, 0), (Scale.SMALL, 0), (Scale.SMOKE, 1)):
        _run.run(asked, scale, tmp_path, seed=seed)
    lines = (tmp_path / "squares.jsonl").read_text().splitlines()
    _run.run(asked, Scale.SMALL, tmp_path, again=True)
    assert calls == [10, 20, 11, 20]
    after = (tmp_path / "squares.jsonl").read_text().splitlines()
    assert after[:2] == [lines[0], lines[2]]
    assert len(after) == 3
    for scale, seed in ((Scale.SMOKE, 0), (Scale.SMALL, 0), (Scale.SMOKE, 1)):
        _run.run(asked, scale, tmp_path, seed=seed)
    assert calls == [10, 20, 11, 20]


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


def edited(path, edit):
    """Every record of a file, changed."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        edit(line)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_another_version_matters_for_what_is_asked_alone(tmp_path):
    calls = []
    _run.run(of_each_scale(calls), Scale.SMALL, tmp_path)
    edited(tmp_path / "squares.jsonl", lambda line: line["environment"]["versions"].update(slth="0.0.1"))
    _run.run(of_each_scale(calls), Scale.SMOKE, tmp_path)
    with pytest.raises(InputError, match=r"by slth 0\.0\.1"):
        _run.run(of_each_scale(calls), Scale.SMALL, tmp_path)
    assert calls == [20, 10]


def test_what_another_commit_measured_is_said(tmp_path, caplog, monkeypatch):
    caplog.set_level("INFO", "slth.api")
    here = Environment(versions={}, commit="here", cpu="any", threads=1)
    monkeypatch.setattr(_results, "environment", lambda threads=1: here)
    calls = []
    _run.run(squares(calls), Scale.SMOKE, tmp_path)
    _run.run(squares(calls), Scale.SMOKE, tmp_path)
    assert not caplog.messages
    edited(tmp_path / "squares.jsonl", lambda line: line["environment"].update(commit="there"))
    _run.run(squares(calls, (1, 2, 5)), Scale.SMOKE, tmp_path)
    assert caplog.messages == [
        "squares (kept): 2 parts of commit there are taken up, and this is here; --again measures anew"
    ]
    assert calls == [1, 2, 5]
    _run.run(squares(calls), Scale.SMOKE, tmp_path, again=True)
    assert len(caplog.messages) == 1


WRONG = {
    "no key": lambda line: line["outcome"].clear(),
    "another type": lambda line: line["outcome"].update(square=[]),
    "a text": lambda line: line["outcome"].update(square={"x": None}),
    "a null": lambda line: line["outcome"].update(square=None),
}


@pytest.mark.parametrize("case", WRONG)
def test_parts_that_cannot_be_read_are_measured_anew_on_demand(case, tmp_path):
    """Outcomes of other code, or edited by hand: `conclude` and the page know no such thing."""
    calls = []
    _run.run(squares(calls), Scale.SMOKE, tmp_path)
    pages = {path: path.read_bytes() for path in tmp_path.glob("squares-*")}
    edited(tmp_path / "squares.jsonl", WRONG[case])
    with pytest.raises(
        InputError, match=r"squares\.jsonl: expected parts as this slth measures them, got others .*again"
    ):
        _run.run(squares(calls), Scale.SMOKE, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.glob("squares-*")} == pages
    _run.run(squares(calls), Scale.SMOKE, tmp_path, again=True)
    assert calls == [1, 2, 1, 2]


def test_a_mistake_of_ours_is_no_fault_of_the_file(tmp_path):
    def conclude(measured, scale):
        return measured[9]

    with pytest.raises(IndexError):
        _run.run(replace(squares([]), conclude=conclude), Scale.SMOKE, tmp_path)


NO_RESULTS = {
    "half a line": (lambda text: text[:-20], "line 2 is not a record of slth; remove the line"),
    "no text": (lambda text: "\x00\x01\n", "line 1 is not a record of slth; remove the line"),
    "another kind": (
        lambda text: text.replace('"kind":"reproduce"', '"kind":"evaluate"'),
        "holds a record of the kind evaluate that is no part of a reproduction; choose another",
    ),
    "no time": (
        lambda text: text.replace('"seconds":{"total"', '"seconds":{"solve"'),
        "holds a record of the kind reproduce that is no part of a reproduction; choose another",
    ),
    "a time that is no number": (
        lambda text: text.replace('"seconds":{"total":', '"seconds":{"total":"a","b":'),
        "line 1 is not a record of slth; remove the line",
    ),
    "a version that is no text": (
        lambda text: text.replace('"slth":"', '"slth":["a"],"python":"'),
        "line 1 is not a record of slth; remove the line",
    ),
    "threads that are no number": (
        lambda text: text.replace('"threads":1', '"threads":"one"'),
        "line 1 is not a record of slth; remove the line",
    ),
}


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("case", NO_RESULTS)
def test_what_is_no_file_of_results_is_refused_and_kept(case, again, tmp_path):
    calls = []
    _run.run(squares(calls), Scale.SMOKE, tmp_path)
    edit, sentence = NO_RESULTS[case]
    path = tmp_path / "squares.jsonl"
    path.write_text(edit(path.read_text()))
    before = path.read_bytes()
    with pytest.raises(InputError, match=sentence):
        _run.run(squares(calls), Scale.SMOKE, tmp_path, again=again)
    assert path.read_bytes() == before
    assert calls == [1, 2]


@pytest.mark.parametrize("name", ["squares.jsonl", "squares.lock", "squares-smoke.md"])
def test_a_folder_in_the_place_of_a_file_is_refused_before_the_work(name, tmp_path):
    (tmp_path / name).mkdir()
    calls = []
    with pytest.raises(InputError, match=f"cannot write .*{name}: "):
        _run.run(squares(calls), Scale.SMOKE, tmp_path)
    assert calls == []


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
