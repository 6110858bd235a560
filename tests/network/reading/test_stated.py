"""A file that `slth` writes says order, activation and inputs of its network, and nothing of them is assumed."""

import json
import logging

import numpy as np
import pytest
import torch
from helpers.learned import any_learned, mlp_ticket
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from torch import nn

import slth
from slth import InputError
from slth.network import read_target

KEY = "slth.network"


def said(path):
    with safe_open(path, "np") as file:
        return json.loads(file.metadata()[KEY])


def resaved(path, folder, **changes):
    """The same tensors under other metadata."""
    other = folder / "other.safetensors"
    save_file(load_file(path), other, {KEY: json.dumps({**said(path), **changes})})
    return other


class Crossed(nn.Module):
    """`up2` runs before `up1`, and both are 8 x 8."""

    def __init__(self):
        super().__init__()
        self.up1, self.up2, self.up3 = (nn.Linear(8, 8) for _ in range(3))

    def forward(self, x):
        return self.up3(torch.sigmoid(self.up1(torch.sigmoid(self.up2(x)))))


@pytest.fixture(scope="module")
def crossed():
    torch.manual_seed(3)
    return Crossed()


def test_an_exported_ticket_is_read_in_its_own_order_with_its_own_activation(crossed, tmp_path):
    state = {name: tensor.clone() for name, tensor in crossed.state_dict().items()}
    options = {"input_range": (0, 1), "tolerance": 1e-4, "threads": 1}
    ticket = slth.construct(state, order=["up2", "up1", "up3"], activation="sigmoid", **options)
    slth.export(ticket, tmp_path / "t.safetensors")
    assert said(tmp_path / "t.safetensors")["order"] == ["up2", "up1", "up3"]
    again = slth.construct(tmp_path / "t.safetensors", **options)
    assert again.assumed == ()
    x = torch.rand(50, 8)
    ours, true = slth.realised(again)(x), crossed(x)
    assert float((ours - true).detach().abs().max()) < 2 * again.claims.sup_error < 0.01


def test_a_state_dict_of_somebody_else_says_nothing_and_each_assumption_is_warned_of(crossed, tmp_path, caplog):
    """In the log, in the ticket, and in the words of the checker."""
    state = crossed.state_dict()
    with caplog.at_level(logging.WARNING, logger="slth.api"):
        ticket = slth.construct(state, input_range=(0, 1), tolerance=1e-3, threads=1)
    kinds = ("activation between the layers: relu", "inputs: as the first layer takes them", "layers in the order of")
    for kind in kinds:
        assert [sentence for sentence in ticket.assumed if sentence.startswith(kind)]
        assert [record for record in caplog.records if record.message.startswith(f"assumed: {kind}")]
    found = {check.name: check for check in slth.verify(ticket, target=state).checks}
    assert all(kind in found["claims"].detail and kind in found["assumed"].detail for kind in kinds)
    assert found["assumed"].verdict.name == "SAYS"
    assert not slth.verify(ticket, target=crossed).holds  # the module is another network


def test_a_forger_who_leaves_the_assumptions_out_does_not_silence_the_checker(crossed):
    """What was assumed in reading the target is said, whatever the ticket says."""
    from dataclasses import replace

    state = crossed.state_dict()
    ticket = replace(slth.construct(state, input_range=(0, 1), tolerance=1e-3, threads=1), assumed=())
    claims = next(check for check in slth.verify(ticket, target=state).checks if check.name == "claims")
    assert "of the network that was assumed (activation between the layers: relu" in claims.detail


@pytest.mark.parametrize("suffix", [".safetensors", ".onnx"])
def test_the_normalisation_of_a_learned_ticket_goes_on_with_its_network(suffix, tmp_path, caplog):
    """Without it the new ticket was given inputs in [0, 1], where the network takes (x - 0.3) / 0.4."""
    if suffix == ".onnx":
        pytest.importorskip("onnxscript")
    learned = mlp_ticket()
    path = tmp_path / f"net{suffix}"
    slth.export(learned, path)
    with caplog.at_level(logging.INFO, logger="slth.api"):
        ticket = slth.construct(path, data="digits", tolerance=1e-3, threads=1)
    assert (ticket.inputs.mean, ticket.inputs.std) == ((0.3,), (0.4,))
    assert ticket.assumed == ()
    assert f"(x - 0.3) / 0.4, as {path} says" in caplog.text
    ours, theirs = slth.evaluate(ticket, "digits"), slth.evaluate(learned, "digits")
    assert abs(ours.accuracy.value - theirs.accuracy.value) < 0.01
    other = slth.construct(path, data="digits", mean=0.5, std=0.5, tolerance=1e-3, threads=1)
    assert other.inputs.mean == (0.5,)  # who says something else is believed
    assert slth.plan(path, data="digits", tolerance=1e-3).maps[0].tolerance == 1e-3


