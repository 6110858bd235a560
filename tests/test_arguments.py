"""The reader of arguments: what is a number; each refusal says what was expected, what arrived, what to try."""

import math
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from slth import InputError, _arguments
from slth._arguments import number, whole
from slth._errors import command_line

ONE_AND_A_HALF = [
    1.5,
    np.float32(1.5),
    np.float64(1.5),
    np.array(1.5),
    Fraction(3, 2),
    Decimal("1.5"),
    torch.tensor(1.5),
]
THREE = [3, 3.0, np.int8(3), np.uint64(3), np.float32(3), np.array(3), torch.tensor(3)]
NO_NUMBERS = [True, np.True_, "3", b"3", None, [3], np.array([3]), 3j, torch.tensor([3.0]), torch.tensor(True)]


@pytest.mark.parametrize("given", ONE_AND_A_HALF, ids=repr)
def test_a_number_of_any_library_is_a_float(given):
    found = number("x", given)
    assert (type(found), found) == (float, 1.5)


@pytest.mark.parametrize("given", THREE, ids=repr)
def test_a_whole_number_of_any_library_is_an_int(given):
    found = whole("x", given)
    assert (type(found), found) == (int, 3)
    assert number("x", given) == 3


@pytest.mark.parametrize("read", [number, whole])
@pytest.mark.parametrize("given", NO_NUMBERS, ids=repr)
def test_a_truth_a_text_and_an_array_are_no_numbers(read, given):
    with pytest.raises(InputError, match=rf"^x must be a (whole )?number such as 7, got .*\({type(given).__name__}\)$"):
        read("x", given, example="7")


@pytest.mark.parametrize("given", [math.nan, math.inf, -math.inf, np.float32("nan"), 10**400])
def test_what_is_not_finite_is_no_number(given):
    with pytest.raises(InputError, match=r"x must be a (whole )?number"):
        number("x", given)
    if not isinstance(given, int):
        with pytest.raises(InputError, match="x must be a whole number"):
            whole("x", given)


@pytest.mark.parametrize(
    ("limits", "inside", "outside", "words"),
    [
        ({"above": 0}, [1e-300, 5], [0, -1, math.nan, math.inf], "a positive number"),
        ({"least": 0}, [0, 5], [-1e-300, math.nan], "a non-negative number"),
        ({"above": 2}, [2.5], [2], "a number above 2"),
        ({"least": 2}, [2], [1.5], "a number, at least 2"),
        ({"above": 0, "below": 1}, [0.5], [0, 1, math.nan], "a number between 0 and 1"),
        ({"least": 0, "most": 1}, [0, 1], [-1, 1.5], "a number from 0 to 1"),
        ({"above": 0, "most": 1}, [1], [0, 1.5], "a number above 0 and at most 1"),
        ({"least": 0, "below": 1}, [0], [1], "a number of at least 0 and below 1"),
        ({"most": 1}, [1, -5], [2], "a number at most 1"),
    ],
)
def test_limits_are_kept_and_said(limits, inside, outside, words):
    assert [number("x", value, **limits) for value in inside] == inside
    for value in outside:
        with pytest.raises(InputError, match=f"^x must be {words} such as 0.5, got {value}$"):
            number("x", value, example="0.5", **limits)


def test_limits_of_whole_numbers():
    assert [whole("n", n, least=1, most=64) for n in (1, 64)] == [1, 64]
    for n in (0, 65):
        with pytest.raises(InputError, match=f"^n must be a whole number from 1 to 64, got {n}$"):
            whole("n", n, least=1, most=64)
    with pytest.raises(InputError, match=r"^n must be a non-negative whole number, got -1$"):
        whole("n", np.int64(-1), least=0)


