"""The public verbs from Python: what the commands do, without the command line."""

import json
import logging
import subprocess
import sys

import numpy as np
import pytest
import torch
from helpers.learned import mlp_ticket
from helpers.tickets import any_ticket
from safetensors.numpy import load_file

import slth
from slth import InputError, api
from slth.learning import Training
from slth.ticket import Bound, encode

WEIGHTS = {"weight": np.array([[0.5, -0.25], [0.125, 0.75]])}


@pytest.fixture(scope="module")
def ticket():
    return slth.construct(WEIGHTS, input_range=(0, 1), tolerance=0.01)


@pytest.mark.parametrize("make", [lambda: any_ticket()[0], mlp_ticket], ids=["constructed", "learned"])
def test_save_and_load_mirror_each_other(make, tmp_path):
    made = make()
    path = slth.save(made, tmp_path / "t.slth")
    assert path.read_bytes() == encode(made) == encode(slth.load(path))
    assert slth.verify(str(path)).holds
    with pytest.raises(InputError, match="does not exist"):
        slth.save(made, tmp_path / "none" / "t.slth")


def test_the_realised_network_of_either_kind(ticket, tmp_path):
    x = torch.tensor([[0.5, 1.0]])
    assert (slth.realised(ticket)(x) - x @ torch.from_numpy(WEIGHTS["weight"]).float().T).abs().max() < 0.02
    learned = mlp_ticket()
    path = slth.save(learned, tmp_path / "l.slth")
    images = torch.rand(3, 1, 8, 8)
    assert torch.equal(slth.realised(path)(images), slth.realised(learned)(images))
    object.__setattr__(learned, "network", Bound())
    with pytest.raises(InputError, match=r"bound to a model of your own.*slth\.apply\(ticket, model\)"):
        slth.realised(learned)


def test_export_returns_what_it_wrote(ticket, tmp_path):
    tensors = slth.export(ticket, tmp_path / "x.safetensors")
    written = load_file(tmp_path / "x.safetensors")
    assert {name: value.tolist() for name, value in tensors.items()} == {k: v.tolist() for k, v in written.items()}
    assert np.abs(written["weight"] - WEIGHTS["weight"]).max() <= 0.01
    slth.export(ticket, tmp_path / "s.safetensors", view="source")
    assert "0.lift.weight" in load_file(tmp_path / "s.safetensors")
    with pytest.raises(InputError, match=r"cannot export to 'x\.bin': expected the suffix \.safetensors or \.onnx"):
        slth.export(ticket, tmp_path / "x.bin")


def test_show_prints_what_the_command_prints(ticket, tmp_path, capsys):
    from slth.cli.app import run

    path = slth.save(ticket, tmp_path / "t.slth")
    for options, more in (
        ([], {}),
        (["--weight", "0:1,0"], {"weight": (0, 1, 0)}),
        (["--weight", "0:0,1"], {"weight": "0:0,1"}),
    ):
        assert run(["show", str(path), *options]) == 0
        printed = capsys.readouterr().out
        assert [line.rstrip() for line in str(slth.show(path, **more)).splitlines()] == [
            line.rstrip() for line in printed.splitlines()
        ]
    picture = slth.show(ticket, weight=(0, 0, 0), target=WEIGHTS, picture=tmp_path / "w.svg").picture
    assert picture.read_text().startswith("<?xml")
    with pytest.raises(InputError, match="weight must be a non-negative whole number, got -1"):
        slth.show(ticket, weight=(0, 0, -1))


def test_a_page_from_python(ticket, tmp_path):
    path = slth.save(ticket, tmp_path / "t.slth")
    page = slth.report(path, tmp_path / "p.html", target=WEIGHTS)
    assert (page.path, page.size, page.refuted) == (tmp_path / "p.html", page.path.stat().st_size, ())
    both = slth.report([path, str(path)], tmp_path / "q.html", target=WEIGHTS, weight=(0, 1, 1))
    assert "2 strong lottery tickets" in both.path.read_text()
    with pytest.raises(InputError, match=r"the target is not the network that t\.slth was made for"):
        slth.report(path, tmp_path / "r.html", target={"weight": np.ones((2, 2))})


