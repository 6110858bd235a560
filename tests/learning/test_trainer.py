"""One trainer: what it finds depends on the seed alone; devices and precision as asked."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.training import SHORT, images, network, outcome, run
from torch import nn

from slth import InputError
from slth.learning import EdgePopup, Magnitude, RunFiles, Training, attach
from slth.learning.batches import Batches
from slth.learning.devices import fabric_for
from slth.learning.predictions import accuracy
from slth.learning.trainer import train

torch.set_num_threads(1)


def test_bfloat16_trains_float32_scores():
    masks, history = run("edge-popup", training=replace(SHORT, precision="bf16-mixed"))
    full, other = run("edge-popup")
    assert {parameter.dtype for parameter in masks.model.parameters()} == {torch.float32}
    assert history[-1]["loss"] != other[-1]["loss"]
    assert history[-1]["loss"] == pytest.approx(other[-1]["loss"], rel=0.1)
    assert masks.kept == full.kept


def test_float16_on_a_processor_is_refused():
    with pytest.raises(InputError, match="16-mixed needs a GPU"):
        fabric_for(Training(precision="16-mixed"))


def test_training_finds_something():
    """Labels that one pixel tells: the loss falls, the accuracy rises above chance (0.5) by far."""
    rng = np.random.default_rng(0)
    x = rng.random((256, 36)).astype(np.float32)
    data = Batches(x, (x[:, 3] > 0.5).astype(np.int64), (0.5,), (0.3,), 32)
    masks = attach(nn.Sequential(nn.Linear(36, 100), nn.ReLU(), nn.Linear(100, 2)), EdgePopup(0.5))
    history = train(masks, EdgePopup().stages(Training(epochs=6.0, batch=32)), data, data, asked={})
    assert history[-1]["loss"] < 0.5 * history[0]["loss"]
    assert history[-1]["accuracy"] > 0.9
    assert accuracy(masks.model, data) / 256 == history[-1]["accuracy"]


def test_accuracy_puts_every_module_back_into_its_mode():
    model = network()
    model.train()
    model[1].eval()
    accuracy(model, images(8))
    assert model[0].training
    assert not model[1].training


def test_nothing_to_train_on_is_refused_and_nothing_to_test_on_is_not():
    none = replace(images(1), x=np.empty((0, 1, 6, 6), np.uint8), y=np.empty(0, np.int64))
    with pytest.raises(InputError, match="no training examples"):
        train(attach(network(), EdgePopup(0.5)), EdgePopup().stages(SHORT), none, None, asked={})
    history = train(attach(network(), EdgePopup(0.5)), EdgePopup().stages(SHORT), images(16), none, asked={})
    assert "accuracy" not in history[0]


def test_the_outcome_depends_on_the_seed_alone():
    """Not on the state of anybody's generator before."""
    torch.manual_seed(1)
    first = outcome(*run("supermask"))
    torch.manual_seed(2)
    np.random.seed(2)  # noqa: NPY002
    assert outcome(*run("supermask")) == first


def test_rounds_after_the_first_start_from_where_they_should():
    """After step 2 of round 0 the weights are remembered; every later round starts from them where it keeps them."""
    method, starts, remembered = Magnitude(0.3, rate=0.5, rewind=2), [], []
    masks = attach(network(), method, seed=11)

    def watch(stage):
        calls = []

        def between(masks, done):
            weights = [tensor.original.detach().clone() for tensor in masks]
            calls.append(done)
            if stage.name == "round 0" and len(calls) == 3:  # at the beginning, and after two steps
                remembered.append(weights)
            elif stage.name != "round 0" and done == 0:
                starts.append((weights, [tensor.mask.kept.clone() for tensor in masks]))

        return replace(stage, schedule=between)

    train(masks, [watch(stage) for stage in method.stages(SHORT)], images(), None, asked={})
    assert len(starts) == method.rounds
    for start, kept in starts:
        assert all(torch.equal(a[k], b[k]) for a, b, k in zip(start, remembered[0], kept, strict=True))


def test_what_was_asked_may_hold_anything_that_json_or_str_can_write(tmp_path):
    asked = {"path": tmp_path, "tuple": (1, 2.5), "none": None}
    first = run("edge-popup", RunFiles(tmp_path / "run"), asked=asked)
    again = run("edge-popup", RunFiles(tmp_path / "run"), asked=json.loads(json.dumps(asked, default=str)))
    assert outcome(*first) == outcome(*again)  # the same request: it is not refused as another one
