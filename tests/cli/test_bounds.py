"""`slth bounds` and `slth.bounds`: a list, a number, a table, a curve, and what is refused."""

import json
import math
import re

import pytest
from cli.helpers import error_of

import slth
from slth import InputError
from slth.cli._bounds import written
from slth.cli.app import run
from slth.theory import THEOREMS


def printed(capsys, *arguments):
    capsys.readouterr()
    assert run(["bounds", *arguments]) == 0
    return capsys.readouterr().out


def words(text):
    return " ".join(text.split())


def letters(text):
    """Without spaces: lines are broken at hyphens, too."""
    return "".join(text.split())


def test_without_a_name_all_are_listed(capsys):
    out = printed(capsys)
    for name, theorem in THEOREMS.items():
        assert re.search(rf"^  {name} ", out, re.MULTILINE), name
        assert theorem.title in words(out)
    assert "sufficient: with this much it is done" in out


def test_a_list_has_the_numbers_that_the_values_are_enough_for(capsys):
    out = words(printed(capsys, "--set", "d=10", "epsilon=0.01"))
    pensia = slth.bounds("pensia", d=10, epsilon=0.01).value
    assert f"dense networks: logarithmic width: {pensia:,} = h, hidden neurons" in out
    assert "(needs gamma)" in out


@pytest.mark.parametrize("name", THEOREMS)
def test_a_page_says_all_that_is_known(name, capsys):
    from theory.examples import values_for

    given = values_for(name)
    out = letters(printed(capsys, name, "--set", *(f"{key}={value}" for key, value in given.items())))
    theorem, found = THEOREMS[name], THEOREMS[name](**given)
    spoken = [theorem.says, theorem.gives, theorem.direction.value, theorem.note, theorem.measured, *theorem.sources]
    spoken += [assumption.says for assumption in theorem.assumes]
    spoken += [f"{key}: {letter.meaning}" for key, letter in theorem.letters.items()]
    spoken += [f"{key}: {constant.meaning}; {constant.standing.value}" for key, constant in theorem.constants.items()]
    spoken += [f"{variant.name}: " for variant in theorem.variants]
    for text in spoken:
        assert letters(text) in out
    assert f"number{letters(written(found.value))}:" in out


@pytest.mark.parametrize(
    "line",
    [
        ["pensia", "--set", "d=10", "epsilon=0.01"],
        ["pensia", "--set", "d=10", "--set", "epsilon=0.01"],
        ["--set", "d=10", "epsilon=0.01", "pensia"],
        ["--set", "epsilon=1e-2", "pensia", "d=1e1"],
    ],
)
def test_set_takes_several_pairs_and_may_be_said_again(line, capsys):
    data = json.loads(printed(capsys, *line, "--json"))
    assert (data["bound"], data["at"]["d"], data["at"]["epsilon"]) == ("pensia", 10, 0.01)
    assert data["value"] == slth.bounds("pensia", d=10, epsilon=0.01).value
    assert data["constants"] == {"C": "fitted"}
    assert data["sources"] == ["pensia2020"]


def test_several_values_are_a_table(capsys):
    out = printed(capsys, "lueker", "first-moment", "--set", "epsilon=0.1,0.01,0.001")
    rows = [line.split() for line in out.splitlines()]
    assert rows[1] == ["epsilon", "lueker", "first-moment"]
    for row, epsilon in zip(rows[2:5], (0.1, 0.01, 0.001), strict=True):
        numbers = [slth.bounds(name, epsilon=epsilon).value for name in ("lueker", "first-moment")]
        assert row == [f"{epsilon:g}", *map(str, numbers)]
    assert "lueker: sufficient" in out
    assert "first-moment: expected" in out


def test_a_range_is_a_curve_with_every_power_of_ten_in_it(capsys, tmp_path):
    data = json.loads(printed(capsys, "lueker", "--set", "epsilon=1e-1..1e-6", "--json"))
    (series,) = data["series"]
    places = [point["at"]["epsilon"] for point in series["points"]]
    assert len(places) == 51
    assert places[::10] == [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6]
    picture = tmp_path / "curve.svg"
    capsys.readouterr()
    assert run(["bounds", "lueker", "practice-misses", "--set", "n=10..40", "tolerance=0.01"]) == 2
    assert run(["bounds", "lueker", "--set", "epsilon=1e-1..1e-6", "--out", str(picture)]) == 0
    captured = capsys.readouterr()
    assert f"wrote {picture}" in captured.err
    assert len(captured.out.splitlines()) == 19
    drawn = picture.read_text()
    assert "lueker (sufficient)" in drawn
    assert "<title>Bounds over epsilon: lueker</title>" in drawn
    assert "epsilon: the largest error of a sum" in drawn