def test_the_range_of_a_data_set_is_as_good_as_one_given(tmp_path, caplog):
    caplog.set_level(logging.INFO, "slth.api")
    x = np.array([[0.0, 0.25], [0.5, 1.0]], np.float32)
    np.savez(tmp_path / "d.npz", x=x, y=np.array([0, 1]))
    by_data = slth.construct(WEIGHTS, data=tmp_path / "d.npz", mean=0.5, std=[0.5], tolerance=0.01, activation="relu")
    assert by_data.inputs == slth.construct(WEIGHTS, input_range=(-1, 1), mean=0.5, std=0.5, tolerance=0.01).inputs
    assert f"assumed: inputs stay in the range seen in {tmp_path / 'd.npz'}" in caplog.messages
    with pytest.raises(InputError, match="input_range and data both state the inputs; give one of them"):
        slth.construct(WEIGHTS, data=tmp_path / "d.npz", input_range=(0, 1))


def test_a_raw_range_is_the_range_before_standardisation():
    """Of one number or of one per channel; 0 to 1 by mean and deviation ½ is −1 to 1, and the files are the same."""
    how = {"mean": 0.5, "std": 0.5, "tolerance": 0.01}
    assert encode(slth.construct(WEIGHTS, raw_range=(0, 1), **how)) == encode(
        slth.construct(WEIGHTS, input_range=(-1, 1), **how)
    )
    assert slth.plan(WEIGHTS, raw_range=(0.5, 1), **how) == slth.plan(WEIGHTS, input_range=(0, 1), **how)
    model = torch.nn.Conv2d(2, 1, 1).eval()
    mean, std = np.array([0.25, 0.5]), np.full((2, 3, 3), 0.5)
    std[1, 2, 2] = 0.25
    inputs = slth.construct(
        model, input_shape=(2, 3, 3), raw_range=(np.array([0.25, 0.0]), 1), mean=mean, std=std, tolerance=0.1
    ).inputs
    assert (inputs.mean, len(inputs.std)) == ((0.25, 0.5), 18)
    assert inputs.lower == (0.0,) * 9 + (-1.0,) * 8 + (-2.0,)
    assert inputs.upper == (1.5,) * 9 + (1.0,) * 8 + (2.0,)


@pytest.mark.parametrize("name", ["mean", "std", "raw_range", "input_range"])
@pytest.mark.parametrize("shape", [(3, 3, 2), (2, 1, 1), (1, 18)])
def test_an_array_of_another_shape_is_not_broadcast(name, shape):
    given = {"mean": np.zeros(2), "std": np.ones(2), "raw_range": (0, 1)}
    given |= {name: (np.zeros(shape), 1) if "range" in name else np.ones(shape)}
    if name == "input_range":
        del given["raw_range"]
    with pytest.raises(InputError, match=r"an array of the inputs' shape \(2, 3, 3\); got an array of shape"):
        slth.plan(torch.nn.Conv2d(2, 1, 1).eval(), input_shape=(2, 3, 3), tolerance=0.1, **given)


def test_what_is_assumed_is_a_warning_in_the_log_and_nothing_is_printed(caplog, capfd):
    slth.plan(WEIGHTS)
    assert capfd.readouterr().err == ""
    caplog.clear()
    caplog.set_level(logging.INFO, "slth.api")
    slth.plan(WEIGHTS)
    *assumed, missing = caplog.records
    assert [record.levelname for record in assumed] == ["WARNING", "WARNING"]
    assert assumed[0].message.startswith("assumed: activation between the layers: relu")
    assert assumed[1].message.startswith("assumed: inputs: as the first layer takes them")
    assert missing.message.startswith("no input range")


