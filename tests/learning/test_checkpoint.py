"""A run that was interrupted anywhere ends in the same bits, and nothing but its own whole checkpoint is accepted."""

import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from training_helpers import METHODS, SHORT, digest, images, network, outcome, run

from slth import InputError
from slth.learning import checkpoint
from slth.learning.trainer import Keeping

torch.set_num_threads(1)
HELPER = Path(__file__).parent.parent / "training_helpers.py"


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
    whole = outcome(*run(name, Keeping(progress=lambda done, total: steps.append((done, total)))))
    assert [done for done, _ in steps] == list(range(1, steps[-1][1] + 1))
    keeping = Keeping(tmp_path / "run", 0.0)
    for at in range(2, len(steps) + 1):
        with pytest.raises(Killed):
            run(name, replace(keeping, progress=killing(at)))
    for _ in range(3):  # the last step, and twice after the end
        assert outcome(*run(name, keeping)) == whole
    assert [file.name for file in tmp_path.iterdir()] == ["run"]


def test_an_interrupt_inside_a_write_leaves_the_last_checkpoint_and_nothing_else(tmp_path, monkeypatch):
    whole, keeping, rename = outcome(*run("edge-popup")), Keeping(tmp_path / "run", 0.0), os.replace
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
            result = outcome(*run("edge-popup", keeping))
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


def test_the_leavings_of_a_killed_write_are_removed_and_nothing_else(tmp_path):
    for name in (".run.0123abcd.tmp", ".other.0123abcd.tmp", ".run.tmp", "run.0123abcd.tmp"):
        (tmp_path / name).write_bytes(b"half")
    run("edge-popup", Keeping(tmp_path / "run"))
    left = {file.name for file in tmp_path.iterdir()}
    assert left == {"run", ".other.0123abcd.tmp", ".run.tmp", "run.0123abcd.tmp"}


def test_a_finished_run_is_not_trained_again(tmp_path):
    keeping = Keeping(tmp_path / "run")
    run("perturbed", keeping)
    before = (tmp_path / "run").read_bytes()
    run("perturbed", replace(keeping, progress=killing(1)))
    assert (tmp_path / "run").read_bytes() == before


def test_training_leaves_the_callers_generator_alone():
    torch.manual_seed(1)
    want = torch.rand(3)
    torch.manual_seed(1)
    run("edge-popup")
    assert torch.equal(torch.rand(3), want)


def test_another_question_is_refused_and_what_differs_is_named(tmp_path):
    asked = {"method": {"name": "edge-popup", "density": 0.5}, "training": {"lr": 0.1}, "seed": 1}
    keeping = Keeping(tmp_path / "run")
    run("edge-popup", keeping, asked=asked)
    for other, said in (
        ({**asked, "seed": 2}, "another run: seed is 1 there and 2 here;"),
        ({**asked, "training": {"lr": 0.2}}, r"another run: training\.lr is 0\.1 there and 0\.2 here;"),
        ({**asked, "data": "digits"}, "data is absent there and digits here;"),
        ({"seed": 1}, "training"),
    ):
        with pytest.raises(InputError, match=said):
            run("edge-popup", keeping, asked=other)
    run(
        "edge-popup", keeping, asked={"seed": 1, "training": {"lr": 0.1}, "method": asked["method"]}
    )  # order is nothing


def test_another_model_or_other_data_is_refused(tmp_path):
    keeping = Keeping(tmp_path / "run")
    run("edge-popup", keeping)
    wider = network()
    wider[5] = nn.Linear(4 * 36, 4)
    with pytest.raises(InputError, match=r"another run: .*5\.bias is \(3,\) there and \(4,\) here"):
        run("edge-popup", keeping, model=wider)
    with pytest.raises(InputError, match="another run: examples is 44 there and 45 here"):
        run("edge-popup", keeping, batches=images(45))
    with pytest.raises(InputError, match=r"another model: 0\.weight differs"):
        checkpoint.restore(tmp_path / "run", nn.Sequential(nn.Linear(1, 1), nn.Linear(2, 2)), None)


