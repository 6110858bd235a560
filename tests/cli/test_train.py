"""`slth train`: a network to make tickets of."""

import subprocess
import sys

from cli.helpers import check_refusals
from safetensors.numpy import load_file

from slth.cli.app import run


def test_train_writes_a_target(tmp_path, capsys):
    out = tmp_path / "m.safetensors"
    assert run(["train", "--out", str(out), "--hidden", "12,8", "--no-bias", "--epochs", "1", "-q"]) == 0
    assert {k: v.shape for k, v in load_file(out).items()} == {
        "0.weight": (12, 64),
        "2.weight": (8, 12),
        "4.weight": (10, 8),
    }


def test_train_without_pytorch_says_what_to_install(tmp_path):
    code = "import sys; sys.modules['torch'] = None; from slth.cli.app import run; sys.exit(run(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "train", "--out", tmp_path / "m.safetensors"], capture_output=True
    )
    assert done.returncode == 2, done.stderr
    assert (
        done.stderr.decode()
        == "slth: training needs PyTorch: pip install -c constraints.txt -e '.[nn]' in the source folder of slth\n"
    )


def test_bad_input_is_one_sentence_and_exit_code_2(tmp_path, capsys):
    train = ["train", "--out", tmp_path / "m.safetensors"]
    cases = [
        (["train", "--out", tmp_path / "m.bin"], "expected the suffix"),
        ([*train, "--hidden", "x"], "whole numbers"),
        ([*train, "--epochs", "0"], "epochs must be a whole number, at least 1, got 0"),
        ([*train, "--mean", "1"], "mean and std go together"),
    ]
    check_refusals(capsys, tmp_path, cases)
