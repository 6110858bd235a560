"""The gradient of a step does not depend on how its batch is cut; labels are checked before the first one."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.training import SHORT, images, network, plain_network, run
from torch import nn

from slth import InputError
from slth.learning import EdgePopup, Training, attach
from slth.learning.batches import Batches
from slth.learning.trainer import train

torch.set_num_threads(1)


def gradient(training, *, batches=None, method=None, loss=None):
    """The gradients and the loss of the first step."""
    method = EdgePopup(0.5) if method is None else method
    masks, seen = attach(plain_network(), method, seed=1), []
    before = [score.detach().clone() for score in masks.scores]

    def keep(masks):
        if not seen:
            seen.extend(score.detach().clone() for score in masks.scores)

    training = replace(
        training, epochs=1.0, optimizer="sgd", lr=1.0, momentum=0.0, weight_decay=0.0, schedule="constant"
    )
    stages = [replace(stage, after_step=keep) for stage in method.stages(training)]
    history = train(masks, stages, images(20) if batches is None else batches, None, asked={}, loss=loss)
    return [(old - new).numpy() for old, new in zip(before, seen, strict=True)], history[0]["loss"]


@pytest.mark.parametrize("parts", [2, 3, 7, 20, 50])
def test_a_batch_in_parts_has_the_gradient_of_the_whole(parts):
    """Also when the parts are of different sizes, with the same augmentation."""
    whole, loss = gradient(Training(batch=20))
    cut, other = gradient(Training(batch=20, accumulate=parts))
    assert other == pytest.approx(loss, rel=1e-6)
    for a, b in zip(whole, cut, strict=True):
        assert np.abs(a - b).max() <= 1e-5 * np.abs(a).max()


def test_label_smoothing_reaches_the_loss():
    """L_s = (1 − s) L + s · mean over classes of −log p, so it is linear in s."""
    found = [gradient(Training(batch=20, label_smoothing=s))[1] for s in (0.0, 0.25, 0.5)]
    assert found[1] == pytest.approx((found[0] + found[2]) / 2, rel=1e-6)
    assert found[0] != found[2]


def test_another_loss_takes_the_place_of_cross_entropy():
    same, loss = gradient(Training(batch=20), loss=nn.functional.cross_entropy)
    whole, other = gradient(Training(batch=20))
    assert loss == other
    assert all(np.array_equal(a, b) for a, b in zip(same, whole, strict=True))
    masks, history = run("edge-popup", loss=lambda outputs, y: (outputs**2).mean())
    assert all("accuracy" not in row for row in history)
    assert masks.kept * 2 == masks.size


def counted(x, y):
    return Batches(x, y, (0.0,), (1.0,), 8)


@pytest.mark.parametrize("label", [-1, -100, 3, 200])
@pytest.mark.parametrize("kind", ["arrays", "data set"])
def test_labels_out_of_range_are_one_sentence_before_anything_moves(label, kind):
    """Also -100, which cross entropy would silently skip. In arrays wherever it is; in a data set once it is met."""
    x, y = np.random.default_rng(0).random((16, 36)).astype(np.float32), np.zeros(16, np.int64)
    y[:] = np.arange(16) % 3
    y[9] = label
    data = counted(x, y) if kind == "arrays" else counted([(a, b) for a, b in zip(x, y, strict=True)], None)
    masks = attach(plain_network(), EdgePopup(0.5))
    before = [score.detach().clone() for score in masks.scores]
    with pytest.raises(
        InputError, match=f"the labels run from .*{label}.* but the model has 3 outputs: expected 0 to 2"
    ):
        train(masks, EdgePopup().stages(Training(epochs=1.0, batch=16)), data, None, asked={})
    assert all(torch.equal(a, b) for a, b in zip(before, masks.scores, strict=True))


def test_test_labels_out_of_range_are_noticed_too():
    good, bad = images(16), replace(images(16), y=np.full(16, 3))
    with pytest.raises(InputError, match="the labels run from 3 to 3"):
        train(attach(network(), EdgePopup(0.5)), EdgePopup().stages(SHORT), good, bad, asked={})


def test_outputs_that_are_no_classes_are_refused():
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 3), nn.Flatten(0))
    with pytest.raises(InputError, match=r"the shape \(48,\): cross entropy expects \(batch, classes\)"):
        train(attach(model, EdgePopup(0.5)), EdgePopup().stages(SHORT), images(16), None, asked={})
