"""Learned tickets measured, from Python and from the command line."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.learned import any_learned, mlp_ticket
from helpers.tickets import any_ticket
from safetensors.numpy import load_file

import slth
from slth import InputError
from slth.cli.app import run
from slth.ticket import Bound


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return slth.save(mlp_ticket(), tmp_path_factory.mktemp("learned") / "t.slth")


def test_accuracy_is_that_of_the_pruned_network_on_standardised_test_data(saved):
    from slth.data import load

    digits = load("digits")
    x = (digits.test_x - np.float32(0.3)) / np.float32(0.4)
    with torch.no_grad():
        hits = int((slth.realised(saved)(torch.from_numpy(x)).argmax(1).numpy() == digits.test_y).sum())
    found = slth.evaluate(saved, "digits")
    assert (found.accuracy.hits, found.accuracy.count) == (hits, 360)
    assert slth.evaluate(saved, (x, digits.test_y)).accuracy == found.accuracy
    assert slth.evaluate(saved, "digits", mean=0.3, std=0.4).accuracy == found.accuracy


def test_sizes_are_counted():
    """768 + 120 weights, half of them kept: one bit each, which no coder of the counts beats; two biases."""
    found = slth.evaluate(mlp_ticket(), "digits").sizes
    assert (found.source_parameters, found.kept, found.density) == (888, 444, 0.5)
    assert found.mask_bits == found.stored_mask_bits == found.ideal_bits == 888
    assert found.carried == 22
    assert found.strong
    assert found.largest_move == 0.0
    assert found.target_parameters is found.kept_parameters is found.bits_per_weight is None
    sparse = slth.evaluate(mlp_ticket(density=0.05), "digits").sizes
    parts = [(38, 768), (6, 120)]
    ideal = sum(n * -(k / n * math.log2(k / n) + (1 - k / n) * math.log2(1 - k / n)) for k, n in parts)
    assert sparse.ideal_bits == pytest.approx(ideal, rel=1e-12)
    assert sparse.ideal_bits < sparse.stored_mask_bits < sparse.mask_bits == 888


def test_a_bound_ticket_needs_a_model_and_leaves_it_alone():
    bound = replace(mlp_ticket(), network=Bound())
    with pytest.raises(InputError, match="bound to a model"):
        slth.evaluate(bound, "digits")
    model = slth.network.build_architecture("mlp", {"inputs": [1, 8, 8], "classes": 10, "hidden": [12]})
    before = model[1].weight.clone()
    found = slth.evaluate(bound, "digits", model=model)
    assert found.accuracy == slth.evaluate(mlp_ticket(), "digits").accuracy
    assert torch.equal(model[1].weight, before)
    slth.apply(bound, model)
    assert model[1].weight.detach().numpy().tobytes() == bound.effective("1.weight").tobytes()


def test_misuse_is_one_sentence(saved):
    x, y = np.zeros((4, 1, 8, 8), np.float32), np.zeros(4, np.int64)
    for call, reason in (
        (lambda: slth.evaluate(saved, (x[:, :, :4], y)), "takes inputs of shape 1 x 8 x 8"),
        (lambda: slth.evaluate(saved, (x, y[:3])), "one label per input"),
        (lambda: slth.evaluate(saved, (x, y + 10)), r"the labels run from 1\d to"),
        (lambda: slth.evaluate(saved, (x, y - 1)), "whole numbers from 0"),
        (lambda: slth.evaluate(saved, (x + np.nan, y)), "NaN"),
        (lambda: slth.evaluate(saved, (x, y), target={}), "stands for no target"),
        (lambda: slth.evaluate(any_ticket()[0], (x, y), model=torch.nn.Linear(1, 1)), "needs no model"),
        (
            lambda: slth.apply(slth.save(any_ticket()[0], saved.with_name("c.slth")), torch.nn.Linear(1, 1)),
            "slth.realised",
        ),
        (lambda: slth.source(saved), "are the parameters themselves"),
        (lambda: slth.construct({"weight": np.ones((1, 1))}, source=saved), "is a learned ticket"),
    ):
        with pytest.raises(InputError, match=reason):
            call()


def test_the_commands_take_learned_tickets(saved, tmp_path, capsys):
    assert run(["show", str(saved)]) == 0
    out = capsys.readouterr().out
    for text in ("444/888 = 0.5", "nothing: a strong ticket", "1.weight  12 x 64", "coin flips", "mlp("):
        assert text in out
    assert run(["verify", str(saved)]) == 0
    assert "strong: nothing moved" in capsys.readouterr().out
    assert run(["evaluate", str(saved), "--data", "digits"]) == 0
    assert "888 stored; 888.0 ideal" in capsys.readouterr().out
    assert run(["evaluate", str(saved), "--data", "digits", "--json"]) == 0
    outcome = json.loads(capsys.readouterr().out)["outcome"]
    assert outcome["sizes"]["kept"] == 444
    assert len(outcome["accuracy"]["interval"]) == 2
    for view in ("realised", "source"):
        assert run(["export", str(saved), "--out", str(tmp_path / f"{view}.safetensors"), "--view", view]) == 0
    ticket = slth.load(saved)
    realised, source = (load_file(tmp_path / f"{view}.safetensors") for view in ("realised", "source"))
    assert realised["1.weight"].tobytes() == ticket.effective("1.weight").tobytes()
    assert (source["1.weight"] != 0).all()
    assert realised["3.bias"].tobytes() == source["3.bias"].tobytes()


def test_the_commands_refuse_what_makes_no_sense_for_them(saved, tmp_path, capsys):
    target = tmp_path / "t.safetensors"
    for arguments, reason in (
        (["show", saved, "--weight", "0:0,0"], "this one was learned"),
        (["verify", saved, "--target", target], "cannot read the target"),
        (["report", saved, "--out", tmp_path / "p.html", "--weight", "0:0,0"], "goes with constructed tickets"),
        (["evaluate", slth.save(any_learned(), tmp_path / "b.slth"), "--data", "digits"], "inputs of shape"),
    ):
        assert run([str(a) for a in arguments]) == 2
        assert reason in capsys.readouterr().err


def test_a_wrong_ticket_fails_with_exit_code_1(tmp_path, capsys):
    ticket = replace(any_learned(), move_bound=2.0**-30)
    assert run(["verify", str(slth.save(ticket, tmp_path / "t.slth"))]) == 1
    assert "FAILS" in capsys.readouterr().out
