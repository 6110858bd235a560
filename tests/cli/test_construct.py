"""`slth construct`: tickets, misses, exit codes, one-sentence errors."""

import json
import os

import numpy as np
from cli.helpers import check_refusals, error_of
from safetensors.numpy import load_file, save_file

from slth.cli.app import run
from slth.ticket import load


def test_construct_with_no_target_does_the_whole_job(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["construct", "--records", "r.jsonl"]) == 0
    out = capsys.readouterr().out
    for text in ("digits.slth", "digits.safetensors", "r.jsonl", "accuracy of the ticket", "misses", "certified"):
        assert text in out
    assert sorted(os.listdir(tmp_path)) == ["digits.safetensors", "digits.slth", "r.jsonl"]
    record = json.loads((tmp_path / "r.jsonl").read_text())
    assert record["outcome"]["misses"] == 0
    assert record["outcome"]["evaluation"]["accuracy"]["value"] > 0.93
    assert set(record["seconds"]) == {"train", "construct", "write", "verify", "evaluate"}
    assert run(["verify", "digits.slth", "--target", "digits.safetensors"]) == 0


def test_two_runs_and_any_threads_give_the_same_file_another_seed_gives_another(made, tmp_path):
    files = []
    for i, more in enumerate([[], ["--threads", "1"], ["--threads", "2"], ["--seed", "1"]]):
        out = tmp_path / f"{i}.slth"
        target = str(made / "t.safetensors")
        assert run(["construct", target, "--out", str(out), "--input-range", "0,1", "-q", *more]) == 0
        files.append(out.read_bytes())
    assert files[0] == files[1] == files[2] == (made / "t.slth").read_bytes()
    assert files[3] != files[0]


def test_missed_weights_are_listed_and_exit_code_is_1(made, tmp_path, capsys):
    out = tmp_path / "few.slth"
    arguments = ["--out", str(out), "--input-range", "0,1", "--candidates", "6"]
    assert run(["construct", str(made / "t.safetensors"), *arguments]) == 1
    printed = capsys.readouterr()
    assert "missed: layers/0, output" in printed.err
    assert load(out).misses > 0
    assert run(["verify", str(out), "--target", str(made / "t.safetensors")]) == 0


def test_without_an_input_range_the_command_says_so(made, tmp_path, capsys):
    assert run(["construct", str(made / "t.safetensors"), "--out", str(tmp_path / "any.slth")]) == 0
    printed = capsys.readouterr()
    assert "no input range" in printed.err
    assert "no bound" in printed.out


def test_epsilon_bounds_the_whole_network(made, tmp_path, capsys):
    out = tmp_path / "e.slth"
    target = str(made / "t.safetensors")
    assert run(["construct", target, "--epsilon", "0.01", "--input-range", "0,1", "--out", str(out), "-q"]) == 0
    assert load(out).claims.sup_error <= 0.01
    assert run(["verify", str(out), "--target", target]) == 0
    assert "input range" in error_of(
        capsys, "construct", target, "--epsilon", "0.01", "--out", tmp_path / "x.slth", "-q"
    )


def test_an_error_met_in_spite_of_misses_is_exit_code_0_and_the_misses_are_listed(made, tmp_path, capsys):
    out, target = tmp_path / "e.slth", str(made / "t.safetensors")
    options = ["--input-range", "0,1", "--candidates", "11", "--out", str(out)]
    assert run(["construct", target, "--epsilon", "0.1", *options]) == 0
    err = capsys.readouterr().err
    assert "missed: layer" in err
    assert "meets --epsilon all the same" in err
    ticket = load(out)
    assert ticket.misses > 0
    assert ticket.claims.sup_error <= 0.1
    assert run(["construct", target, "--tolerance", "1e-3", *options]) == 1
    assert "all the same" not in capsys.readouterr().err


def test_retries_of_a_given_width_take_the_next_seed_and_the_ticket_names_it(made, tmp_path):
    out = tmp_path / "r.slth"
    options = ["--input-range", "0,1", "--tolerance", "1e-3", "--candidates", "16", "--out", str(out), "-q"]
    assert run(["construct", str(made / "t.safetensors"), *options, "--seed", "1"]) == 1
    assert run(["construct", str(made / "t.safetensors"), *options, "--seed", "1", "--retries", "9"]) == 0
    ticket = load(out)
    assert ticket.seed == ticket.provenance.attempts > 1  # 1 + attempts - 1
    assert {gadget.candidates for gadget in ticket.gadgets.values()} == {16}
    assert run(["verify", str(out), "--target", str(made / "t.safetensors")]) == 0