def test_a_range_of_whole_numbers_has_all_of_them_or_some_evenly():
    points = slth.bounds("practice-misses", n="10..40", tolerance=0.01).series[0].points
    assert [point.at["n"] for point in points] == list(range(10, 41))
    points = slth.bounds("pensia", d="10..100000", epsilon=0.01).series[0].points
    places = [point.at["d"] for point in points]
    assert (places[0], places[10], places[-1], len(places)) == (10, 100, 100_000, 41)


def test_a_few_values_of_a_second_letter_are_a_curve_each():
    found = slth.bounds("rfss", epsilon="0.1..0.001", k=[2, 4, 8])
    assert [series.label for series in found.series] == ["rfss, k = 2", "rfss, k = 4", "rfss, k = 8"]
    assert found.over == "epsilon"
    for series, k in zip(found.series, (2, 4, 8), strict=True):
        assert series.points[-1].value == slth.bounds("rfss", epsilon=0.001, k=k).value


def test_bounds_stand_side_by_side_in_a_unit_that_all_have():
    """Malach gives parameters, Pensia neurons and, from them, parameters."""
    found = slth.bounds(["malach", "pensia"], d=10, epsilon=[0.1, 0.01])
    assert found.unit.value == "source parameters for one target parameter"
    pensia = found.series[1].points[0]
    assert found.number(pensia) == pytest.approx(2 * pensia.value / 10)


def test_a_bound_without_values_is_a_page_without_its_number(capsys):
    out = words(printed(capsys, "pensia"))
    assert THEOREMS["pensia"].says in out
    assert "give --set d=VALUE epsilon=VALUE" in out
    assert "d_out: outputs of the target's layer (as d if not said)" in out
    assert "delta: the chance of failure (0.01 if not said)" in out
    with pytest.raises(InputError, match="pensia needs d, epsilon; give them as keywords"):
        _ = slth.bounds("pensia").value
    (series,) = json.loads(printed(capsys, "pensia", "--json"))["series"]
    assert (series["points"], series["needs"]) == ([], ["d", "epsilon"])


def test_a_picture_has_what_was_measured_beside_the_bounds(tmp_path):
    from slth.reporting import draw_bounds

    found = slth.bounds("lueker", epsilon="1e-1..1e-3")
    picture = draw_bounds(found, tmp_path / "x.svg", measured=[("99 % of 40,000 runs", [(0.1, 15), (0.01, 19)])])
    assert "99 % of 40,000 runs (measured)" in picture.read_text()


def test_constants_can_be_set_and_varied():
    assert slth.bounds("lueker", epsilon=0.01, C=8).value == 2 * 21.2 // 1 + 1
    assert [point.at["C"] for point in slth.bounds("lueker", epsilon=0.01, C=[1, 2]).series[0].points] == [1, 2]


