"""From a recipe to cells and their names."""

import itertools
import re

import pytest
from sweeps.squares import SQUARE, recipe

from slth import InputError, sweeps
from slth.sweeps import Option, Recipe


def read(tmp_path, monkeypatch, text):
    monkeypatch.setitem(sweeps.VERBS, "square", SQUARE)
    path = tmp_path / "r.toml"
    path.write_text(text)
    return sweeps.read_recipe(path)


def test_cells_are_every_combination_in_order():
    found = [(cell.options["x"], cell.options["y"]) for cell in recipe(3, 2).cells()]
    assert found == list(itertools.product(range(3), range(2)))
    assert len({cell.question for cell in recipe(3, 2).cells()}) == 6


def test_the_name_of_a_cell_never_changes():
    """Results of earlier versions are found again: SHA-256 of {"asked":{"x":2},"kind":"square"}."""
    (cell,) = Recipe(SQUARE, {"x": 2}).cells()
    assert cell.question == "4ec3155b0cfb9fb46b2d7816507b9b85dab4ee38caa27981495c1a1bbdc50e91"


def test_spelling_does_not_change_the_question():
    """Options at their default, whole numbers for numbers, the grid or the options: one question."""
    one = Recipe(SQUARE, {"x": 1, "scale": 2}).cells()
    two = Recipe(SQUARE, {"scale": 2.0, "y": 0, "work": 0}, {"x": [1]}).cells()
    assert [cell.question for cell in one] == [cell.question for cell in two]


def test_a_new_option_of_the_verb_changes_no_question():
    wider = sweeps.Verb("square", {**SQUARE.options, "new": Option(int, 7)}, SQUARE.run)
    assert Recipe(wider, {"x": 1}).cells()[0].question == Recipe(SQUARE, {"x": 1}).cells()[0].question


def test_a_file_is_asked_by_its_content(tmp_path):
    """Relative to the recipe; the same bytes elsewhere are the same question, other bytes another."""
    for name, text in (("a.npz", "one"), ("b.npz", "one"), ("c.npz", "two")):
        (tmp_path / name).write_text(text)
    a, b, c = Recipe(SQUARE, grid={"source": ["a.npz", "b.npz", "c.npz"]}, base=tmp_path).cells()
    assert a.question == b.question != c.question
    assert a.options["source"] == str(tmp_path / "a.npz")
    with pytest.raises(InputError, match=r"cannot read .*d\.npz: No such file"):
        Recipe(SQUARE, {"source": "d.npz"}, base=tmp_path).cells()


def test_a_whole_recipe(tmp_path, monkeypatch):
    found = read(
        tmp_path,
        monkeypatch,
        'verb = "square"\n[options]\nwork = 1\n[grid]\nx = [1, 2]\ny = [3]\n[table]\n'
        'rows = "y"\nvalue = "nested.half"\n',
    )
    assert found.verb is SQUARE
    assert found.axes == ("y", "x")
    assert [cell.options["x"] for cell in found.cells()] == [1, 2]


@pytest.mark.parametrize(
    ("grid", "said", "axes"),
    [
        (["seed", "density"], {}, ("density", None)),
        (["density", "seed", "lr"], {}, ("density", "lr")),
        (["initial", "seed"], {"columns": "initial"}, (None, "initial")),
        (["seed"], {}, ("seed", None)),
        (["density", "seed"], {"columns": "seed"}, ("density", "seed")),
    ],
)
def test_seeds_are_averaged_over_unless_the_recipe_asks_for_them(grid, said, axes):
    assert Recipe(sweeps.VERBS["search"], grid={name: [1] for name in grid}, **said).axes == axes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('verb = "square"\n[optoins]\nx = 1', "unknown key 'optoins'; did you mean 'options'?"),
        ('verb = "square"\n[options]\nwrk = 1', "unknown option of square 'wrk'; did you mean 'work'?"),
        ('verb = "square"\n[grid]\nscales = [1]', "unknown option of square 'scales'; did you mean 'scale'?"),
        ('verb = "square"\n[table]\nrow = "x"', "unknown key of [table] 'row'; did you mean 'rows'?"),
        ('verb = "sqare"', "unknown verb 'sqare'; did you mean 'square'?"),
        ('verb = "square"\n[grid]\nzzzz = [1]', "expected one of bad, deadly, scale"),
        ("[grid]\nx = [1]", 'expected verb = "..."'),
        ("verb = ", "is no recipe in TOML"),
        ('verb = "square"\ngrid = 3', "[grid] must be a section"),
        ('verb = "square"\n[grid]\nx = 3', "[grid] x must list its values"),
        ('verb = "square"\n[grid]\nx = []', "[grid] x must list at least one value"),
        ('verb = "square"\n[grid]\nx = [1, 1]', "[grid] x lists a value twice"),
        ('verb = "square"\n[grid]\nscale = [1, 1.0]', "[grid] scale lists a value twice"),
        ('verb = "square"\n[grid]\nx = [1.5]', "x must be a whole number, got 1.5"),
        ('verb = "square"\n[grid]\nx = [true]', "x must be a whole number, got True"),
        ('verb = "square"\n[options]\nscale = nan', "scale must be a number, got nan"),
        ('verb = "square"\n[options]\nbad = ["a"]', "bad must be a list of numbers"),
        ('verb = "square"\n[options]\nx = 1\n[grid]\nx = [1]', "x stands in [options] and in [grid]"),
        ('verb = "square"\n[grid]\nx = [1]\n[table]\nrows = "y"', "unknown axis of [table], not in [grid]: 'y'"),
        ('verb = "square"\n[grid]\nx = [1]\n[table]\nrows = "x"\ncolumns = "x"', "rows and columns are both 'x'"),
        ('verb = "square"\n[table]\nvalue = 3', "[table] value must be a text"),
    ],
)
def test_a_wrong_recipe_is_named(tmp_path, monkeypatch, text, message):
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        read(tmp_path, monkeypatch, text)
    assert str(tmp_path / "r.toml") in str(caught.value)


def test_options_are_checked_before_anything_runs():
    with pytest.raises(InputError, match="work must be a whole number, got 'much'"):
        Recipe(SQUARE, {"work": "much"})


def test_a_grid_has_a_largest_size():
    with pytest.raises(InputError, match="1,000,000 cells"):
        Recipe(SQUARE, {}, {"x": list(range(1000)), "y": list(range(1000))})