def test_numbers_per_channel_are_spread_over_flat_features(tmp_path):
    from dataclasses import replace

    from slth.ticket import Inputs

    learned = mlp_ticket((5,), inputs=(2, 2, 2), classes=3)
    learned = replace(learned, inputs=Inputs((2, 2, 2), (0.25, 0.75), (0.5, 0.125)))
    slth.export(learned, tmp_path / "n.safetensors")
    ticket = slth.construct(tmp_path / "n.safetensors", raw_range=(0, 1), tolerance=0.01, threads=1)
    assert ticket.inputs.mean == (0.25,) * 4 + (0.75,) * 4
    x = np.random.default_rng(0).random((20, 2, 2, 2)).astype(np.float32)
    ours = slth.realised(ticket)(torch.from_numpy(ticket.inputs.normalised(x.reshape(20, 8))))
    theirs = slth.realised(learned)(torch.from_numpy(learned.inputs.normalised(x)))
    assert torch.allclose(ours, theirs, atol=0.3)


def test_a_trained_network_and_a_source_say_what_they_are(tmp_path):
    slth.train("digits", out=tmp_path / "t.safetensors", hidden=(6,), epochs=1, mean=0.5, std=0.25)
    words = said(tmp_path / "t.safetensors")
    assert words == {
        "kind": "mlp",
        "order": ["0", "2"],
        "activation": "relu",
        "inputs": {"shape": [64], "mean": [0.5], "std": [0.25]},
    }
    ticket = slth.construct(tmp_path / "t.safetensors", data="digits", tolerance=0.01, threads=1, lift="relu")
    assert (ticket.assumed, ticket.inputs.std) == ((), (0.25,))
    slth.export(ticket, tmp_path / "s.safetensors", view="source")
    source = read_target(tmp_path / "s.safetensors")
    assert (source.assumed, len(source.graph.maps)) == ((), 4)


def test_tensors_of_another_network_are_not_read_as_an_mlp(tmp_path):
    """Two maps beside each other: the file says that its tensors tell it not."""

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.fc2 = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x):
            h = torch.relu(self.fc1(x))
            return h + torch.relu(self.fc2(h))

    torch.manual_seed(0)
    ticket = slth.construct(Residual(), input_shape=(4,), input_range=(0, 1), tolerance=0.01, threads=1)
    slth.export(ticket, tmp_path / "r.safetensors")
    with pytest.raises(InputError, match="no plain MLP, as it says itself; pass the module"):
        read_target(tmp_path / "r.safetensors")
    named = read_target(tmp_path / "r.safetensors", order=["fc1", "fc2"])  # who insists is told what is assumed
    assert len(named.assumed) == 2


def test_a_file_that_says_nonsense_is_refused_and_one_that_knows_nothing_is_assumed(tmp_path):
    slth.export(mlp_ticket(), tmp_path / "n.safetensors")
    for wrong in (
        {"kind": "x"},
        {"activation": "cosine"},
        {"order": "13"},
        {"inputs": {"shape": [64]}},
        {"order": [1]},
    ):
        with pytest.raises(InputError, match=r"under slth\.network what slth did not write"):
            read_target(resaved(tmp_path / "n.safetensors", tmp_path, **wrong))
    with pytest.raises(InputError, match="the order must name each layer once"):
        read_target(resaved(tmp_path / "n.safetensors", tmp_path, order=["1", "5"]))
    assert read_target(resaved(tmp_path / "n.safetensors", tmp_path, kind="unknown")).assumed
    slth.export(any_learned(), tmp_path / "b.safetensors")
    assert said(tmp_path / "b.safetensors")["kind"] == "unknown"
