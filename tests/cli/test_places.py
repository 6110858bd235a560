"""No command loses a file: neither one that it reads, nor one that somebody else has put where it writes."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from cli.helpers import error_of
from helpers.tickets import any_ticket
from safetensors.numpy import save_file

import slth
from slth import InputError, api
from slth.cli.app import run
from slth.records import verbs
from slth.records.verbs._kinds import DATA, FILE, FILES
from slth.ticket import save

NEEDED = {"data": "d.npz", "out": "new.html", "recipe": "r.toml"}
NEEDED |= dict.fromkeys(("ticket", "tickets", "files"), "t.slth")


def file_arguments(verb):
    """Those that name a file, or code in one."""
    found = verbs.arguments(verb)
    return [name for name in found if name == "model" or found[name].kind in (FILE, FILES, DATA)]


def pairs():
    """Every command, every argument that it writes, every other one that names a file."""
    for verb in verbs.VERBS:
        for written in file_arguments(verb):
            for other in file_arguments(verb):
                searched = verb is verbs.Search and other == "model"  # the name of an architecture
                if verbs.arguments(verb)[written].written and other != written and not searched:
                    yield pytest.param(verb, written, other, id=f"{verb.__name__.lower()} {written} {other}")


def command(verb, **given):
    """A command line with these arguments, and what it cannot do without."""
    named, known = verbs.arguments(verb), verbs.defaults(verb)
    said = {name: value for name, value in NEEDED.items() if name in named and name not in known} | given
    if verb is verbs.Compare and not {"target", "model"} & {*said}:
        said["target"] = "t.safetensors"
    if verb is verbs.Evaluate and "out" in said and not {"target", "model"} & {*said}:
        said["target"] = "t.safetensors"
    line = [verb.__name__.lower()]
    for name, value in said.items():
        line += [value] if named[name].positional else [verbs.flag_of(name, named[name]), value]
    return line


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A file by five names, and what commands need beside it."""
    monkeypatch.chdir(tmp_path)
    for name in ("p.py", "t.slth", "t.safetensors", "d.npz", "r.toml"):
        (tmp_path / name).write_bytes(b"mine: " + name.encode())
    os.symlink("p.py", "link.py")
    os.link("p.py", "second.py")
    os.symlink(".", "here")
    return tmp_path


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
@pytest.mark.parametrize(("verb", "written", "other"), list(pairs()))
def test_no_file_is_both_written_and_named_otherwise(verb, written, other, folder, capsys):
    """By the same name, another way, a link, a second name, a folder that is a link: before any work, in a sentence."""
    before = content(folder)
    for name in ("p.py", "./p.py", "link.py", "second.py", "here/p.py", str(folder / "p.py")):
        for here, there in (("p.py", name), (name, "p.py")):
            given = {written: here, other: f"{there}:make" if other == "model" else there}
            said = error_of(capsys, *command(verb, **given))
            flags = [verbs.flag_of(part, verbs.arguments(verb)[part]) for part in (written, other)]
            assert "would be both" in said
            assert written in said
            assert any(said.endswith(f"choose another name with {flag}") for flag in flags), said
            assert content(folder) == before


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
def test_a_link_that_leads_in_a_circle_is_one_sentence(folder, capsys):
    os.symlink("circle", "circle")
    said = error_of(capsys, "reproduce", "error", "--out", "circle", "--data-dir", "here")
    assert said == "slth: cannot make the folder circle: it is no folder; choose another --out"


def tensors(path, metadata=None):
    save_file({"0.weight": np.ones((1, 2), np.float32)}, path, metadata)


FILLED = {
    "ticket": lambda path: save(any_ticket()[0], path),
    "network": tensors,
    "own network": lambda path: tensors(path, {"slth.version": "0"}),
    "onnx": lambda path: path.write_bytes(b"\x08\x0a\x12\x04test"),
    "property": lambda path: path.write_text("; unsat proves\n(declare-const X_0 Real)\n"),
    "page": lambda path: path.write_text("<!doctype html><title>slth</title>"),
    "picture": lambda path: path.write_text('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>'),
    "history": lambda path: path.write_text("stage,epoch,step,loss\n"),
    "checkpoint": lambda path: tensors(path, {"slth_checkpoint": "1"}),
    "records": lambda path: path.write_text('{"verb": "evaluate"}\n{"verb'),
    "text": lambda path: path.write_text("my notes"),
}
PLACES = {  # what is written there: the record that says so
    "ticket": lambda path: (verbs.Search(out=path), {}),
    "network": lambda path: (verbs.Train(out=path), {}),
    "own network": lambda path: (verbs.Construct(), {"made": {"target": (path, "own network")}}),
    "onnx": lambda path: (verbs.Export(ticket=Path("t"), out=path), {}),
    "property": lambda path: (verbs.Construct(), {"made": {"property": (path, "property")}}),
    "page": lambda path: (verbs.Report(files=(Path("t"),), out=path), {}),
    "picture": lambda path: (verbs.Show(ticket=Path("t"), picture=path), {}),
    "history": lambda path: (verbs.Search(logs=path.parent), {}),
    "checkpoint": lambda path: (verbs.Search(checkpoint=path), {}),
    "records": lambda path: (verbs.Search(records=path), {}),
}
ALIKE = {("network", "own network")}  # what may be replaced by what


