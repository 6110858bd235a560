"""Stages from the command line: planned, constructed, verified, shown, reported, each in words."""

import re

import numpy as np
import pytest
from safetensors.numpy import save_file

import slth
from slth.cli.app import run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A network, and its ticket at 32 bits or so."""
    found = tmp_path_factory.mktemp("stages")
    rng = np.random.default_rng(0)
    state = {"0.weight": rng.normal(size=(4, 6)), "0.bias": rng.normal(size=4), "2.weight": rng.normal(size=(2, 4))}
    save_file({name: values.astype(np.float32) for name, values in state.items()}, found / "net.safetensors")
    asked = ["--tolerance", "1e-9", "--input-range", "-1,1", "-q"]
    for name, lift in (("net", "relu"), ("linear", "linear")):
        out = ["--out", str(found / f"{name}.slth"), "--lift", lift]
        assert run(["construct", str(found / "net.safetensors"), *asked, *out]) == 0
    return found


def test_a_plan_says_how_many_stages_and_how_wide(folder, capsys):
    asked = ["--tolerance", "1e-9", "--input-range", "-1,1", "--lift", "relu"]
    assert run(["plan", "--target", str(folder / "net.safetensors"), *asked]) == 0
    out = capsys.readouterr().out
    for path, gadget in slth.load(folder / "net.slth").gadgets.items():
        widths = " + ".join(str(stage.candidates) for stage in gadget.stages)
        assert f"{path}: " in out
        assert f"{gadget.candidates} candidates per weight in 2 stages ({widths})" in out


def test_a_ticket_is_verified_and_says_that_its_source_is_not_of_one_law(folder, capsys):
    assert run(["verify", str(folder / "net.slth"), "--target", str(folder / "net.safetensors")]) == 0
    assert "in up to 2 stages, each with gains of its own" in capsys.readouterr().out
    assert run(["show", str(folder / "net.slth")]) == 0
    out = capsys.readouterr().out
    assert "over stages the random weights are not identically distributed" in out
    assert "8 gains (two per stage)" in out
    assert "candidates in 2 stages" in out


def test_a_weight_is_taken_apart_stage_by_stage(folder, capsys):
    ticket, target = folder / "net.slth", folder / "net.safetensors"
    picture = folder / "weight.svg"
    asked = ["--weight", "0:2,3", "--target", str(target), "--picture", str(picture)]
    assert run(["show", str(ticket), *asked]) == 0
    out = capsys.readouterr().out
    for half in ("positive", "negative"):
        assert f"{half} half, stage 1 of 2" in out
        assert f"{half} half, stage 2 of 2" in out
    assert "with the stage before" in out
    ends = [line for line in out.splitlines() if line.startswith("target")]
    off = [float(line.rpartition("off by ")[2]) for line in ends]
    assert max(off[2:]) <= 1e-9 < min(off[:2])
    realised = slth.load(ticket).realised("layers/0")
    assert f"{realised.positive[2, 3, 0]:+.17f}, with the stage before" in out
    assert "Positive half, stage 2: " in picture.read_text()


def test_a_weight_of_a_linear_lift_is_whole_and_the_ticket_says_what_it_is(folder, capsys):
    ticket = folder / "linear.slth"
    assert run(["show", str(ticket), "--weight", "0:2,3"]) == 0
    out = capsys.readouterr().out
    assert "one subset for both signs, stage 1 of 2" in out
    assert "half" not in out
    assert f"{slth.load(ticket).realised('layers/0').positive[2, 3, 0]:+.17f}, with the stage before" in out
    assert run(["show", str(ticket)]) == 0
    out = capsys.readouterr().out
    assert re.search("linear lift +2 of 2 maps: no ReLU, so one more linear layer", out)
    assert re.search("linear lift [0-9,]+ neurons", out)


def test_a_page_names_the_gains_and_candidates_of_every_stage(folder):
    page = folder / "page.html"
    assert (
        run(["report", str(folder / "net.slth"), "--target", str(folder / "net.safetensors"), "--out", str(page)]) == 0
    )
    text = page.read_text()
    for gadget in slth.load(folder / "net.slth").gadgets.values():
        assert f"{gadget.stages[0].gain:g}" in text
        assert f"{gadget.stages[1].gain:g}" in text


def test_a_tolerance_that_float64_does_not_hold_is_refused_in_one_sentence(folder, capsys):
    asked = ["--tolerance", "1e-18", "--input-range", "-1,1"]
    assert run(["construct", str(folder / "net.safetensors"), *asked, "--out", str(folder / "none.slth")]) == 2
    err = capsys.readouterr().err
    assert "is finer than float64 holds beside coefficients of that size; ask for a larger tolerance" in err
    assert not (folder / "none.slth").exists()
