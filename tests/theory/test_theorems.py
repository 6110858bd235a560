"""Every bound is complete, says what it needs, points the way it says, and can be drawn."""

import inspect
import json
import math
from dataclasses import replace

import pytest
from theory.examples import VIOLATED, values_for

import slth
from slth import InputError
from slth.theory import REFERENCES, THEOREMS, Direction, Standing, Unit, bound, grid

COUNTED = (Unit.CANDIDATES, Unit.NEURONS)


@pytest.fixture(params=THEOREMS)
def theorem(request):
    return THEOREMS[request.param]


def test_a_record_is_complete(theorem):
    assert THEOREMS[theorem.name] is theorem
    assert theorem.title
    assert theorem.gives
    assert theorem.says.endswith(".")
    assert theorem.against in theorem.letters
    assert theorem.sources
    assert set(theorem.sources) <= set(REFERENCES)
    assert theorem.place or "erived" in theorem.note or theorem.direction is Direction.EXPECTED
    assert all(assumption.says for assumption in theorem.assumes)
    assert all(variant.name and variant.why for variant in theorem.variants)


def test_every_letter_says_what_it_means_and_the_number_takes_it(theorem):
    for name, letter in theorem.letters.items():
        assert letter.meaning, name
        if isinstance(letter.default, str):
            assert list(theorem.letters).index(letter.default) < list(theorem.letters).index(name)
    taken = inspect.signature(theorem.value).parameters.values()
    if all(parameter.kind is not parameter.VAR_KEYWORD for parameter in taken):
        assert {parameter.name for parameter in taken} == {*theorem.letters, *theorem.constants}


def test_a_constant_says_where_it_comes_from(theorem):
    for name, constant in theorem.constants.items():
        assert constant.meaning, name
        assert constant.standing is not Standing.UNKNOWN or constant.value == 1, name
        assert constant.standing is not Standing.FITTED or len(constant.note) > 20, name
        other = bound(theorem.name, **{**values_for(theorem.name), name: 2 * constant.value})
        assert other.at[name] == 2 * constant.value


def test_the_answer_is_a_record_with_plain_data(theorem):
    found = theorem(**values_for(theorem.name))
    assert repr(found).startswith(f"Bound(theorem=<theorem {theorem.name}>, at={{")
    assert set(found.at) == {*theorem.letters, *theorem.constants}
    assert found.value >= 0
    assert set(found.others) == {variant.name for variant in theorem.variants}
    data = json.loads(json.dumps(found.as_data(), allow_nan=False))
    assert data["value"] == found.value
    if theorem.unit in COUNTED:
        assert isinstance(found.value, int)
        assert all(isinstance(value, int) for unit, value in found.also.items() if unit in COUNTED)
    if theorem.unit is Unit.CHANCE:
        assert found.value <= 1


def inside(letter, value):
    """Values around one, within a letter's limits."""
    for factor in (0.25, 0.5, 0.8, 1, 1.3, 2, 5):
        at = round(value * factor) if letter.whole else value * factor
        try:
            yield letter.read("", at)
        except InputError:
            continue


def test_it_moves_the_way_that_its_letters_say(theorem):
    given = theorem(**values_for(theorem.name)).at
    moved = 0
    for name, letter in theorem.letters.items():
        numbers = []
        for at in inside(letter, given[name]):
            try:
                numbers.append(theorem(**{**given, name: at}).value)
            except InputError:  # an assumption
                continue
        moved += bool(letter.trend)
        if letter.trend == "rises":
            assert numbers == sorted(numbers), name
        if letter.trend == "falls":
            assert numbers == sorted(numbers, reverse=True), name
    errors = [letter for letter in ("epsilon", "tolerance", "step") if letter in theorem.letters]
    assert all(theorem.letters[letter].trend for letter in errors), "an error has a trend"
    assert moved


def test_what_is_missing_or_unknown_is_named(theorem):
    given = values_for(theorem.name)
    for name, letter in theorem.letters.items():
        if letter.default is None:
            with pytest.raises(InputError, match=rf"{theorem.name} needs {name}, .*; give {name}=VALUE"):
                theorem(**{key: value for key, value in given.items() if key != name})
    first = next(iter(theorem.letters))
    with pytest.raises(
        InputError, match=rf"unknown letter of {theorem.name} '{first}x'; did you mean '{first}'|{first}"
    ):
        theorem(**given, **{f"{first}x": 1})


def test_letters_keep_their_limits(theorem):
    given = values_for(theorem.name)
    for name, letter in theorem.letters.items():
        limits = {"above": letter.above, "below": letter.below}
        for limit in (x for x in limits.values() if x is not None and not letter.whole):
            with pytest.raises(InputError, match=f"{name} must be"):
                theorem(**{**given, name: limit})
        for bad in (math.nan, math.inf, "x", True, None if letter.default is None else "y"):
            with pytest.raises(InputError, match=name):
                theorem(**{**given, name: bad})


