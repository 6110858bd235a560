"""Merged projections from the command line: what is refused; networks with attention are read from modules."""

import numpy as np
from cli.helpers import error_of


def test_what_is_refused_is_said_in_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    np.savez(
        "net.npz",
        **{"0.weight": rng.normal(size=(4, 5)).astype("f4"), "2.weight": rng.normal(size=(3, 4)).astype("f4")},
    )
    given = ["--gadget", "merged", "--input-range", "0,1", "--activation", "relu"]
    for verb in (["construct", "net.npz"], ["plan", "--target", "net.npz"]):
        assert "no attention whose projections could be merged" in error_of(capsys, *verb, *given)
    assert "a shape has no attention to merge" in error_of(capsys, "plan", "--shape", "5,4,3", "--gadget", "merged")
    assert "give none of its tensors back" in error_of(capsys, "construct", "net.npz", *given, "--exact")
    assert "no --lift" in error_of(capsys, "construct", "net.npz", *given, "--lift", "relu")