def test_two_tickets_share_one_random_network(made, tmp_path, capsys):
    state = load_file(made / "t.safetensors")
    save_file({k: -v for k, v in state.items()}, tmp_path / "other.safetensors")
    out = tmp_path / "o.slth"
    command = ["construct", str(tmp_path / "other.safetensors"), "--input-range", "0,1", "--out", str(out), "-q"]
    assert run([*command, "--source", str(made / "t.slth")]) == 0
    assert load(out).heads == load(made / "t.slth").heads
    for option in (["--candidates", "5"], ["--retries", "1"]):
        assert "a source fixes" in error_of(capsys, *command, "--source", made / "t.slth", *option)


def test_an_unwritable_place_is_one_sentence(made, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode, **_: mode != os.W_OK)
    out = tmp_path / "o.slth"
    assert "permission denied" in error_of(capsys, "construct", made / "t.safetensors", "--out", out)


def test_a_full_disk_is_one_sentence_and_leaves_nothing(made, tmp_path, capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    target = made / "t.safetensors"
    error = error_of(capsys, "construct", target, "--out", tmp_path / "o.slth", "--input-range", "0,1")
    assert "No space left" in error
    assert list(tmp_path.iterdir()) == []


def test_bad_input_is_one_sentence_and_exit_code_2(made, tmp_path, capsys):
    target, out = made / "t.safetensors", tmp_path / "o.slth"
    state = load_file(target)
    save_file({**state, "0.weight": np.full((8, 6), np.nan, np.float32)}, tmp_path / "nan.safetensors")
    save_file({**state, "2.weight": np.ones((3, 7), np.float32)}, tmp_path / "chain.safetensors")
    construct = ["construct", target, "--out", out]
    cases = [
        (["construct", tmp_path / "nan.safetensors", "--out", out], "holds nan at"),
        (["construct", tmp_path / "chain.safetensors", "--out", out], "do not chain"),
        (["construct", tmp_path / "none.safetensors", "--out", out], "no such file"),
        ([*construct, "--tolerance", "0"], "tolerance must be a positive"),
        ([*construct, "--tolerance", "nan"], "tolerance must be a positive"),
        ([*construct, "--tolerance", "1", "--epsilon", "1"], "one of the two"),
        ([*construct, "--failure-probability", "1"], "between 0 and 1"),
        ([*construct, "--candidates", "65"], "from 1 to 64"),
        ([*construct, "--threads", "0"], "threads must be a whole number, at least 1, got 0"),
        ([*construct, "--seed=-1"], "non-negative"),
        ([*construct, "--input-range", "1,0"], "lower <= upper"),
        ([*construct, "--input-range", "0"], "two numbers"),
        ([*construct, "--input-range", "nan,1"], "finite"),
        ([*construct, "--input-range", "0,1", "--data", "digits"], "give one of them"),
        (
            [*construct, "--raw-range", "0,1", "--input-range", "0,1"],
            "--input-range and --raw-range both state the inputs",
        ),
        ([*construct, "--raw-range", "0,1", "--data", "digits"], "--raw-range and --data both state the inputs"),
        ([*construct, "--raw-range", "1,0"], "lower <= upper"),
        ([*construct, "--data", "imagenet"], "expected one of"),
        ([*construct, "--data", "mnist", "--data-dir", tmp_path / "none"], "no folder"),
        ([*construct, "--data", "mnist", "--data-dir", tmp_path], "found none"),
        ([*construct, "--mean", "0", "--std", "0"], "std > 0"),
        ([*construct, "--mean", "0"], "mean and std go together, got only mean; give both or neither"),
        (
            [*construct, "--mean", "0,0", "--std", "1,1"],
            "inputs: mean needs 1 or 6 numbers for inputs of shape 6, got 2",
        ),
        ([*construct, "--std", "x"], "--std takes numbers separated by commas; got 'x'"),
        ([*construct, "--activation", "nonsense"], "unknown activation"),
        ([*construct, "--order", "a,b"], "each layer once"),
        (["construct", "--data", "digits", "--out", out], "goes with a TARGET"),
        (["construct", "--mean", "0", "--std", "1", "--out", out], "--mean goes with a TARGET"),
        (["construct", target, "--out", target], "would be both target and out; choose another name with --out"),
        (["construct", "--out", tmp_path / "x.safetensors"], "x.safetensors would be both target and out"),
        (["construct", target, "--out", tmp_path / "no" / "o.slth"], "does not exist"),
        (["construct", target, "--out", tmp_path], "it is a folder"),
    ]
    check_refusals(capsys, tmp_path, cases)
