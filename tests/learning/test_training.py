"""Schedules in closed form; settings that make no sense are refused by name."""

import math
from dataclasses import replace

import pytest
import torch

from slth import InputError
from slth.learning import Training

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
