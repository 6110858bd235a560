"""Copies from the command line: made, checked, looked at, exported, planned; and what is refused."""

import itertools

import numpy as np
from cli.helpers import error_of

from slth.cli.app import run


def network(path, widths=(5, 4, 3)):
    rng = np.random.default_rng(0)
    arrays = {}
    for i, (before, after) in enumerate(itertools.pairwise(widths)):
        arrays[f"{2 * i}.weight"] = (rng.normal(size=(after, before)) * np.sqrt(2 / before)).astype(np.float32)
        arrays[f"{2 * i}.bias"] = (0.1 * rng.normal(size=after)).astype(np.float32)
    np.savez(path, **arrays)
    return path


def test_a_ticket_is_made_checked_and_looked_at(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    target = str(network(tmp_path / "net.npz"))
    given = ["--gadget", "copies", "--tolerance", "0.05", "--input-range", "0,1", "--activation", "relu"]
    assert run(["construct", target, *given]) == 0
    assert "copies" in capsys.readouterr().out
    assert run(["verify", "net.slth", "--target", target, "--activation", "relu"]) == 0
    assert "bit for bit" in capsys.readouterr().out
    assert run(["show", "net.slth", "--weight", "1:0,30", "--target", target]) == 0
    assert "the copies of a channel" in capsys.readouterr().out
    assert run(["report", "net.slth", "--target", target, "--out", "page.html"]) == 0
    assert run(["plan", "--target", target, *given]) == 0
    assert "of 39 (asked" in capsys.readouterr().out  # weights of the target, not of its copies


def test_what_is_refused_is_said_in_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    target, alone = network(tmp_path / "net.npz"), network(tmp_path / "one.npz", (5, 3))
    given = ["--gadget", "copies", "--input-range", "0,1", "--tolerance", "0.05"]
    assert "fewest or closest" in error_of(capsys, "construct", target, *given, "--objective", "within")
    assert "no map of this network reads another one" in error_of(capsys, "construct", alone, *given)
    assert "give a trained network" in error_of(capsys, "plan", "--shape", "5,4,3", *given)
    assert run(["construct", str(target), *given, "--out", "t.slth"]) == 0
    refused = error_of(capsys, "export", "t.slth", "--out", "t.safetensors")
    assert "no state dict of the target computes this ticket" in refused
