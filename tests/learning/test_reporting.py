"""The history of a run, in memory and on the disk: a row per epoch, whole at any moment."""

import csv
import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.training import SHORT, run

from slth.learning import RunFiles

torch.set_num_threads(1)


def test_the_history_has_a_row_for_every_epoch_that_was_begun():
    training = replace(SHORT, epochs=2.4)  # 3 steps an epoch
    _, history = run("edge-popup", training=training)
    assert [(row["epoch"], row["step"]) for row in history] == [(1, 3), (2, 6), (3, 8)]
    assert [row["lr"] for row in history] == [training.rate(step, 3) for step in (2, 5, 7)]


def test_the_history_is_written_whole_after_every_epoch(tmp_path, monkeypatch):
    """Whatever happens between two epochs, a reader finds complete rows; of all stages, with all columns."""
    seen, rename = [], os.replace

    def look(source, target):
        rename(source, target)
        seen.append(list(csv.DictReader((tmp_path / "new/history.csv").open())))

    monkeypatch.setattr(os, "replace", look)
    _, history = run("rewound", RunFiles(logs=tmp_path / "new"))
    assert [len(rows) for rows in seen] == list(range(1, len(history) + 1))
    for row, written in zip(history, seen[-1], strict=True):
        assert written == {name: str(value) for name, value in row.items()}


def test_a_resumed_run_writes_the_history_from_the_start(tmp_path):
    files = RunFiles(tmp_path / "run", logs=tmp_path)
    _, history = run("edge-popup", files)
    (tmp_path / "history.csv").unlink()
    run("edge-popup", files)
    assert len(list(csv.DictReader((tmp_path / "history.csv").open()))) == len(history)


def test_tensorboard_has_every_curve_in_one_file(tmp_path):
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    _, history = run("rewound", RunFiles(logs=tmp_path))
    assert len(list(tmp_path.glob("events.*"))) == 1
    events = EventAccumulator(str(tmp_path)).Reload()
    for stage in {row["stage"] for row in history}:
        for name in ("loss", "accuracy", "lr"):
            rows = [(row["step"], np.float32(row[name])) for row in history if row["stage"] == stage]
            assert [(event.step, event.value) for event in events.Scalars(f"{stage}/{name}")] == rows
