"""The options of a sweep are those of the verb's record; the names of finished cells stay."""

import pytest

from slth import InputError, sweeps
from slth.records import verbs
from slth.sweeps import Option, Recipe

CONSTRUCT, SEARCH = sweeps.VERBS["construct"], sweeps.VERBS["search"]


def test_a_sweep_of_construct_takes_the_options_of_construct_and_of_its_target():
    of_construct, of_target = set(verbs.swept(verbs.Construct)), set(verbs.swept(verbs.Train)) - {"seed"}
    assert set(CONSTRUCT.options) == of_construct | of_target | {"train_seed"}
    assert CONSTRUCT.options["data"] == Option(str, "digits", file=True)
    assert CONSTRUCT.options["epochs"] == Option(int, verbs.DEFAULT_TARGET["epochs"])
    assert CONSTRUCT.options["hidden"] == Option(list, [64])


def test_a_sweep_of_search_takes_the_options_of_search():
    assert set(SEARCH.options) == set(verbs.swept(verbs.Search))
    assert SEARCH.options["method"] == Option(str, "edge-popup")
    assert SEARCH.options["lr"] == Option(float)


@pytest.mark.parametrize(
    ("verb", "options", "question"),
    [
        (
            SEARCH,
            {"data": "digits", "method": "magnitude", "hidden": [100], "density": 0.1, "rate": 0.5, "controls": True},
            "617aea3e11080e94c2e43c530dc869c607fc9fcd3a7b67ffe92bdb1cd0f1f5d5",
        ),
        (
            CONSTRUCT,
            {
                "data": "mnist",
                "hidden": [64],
                "epochs": 10,
                "tolerance": 0.01,
                "train_seed": 3,
                "seed": 1,
                "retries": 2,
            },
            "01b2c3e3d9eb595e194577ee4fef92383eb7c00bc7d2e690864e86509177eb18",
        ),
    ],
    ids=["search", "construct"],
)
def test_the_name_of_a_cell_of_a_verb_never_changes(verb, options, question):
    """As version 0.1.0 wrote them: results of earlier versions are found again."""
    (cell,) = Recipe(verb, options).cells()
    assert cell.question == question


@pytest.mark.parametrize(
    ("asked", "match"),
    [
        ({"law": "nonsense"}, "expected a law of random numbers"),
        ({"law": "pruned/0.3"}, "a chance is a multiple of 1/256"),
        ({"gadget": "nonsense"}, "unknown gadget"),
        ({"objective": "nonsense"}, "unknown objective"),
        ({"gadget": "copies", "law": "normal/20"}, "copies are planned for"),
        ({"gadget": "single", "objective": "exactly", "density": 0.3}, "keeps at most one candidate"),
        ({"gadget": "neurons", "group_size": 20}, "a neuron would give 20 x 1 numbers at once"),
        ({"group_size": 2}, "goes with the gadget neurons"),
        ({"gadget": "copies", "exact": True}, "no network of them is the target itself"),
    ],
)
def test_what_no_cell_of_construct_can_be_is_refused_before_the_first(asked, match, tmp_path):
    """Names, and choices that exclude each other; nothing is trained, nothing runs."""
    with pytest.raises(InputError, match=match):
        sweeps.run(Recipe(CONSTRUCT, asked), tmp_path / "r")
    assert not list((tmp_path / "r").glob("cells/*"))


def test_one_number_is_a_list_of_one_and_the_same_question():
    one, other = (Recipe(CONSTRUCT, {"mean": mean, "std": 1}).cells()[0] for mean in (0.5, [0.5]))
    assert one.options["mean"] == [0.5]
    assert one.question == other.question
    with pytest.raises(InputError, match=r"mean must be a list of numbers, got 'a' \(str\)"):
        Recipe(CONSTRUCT, {"mean": "a"})


def test_standardised_data_can_be_swept(tmp_path):
    """The target is trained on (x − ½) / ½, whose range the ticket states."""
    pytest.importorskip("torch")
    asked = {"hidden": [4], "epochs": 1, "tolerance": 0.03, "mean": 0.5, "std": 0.5}
    sweep = sweeps.run(Recipe(CONSTRUCT, asked), tmp_path / "r")
    assert not sweep.failed, sweep.failed[0].outcome["traceback"]
    (record,) = sweep.records
    assert record.asked["mean"] == record.asked["std"] == [0.5]
    assert record.outcome["verified"]
    assert 0 < record.outcome["measured_error"] <= record.outcome["certified_error"]


def test_search_can_be_swept(tmp_path):
    """Settings reach those who own them: the widths, the density and the epochs are those asked for."""
    pytest.importorskip("lightning_fabric")
    asked = {"epochs": 0.2, "hidden": [16], "law": "kaiming_normal", "batch": 64}
    sweep = sweeps.run(Recipe(SEARCH, asked, {"density": [0.25, 0.5]}), tmp_path / "r")
    assert not sweep.failed, sweep.failed[0].outcome["traceback"]
    quarter, half = (record.outcome for record in sweep.records)
    assert quarter["size"] == half["size"] == 64 * 16 + 16 * 10
    assert (quarter["kept"], half["kept"]) == (296, 592)
    assert quarter["history"][0]["epoch"] == 1


def test_a_density_is_one_number_or_a_list_of_them_and_one_stays_the_question_it_was():
    density = SEARCH.options["density"]
    assert density == Option(tuple)
    assert (density.value("density", 0.5), density.value("density", 1)) == (0.5, 1.0)
    assert density.value("density", [0.9, 0.5]) == [0.9, 0.5]
    for wrong in ("0.5", True, ["0.5"]):
        with pytest.raises(InputError, match="density must be a"):
            density.value("density", wrong)
