"""One trainer: schedules in closed form, gradients that do not depend on how a batch is cut, sentences for mistakes."""

import csv
import json
import math
import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from training_helpers import SHORT, images, network, outcome, plain_network, run

from slth import InputError
from slth.learning import EdgePopup, Magnitude, Training, attach
from slth.learning.batches import Batches
from slth.learning.trainer import Keeping, accuracy, fabric_for, train

torch.set_num_threads(1)


def rates(training, per_epoch):
    return [training.rate(step, per_epoch) for step in range(training.steps(per_epoch))]


def test_schedules_are_their_closed_forms():
    base = Training(epochs=4.0, lr=0.3)
    assert rates(replace(base, schedule="constant"), 5) == [0.3] * 20
    wave = [0.3 * (1 + math.cos(math.pi * t / 20)) / 2 for t in range(20)]
    assert rates(base, 5) == pytest.approx(wave, rel=1e-12)
    steps = replace(base, schedule="multistep", milestones=(1.0, 3.0), factor=0.5)
    assert rates(steps, 5) == [0.3] * 5 + [0.15] * 10 + [0.075] * 5
    warm = replace(base, warmup=1.0)
    rise = [0.3 * (t + 1) / 5 for t in range(5)]
    fall = [0.3 * (1 + math.cos(math.pi * t / 15)) / 2 for t in range(15)]
    assert rates(warm, 5) == pytest.approx(rise + fall, rel=1e-12)


@pytest.mark.parametrize("warmup", [0.0, 0.05, 0.25, 0.7, 1.5, 2.0])
@pytest.mark.parametrize("schedule", ["constant", "cosine", "multistep"])
def test_no_rate_is_above_lr_or_below_0(schedule, warmup):
    training = Training(epochs=2.0, lr=0.3, schedule=schedule, warmup=warmup, milestones=(1.0,))
    found = rates(training, 10)
    assert all(0 < rate <= 0.3 for rate in found)
    rising = math.ceil(warmup * 10)
    assert found[:rising] == sorted(found[:rising])


def test_fractions_of_epochs_are_whole_steps_rounded_up():
    """Of the decimal that was written: 0.7 · 10 is 7, though the product of floats is above 7."""
    for epochs, per_epoch, steps in (
        (0.7, 10, 7),
        (0.1, 30, 3),
        (1.1, 10, 11),
        (2.5, 3, 8),
        (1e-6, 10, 1),
        (3.0, 7, 21),
    ):
        assert Training(epochs=epochs).steps(per_epoch) == steps
    late = Training(epochs=1.0, lr=1.0, schedule="multistep", milestones=(0.7,))
    assert rates(late, 10) == [1.0] * 7 + [0.1] * 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0.0}, {"epochs": math.nan}, {"lr": -1.0}, {"lr": math.inf}, {"batch": 0}, {"accumulate": 0},
        {"momentum": 1.0}, {"momentum": math.nan}, {"weight_decay": -0.1}, {"weight_decay": math.nan},
        {"label_smoothing": 1.0}, {"warmup": 11.0}, {"warmup": -1.0}, {"warmup": math.nan}, {"factor": 0.0},
        {"factor": math.nan}, {"milestones": (math.nan,)}, {"milestones": (-1.0,)},
    ],
    ids=str,
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused_by_name(wrong):
    with pytest.raises(InputError, match=next(iter(wrong)).rstrip("s")):
        Training(**wrong)


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


def test_the_history_has_a_row_for_every_epoch_that_was_begun():
    training = replace(SHORT, epochs=2.4)  # 3 steps an epoch
    _, history = run("edge-popup", training=training)
    assert [(row["epoch"], row["step"]) for row in history] == [(1, 3), (2, 6), (3, 8)]
    assert [row["lr"] for row in history] == [training.rate(step, 3) for step in (2, 5, 7)]


def test_accuracy_puts_every_module_back_into_its_mode():
    model = network()
    model.train()
    model[1].eval()
    accuracy(model, images(8))
    assert model[0].training
    assert not model[1].training


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
        run("edge-popup", Keeping(path, every), model=spoilt(5))
    assert path.exists() == (every == 0)
    assert ("holds the last good state" in str(caught.value)) == (every == 0)
    if every == 0:
        good, whole = run("edge-popup", Keeping(path, every), model=spoilt(99)), run("edge-popup", model=spoilt(99))
        assert outcome(*good) == outcome(*whole)


