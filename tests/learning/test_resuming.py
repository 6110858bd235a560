"""A run that was interrupted anywhere ends in the same bits; a shared stage is trained once."""

import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from helpers.training import METHODS, SHORT, digest, images, network, outcome, run
from torch import nn

from slth import InputError
from slth.learning import RunFiles, checkpoint

torch.set_num_threads(1)
HELPER = Path(__file__).parent.parent / "helpers" / "training.py"


class Killed(BaseException):
    """Nothing catches it by accident."""


def killing(at):
    def progress(done, _):
        if done == at:
            raise Killed

    return progress


@pytest.mark.parametrize("name", METHODS)
def test_a_run_interrupted_after_every_step_ends_in_the_same_bits(name, tmp_path):
    """Each life begins in a fresh network, resumes what the last one saved, and ends before it saves step `at`.

    So every step, every boundary of stages and the end itself is resumed from once: weights, scores, statistics, masks,
    streams and history are those of an undisturbed run that never wrote a checkpoint.
    """
    steps = []
    whole = outcome(*run(name, RunFiles(progress=lambda done, total: steps.append((done, total)))))
    assert [done for done, _ in steps] == list(range(1, steps[-1][1] + 1))
    files = RunFiles(tmp_path / "run", 0.0)
    for at in range(2, len(steps) + 1):
        with pytest.raises(Killed):
            run(name, replace(files, progress=killing(at)))
    for _ in range(3):  # the last step, and twice after the end
        assert outcome(*run(name, files)) == whole
    assert [file.name for file in tmp_path.iterdir()] == ["run"]


def test_an_interrupt_inside_a_write_leaves_the_last_checkpoint_and_nothing_else(tmp_path, monkeypatch):
    whole, files, rename = outcome(*run("edge-popup")), RunFiles(tmp_path / "run", 0.0), os.replace
    writes = []

    def interrupted(*places):
        writes.append(places)
        if len(writes) % 2 == 0:
            raise Killed
        rename(*places)

    monkeypatch.setattr(os, "replace", interrupted)
    lives = 0
    while True:
        lives += 1
        try:
            result = outcome(*run("edge-popup", files))
            break
        except Killed:
            assert [file.name for file in tmp_path.iterdir()] == ["run"]
    assert lives > 2
    assert result == whole


@pytest.mark.parametrize("count", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_kill_9_at_random_moments_ends_in_the_same_bits(count, tmp_path):
    command = [sys.executable, str(HELPER), "kill", str(tmp_path), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found, files = json.loads(done.stdout.splitlines()[-1])
    assert found == digest(*run("rewound"))
    assert files == ["run.checkpoint"]


def test_a_finished_run_is_not_trained_again(tmp_path):
    files = RunFiles(tmp_path / "run")
    run("perturbed", files)
    before = (tmp_path / "run").read_bytes()
    run("perturbed", replace(files, progress=killing(1)))
    assert (tmp_path / "run").read_bytes() == before


def test_training_leaves_the_callers_generator_alone():
    torch.manual_seed(1)
    want = torch.rand(3)
    torch.manual_seed(1)
    run("edge-popup")
    assert torch.equal(torch.rand(3), want)


def test_a_full_disk_leaves_the_last_good_checkpoint_and_says_so(tmp_path, monkeypatch):
    whole, files = outcome(*run("edge-popup")), RunFiles(tmp_path / "run", 0.0)
    with pytest.raises(Killed):
        run("edge-popup", replace(files, progress=killing(3)))
    before = (tmp_path / "run").read_bytes()

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(InputError, match=r"No space left on device.*the last good checkpoint is still there"):
            run("edge-popup", files)
    assert (tmp_path / "run").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["run"]
    assert outcome(*run("edge-popup", files)) == whole


@pytest.mark.parametrize("place", ["checkpoint", "logs"])
def test_a_place_that_cannot_be_written_is_refused_before_the_first_step(place, tmp_path):
    (tmp_path / "file").write_text("")
    for wrong in (tmp_path / "missing" / "run", tmp_path / "file" / "run"):
        with pytest.raises(InputError, match="cannot write"):
            run("edge-popup", RunFiles(**{place: wrong}, progress=killing(1)))


def test_a_shared_stage_is_trained_once_and_gives_the_same_bits(tmp_path):
    """The second run takes it from the folder; so does one that was interrupted later on. Another seed does not."""
    made = []

    def share(name, make):
        if not (tmp_path / name).exists():
            made.append(name)
            (tmp_path / name).write_bytes(make())
        return tmp_path / name

    whole = outcome(*run("perturbed"))
    files = RunFiles(share=share)
    assert outcome(*run("perturbed", files)) == whole
    steps = []
    again = replace(files, progress=lambda *at: steps.append(at))
    assert outcome(*run("perturbed", again)) == whole
    assert len(made) == 1
    assert len(steps) < steps[-1][1] == steps[-1][0]
    stored = replace(files, checkpoint=tmp_path / "run", every=0.0)
    with pytest.raises(Killed):
        run("perturbed", replace(stored, progress=killing(steps[2][0])))
    assert outcome(*run("perturbed", stored)) == whole
    run("perturbed", files, asked={"name": "perturbed", "data": "other"})
    assert len(made) == 2


def test_an_optimiser_state_is_part_of_it(tmp_path):
    """The check sees momentum: a run whose momentum is lost in between ends elsewhere."""
    files, forget = RunFiles(tmp_path / "run", 0.0), checkpoint.restore
    with pytest.raises(Killed):
        run("edge-popup", replace(files, progress=killing(4)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "restore", lambda path, model, optimizer: forget(path, model, None))
        assert outcome(*run("edge-popup", files)) != outcome(*run("edge-popup"))


def test_the_settings_of_these_runs_cover_what_can_be_forgotten():
    assert {settings.optimizer for _, settings in METHODS.values()} == {"sgd", "adam", "adamw"}
    assert SHORT.momentum > 0
    kinds = {type(module) for module in network().modules()}
    assert {nn.Dropout, nn.BatchNorm2d} <= kinds
    assert images().crop > 0