CASES = {
    "truth": (lambda: _arguments.truth("x", 1), "x must be true or false, got 1 (int)"),
    "text": (lambda: _arguments.text("x", 1), "x must be a text, got 1 (int)"),
    "path": (lambda: _arguments.path("x", 1), "x must be the name of a file, got 1 (int)"),
    "path of bytes": (lambda: _arguments.path("x", b"a"), "x must be the name of a file, got b'a' (bytes)"),
    "path that is too long": (
        lambda: _arguments.path("x", "a" * 256),
        "x: expected the name of a file, got one that is too long, 'aaaa",
    ),
    "path of too many folders": (
        lambda: _arguments.path("x", "a/" * 3000),
        "x: expected the name of a file, got one that is too long, 'a/a/",
    ),
    "path with half a character": (
        lambda: _arguments.path("x", "\ud800"),
        "x: expected the name of a file, which half a character is not, got '\\ud800' (str)",
    ),
    "one of a pair": (
        lambda: _arguments.pair("x", (1,), "(0, 1)"),
        "x must be a pair such as (0, 1), got (1,) (tuple)",
    ),
    "a text": (lambda: _arguments.pair("x", "ab", "(0, 1)"), "x must be a pair such as (0, 1), got 'ab' (str)"),
    "numbers": (lambda: _arguments.numbers("x", "12"), "x must be a number or several, such as 0.5 or (0.4, 0.5), got"),
    "no numbers": (
        lambda: _arguments.numbers("x", []),
        "x must be a number or several, such as 0.5 or (0.4, 0.5), got",
    ),
    "one of them": (lambda: _arguments.numbers("x", [1, None]), "x must be a number, got None (NoneType)"),
    "wholes": (lambda: _arguments.wholes("x", [1.5]), "x must be a whole number, got 1.5 (float)"),
    "names": (lambda: _arguments.names("x", "a,b"), "x must be names such as ('fc1', 'fc2'), got 'a,b' (str)"),
    "one name": (lambda: _arguments.names("x", ["a", 1]), "x must be a text, got 1 (int)"),
    "array": (lambda: _arguments.array("x", ["a"]), "x must be an array of numbers, got ['a'] (list)"),
    "ragged": (lambda: _arguments.array("x", [[0, 1], [2]]), "x must be an array of numbers, got [[0, 1], [2]] (list)"),
    "ends": (lambda: _arguments.ends("x", True), "x must be an array of numbers, got True (bool)"),
    "near": (
        lambda: _arguments.one_of("rat", ["rate", "gain"], "option"),
        "unknown option 'rat'; did you mean 'rate'?",
    ),
    "far": (
        lambda: _arguments.one_of("zz", ["rate", "gain"], "option"),
        "unknown option 'zz'; expected one of gain, rate",
    ),
    "no name": (lambda: _arguments.one_of(3, ["rate"], "option"), "option must be a text, got 3 (int)"),  # pyright: ignore
    "a number too long to print": (
        lambda: whole("x", 10**5000, most=64),
        "x must be a whole number at most 64, got a number too long to print",
    ),
    "one among others": (
        lambda: _arguments.truth("x", [10**5000]),
        "x must be true or false, got a number too long to print (list)",
    ),
    "a setting twice": (
        lambda: _arguments.settings_in("--x", ["d=1", "d=2"]),
        "--x gives d twice, 1 and 2; give it once",
    ),
    "together": (
        lambda: _arguments.together(mean=1, std=None),
        "mean and std go together, got only mean; give both or",
    ),
    "apart": (lambda: _arguments.apart("both say it", a=1, b=2, c=None), "--a and --b both say it; give one of them"),
    "numbers in": (
        lambda: _arguments.numbers_in("--x", "a"),
        "--x takes numbers separated by commas; got 'a', try 0.4",
    ),
    "none in": (lambda: _arguments.numbers_in("--x", ""), "--x takes numbers separated by commas; got '', try 0.4,0.5"),
    "two in": (
        lambda: _arguments.numbers_in("--x", "1,2,3", count=2),
        "--x takes two numbers separated by a comma; got",
    ),
    "wholes in": (lambda: _arguments.wholes_in("--x", "1.5"), "--x takes whole numbers separated by commas; got '1.5'"),
    "setting in": (lambda: _arguments.setting_in("--x", "=1"), "--x takes KEY=VALUE, such as rate=0.2; got '=1'"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_refusal_is_one_sentence(case):
    call, sentence = CASES[case]
    with pytest.raises(InputError) as caught:
        call()
    with command_line():
        assert str(caught.value).startswith(sentence)
        assert "\n" not in str(caught.value)


def test_what_is_right_comes_out_plain():
    assert _arguments.truth("x", np.True_) is True
    assert _arguments.path("x", "a/b") == Path("a/b")
    assert _arguments.pair("x", np.array([0, 1]), "(0, 1)") == (0, 1)
    assert _arguments.numbers("x", np.float32(0.5)) == (0.5,)
    assert _arguments.numbers("x", np.array([0.5, 1])) == (0.5, 1.0)
    assert _arguments.wholes("x", ()) == ()
    assert _arguments.names("x", ["a"]) == ("a",)
    assert _arguments.ends("x", 1) == (1.0,)
    assert _arguments.ends("x", [[0, 1]]) == (0.0, 1.0)
    assert _arguments.wholes_in("--x", "300,100,") == (300, 100)
    with pytest.raises(InputError, match="separated by commas; got '784,,10'"):
        _arguments.wholes_in("--x", "784,,10")
    assert _arguments.wholes_in("--x", "") == ()
    assert _arguments.names_in("a, b") == ("a", "b")
    texts = ("rate=1", "rate=0.5", "re-train=True", "law=x=y")
    assert [_arguments.setting_in("--set", text)[1] for text in texts] == [1, 0.5, True, "x=y"]
    _arguments.together(mean=None, std=None)
    _arguments.together(mean=1, std=1)
    _arguments.apart("both say it", a=1, b=None)


def test_the_reader_loads_nothing_heavy():
    code = "import sys, slth._arguments; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
