"""`slth cite`: every part of slth that rests on a paper says so; a ticket says all that it is made of."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from cli.helpers import check_refusals

import slth
from slth import InputError, theory
from slth.cli.app import run
from slth.graph.bases import BASES
from slth.learning import METHODS
from slth.learning.laws import WeightLaw
from slth.numerics.laws import SOURCE_LAWS
from slth.records import verbs
from slth.theory import REFERENCES, THEOREMS
from slth.ticket import GADGETS

GOLDEN = Path(__file__).parent.parent / "golden"


def keys(what):
    return {reference.key for reference in slth.cite(what).references}


def test_every_registry_has_its_papers():
    """Names alone connect them: a new gadget, objective, lift, law or method has to be listed."""
    assert set(theory.GADGETS) == set(GADGETS) == set(verbs.GADGETS)
    assert set(theory.OBJECTIVES) == set(verbs.OBJECTIVES)
    assert set(theory.LIFTS) == set(verbs.LIFTS)
    assert set(theory.LAWS) == {law.partition("/")[0] for law in SOURCE_LAWS}
    assert set(theory.WEIGHT_LAWS) == set(WeightLaw.__args__)
    assert set(theory.METHODS) == set(METHODS)
    assert set(BASES) - set(theory.OTHERS) == {"Dense", "OneHot"}


def test_every_reproduction_has_its_papers():
    reproductions = pytest.importorskip("slth.reproductions")
    assert {one.name: one.sources for one in reproductions.reproductions()} == dict(theory.REPRODUCTIONS)


def test_every_key_is_a_paper_and_no_paper_stands_twice():
    tables = (theory.GADGETS, theory.OBJECTIVES, theory.LIFTS, theory.LAWS, theory.WEIGHT_LAWS, theory.METHODS)
    others = (theory.OTHERS, theory.REPRODUCTIONS)
    listed = [key for table in (*tables, *others) for found in table.values() for key in found]
    listed += [key for theorem in THEOREMS.values() for key in theorem.sources]
    assert set(listed) <= set(REFERENCES)
    assert all(key == reference.key for key, reference in REFERENCES.items())
    arxiv = [reference.arxiv for reference in REFERENCES.values() if reference.arxiv]
    assert len(set(arxiv)) == len(arxiv)
    assert all(re.fullmatch(r"\d{4}\.\d{4,5}", number) for number in arxiv)


@pytest.mark.parametrize("key", REFERENCES)
def test_bibtex_is_balanced_and_says_who_what_and_when(key):
    reference = REFERENCES[key]
    entry = reference.as_bibtex()
    assert entry.count("{") == entry.count("}")
    assert not re.search(r"(?<!\\)[&%$#_^~]", entry), "LaTeX would take it for a command"
    assert re.match(r"@(article|inproceedings|misc|techreport)\{" + key + ",\n", entry)
    assert f"  year = {{{reference.year}}}" in entry
    assert all(", " in author or author.startswith("{") for author in reference.authors)
    assert f"eprint = {{{reference.arxiv}}}" in entry if reference.arxiv else "eprint" not in entry


MADE_OF = {
    "v2-copies": {"burkholz2022dense", "pensia2020", "salmon2011"},
    "v2-counts": {"diffenderfer2021"},
    "v2-doubling": {"sreenivasan2022"},
    "v2-exactly": {"natale2024", "pensia2020"},
    "v2-fewest": {"burkholz2022dense"},
    "v2-centred": {"borgs2001"},
    "v2-law": {"kumar2025", "lueker1998"},
    "v2-linear": {"otsuka2026"},
    "v2-moves": {"xiong2023"},
    "v2-neurons": {"dacunha2023structured"},
    "v2-single": {"malach2020"},
    "v2-turned": {"ferbach2023"},
    "v1-learned": {"salmon2011"},
}


@pytest.mark.parametrize("name", MADE_OF)
def test_a_ticket_rests_on_what_it_is_made_of(name):
    assert keys(GOLDEN / f"{name}.slth") >= MADE_OF[name]


def test_a_plain_ticket_rests_on_nothing_else():
    ticket = slth.construct({"weight": np.array([[0.5, -0.25]])}, input_range=(0, 1), tolerance=0.01)
    assert keys(ticket) == {"pensia2020", "lueker1998", "horowitz1974", "salmon2011"}


def test_a_learned_ticket_rests_on_its_method_and_its_law():
    """Nothing is asked of policy where masks were trained by hand."""
    found = slth.search(
        "mlp", "digits", training={"epochs": 0.1}, arguments={"hidden": [4]}, policy={"allocation": "erk"}
    )
    assert keys(found.ticket) == {"ramanujan2020", "zhou2019", "mocanu2018", "evci2020", "salmon2011"}


def test_names_are_a_union_and_each_paper_stands_once():
    found = slth.cite(["biprop", "counts", "rfss-lower", "lueker1998", "pruned/0.5"])
    assert [r.key for r in found.references] == ["diffenderfer2021", "natale2024", "lueker1998", "gadhikar2023"]
    assert str(found).count("@") == 4


def test_the_command_prints_bibtex_or_json(capsys):
    assert run(["cite", str(GOLDEN / "v2-exactly.slth"), "pensia-lower"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("@inproceedings{pensia2020,\n  author = {Pensia, Ankit and ")
    assert out.count("@") == len(set(re.findall(r"@\w+\{(\w+),", out)))
    assert run(["cite", "orseau2020", "--json"]) == 0
    (paper,) = json.loads(capsys.readouterr().out)
    assert (paper["key"], paper["arxiv"], paper["year"]) == ("orseau2020", "2006.12156", 2020)


def test_what_cannot_be_cited_is_one_sentence(capsys, tmp_path):
    broken = tmp_path / "broken.slth"
    broken.write_bytes(b"no ticket")
    cases = [
        (["cite", "edge-pop"], "nothing is called 'edge-pop'; did you mean 'edge-popup'? Expected a ticket's file"),
        (["cite", "n" * 5000], "nothing is called 'nnnn"),
        (["cite", "grid/99"], "grid takes a whole number from 0 to 20"),
        (["cite", tmp_path / "none.slth"], "No such file"),
        (["cite", broken], "not a ticket"),
    ]
    check_refusals(capsys, tmp_path, cases)
    for nothing in ([], 3, [3], b"grid"):
        with pytest.raises(InputError, match="at least one; got"):
            slth.cite(nothing)


def test_a_file_that_is_called_like_a_part_is_reached_by_its_path(tmp_path, monkeypatch, capsys):
    (tmp_path / "grid").write_bytes((GOLDEN / "v2-single.slth").read_bytes())
    monkeypatch.chdir(tmp_path)
    assert keys("grid") == {"kumar2025", "borgs2001"}
    assert "malach2020" in keys(tmp_path / "grid")
    assert run(["cite", "./grid"]) == 0
    assert "@inproceedings{malach2020," in capsys.readouterr().out