@pytest.mark.parametrize("name", ["edge-popup", "supermask", "rewound"])
def test_a_nan_in_the_gradient_alone_stops_too(name, tmp_path):
    """The mask of NaN scores is still a mask, so the loss may say nothing: what trains is looked at."""
    path = tmp_path / "run"
    with pytest.raises(
        InputError, match=r"(scores|weights) of layer '0' are not finite after step 2 .*last good state"
    ):
        run(name, Keeping(path, 0.0), model=spoilt(2, backward=True), training=SHORT)
    state = run(name, Keeping(path, 0.0), model=spoilt(99), training=SHORT)
    assert outcome(*state) == outcome(*run(name, model=spoilt(99), training=SHORT))
    with pytest.raises(InputError, match=r"not finite (after|at) step 3 of"):  # without a checkpoint: after the epoch
        run(name, model=spoilt(2, backward=True), training=SHORT)


def test_examples_that_are_not_finite_are_named():
    x = np.ones((20, 36), np.float32)
    x[7, 3] = np.inf
    with pytest.raises(
        InputError, match=r"the loss is not finite at step 1 .*the examples hold NaN or infinite values"
    ):
        gradient(Training(batch=20), batches=Batches(x, np.zeros(20, np.int64), (0.0,), (1.0,), 20))


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


def test_nothing_to_train_on_is_refused_and_nothing_to_test_on_is_not():
    none = replace(images(1), x=np.empty((0, 1, 6, 6), np.uint8), y=np.empty(0, np.int64))
    with pytest.raises(InputError, match="no training examples"):
        train(attach(network(), EdgePopup(0.5)), EdgePopup().stages(SHORT), none, None, asked={})
    history = train(attach(network(), EdgePopup(0.5)), EdgePopup().stages(SHORT), images(16), none, asked={})
    assert "accuracy" not in history[0]


def test_the_history_is_written_whole_after_every_epoch(tmp_path, monkeypatch):
    """Whatever happens between two epochs, a reader finds complete rows; of all stages, with all columns."""
    seen, rename = [], os.replace

    def look(source, target):
        rename(source, target)
        seen.append(list(csv.DictReader((tmp_path / "new/history.csv").open())))

    monkeypatch.setattr(os, "replace", look)
    _, history = run("rewound", Keeping(logs=tmp_path / "new"))
    assert [len(rows) for rows in seen] == list(range(1, len(history) + 1))
    for row, written in zip(history, seen[-1], strict=True):
        assert written == {name: str(value) for name, value in row.items()}


def test_a_resumed_run_writes_the_history_from_the_start(tmp_path):
    keeping = Keeping(tmp_path / "run", logs=tmp_path)
    _, history = run("edge-popup", keeping)
    (tmp_path / "history.csv").unlink()
    run("edge-popup", keeping)
    assert len(list(csv.DictReader((tmp_path / "history.csv").open()))) == len(history)


def test_tensorboard_has_every_curve_in_one_file(tmp_path):
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    _, history = run("rewound", Keeping(logs=tmp_path))
    assert len(list(tmp_path.glob("events.*"))) == 1
    events = EventAccumulator(str(tmp_path)).Reload()
    for stage in {row["stage"] for row in history}:
        for name in ("loss", "accuracy", "lr"):
            rows = [(row["step"], np.float32(row[name])) for row in history if row["stage"] == stage]
            assert [(event.step, event.value) for event in events.Scalars(f"{stage}/{name}")] == rows


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
        def before(masks, step, _):
            weights = [tensor.original.detach().clone() for tensor in masks]
            if stage.name == "round 0" and step == 2:
                remembered.append(weights)
            elif stage.name != "round 0" and step == 0:
                starts.append((weights, [tensor.mask.kept.clone() for tensor in masks]))

        return replace(stage, before_step=before)

    train(masks, [watch(stage) for stage in method.stages(SHORT)], images(), None, asked={})
    assert len(starts) == method.rounds
    for start, kept in starts:
        assert all(torch.equal(a[k], b[k]) for a, b, k in zip(start, remembered[0], kept, strict=True))


def test_what_was_asked_may_hold_anything_that_json_or_str_can_write(tmp_path):
    asked = {"path": tmp_path, "tuple": (1, 2.5), "none": None}
    run("edge-popup", Keeping(tmp_path / "run"), asked=asked)
    run("edge-popup", Keeping(tmp_path / "run"), asked=json.loads(json.dumps(asked, default=str)))
