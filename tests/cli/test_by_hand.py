"""Tickets from a loop of one's own: every command takes them as it takes those of a search."""

import json

import pytest
import torch
from safetensors.numpy import load_file
from torch import nn

import slth
from slth.cli.app import run
from slth.learning import EdgePopup, PerturbedEdgePopup, attach
from slth.network import build_architecture
from slth.ticket import Inputs

SHAPE = (1, 8, 8)


def trained(model, method):
    """The masks after fourteen steps."""
    masks = attach(model, method, seed=4)
    optimizer = torch.optim.SGD(masks.parameters, lr=0.1)
    x = torch.rand(20, *SHAPE, generator=torch.Generator().manual_seed(0))
    for step in range(14):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), torch.arange(20) % 10).backward()
        optimizer.step()
        masks.step((step + 1) / 14)
    return masks


@pytest.fixture
def named(tmp_path):
    model = build_architecture("mlp", {"inputs": SHAPE, "classes": 10, "hidden": [12]})
    masks = trained(model, EdgePopup(0.3, scope="global"))
    return slth.save(masks.ticket(Inputs(SHAPE, (0.3,), (0.4,)), "noise"), tmp_path / "named.slth")


def test_the_commands_take_a_ticket_by_name(named, tmp_path, capsys):
    def said(*arguments):
        assert run(list(map(str, arguments))) == 0
        return capsys.readouterr().out

    assert "seed and mask give the stated weights, bit for bit" in said("verify", named)
    shown = said("show", named)
    for text in ("mlp(", "hidden=[12]", "267/888", "edge-popup, trained by hand", "noise", "a strong ticket"):
        assert text in shown
    outcome = json.loads(said("evaluate", named, "--data", "digits", "--json"))["outcome"]
    assert (outcome["sizes"]["kept"], outcome["accuracy"]["count"]) == (267, 360)
    said("report", named, "--out", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "by hand" in page
    assert "edge-popup" in page
    assert "slth search" not in page  # no command repeats a loop that nobody recorded
    said("export", named, "--out", tmp_path / "net.safetensors")
    state = load_file(tmp_path / "net.safetensors")
    assert sum(int((state[name] != 0).sum()) for name in ("1.weight", "3.weight")) == 267


def test_a_ticket_of_a_model_of_ones_own_is_bound_to_it(tmp_path, capsys):
    def mine():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 12), nn.Tanh(), nn.Linear(12, 10))

    model = mine()
    masks = trained(model, PerturbedEdgePopup(0.5, 0.01))
    path = slth.save(masks.ticket(Inputs(SHAPE)), tmp_path / "bound.slth")
    for command, text in (
        ("verify", "none by more than 0.00999999977"),
        ("show", "perturbed-edge-popup, trained by hand"),
    ):
        assert run([command, str(path)]) == 0
        assert text in capsys.readouterr().out
    assert run(["report", str(path), "--out", str(tmp_path / "page.html")]) == 0
    assert run(["evaluate", str(path), "--data", "digits"]) == 2
    assert "bound to a model" in capsys.readouterr().err
    (tmp_path / "net.py").write_text(
        "from torch import nn\n\n\ndef make():\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(64, 12), nn.Tanh(), nn.Linear(12, 10))\n"
    )
    assert run(["evaluate", str(path), "--data", "digits", "--model", f"{tmp_path / 'net.py'}:make", "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)["outcome"]["accuracy"]["value"]
    fresh, x = slth.apply(path, mine()), torch.rand(5, *SHAPE)
    assert torch.equal(fresh(x), model(x))
    masks.detach()
    assert torch.equal(fresh(x), model(x))
    assert slth.evaluate(path, "digits", model=mine()).accuracy.value == measured
