"""What can be asked of each verb is declared once: everything else that names an argument says the same."""

import inspect
from dataclasses import MISSING, fields
from pathlib import Path
from types import NoneType
from typing import Any, get_args

import numpy as np
import pytest

import slth
from slth import InputError, sweeps
from slth._errors import command_line
from slth.learning import METHODS, Policy, Training
from slth.learning.laws import WeightLaw
from slth.learning.training import OPTIMIZERS, PRECISIONS, SCHEDULES
from slth.network import ARCHITECTURES, resolved_arguments
from slth.network.reading import ACTIVATIONS
from slth.records import verbs
from slth.ticket import MOST_CANDIDATES, MOST_OF

BY_NAME = {verb.__name__.lower(): verb for verb in verbs.VERBS}
IN_PYTHON = [name for name in BY_NAME if name != "sweep"]
RECIPE_TYPES = {
    bool: bool,
    int: int,
    float: float,
    float | tuple[float, ...]: tuple,
    str: str,
    Path: str,
    str | Path: str,
    str | tuple[int, ...]: str,
    tuple[float, float]: list,
    tuple[float, ...]: list,
    tuple[int, ...]: list,
    tuple[str, ...]: list,
    tuple[tuple[str, float], ...]: str,
    tuple[Path, ...]: list,
    verbs.WeightAt: str,
}
# What only Python can say: an object, a function; the settings that a command line names one by one.
OF_PYTHON = {
    "construct": {"progress", "example", "resume"},
    "plan": {"example"},
    "compare": {"progress"},
    "verify": {"progress"},
    "evaluate": {"model", "name", "progress"},
    "train": {"progress"},
    "reproduce": {"progress"},
    "bounds": {"values"},
    "search": {"options", "arguments", "training", "policy", "every", "share", "progress", "loss"},
}
OWNERS = {"training": [Training], "policy": [Policy], "options": [*METHODS.values()]}


def arguments_with_types(verb):
    """(name, argument, type without None)."""
    for part in fields(verb):
        kinds = [kind for kind in get_args(part.type.__origin__) or [part.type.__origin__] if kind is not NoneType]
        whole = part.type.__origin__ if NoneType not in get_args(part.type.__origin__) else None
        kind = whole if whole is not None else kinds[0] if len(kinds) == 1 else kinds[0] | kinds[1]
        yield part.name, verbs.arguments(verb)[part.name], kind


@pytest.mark.parametrize("name", BY_NAME)
def test_the_kind_of_an_argument_is_that_of_its_type(name):
    for argument_name, argument, kind in arguments_with_types(BY_NAME[name]):
        wanted = dict if argument_name == "setting" else RECIPE_TYPES[kind]
        assert argument.kind.recipe is wanted, argument_name
        assert argument.help or argument.kind.known


@pytest.mark.parametrize("name", IN_PYTHON)
def test_the_function_of_a_verb_has_the_arguments_and_defaults_of_its_record(name):
    """The subject of a verb may have a default on the command line and none in Python, and `out` the reverse."""
    verb = BY_NAME[name]
    signature = inspect.signature(getattr(slth, name)).parameters
    known = {key for key, argument in verbs.arguments(verb).items() if argument.checked and not argument.command}
    assert set(signature) == known | OF_PYTHON.get(name, set())
    subject, *rest = signature.values()
    assert subject.name == next(iter(verbs.arguments(verb))) or name in ("train", "search")
    for parameter in rest:
        if parameter.name in known and (name, parameter.name) != ("train", "out"):
            default = verbs.defaults(verb).get(parameter.name, inspect.Parameter.empty)
            assert parameter.default == default, parameter.name


def test_a_sweep_takes_what_its_command_hands_on():
    assert set(inspect.signature(sweeps.run).parameters) - {"recipe", "folder", "progress"} == {
        name for name, argument in verbs.arguments(verbs.Sweep).items() if not argument.command
    }


def test_the_groups_of_a_search_are_keywords_of_its_function():
    assert verbs.groups(verbs.Search) == ("options", "training", "policy", "arguments")
    assert set(verbs.groups(verbs.Search)) <= set(inspect.signature(slth.search).parameters)


@pytest.mark.parametrize("group", OWNERS)
def test_the_settings_of_a_search_are_those_of_their_owners(group):
    """Names and kinds; the default is the owner's, so the record's is None."""
    owned: dict[str, set[Any]] = {}
    for owner in OWNERS[group]:
        for part in fields(owner):
            owned.setdefault(part.name, set()).add(recipe_type(part.type))
    found = {name: a for name, a in verbs.arguments(verbs.Search).items() if a.group == group}
    widest = {name: {tuple} if kinds == {float, tuple} else kinds for name, kinds in owned.items()}
    assert {name: {argument.kind.recipe} for name, argument in found.items()} == widest
    assert {name: verbs.defaults(verbs.Search)[name] for name in found} == dict.fromkeys(found)
    assert not any(argument.checked for argument in found.values())


