"""Several processes see one run: the same masks and gradients as one process, and no hanging when one of them dies."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.training import one_step

HELPER = Path(__file__).parent.parent / "helpers" / "training.py"


def two(folder, task):
    """Exit codes of two processes, and what they raised."""
    command = [sys.executable, str(HELPER), "ranks", str(folder), task]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    said = {file.name[-1]: file.read_text() for file in folder.glob("error-*")}
    return json.loads(done.stdout.splitlines()[-1]), said


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    codes, said = two(folder, "same")
    assert codes == [0, 0], said
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", ["edge-popup", "supermask", "rewound"])
def test_all_processes_end_with_the_same_bits(together, name):
    """Scores, masks, statistics of norms, and the history: 45 examples, which two processes cannot share evenly."""
    assert (together / f"{name}-0").read_text() == (together / f"{name}-1").read_text()


@pytest.mark.slow
def test_the_gradient_is_that_of_one_process(together):
    """Of a step of 13 examples: the mean over examples, not over processes, to float32 rounding."""
    torch.set_num_threads(1)
    alone, loss = one_step("edge-popup")
    for rank in range(2):
        with np.load(together / f"gradient-{rank}.npz") as found:
            assert float(found["loss"]) == pytest.approx(loss, rel=1e-6)
            for number, gradient in enumerate(alone):
                largest = float(np.abs(gradient).max())
                assert np.abs(found[f"arr_{number}"] - gradient).max() <= 1e-5 * largest


@pytest.mark.slow
def test_a_resumed_run_of_two_processes_ends_in_the_same_bits(together):
    assert [(together / f"resumed-{rank}").read_text() for rank in range(2)] == ["True", "True"]


@pytest.mark.slow
def test_when_a_process_dies_the_other_ends_with_a_sentence(tmp_path):
    codes, said = two(tmp_path, "die")
    assert codes[1] == 9
    assert codes[0] not in (0, 9)
    assert said["0"].startswith("InputError: another process of this run ended")


@pytest.mark.slow
def test_a_loss_that_is_nan_in_one_process_stops_all_with_the_same_sentence(tmp_path):
    codes, said = two(tmp_path, "nan")
    assert codes == [1, 1]
    assert said["0"] == said["1"]
    assert "the loss is not finite at step 1 " in said["0"]