REFUSED = {
    "an unknown bound": (["luecker"], "unknown bound 'luecker'; did you mean 'lueker'?"),
    "an unknown letter": (
        ["lueker", "--set", "epsilom=1"],
        "unknown letter of lueker 'epsilom'; did you mean 'epsilon'?",
    ),
    "a letter of none": (["lueker", "pensia", "--set", "q=1"], "unknown letter 'q'"),
    "a missing letter": (
        ["pensia", "--set", "epsilon=0.1"],
        "pensia needs d, inputs of the target's layer; give d=VALUE",
    ),
    "out of its limits": (["lueker", "--set", "epsilon=2"], "epsilon must be a number between 0 and 1, got 2"),
    "no number": (["lueker", "--set", "epsilon=x"], "epsilon must be a number, got 'x' (str)"),
    "no whole number": (["pensia", "--set", "epsilon=0.1", "d=1.5"], "d must be a whole number, got 1.5 (float)"),
    "no pair": (["lueker", "--set", "epsilon"], "--set takes KEY=VALUE, such as rate=0.2; got 'epsilon'"),
    "an option as a letter": (
        ["lueker", "--set", "out=x.svg", "epsilon=0.1"],
        "--set gives the letters of bounds, and out is none; slth bounds NAME lists them",
    ),
    "a letter twice": (
        ["lueker", "--set", "epsilon=0.1", "--set", "epsilon=0.2"],
        "--set gives epsilon twice, 0.1 and 0.2; give it once",
    ),
    "a letter twice, once without --set": (
        ["lueker", "--set", "epsilon=0.1", "epsilon=0.2"],
        "--set gives epsilon twice, 0.1 and 0.2; give it once",
    ),
    "an assumption": (
        ["otsuka", "--set", "d=64", "alpha=1", "epsilon=0.1"],
        "otsuka assumes that alpha is at least sqrt(d) and sqrt(d_out); got d = 64",
    ),
    "an empty range": (["lueker", "--set", "epsilon=0.1..0.1"], "which is one value; give it alone"),
    "a reversed range": (
        ["practice-misses", "--set", "n=40..10", "tolerance=0.01"],
        "which is reversed; try n=10..40",
    ),
    "half a range": (["lueker", "--set", "epsilon=0.1.."], "epsilon takes a range such as 1e-1..1e-6; got '0.1..'"),
    "three ends": (["lueker", "--set", "epsilon=0.1..0.2..0.3"], "takes a range such as 1e-1..1e-6"),
    "an end out of its limits": (
        ["lueker", "--set", "epsilon=0.1..0"],
        "epsilon must be a number between 0 and 1, got 0",
    ),
    "too many values": (
        ["lueker", "--set", f"epsilon={','.join(['0.1'] * 501)}"],
        "epsilon must be at most 500 values, got 501; give a range or fewer",
    ),
    "two ranges": (
        ["rfss", "--set", "epsilon=0.1..0.001", "k=2..8"],
        "epsilon and k are ranges, and one picture shows one; give a few values of the other, such as k=2,5,8",
    ),
    "three lists": (
        ["pensia", "--set", "d=1,2", "epsilon=0.1,0.2", "delta=0.1,0.2"],
        "d, epsilon, delta have several values, and a table shows two of them",
    ),
    "too many curves": (
        ["rfss", "--set", "epsilon=0.1..0.01", "k=1,2,3,4,5,6,7,8,9"],
        "9 curves are too many to tell apart; give at most 8",
    ),
    "different things": (
        ["lueker", "malach", "--set", "d=2", "epsilon=0.1"],
        "these bounds count different things (lueker: random numbers for one target; malach:",
    ),
    "a letter that one lacks": (
        ["lueker", "practice", "--set", "epsilon=0.1,0.01", "tolerance=0.1"],
        "practice has no epsilon, over which the others are shown; leave one out",
    ),
    "a list of grids": (
        ["--set", "epsilon=0.1,0.01"],
        "epsilon has several values, which a list does not show; name the",
    ),
    "a picture of one number": (
        ["lueker", "--set", "epsilon=0.1", "--out", "x.svg"],
        "a picture needs a letter with several values: epsilon=1e-1..1e-6, or n=10,20,30",
    ),
    "a picture of another kind": (
        ["lueker", "--set", "epsilon=0.1,0.2", "--out", "x.bmp"],
        "a picture is written as .svg",
    ),
    "a folder that is not there": (
        ["lueker", "--set", "epsilon=0.1,0.2", "--out", "nowhere/x.svg"],
        "the folder nowhere does not exist",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_one_sentence(case, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line, sentence = REFUSED[case]
    assert sentence in error_of(capsys, "bounds", *line)
    assert not list(tmp_path.iterdir())


def test_from_python_a_sentence_is_about_python():
    with pytest.raises(InputError, match=r"lueker needs epsilon, the largest error of a sum; give epsilon=VALUE"):
        slth.bounds("lueker", delta=0.1)
    with pytest.raises(InputError, match="a value is of one bound at one place, got 2"):
        _ = slth.bounds("lueker", epsilon=[0.1, 0.2]).value
    with pytest.raises(InputError, match="bound must be a text, got 3"):
        slth.theory.bound(3)  # pyright: ignore
    with pytest.raises(InputError, match="names must be a text"):
        slth.bounds(3)
    with pytest.raises(InputError, match="epsilon must be a number, several, or a range"):
        slth.bounds("lueker", epsilon=[])


def test_where_a_number_is_infinite_the_table_says_so(capsys, monkeypatch, tmp_path):
    """And a picture has a gap there."""
    from dataclasses import replace

    gap = replace(THEOREMS["lueker"], value=lambda **at: math.inf if at["epsilon"] < 0.05 else 3)
    monkeypatch.setitem(THEOREMS, "lueker", gap)
    rows = printed(capsys, "lueker", "--set", "epsilon=0.1,0.01").splitlines()
    assert rows[3].split(maxsplit=1)[1] == "too large to count"
    assert '"value": null' in printed(capsys, "lueker", "--set", "epsilon=0.01", "--json")
    assert slth.bounds("lueker", epsilon=[0.2, 0.1, 0.01], out=tmp_path / "x.svg").picture.exists()
