"""Merged projections from the command line: a network with attention, of a file and its code; what is refused."""

import json

import numpy as np
import pytest
import torch
from cli.helpers import error_of
from safetensors.numpy import load_file
from safetensors.torch import save_file
from torch import nn

from slth.cli.app import run
from slth.network import load_model
from slth.ticket import load

CODE = '''
from torch import nn


class Net(nn.Module):
    """Two heads that attend to three positions, added to what they read, and a layer."""

    def __init__(self):
        super().__init__()
        self.attention, self.head = nn.MultiheadAttention(4, 2, batch_first=True), nn.Linear(4, 2)

    def forward(self, x):
        return self.head(x + self.attention(x, x, x, need_weights=False)[0])
'''
GIVEN = ("--model", "net.py:Net")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Code, weights with biases of attention, too, and the ticket of both."""
    place = tmp_path_factory.mktemp("merged")
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(place)
        (place / "net.py").write_text(CODE)
        torch.manual_seed(0)
        model = load_model("net.py:Net")
        for bias in (model.attention.in_proj_bias, model.attention.out_proj.bias):
            nn.init.uniform_(bias, -0.3, 0.3)
        save_file(model.state_dict(), "net.safetensors")
        asked = ["--gadget", "merged", "--input-shape", "3,4", "--input-range=-1,1", "--tolerance", "0.05"]
        assert run(["construct", "net.safetensors", *GIVEN, *asked, "--out", "m.slth", "-q"]) == 0
    return place


def test_a_ticket_of_attention_holds_what_it_claims_of_its_file(folder, monkeypatch, capsys):
    """Every claim; of the same code with other weights none of the target."""
    monkeypatch.chdir(folder)
    assert run(["verify", "m.slth", "--target", "net.safetensors", *GIVEN, "--require-all"]) == 0
    said = capsys.readouterr().out
    assert "the network the ticket was made for, bit for bit; claims speak of its projections merged in float64" in said
    assert "every claim about weights, maps and network holds; |f - ticket| <= " in said
    state = {name: torch.from_numpy(array) for name, array in load_file("net.safetensors").items()}
    state["attention.out_proj.bias"] = state["attention.out_proj.bias"] + 1
    save_file(state, "other.safetensors")
    assert run(["verify", "m.slth", "--target", "other.safetensors", *GIVEN]) == 1
    assert "FAILS        target" in capsys.readouterr().out


def test_what_is_merged_is_shown(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    assert run(["show", "m.slth"]) == 0
    said = capsys.readouterr().out
    assert "4 maps of 76 coefficients for 80 parameters of projections" in said
    assert "attention.out_proj/value-output/1" in said
    assert run(["show", "m.slth", "--json"]) == 0
    maps = json.loads(capsys.readouterr().out)["maps"]
    assert [part["gadget"] for part in maps] == [*["merged"] * 4, "two-layer"]


def test_products_of_its_weights_are_no_weights_of_the_target(folder, monkeypatch, capsys):
    """A state dict of the target is refused; the random network itself is written, as the attention that it is."""
    monkeypatch.chdir(folder)
    said = error_of(capsys, "export", "m.slth", "--out", "m.safetensors")
    assert "its projections are merged, and their products are no tensors of the target; use" in said
    assert not (folder / "m.safetensors").exists()
    capsys.readouterr()
    assert run(["compare", "m.slth", "--target", "net.safetensors", *GIVEN]) == 2
    assert "m.slth has merged projections, products of the target's weights, and quan" in capsys.readouterr().err
    assert run(["export", "m.slth", "--out", "s.safetensors", "--view", "source"]) == 0
    tensors = load_file("s.safetensors")
    lift, mixing = (tensors[f"attention.out_proj/value-output/1.{layer}.weight"] for layer in ("lift", "mixing"))
    assert np.allclose(mixing @ lift, load("m.slth").realised("attention.out_proj/value-output/1").positive[:, :, 0])


@pytest.mark.slow
def test_it_is_written_as_onnx(folder, monkeypatch, capsys):
    onnxruntime = pytest.importorskip("onnxruntime")
    monkeypatch.chdir(folder)
    assert run(["export", "m.slth", "--out", "m.onnx"]) == 0
    assert "onnxruntime and PyTorch differ by at most" in capsys.readouterr().out
    x = np.random.default_rng(0).uniform(-1, 1, (5, 3, 4)).astype(np.float32)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    (y,) = onnxruntime.InferenceSession("m.onnx", options).run(None, {"input": x})
    with torch.no_grad():
        wanted = load_model("net.py:Net", "net.safetensors")(torch.from_numpy(x)).numpy()
    assert 0 < abs(y - wanted).max() <= load("m.slth").claims.sup_error


def test_what_is_refused_is_said_in_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    np.savez(
        "net.npz",
        **{"0.weight": rng.normal(size=(4, 5)).astype("f4"), "2.weight": rng.normal(size=(3, 4)).astype("f4")},
    )
    given = ["--gadget", "merged", "--input-range", "0,1", "--activation", "relu"]
    for verb in (["construct", "net.npz"], ["plan", "--target", "net.npz"]):
        assert "no attention whose projections could be merged" in error_of(capsys, *verb, *given)
    assert "a shape has no attention to merge" in error_of(capsys, "plan", "--shape", "5,4,3", "--gadget", "merged")
    assert "give none of its tensors back" in error_of(capsys, "construct", "net.npz", *given, "--exact")
    assert "no --lift" in error_of(capsys, "construct", "net.npz", *given, "--lift", "relu")