def recipe_type(kind):
    """float of float | None, str of Literal[...], list of tuple[...], tuple of float | tuple[...]: one or a list."""
    known = [part for part in (get_args(kind) or [kind]) if part is not NoneType]
    if known[0] is float and len(known) > 1 and known[1] == tuple[float, ...]:
        return tuple
    if getattr(kind, "__origin__", None) is tuple:
        return list
    return str if isinstance(known[0], str) or getattr(known[0], "__args__", None) else known[0]


def test_the_names_that_the_help_lists_are_those_of_the_registries():
    search = verbs.arguments(verbs.Search)
    assert search["method"].kind.known == tuple(METHODS)
    assert set(search["model"].kind.known) == set(ARCHITECTURES)
    assert search["optimizer"].kind.known == OPTIMIZERS
    assert search["schedule"].kind.known == SCHEDULES
    assert search["precision"].kind.known == PRECISIONS
    assert verbs.arguments(verbs.Construct)["activation"].kind.known == tuple(ACTIVATIONS)
    assert set(search["law"].kind.known) <= set(get_args(WeightLaw))
    for name in ("biases", "norms"):
        assert search[name].kind.known == get_args(next(part.type for part in fields(Policy) if part.name == name))
    assert set(resolved_arguments("mlp", {"inputs": [4], "classes": 2})) > {"width", "hidden"}


def test_what_a_ticket_says_is_marked():
    said = [name for name, argument in verbs.arguments(verbs.Construct).items() if argument.provenance]
    ticket = slth.construct({"weight": np.ones((1, 1))}, input_range=(0, 1), tolerance=0.1)
    assert sorted(said) == sorted(ticket.provenance.asked)


def test_what_is_asked_of_a_search_stands_in_its_ticket():
    """Everything that is marked as asked, the settings of other methods aside."""
    found = slth.search("mlp", "digits", training={"epochs": 0.1}, arguments={"hidden": [4]})
    asked = found.ticket.provenance.asked
    stands = {**asked, **asked["training"], **asked["policy"], **asked["network"][1], **asked["method"], "model": 0}
    others = {part.name for method in METHODS.values() for part in fields(method)} - set(asked["method"])
    marked = {name for name, argument in verbs.arguments(verbs.Search).items() if argument.asked} - others
    assert marked <= set(stands)


def test_limits_are_those_of_the_ticket():
    """Of the gadgets that take most, and of all others."""
    for gadget in verbs.GADGETS:
        most = MOST_OF.get(gadget, MOST_CANDIDATES)
        assert verbs.Construct(candidates=most, gadget=gadget).candidates == most
        with pytest.raises(InputError, match=f"^candidates must be a whole number from 1 to {most}"):
            verbs.Construct(candidates=most + 1, gadget=gadget)


def test_a_record_holds_plain_values():
    """Of whatever library; these tests check types at run time, so it is asked for one by one here."""
    given = {"tolerance": np.float32(0.5), "candidates": np.int64(3), "mean": np.array([1, 2]), "std": 1, "target": "a"}
    found = {name: verbs.read(verbs.Construct, name, value) for name, value in given.items()}
    assert found == {"tolerance": 0.5, "candidates": 3, "mean": (1.0, 2.0), "std": (1.0,), "target": Path("a")}
    assert (type(found["tolerance"]), type(found["candidates"])) == (float, int)
    assert verbs.read(verbs.Show, "weight", [1, 2, None]) == (1, 2, None, 0)
    assert verbs.read(verbs.Show, "weight", "1:2,bias") == ("1", 2, None, 0)  # a path may be a number, too
    assert verbs.read(verbs.Show, "weight", "conv1:3,0,12") == ("conv1", 3, 0, 12)
    assert verbs.read(verbs.Report, "files", "a") == verbs.read(verbs.Report, "files", [Path("a")]) == (Path("a"),)


def read(verb, name, value):
    return lambda: verbs.read(verb, name, value)