@pytest.mark.parametrize("there", FILLED)
@pytest.mark.parametrize("written", PLACES)
def test_what_is_there_is_replaced_by_its_own_kind_only(written, there, tmp_path):
    path = tmp_path / ("history.csv" if written == "history" else "x.onnx" if written == "onnx" else "x")
    FILLED[there](path)
    asked, more = PLACES[written](path)
    if there == written or (written, there) in ALIKE:
        verbs.check_places(asked, **more)
        return
    with pytest.raises(InputError, match="what is there is not ") as caught:
        verbs.check_places(asked, **more)
    kept = written in ("checkpoint", "records")
    assert ("force=True" in str(caught.value)) != kept
    if written not in ("own network", "property"):
        (name,) = [name for name in ("out", "picture", "logs", "checkpoint", "records") if getattr(asked, name, None)]
        forced = type(asked)(**{part: getattr(asked, part) for part in verbs.arguments(asked)} | {"force": True})
        if not kept:
            verbs.check_places(forced)
        else:
            with pytest.raises(InputError, match=f"choose another name with {name}$"):
                verbs.check_places(forced)


def test_an_empty_file_is_written(tmp_path):
    for written, of in PLACES.items():
        path = tmp_path / "history.csv"
        path.write_bytes(b"")
        if written not in ("own network", "checkpoint"):
            asked, more = of(path)
            verbs.check_places(asked, **more)


def test_the_default_target_replaces_no_network_that_slth_did_not_make(tmp_path, monkeypatch, capsys):
    """`slth construct` in a folder that holds a digits.safetensors of one's own."""
    monkeypatch.chdir(tmp_path)
    tensors(tmp_path / "digits.safetensors")
    before = content(tmp_path)
    said = error_of(capsys, "construct")
    assert said.startswith("slth: cannot write digits.safetensors: what is there is not a network that slth made; ")
    assert content(tmp_path) == before

    def train(**given):
        raise InputError(f"trained into {given['out']}")

    monkeypatch.setattr(api, "train", train)
    assert "trained into digits.safetensors" in error_of(capsys, "construct", "--force")


def test_what_train_writes_says_who_made_it(tmp_path):
    """So that the next `slth construct` may replace it."""
    slth.train(out=tmp_path / "digits.safetensors", epochs=1, hidden=(1,))
    verbs.check_places(verbs.Construct(), made={"target": (tmp_path / "digits.safetensors", "own network")})


OUTPUTS = [
    (["evaluate", "t.slth", "--data", "d.npz"], "--records"),
    (["evaluate", "t.slth", "--data", "d.npz", "--target", "t.safetensors"], "--out"),
    (["construct", "t.safetensors"], "--out"),
    (["construct", "t.safetensors"], "--records"),
    (["show", "t.slth", "--weight", "0:1,2"], "--picture"),
    (["export", "t.slth"], "--out"),
    (["report", "t.slth"], "--out"),
    (["compare", "t.slth", "--target", "t.safetensors"], "--out"),
    (["bounds", "lueker", "--set", "epsilon=0.1,0.2"], "--out"),
    (["train"], "--out"),
    (["search"], "--out"),
    (["search"], "--records"),
    (["search"], "--checkpoint"),
]


@pytest.mark.parametrize(("line", "flag"), OUTPUTS, ids=lambda part: part if isinstance(part, str) else part[0])
def test_a_place_that_cannot_be_written_is_refused_before_anything_is_read(line, flag, folder, capsys):
    """The files that the commands name hold nonsense: whoever reads them says so."""
    assert "the folder nowhere does not exist" in error_of(capsys, *line, flag, "nowhere/x.html")
    assert "it is a folder" in error_of(capsys, *line, flag, "here")


def test_every_output_of_every_command_is_tried():
    tried = {(line[0], flag) for line, flag in OUTPUTS}
    for verb in verbs.VERBS:
        for name, argument in verbs.arguments(verb).items():
            if argument.written and argument.metavar != "FOLDER":
                assert (verb.__name__.lower(), verbs.flag_of(name, argument)) in tried


def test_a_picture_that_cannot_be_drawn_is_refused_before_the_target_is_read(made, tmp_path, capsys):
    line = ["show", made / "t.slth", "--weight", "0:1,2", "--target", tmp_path / "nowhere.safetensors"]
    assert "written as .svg" in error_of(capsys, *line, "--picture", tmp_path / "x.bmp")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: slth.export("t.slth", "t.slth"), "suffix"),
        (lambda: slth.export("t.safetensors", "link.safetensors"), "both ticket and out; choose another out"),
        (lambda: slth.report("t.slth", "t.html"), "both files and out; choose another out"),
        (lambda: slth.report(["a", "t.html"], "t.html"), "both files and out"),
        (lambda: slth.report("a", "t.html", target="t.html"), "both target and out"),
        (lambda: slth.show("t.svg", picture="t.svg"), "both ticket and picture; choose another picture"),
        (lambda: slth.train("d.safetensors", out="./d.safetensors"), "both data and out"),
        (lambda: slth.search(data="d.npz", checkpoint="d.npz"), "both data and checkpoint; choose another checkpoint"),
        (lambda: slth.search(checkpoint="a/history.csv", logs="a"), "choose another"),
    ],
)
def test_a_function_loses_no_file_that_it_is_given(call, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.safetensors").write_bytes(b"mine")
    os.symlink("t.safetensors", "link.safetensors")
    os.symlink("t.html", "t.slth")
    with pytest.raises(InputError, match=said):
        call()
    assert content(tmp_path) == {"t.safetensors": b"mine", "link.safetensors": b"mine"}


def test_records_are_appended_to_records_only(made, tmp_path, capsys):
    line = ["evaluate", made / "t.slth", "--data", made / "d.npz", "--records", tmp_path / "r.jsonl"]
    (tmp_path / "r.jsonl").write_text("my notes\n")
    assert "is not a file of JSON lines" in error_of(capsys, *line)
    (tmp_path / "r.jsonl").unlink()
    assert run([str(part) for part in line]) == run([str(part) for part in line]) == 0
    assert len([json.loads(row) for row in (tmp_path / "r.jsonl").read_text().splitlines()]) == 2
