"""NaN or infinity ends a run with a sentence that says where it began."""

import math
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from helpers.training import SHORT, images, network, outcome, plain_network, run
from lightning_fabric import Fabric
from torch import nn

from slth import InputError
from slth.learning import EdgePopup, RunFiles, Training, attach
from slth.learning.batches import Batches
from slth.learning.devices import fabric_for
from slth.learning.steps import steps_of
from slth.learning.watching import Watch

torch.set_num_threads(1)


class Spoil(nn.Module):
    """NaN in the output, or in the gradient alone, from some step on."""

    def __init__(self, after, *, backward=False):
        super().__init__()
        self.calls, self.after, self.backward = 0, after, backward

    def forward(self, x):
        self.calls += self.training
        if not self.training or self.calls < self.after:
            return x
        if self.backward:
            x = x.clone()
            if x.requires_grad:  # not while the failure is looked for
                x.register_hook(lambda grad: grad * math.nan)
            return x
        return x * math.nan


def spoilt(after, **options):
    model = network()
    return nn.Sequential(*model[:5], Spoil(after, **options), model[5])


@pytest.mark.parametrize("every", [0.0, 1e9])
def test_a_loss_that_is_nan_names_step_and_layer_and_keeps_the_last_good_state(every, tmp_path):
    path = tmp_path / "run"
    message = (
        r"the loss is not finite at step 5 of stage edge-popup: .* is that of layer '5'; try a lower rate than 0.05"
    )
    with pytest.raises(InputError, match=message) as caught:
        run("edge-popup", RunFiles(path, every), model=spoilt(5))
    assert path.exists() == (every == 0)
    assert ("holds the last good state" in str(caught.value)) == (every == 0)
    if every == 0:
        good, whole = run("edge-popup", RunFiles(path, every), model=spoilt(99)), run("edge-popup", model=spoilt(99))
        assert outcome(*good) == outcome(*whole)


@pytest.mark.parametrize("name", ["edge-popup", "supermask", "rewound"])
def test_a_nan_in_the_gradient_alone_stops_too(name, tmp_path):
    """The mask of NaN scores is still a mask, so the loss may say nothing: what trains is looked at."""
    path = tmp_path / "run"
    with pytest.raises(
        InputError, match=r"(scores|weights) of layer '0' are not finite after step 2 .*last good state"
    ):
        run(name, RunFiles(path, 0.0), model=spoilt(2, backward=True), training=SHORT)
    state = run(name, RunFiles(path, 0.0), model=spoilt(99), training=SHORT)
    assert outcome(*state) == outcome(*run(name, model=spoilt(99), training=SHORT))
    with pytest.raises(InputError, match=r"not finite (after|at) step 3 of"):  # without a checkpoint: after the epoch
        run(name, model=spoilt(2, backward=True), training=SHORT)


@pytest.mark.parametrize("bad", [None, 7, 49, 50, 119])
def test_a_device_that_runs_ahead_is_asked_every_50_steps_and_the_step_is_still_the_right_one(bad, monkeypatch):
    """To read a loss is to wait for the device. A loss that was NaN is noticed late, and named by its own step."""
    monkeypatch.setattr(Fabric, "device", torch.device("meta"))
    method, batches = EdgePopup(0.5), images(120, size=1)
    masks = attach(plain_network(), method)
    (stage,) = method.stages(Training(epochs=1.0, batch=1))
    watch = Watch(masks, stage, batches, fabric=fabric_for(SHORT), loss=0.0, saved=None)
    read, message = [], None if bad is None else rf"the loss is not finite at step {bad + 1} of stage edge-popup: "
    with nullcontext() if message is None else pytest.raises(InputError, match=message):
        for step in steps_of(stage, batches, "key"):
            watch.take_loss(torch.tensor(math.nan if step.number == bad else float(step.number)), step)
            if watch.all_read:
                read.append(step.number)
    assert read == [at for at in (49, 99, 119) if bad is None or at < bad]
    if bad is None:
        assert watch.end_epoch(step) == 59.5
        assert watch.loss == 0


def test_examples_that_are_not_finite_are_named():
    x = np.ones((20, 36), np.float32)
    x[7, 3] = np.inf
    spoilt_examples = Batches(x, np.zeros(20, np.int64), (0.0,), (1.0,), 20)
    message = r"the loss is not finite at step 1 .*the examples hold NaN or infinite values"
    with pytest.raises(InputError, match=message):
        run("edge-popup", model=plain_network(), batches=spoilt_examples, training=Training(batch=20))