def test_every_damaged_byte_is_noticed(tmp_path):
    """A sample of 1,000 places, in the header and in the numbers; also every kind of truncation."""
    path = tmp_path / "run"
    run("edge-popup", Keeping(path))
    good = path.read_bytes()
    with safe_open(path, "pt") as file:
        asked = json.loads(file.metadata()["facts"])["asked"]
    assert checkpoint.facts(path, asked).stage == 1
    wrong = [good[:at] + bytes([good[at] ^ 16]) + good[at + 1 :] for at in range(0, len(good), len(good) // 1000)]
    wrong += [good[:length] for length in (0, 1, 8, 100, len(good) // 2, len(good) - 1)] + [good + b"\0", b"PK" + good]
    for data in wrong:
        path.write_bytes(data)
        with pytest.raises(InputError, match=r"cannot read the checkpoint|is no checkpoint"):
            checkpoint.facts(path, asked)
    with pytest.raises(InputError, match=r"cannot read the checkpoint .*; remove it to start again"):
        run("edge-popup", Keeping(path))
    assert path.read_bytes() == data  # nothing was written over it


def test_a_foreign_file_is_refused(tmp_path):
    path = tmp_path / "run"
    save_file({"x": torch.zeros(3)}, path)
    with pytest.raises(InputError, match="run is no checkpoint of slth; give another file name"):
        run("edge-popup", Keeping(path))
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match="it is a folder; give a file name"):
        run("edge-popup", Keeping(path))


def test_a_checkpoint_is_read_without_running_code(tmp_path):
    """The format cannot hold code, and the reader never unpickles."""
    assert "pickle" not in Path(checkpoint.__file__).read_text()
    assert "torch.load" not in Path(checkpoint.__file__).read_text()


def test_a_full_disk_leaves_the_last_good_checkpoint_and_says_so(tmp_path, monkeypatch):
    whole, keeping = outcome(*run("edge-popup")), Keeping(tmp_path / "run", 0.0)
    with pytest.raises(Killed):
        run("edge-popup", replace(keeping, progress=killing(3)))
    before = (tmp_path / "run").read_bytes()

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(InputError, match=r"No space left on device.*the last good checkpoint is still there"):
            run("edge-popup", keeping)
    assert (tmp_path / "run").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["run"]
    assert outcome(*run("edge-popup", keeping)) == whole


@pytest.mark.parametrize("place", ["checkpoint", "logs"])
def test_a_place_that_cannot_be_written_is_refused_before_the_first_step(place, tmp_path):
    (tmp_path / "file").write_text("")
    for wrong in (tmp_path / "missing" / "run", tmp_path / "file" / "run"):
        with pytest.raises(InputError, match="cannot write"):
            run("edge-popup", Keeping(**{place: wrong}, progress=killing(1)))


def test_a_shared_stage_is_trained_once_and_gives_the_same_bits(tmp_path):
    """The second run takes it from the folder; so does one that was interrupted later on. Another seed does not."""
    made = []

    def share(name, make):
        if not (tmp_path / name).exists():
            made.append(name)
            (tmp_path / name).write_bytes(make())
        return tmp_path / name

    whole = outcome(*run("perturbed"))
    keeping = Keeping(share=share)
    assert outcome(*run("perturbed", keeping)) == whole
    steps = []
    again = replace(keeping, progress=lambda *at: steps.append(at))
    assert outcome(*run("perturbed", again)) == whole
    assert len(made) == 1
    assert len(steps) < steps[-1][1] == steps[-1][0]
    stored = replace(keeping, checkpoint=tmp_path / "run", every=0.0)
    with pytest.raises(Killed):
        run("perturbed", replace(stored, progress=killing(steps[2][0])))
    assert outcome(*run("perturbed", stored)) == whole
    run("perturbed", keeping, asked={"name": "perturbed", "data": "other"})
    assert len(made) == 2


def test_an_optimiser_state_is_part_of_it(tmp_path):
    """The check sees momentum: a run whose momentum is lost in between ends elsewhere."""
    keeping, forget = Keeping(tmp_path / "run", 0.0), checkpoint.restore
    with pytest.raises(Killed):
        run("edge-popup", replace(keeping, progress=killing(4)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "restore", lambda path, model, optimizer: forget(path, model, None))
        assert outcome(*run("edge-popup", keeping)) != outcome(*run("edge-popup"))


def test_the_settings_of_these_runs_cover_what_can_be_forgotten():
    assert {settings.optimizer for _, settings in METHODS.values()} == {"sgd", "adam", "adamw"}
    assert SHORT.momentum > 0
    kinds = {type(module) for module in network().modules()}
    assert {nn.Dropout, nn.BatchNorm2d} <= kinds
    assert images().crop > 0
