"""The steps of a stage: every example once an epoch, the same steps wherever a run goes on."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.training import SHORT, images

from slth.learning import EdgePopup
from slth.learning.steps import count_steps, steps_of


def stage_of(**settings):
    (stage,) = EdgePopup(0.5).stages(replace(SHORT, **settings))
    return stage


def test_an_epoch_is_every_example_once_and_its_last_step_says_so():
    """44 examples in steps of 16: 16, 16, 12. The stage may end within an epoch."""
    batches, stage = images(44), stage_of(epochs=2.4)
    steps = list(steps_of(stage, batches, "key"))
    assert len(steps) == count_steps(stage.training, batches) == 8
    assert [(s.number, s.epoch, s.of_epoch, len(s.rows)) for s in steps[:4]] == [
        (0, 0, 1, 16), (1, 0, 2, 16), (2, 0, 3, 12), (3, 1, 1, 16)
    ]  # fmt: skip
    for epoch in range(2):
        rows = np.concatenate([step.rows for step in steps if step.epoch == epoch])
        assert sorted(rows) == list(range(44))
    assert [step.number for step in steps if step.ends_epoch] == [2, 5, 7]
    assert [step.number for step in steps if step.ends_stage] == [7]
    assert len({step.key for step in steps}) == 8


@pytest.mark.parametrize("first", range(9))
def test_a_run_that_goes_on_takes_the_steps_that_are_left(first):
    batches, stage = images(44), stage_of(epochs=2.4)
    whole, rest = (list(steps_of(stage, batches, "key", first=at)) for at in (0, first))
    assert len(rest) == 8 - first
    for one, two in zip(whole[first:], rest, strict=True):
        assert np.array_equal(one.rows, two.rows)
        assert (one.number, one.epoch, one.of_epoch, one.rate, one.key) == (
            two.number, two.epoch, two.of_epoch, two.rate, two.key
        )  # fmt: skip
        assert (one.ends_epoch, one.ends_stage) == (two.ends_epoch, two.ends_stage)