def test_a_plan_is_plain_data():
    found = slth.plan(WEIGHTS, input_range=(0, 1), tolerance=0.01)
    data = json.loads(json.dumps(found.as_data()))
    assert data["weights"] == found.weights == 4
    assert [(part.path, part.kind, part.signed) for part in found.maps] == [("layers/0", "dense 2 -> 2", 0)]
    assert data["maps"][0]["candidates"] == found.maps[0].candidates
    for total in ("weights", "mask_bits", "source_parameters"):
        assert sum(part[total] for part in data["maps"]) == data[total]


def test_train_writes_what_it_returns(tmp_path):
    state = slth.train("digits", hidden=(3,), epochs=1, out=tmp_path / "m.safetensors")
    written = load_file(tmp_path / "m.safetensors")
    assert all(np.array_equal(state[name], written[name]) for name in state.keys() | written.keys())
    moved = slth.train("digits", hidden=(3,), epochs=1, mean=0.5, std=0.5)
    assert not np.array_equal(moved["0.weight"], state["0.weight"])


def test_settings_of_a_search_may_be_said_one_by_one():
    """The others stay the method's own; a preset's stay where nothing else is said."""
    small = {"arguments": {"hidden": [16]}, "training": {"epochs": 0.1}}
    asked = slth.search("mlp", options={"density": 0.25}, policy={"first": 1.0}, **small).ticket.provenance.asked
    assert asked["training"] == {**asked["training"], "epochs": 0.1, "lr": Training().lr}
    assert (asked["method"]["name"], asked["method"]["density"]) == ("edge-popup", 0.25)
    assert (asked["policy"]["first"], asked["policy"]["law"], asked["data"]) == (1.0, "signed_constant", "digits")
    asked = slth.search("mlp", "digits", preset="magnitude/mnist", **small).ticket.provenance.asked
    assert asked["method"] == {**asked["method"], "name": "magnitude", "density": 0.01, "last_rate": 0.1}
    assert asked["training"] == {**asked["training"], "epochs": 0.1, "optimizer": "adam", "batch": 60}
    with pytest.raises(InputError, match=r"unknown setting of the training 'epoch'; did you mean 'epochs'\?"):
        slth.search("mlp", training={"epoch": 1.0})


def test_a_record_says_what_was_asked_in_plain_words(ticket):
    from slth.records import verbs

    asked = verbs.Construct(tolerance=0.01, mean=(0.5,), std=(2.0,))
    record = api.record(asked, ticket, seconds={"construct": 1.0})
    assert record.asked == {
        "target": ticket.provenance.target, "tolerance": 0.01, "relative_tolerance": None, "epsilon": None,
        "exact": False, "carry_rest": False, "gadget": "two-layer", "objective": None, "density": None,
        "most_move": None, "law": "uniform", "centred": False, "group_size": None, "lift": None,
        "calibration": None, "failure_probability": 0.01, "candidates": None, "seed": 0, "retries": 0, "source": None,
            "layers_only": False,
        "input_range": [[0.0], [1.0]], "mean": [0.5], "std": [2.0], "input_shape": None, "model": None,
        "embeddings": "carried",
    }  # fmt: skip


def test_a_learned_ticket_takes_one_mean_for_all_channels_or_one_for_each(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "d.npz", x=rng.random((40, 3, 2, 2)).astype(np.float32), y=np.arange(40) % 2)
    data = tmp_path / "d.npz"
    learned = slth.search("mlp", data, arguments={"hidden": [8]}, training={"epochs": 0.1}).ticket
    one = slth.evaluate(learned, data, mean=0.5, std=0.25)
    assert one == slth.evaluate(learned, data, mean=[0.5] * 3, std=(0.25, 0.25, 0.25))
    assert one != slth.evaluate(learned, data, mean=[5.0, 0.0, -5.0], std=0.25)
    with pytest.raises(InputError, match="mean needs 1 or 3 or 12 numbers"):
        slth.evaluate(learned, data, mean=[0.3, 0.3], std=[0.4, 0.4])


def test_asking_for_search_loads_pytorch_and_nothing_else_does():
    code = "import sys, slth; slth.report, slth.show, slth.export; assert 'torch' not in sys.modules; slth.search"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; assert 'torch' in sys.modules"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
