"""`slth export`: a ticket as an ordinary network."""

import re
from fractions import Fraction

import numpy as np
import pytest
from cli.helpers import check_refusals, error_of
from references.vnnlib import read
from safetensors.numpy import load_file

from slth.cli.app import run
from slth.ticket import load


def test_export_gives_the_target_back_within_tolerance(made, tmp_path):
    out = tmp_path / "e.safetensors"
    assert run(["export", str(made / "t.slth"), "--out", str(out)]) == 0
    state, ours = load_file(made / "t.safetensors"), load_file(out)
    assert set(state) == set(ours)
    assert all(np.abs(state[k] - ours[k]).max() <= 1.001e-4 for k in state)


def test_the_exported_source_is_a_plain_network_of_twice_the_depth(made, tmp_path):
    out = tmp_path / "s.safetensors"
    assert run(["export", str(made / "t.slth"), "--out", str(out), "--view", "source"]) == 0
    layers = load_file(out)
    x = np.load(made / "d.npz")["x"]
    target = load_file(made / "t.safetensors")
    y = x
    for i in range(2):
        hidden = np.maximum(y @ layers[f"{i}.lift.weight"].T + layers[f"{i}.lift.bias"], 0)
        y = hidden @ layers[f"{i}.mixing.weight"].T
        y = np.maximum(y, 0) if i == 0 else y
    z = np.maximum(x @ target["0.weight"].T + target["0.bias"], 0) @ target["2.weight"].T + target["2.bias"]
    assert np.abs(y - z).max() <= load(made / "t.slth").claims.sup_error + 1e-5


def test_export_says_why_a_signed_ticket_has_no_plain_state_dict(made, tmp_path, capsys):
    signed = tmp_path / "signed.slth"
    asked = ["--out", str(signed), "--input-range=-1,1", "--lift", "relu", "-q"]
    assert run(["construct", str(made / "t.safetensors"), *asked]) == 0
    assert "inputs can be negative" in error_of(capsys, "export", signed, "--out", tmp_path / "x.safetensors")
    assert not (tmp_path / "x.safetensors").exists()


def onnx():
    pytest.importorskip("onnxscript", reason="needs the extra `onnx`")
    pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")


def test_an_onnx_file_says_how_far_onnxruntime_is_from_pytorch(made, tmp_path, capfd):
    onnx()
    out = tmp_path / "x.onnx"
    assert run(["export", str(made / "t.slth"), "--out", str(out)]) == 0
    said, noted = capfd.readouterr()
    assert re.fullmatch(
        r"onnxruntime and PyTorch differ by at most \S+ on random inputs; float32 rounding allows \S+\n", said
    )
    assert re.fullmatch(r"slth: wrote \S+x\.onnx: 4 tensors, 83 numbers\n", noted)
    assert [path.name for path in tmp_path.iterdir()] == ["x.onnx"]


def test_the_difference_from_the_target_comes_with_its_property(made, tmp_path, capfd):
    onnx()
    options = ["--difference", "--target", str(made / "t.safetensors")]
    assert run(["export", str(made / "t.slth"), "--out", str(tmp_path / "d.onnx"), *options]) == 0
    said, noted = capfd.readouterr()
    assert said.startswith("onnxruntime and PyTorch differ by at most ")
    assert "d.vnnlib: unsat proves the claimed bound" in noted
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.onnx", "d.vnnlib"]
    found = read((tmp_path / "d.vnnlib").read_text())
    assert (found.lower, found.upper, found.outputs) == ([0] * 6, [1] * 6, 3)
    assert found.alternatives[0] == [(">=", "Y_0", Fraction(load(made / "t.slth").claims.sup_error))]


def test_bad_input_is_one_sentence_and_exit_code_2(made, tmp_path, capsys):
    export = ["export", made / "t.slth", "--out"]
    cases = [
        ([*export, tmp_path / "o.bin"], "expected the suffix"),
        ([*export, tmp_path / "no" / "o.safetensors"], "does not exist"),
        ([*export, tmp_path / "o.safetensors", "--view", "both"], "realised or source"),
        ([*export, tmp_path / "o.safetensors", "--target", made / "t.safetensors"], "a target is for the difference"),
        ([*export, tmp_path / "o.onnx", "--vnnlib", "2"], "--vnnlib is the version of the property"),
        ([*export, tmp_path / "o.onnx", "--difference"], "give the target, too: --target F"),
        ([*export, made / "t.slth"], "would be both ticket and out"),
    ]
    check_refusals(capsys, tmp_path, cases)