REFUSED = {
    "a promise too many": (lambda: verbs.Plan(target=Path("a"), tolerance=1.0, epsilon=1.0), "one of the two"),
    "two tolerances": (
        lambda: verbs.Construct(tolerance=1.0, relative_tolerance=0.1),
        "tolerance and relative_tolerance both say how exact the ticket is",
    ),
    "a relative tolerance and an error": (lambda: verbs.Plan(relative_tolerance=0.1, epsilon=1.0), "give one of them"),
    "a shape and a file": (lambda: verbs.Plan(target=Path("a"), shape=(3, 2)), "shape and target both describe"),
    "a shape and an error": (lambda: verbs.Plan(shape="gpt-3", epsilon=1.0), "a shape does not have"),
    "half a normalisation": (
        lambda: verbs.Evaluate(ticket=Path("a"), data="digits", mean=(0.5,)),
        "mean and std go together, got only mean",
    ),
    "two ranges": (
        lambda: verbs.Plan(target=Path("a"), input_range=(0.0, 1.0), data="digits"),
        "input_range and data both state the inputs; give one of them",
    ),
    "a range before and behind": (
        lambda: verbs.Construct(target=Path("a"), input_range=(0.0, 1.0), raw_range=(0.0, 1.0)),
        "input_range and raw_range both state the inputs; give one of them",
    ),
    "a range of data and of a data set": (
        lambda: verbs.Plan(target=Path("a"), raw_range=(0.0, 1.0), data="digits"),
        "raw_range and data both state the inputs; give one of them",
    ),
    "not positive": (lambda: verbs.Construct(epsilon=0.0), "epsilon must be a positive number such as 0.01, got 0"),
    "a chance": (lambda: verbs.Construct(failure_probability=1.0), "a number between 0 and 1 such as 0.01, got 1.0"),
    "no seed": (lambda: verbs.Search(seed=-1), "seed must be a non-negative whole number, got -1"),
    "no thread": (lambda: verbs.Construct(threads=0), "threads must be a whole number, at least 1, got 0"),
    "no number": (read(verbs.Construct, "tolerance", "x"), "tolerance must be a number such as 0.01, got 'x' (str)"),
    "no pair": (
        read(verbs.Construct, "input_range", (0, "a")),
        "an end of input_range must be a number, got 'a' (str)",
    ),
    "no weight": (read(verbs.Show, "weight", 3), "weight must be (map, output, input) or '0:3,17', got 3 (int)"),
    "half a weight": (
        read(verbs.Show, "weight", "0:1"),
        "weight takes MAP:OUT,IN or MAP:OUT,IN,TAP counted from 0, such as 0:3,17 or",
    ),
    "no file": (read(verbs.Report, "files", [3]), "files must be the name of a file, got 3 (int)"),
    "no settings": (read(verbs.Search, "setting", 3), "setting must map names to values, got 3 (int)"),
}


TWICE = {
    "itself": (verbs.Construct(target=Path("a"), out=Path("a")), "a would be both target and out; choose", "--out"),
    "spelled otherwise": (verbs.Construct(source=Path("x/../a"), out=Path("a")), "both source and out", "--out"),
    "a ticket": (verbs.Evaluate(ticket=Path("a"), data="b.npz", records=Path("a")), "both ticket and", "--records"),
    "data": (verbs.Evaluate(ticket=Path("a"), data="b.npz", records=Path("b.npz")), "both data and", "--records"),
    "one of several": (verbs.Report(files=(Path("a"), Path("b")), out=Path("b")), "both files and out", "--out"),
    "code": (verbs.Construct(model="x/../a.py:make", out=Path("a.py")), "a.py would be both model and out", "--out"),
    "two outputs": (verbs.Search(out=Path("a"), checkpoint=Path("a")), "both checkpoint and out", "--out"),
}


@pytest.mark.parametrize("case", TWICE)
def test_no_file_is_written_over_another_that_is_named(case):
    asked, sentence, flag = TWICE[case]
    with command_line(), pytest.raises(InputError, match=sentence) as caught:
        verbs.check_places(asked)
    with command_line():
        assert flag in str(caught.value)


def test_files_that_are_only_read_may_be_the_same():
    verbs.check_places(verbs.Report(files=(Path("a"), Path("a")), target=Path("a"), out=Path("b")))
    verbs.check_places(verbs.Search(data="digits", out=Path("digits")))


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_one_sentence(case):
    call, sentence = REFUSED[case]
    with pytest.raises(InputError) as caught:
        call()
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_record_is_frozen_and_says_what_must_be_said():
    for verb in verbs.VERBS:
        needed = {part.name for part in fields(verb) if part.default is MISSING}
        assert verb.__dataclass_params__.frozen
        assert needed == set(verbs.arguments(verb)) - set(verbs.defaults(verb))
