"""Nothing but a run's own whole checkpoint is accepted, and reading one runs no code."""

import json
from pathlib import Path

import pytest
import torch
from helpers.training import images, network, run
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from slth import InputError
from slth.learning import RunFiles, checkpoint

torch.set_num_threads(1)


def test_the_leavings_of_a_killed_write_are_removed_and_nothing_else(tmp_path):
    for name in (".run.0123abcd.tmp", ".other.0123abcd.tmp", ".run.tmp", "run.0123abcd.tmp"):
        (tmp_path / name).write_bytes(b"half")
    run("edge-popup", RunFiles(tmp_path / "run"))
    left = {file.name for file in tmp_path.iterdir()}
    assert left == {"run", ".other.0123abcd.tmp", ".run.tmp", "run.0123abcd.tmp"}


def test_another_question_is_refused_and_what_differs_is_named(tmp_path):
    asked = {"method": {"name": "edge-popup", "density": 0.5}, "training": {"lr": 0.1}, "seed": 1}
    files = RunFiles(tmp_path / "run")
    run("edge-popup", files, asked=asked)
    for other, said in (
        ({**asked, "seed": 2}, "another run: seed is 1 there and 2 here;"),
        ({**asked, "training": {"lr": 0.2}}, r"another run: training\.lr is 0\.1 there and 0\.2 here;"),
        ({**asked, "data": "digits"}, "data is absent there and digits here;"),
        ({"seed": 1}, "training"),
    ):
        with pytest.raises(InputError, match=said):
            run("edge-popup", files, asked=other)
    run("edge-popup", files, asked={"seed": 1, "training": {"lr": 0.1}, "method": asked["method"]})  # order is nothing


def test_another_model_or_other_data_is_refused(tmp_path):
    files = RunFiles(tmp_path / "run")
    run("edge-popup", files)
    wider = network()
    wider[5] = nn.Linear(4 * 36, 4)
    with pytest.raises(InputError, match=r"another run: .*5\.bias is \(3,\) there and \(4,\) here"):
        run("edge-popup", files, model=wider)
    with pytest.raises(InputError, match="another run: examples is 44 there and 45 here"):
        run("edge-popup", files, batches=images(45))
    with pytest.raises(InputError, match=r"another model: 0\.weight differs"):
        checkpoint.restore(tmp_path / "run", nn.Sequential(nn.Linear(1, 1), nn.Linear(2, 2)), None)


def test_every_damaged_byte_is_noticed(tmp_path):
    """A sample of 1,000 places, in the header and in the numbers; also every kind of truncation."""
    path = tmp_path / "run"
    run("edge-popup", RunFiles(path))
    good = path.read_bytes()
    with safe_open(path, "pt") as file:
        asked = json.loads(file.metadata()["facts"])["asked"]
    assert checkpoint.read_position(path, asked).stage == 1
    wrong = [good[:at] + bytes([good[at] ^ 16]) + good[at + 1 :] for at in range(0, len(good), len(good) // 1000)]
    wrong += [good[:length] for length in (0, 1, 8, 100, len(good) // 2, len(good) - 1)] + [good + b"\0", b"PK" + good]
    for data in wrong:
        path.write_bytes(data)
        with pytest.raises(InputError, match=r"cannot read the checkpoint|is no checkpoint"):
            checkpoint.read_position(path, asked)
    with pytest.raises(InputError, match=r"cannot read the checkpoint .*; remove it to start again"):
        run("edge-popup", RunFiles(path))
    assert path.read_bytes() == data  # nothing was written over it


def test_a_foreign_file_is_refused(tmp_path):
    path = tmp_path / "run"
    save_file({"x": torch.zeros(3)}, path)
    with pytest.raises(InputError, match="run is no checkpoint of slth; give another file name"):
        run("edge-popup", RunFiles(path))
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match="it is a folder; give a file name"):
        run("edge-popup", RunFiles(path))


def test_a_checkpoint_is_read_without_running_code(tmp_path):
    """The format cannot hold code, and the reader never unpickles."""
    assert "pickle" not in Path(checkpoint.__file__).read_text()
    assert "torch.load" not in Path(checkpoint.__file__).read_text()