def test_a_violated_assumption_is_named(theorem):
    checked = [assumption for assumption in theorem.assumes if assumption.holds is not None]
    assert bool(checked) == (theorem.name in VIOLATED)
    if checked:
        with pytest.raises(InputError) as caught:
            theorem(**VIOLATED[theorem.name])
        assert any(assumption.says in str(caught.value) for assumption in checked)
        assert "got " in str(caught.value)


def test_a_formula_is_refused_where_it_promises_what_cannot_be():
    """Both signs of ten inputs pass through 20 ReLU at least, however far weights move."""
    assert bound("xiong", d=10, epsilon=0.01, move=100).value >= 20
    with pytest.raises(InputError, match="a neuron for each input and sign"):
        bound("xiong", d=10, epsilon=0.01, move=1000)


def test_an_unknown_constant_makes_a_number_a_form(theorem):
    unknown = [name for name, constant in theorem.constants.items() if constant.standing is Standing.UNKNOWN]
    assert theorem.points.startswith(theorem.direction.value)
    assert ("unknown: the number shows the form alone" in theorem.points) == bool(unknown)
    assert list(theorem.unknown) == unknown


RANGES = {
    "M": "10..1e6",
    "bits": "1..1e6",
    "gamma": "0.01..0.5",
    "k": "50000..200000",
    "n": "20..60",
    "p": "0.1..1",
    "step": "0.5..1e-6",
    "tolerance": "1e-1..1e-5",
    "weights": "1..1e9",
}


OWN_RANGES = {
    "natale-large": "1e-12..1e-15",
    "rfss-all": "0.4..0.01",
    "null-function-fixed": "1..40",
    "natale-lower": "8..40",
    "rfss-lower": "2..40",
    **dict.fromkeys(("random-masks", "random-masks-lower", "random-masks-factor"), "0.1..0.9"),
}


def test_a_curve_can_be_drawn(theorem):
    over = theorem.against
    own = OWN_RANGES.get(theorem.name)
    given = {**values_for(theorem.name), over: own or RANGES.get(over, "1e-1..1e-6")}
    found = slth.bounds(theorem.name, **given)
    (series,) = found.series
    assert found.over == over
    assert len(series.points) >= 12
    assert all(math.isfinite(found.number(point)) for point in series.points)
    assert len({found.number(point) for point in series.points}) > 2


def test_a_step_that_is_no_power_of_two_is_refused():
    """And a range is that of the powers in it."""
    with pytest.raises(InputError, match=r"step must be a power of two, got 0\.3; try 0\.25"):
        bound("kumar", d=10, step=0.3)
    steps = grid(THEOREMS["kumar"], "step", "1e-3..0.4").values
    assert steps == tuple(2.0**-k for k in range(9, 1, -1))
    with pytest.raises(InputError, match=r"fewer than two are in 0\.3\.\.0\.2; try"):
        grid(THEOREMS["kumar"], "step", "0.3..0.2")


def test_a_tiny_error_has_a_number_or_is_refused(theorem):
    """No quotient by it becomes infinite, and a bound with it. The n of rfss-all is beyond 2^900."""
    given = theorem(**values_for(theorem.name)).at
    for name, letter in theorem.letters.items():
        if letter.above != 0 or letter.whole:
            continue
        with pytest.raises(InputError, match=rf"{name} must be at least 1e-250, got 1e-299"):
            theorem(**{**given, name: 1e-299})
        try:
            value = theorem(**{**given, name: 2.0**-830}).value
        except InputError:  # an assumption, or a number beyond the floats
            continue
        assert math.isfinite(value) or theorem.name == "rfss-all"


def test_numbers_that_are_too_large_are_said():
    large = replace(THEOREMS["lueker"], value=lambda **at: 10.0 ** (3 / at["epsilon"]))
    with pytest.raises(InputError, match="lueker is beyond the range of numbers at these values; try milder ones"):
        large(epsilon=0.001)


BEYOND = {
    "a number that is no float": lambda **at: 10**400,
    "the logarithm of what is so small that it is zero": lambda **at: math.log(at["epsilon"] / 1e300),
}


@pytest.mark.parametrize("case", BEYOND)
def test_what_floats_cannot_hold_is_said(case):
    with pytest.raises(InputError, match="lueker is beyond the range of numbers at these values; try milder ones"):
        replace(THEOREMS["lueker"], value=BEYOND[case])(epsilon=1e-200)


def test_a_whole_number_beyond_floats_is_refused():
    for given in (10**400, [2, 10**400]):
        with pytest.raises(InputError, match="d must be a whole number below 1e308, got one of 1,329 bits"):
            slth.bounds("natale-lower", d=given, k=8, epsilon=0.01)
