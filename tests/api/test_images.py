"""Images of several channels through every verb that takes data: one number or one per channel, flat and as images."""

from dataclasses import replace

import numpy as np
import pytest

import slth
from slth import InputError
from slth.cli.app import run
from slth.data import load
from slth.ticket import Inputs

torch = pytest.importorskip("torch")

MEAN, STD = (0.49, 0.48, 0.44), (0.25, 0.24, 0.26)
CODE = """
import torch
from torch import nn

def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3)).eval()
"""
SCALE = ["--mean", "0.49,0.48,0.44", "--std", "0.25,0.24,0.26"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Bytes of 3 x 6 x 6, labelled, and a convolutional network."""
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (40, 3, 6, 6), dtype=np.uint8)
    np.savez(folder / "d.npz", x=x, y=rng.integers(0, 3, 40))
    (folder / "net.py").write_text(CODE)
    return folder


def test_a_convolutional_ticket_takes_what_its_network_takes_of_a_data_set(made, tmp_path, capsys):
    """(x / 255 − mean) / std of every channel, in a range of its own; the ticket remembers it."""
    data, model, out = str(made / "d.npz"), f"{made / 'net.py'}:net", str(tmp_path / "t.slth")
    common = ["--model", model, "--input-shape", "3,6,6", "--data", data, *SCALE, "--tolerance", "0.001", "-q"]
    assert run(["plan", *common]) == 0
    assert run(["construct", *common, "--out", out]) == 0
    assert run(["evaluate", out, "--data", data, "--model", model, "--json"]) == 0
    assert run(["report", out, "--data", data, "--out", str(tmp_path / "p.html"), "-q"]) == 0
    network = slth.api.read_target(None, model=model, input_shape=(3, 6, 6))
    assert not slth.report(out, tmp_path / "q.html", target=network, data=data).refuted
    assert all("On d.npz, 40 inputs" in (tmp_path / name).read_text() for name in ("p.html", "q.html"))
    ticket = slth.load(out)
    assert (ticket.inputs.shape, ticket.inputs.mean, ticket.inputs.std) == ((3, 6, 6), MEAN, STD)
    arrays = np.load(made / "d.npz")
    values = arrays["x"].astype(np.float32) / np.float32(255)
    x = (values - np.float32(MEAN)[:, None, None]) / np.float32(STD)[:, None, None]
    assert (ticket.inputs.lower <= x.min((0, 2, 3))).all()
    assert (ticket.inputs.upper >= x.max((0, 2, 3))).all()
    by_hand = Inputs((3, 6, 6), MEAN, STD).with_raw_range((0.0,), (1.0,))  # the noise has 0 and 255
    assert ticket.inputs == by_hand
    found = slth.evaluate(ticket, data, model=model)
    assert found.accuracy == slth.evaluate(ticket, (x, arrays["y"]), model=model).accuracy
    assert found.measured_error <= found.certified_error


def test_flat_networks_take_one_number_per_channel_too(made, tmp_path):
    """`train`, `construct` and `evaluate` agree on which entries a channel is."""
    arrays = np.load(made / "d.npz")
    path = tmp_path / "own.npz"
    np.savez(path, x=arrays["x"].astype(np.float32) / np.float32(255), y=arrays["y"])
    target = tmp_path / "m.safetensors"
    assert run(["train", "--data", str(path), "--out", str(target), "--hidden", "4", *SCALE, "-q"]) == 0
    ticket = slth.construct(target, data=path, mean=MEAN, std=STD, tolerance=0.001, activation="relu")
    assert (ticket.inputs.shape, len(ticket.inputs.mean), len(ticket.inputs.lower)) == ((108,), 108, 108)
    found = slth.evaluate(slth.load(slth.save(ticket, tmp_path / "t.slth")), path, target=target)
    x = (np.load(path)["x"] - np.float32(MEAN)[:, None, None]) / np.float32(STD)[:, None, None]
    same = slth.evaluate(ticket, (x.reshape(40, -1), arrays["y"]), target=target)
    assert replace(found, data="", statistical=None) == replace(same, data="", statistical=None)
    assert found.measured_error <= found.certified_error


def test_a_search_on_flat_examples_standardises_every_channel(made):
    """As on the images: the network sees the same numbers, in the same order."""
    images, flat = load(made / "d.npz"), load(made / "d.npz").reshaped((-1,))
    found = [slth.search("mlp", data, arguments={"hidden": [4]}, training={"epochs": 1.0}) for data in (images, flat)]
    assert len(found[1].ticket.inputs.mean) == 108
    assert found[0].history[0]["loss"] == found[1].history[0]["loss"]
    assert all(np.array_equal(found[0].ticket.masks[path], mask) for path, mask in found[1].ticket.masks.items())


def test_data_of_another_shape_is_refused_before_anything_is_solved(made):
    for verb in (slth.plan, slth.construct):
        with pytest.raises(InputError, match=r"the network takes inputs of shape 2, .* has 108; is it"):
            verb({"weight": np.ones((2, 2))}, data=made / "d.npz")


def test_mean_and_deviation_may_have_the_shape_of_an_input(made, tmp_path):
    """As for `construct`: of equal numbers in a channel the same comes out; nothing else broadcasts."""
    data, model = made / "d.npz", f"{made / 'net.py'}:net"
    full = [np.broadcast_to(np.reshape(part, (3, 1, 1)), (3, 6, 6)).copy() for part in (MEAN, STD)]
    ticket = slth.construct(
        model=model, input_shape=(3, 6, 6), data=data, mean=full[0], std=full[1], tolerance=0.01, threads=1
    )
    by_channel, by_entry = (slth.evaluate(ticket, data, mean=m, std=s) for m, s in ((MEAN, STD), full))
    assert by_channel == by_entry
    path = slth.save(ticket, tmp_path / "t.slth")
    assert not slth.report(path, tmp_path / "p.html", data=data, mean=full[0], std=full[1]).refuted
    one, two = (slth.train(data, hidden=(4,), epochs=1, mean=m, std=s) for m, s in ((MEAN, STD), full))
    assert all(np.array_equal(one[name], two[name]) for name in one)
    shifted = full[0].copy()
    shifted[0, 0, 0] += 100.0
    with pytest.raises(InputError, match="outside the input range"):  # one entry alone
        slth.evaluate(ticket, data, mean=shifted, std=full[1])
    for bad in (full[0][:, :, :1], full[0].transpose(1, 2, 0), full[0][None]):
        with pytest.raises(InputError, match=r"mean must be one number, .* shape \(3, 6, 6\); got an array of shape"):
            slth.evaluate(ticket, data, mean=bad, std=full[1])


def test_data_without_labels_states_a_range_and_is_evaluated_beside_a_target(made, tmp_path):
    model = f"{made / 'net.py'}:net"
    np.savez(tmp_path / "x.npz", x=np.load(made / "d.npz")["x"])
    ticket = slth.construct(model=model, input_shape=(3, 6, 6), data=tmp_path / "x.npz", tolerance=0.01, threads=1)
    assert (
        ticket.inputs
        == slth.construct(model=model, input_shape=(3, 6, 6), data=made / "d.npz", tolerance=0.01, threads=1).inputs
    )
    alone, labelled = (
        slth.evaluate(ticket, folder / name, model=model) for folder, name in ((tmp_path, "x.npz"), (made, "d.npz"))
    )
    assert alone.accuracy is None
    assert labelled.accuracy is not None
    assert (alone.changed, alone.unchanged_per_input) == (labelled.changed, labelled.unchanged_per_input)
