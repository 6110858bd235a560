"""The command line as a stranger uses it: results, one-sentence errors, exit codes, nothing half written."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from slth.cli.app import run
from slth.ticket import load

SLTH = [sys.executable, "-m", "slth"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A small target, its ticket, and labelled data."""
    folder = tmp_path_factory.mktemp("made")
    rng = np.random.default_rng(0)
    shapes = {"0.weight": (8, 6), "0.bias": (8,), "2.weight": (3, 8), "2.bias": (3,)}
    save_file({k: rng.normal(size=s).astype(np.float32) / 3 for k, s in shapes.items()}, folder / "t.safetensors")
    x = rng.random((200, 6)).astype(np.float32)
    np.savez(folder / "d.npz", x=x, y=rng.integers(0, 3, 200))
    options = ["--out", str(folder / "t.slth"), "--input-range", "0,1", "-q"]
    assert run(["construct", str(folder / "t.safetensors"), *options]) == 0
    return folder


def error_of(capsys, *arguments):
    """Exit code 2 and one sentence on stderr, nothing on stdout."""
    capsys.readouterr()
    code = run([str(a) for a in arguments])
    out, err = capsys.readouterr()
    assert code == 2, (out, err)
    assert out == ""
    assert "Traceback" not in err
    lines = [line for line in err.strip().splitlines() if not line.startswith("slth: assumed")]
    assert len(lines) == 1, err
    return lines[0]


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


def test_verify_says_what_it_checked_and_what_needs_the_target(made, capsys):
    assert run(["verify", str(made / "t.slth")]) == 0
    assert "not checked" in capsys.readouterr().out
    assert run(["verify", str(made / "t.slth"), "--target", str(made / "t.safetensors"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["holds"]
    assert {check["verdict"] for check in result["checks"]} == {"holds"}


def test_verify_fails_with_exit_code_1(made, tmp_path, capsys):
    data = bytearray((made / "t.slth").read_bytes())
    data[-5] ^= 4
    (tmp_path / "bad.slth").write_bytes(bytes(data))
    assert run(["verify", str(tmp_path / "bad.slth")]) == 1
    assert "FAILS" in capsys.readouterr().out
    state = load_file(made / "t.safetensors")
    state["0.weight"][0, 0] += 1
    save_file(state, tmp_path / "other.safetensors")
    assert run(["verify", str(made / "t.slth"), "--target", str(tmp_path / "other.safetensors")]) == 1


def test_evaluate_with_and_without_target(made, capsys):
    ticket, data = str(made / "t.slth"), str(made / "d.npz")
    assert run(["evaluate", ticket, "--data", data]) == 0
    assert "predictions changed" not in capsys.readouterr().out
    assert run(["evaluate", ticket, "--data", data, "--target", str(made / "t.safetensors"), "--json"]) == 0
    outcome = json.loads(capsys.readouterr().out)["outcome"]
    assert outcome["measured_error"] <= outcome["certified_error"] + 1e-5
    assert 0 <= outcome["unchanged_on_box"]["value"] <= outcome["unchanged_per_input"]["value"] <= 1
    assert outcome["changed"] <= 200 - outcome["unchanged_per_input"]["hits"]
    low, high = outcome["accuracy"]["interval"]
    assert low <= outcome["accuracy"]["value"] <= high


def test_show_prints_the_ticket_and_a_weight_that_adds_up(made, tmp_path, capsys):
    ticket = str(made / "t.slth")
    assert run(["show", ticket]) == 0
    assert "6-8-3" in capsys.readouterr().out
    picture = tmp_path / "w.svg"
    target = str(made / "t.safetensors")
    assert run(["show", ticket, "--weight", "0:2,5", "--target", target, "--picture", str(picture)]) == 0
    out = capsys.readouterr().out
    realised = float(re.search(r"realised\s+(\S+)", out).group(1))
    wanted = float(load_file(made / "t.safetensors")["0.weight"][2, 5])
    assert abs(realised - wanted) <= 1e-4
    kept = [float(value) for value in re.findall(r"([+-]\d\.\d+)  keep", out)]
    assert abs(sum(kept) - realised) < 1e-4
    assert picture.read_text().startswith("<?xml")
    assert run(["show", ticket, "--weight", "1:0,bias"]) == 0


def test_export_gives_the_target_back_within_tolerance(made, tmp_path):
    out = tmp_path / "e.safetensors"
    assert run(["export", str(made / "t.slth"), "--out", str(out)]) == 0
    state, ours = load_file(made / "t.safetensors"), load_file(out)
    assert set(state) == set(ours)
    assert all(np.abs(state[k] - ours[k]).max() <= 1.001e-4 for k in state)


def test_the_exported_source_is_a_plain_network_of_twice_the_depth(made, tmp_path):
    out = tmp_path / "s.safetensors"
    assert run(["export", str(made / "t.slth"), "--out", str(out), "--view", "source"]) == 0
    layers = load_file(out)
    x = np.load(made / "d.npz")["x"]
    target = load_file(made / "t.safetensors")
    y = x
    for i in range(2):
        hidden = np.maximum(y @ layers[f"{i}.lift.weight"].T + layers[f"{i}.lift.bias"], 0)
        y = hidden @ layers[f"{i}.mixing.weight"].T
        y = np.maximum(y, 0) if i == 0 else y
    z = np.maximum(x @ target["0.weight"].T + target["0.bias"], 0) @ target["2.weight"].T + target["2.bias"]
    assert np.abs(y - z).max() <= load(made / "t.slth").certificate.sup_error + 1e-5


def test_export_says_why_a_signed_ticket_has_no_plain_state_dict(made, tmp_path, capsys):
    signed = tmp_path / "signed.slth"
    assert run(["construct", str(made / "t.safetensors"), "--out", str(signed), "--input-range=-1,1", "-q"]) == 0
    assert "inputs can be negative" in error_of(capsys, "export", signed, "--out", tmp_path / "x.safetensors")
    assert not (tmp_path / "x.safetensors").exists()


def test_missed_weights_are_listed_and_exit_code_is_1(made, tmp_path, capsys):
    out = tmp_path / "few.slth"
    arguments = ["--out", str(out), "--input-range", "0,1", "--candidates", "6"]
    assert run(["construct", str(made / "t.safetensors"), *arguments]) == 1
    printed = capsys.readouterr()
    assert "missed: layer 0, output" in printed.err
    assert load(out).misses > 0
    assert run(["verify", str(out), "--target", str(made / "t.safetensors")]) == 0


def test_without_an_input_range_the_command_says_so(made, tmp_path, capsys):
    assert run(["construct", str(made / "t.safetensors"), "--out", str(tmp_path / "any.slth")]) == 0
    printed = capsys.readouterr()
    assert "no input range" in printed.err
    assert "no bound" in printed.out


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
    assert done.stderr.decode() == "slth: training needs PyTorch: pip install 'slth[nn]'\n"


def test_bad_input_is_one_sentence_and_exit_code_2(made, tmp_path, capsys):
    target, ticket = made / "t.safetensors", made / "t.slth"
    out = tmp_path / "o.slth"
    state = load_file(target)
    save_file({**state, "0.weight": np.full((8, 6), np.nan, np.float32)}, tmp_path / "nan.safetensors")
    save_file({**state, "2.weight": np.ones((3, 7), np.float32)}, tmp_path / "chain.safetensors")
    np.savez(tmp_path / "wide.npz", x=np.zeros((5, 7)), y=np.zeros(5, int))
    np.savez(tmp_path / "outside.npz", x=np.full((5, 6), 1.5), y=np.zeros(5, int))
    np.savez(tmp_path / "labels.npz", x=np.zeros((5, 6)), y=np.full(5, 3))
    (tmp_path / "empty.slth").write_bytes(b"")
    (tmp_path / "half.slth").write_bytes(ticket.read_bytes()[:999])
    construct = ["construct", target, "--out", out]
    cases = [
        (["construct", tmp_path / "nan.safetensors", "--out", out], "holds nan at"),
        (["construct", tmp_path / "chain.safetensors", "--out", out], "do not chain"),
        (["construct", tmp_path / "none.safetensors", "--out", out], "no such file"),
        ([*construct, "--tolerance", "0"], "tolerance must be a positive"),
        ([*construct, "--tolerance", "nan"], "tolerance must be a positive"),
        ([*construct, "--candidates", "65"], "from 1 to 64"),
        ([*construct, "--seed=-1"], "non-negative"),
        ([*construct, "--input-range", "1,0"], "lower <= upper"),
        ([*construct, "--input-range", "0"], "two numbers"),
        ([*construct, "--input-range", "nan,1"], "finite"),
        ([*construct, "--input-range", "0,1", "--data", "digits"], "give one of them"),
        ([*construct, "--data", "imagenet"], "expected one of"),
        ([*construct, "--data", "mnist", "--data-dir", tmp_path / "none"], "no folder"),
        ([*construct, "--data", "mnist", "--data-dir", tmp_path], "found none"),
        ([*construct, "--mean", "0", "--std", "0"], "std > 0"),
        ([*construct, "--activation", "gelu"], "unknown activation"),
        ([*construct, "--order", "a,b"], "each layer once"),
        (["construct", "--data", "digits", "--out", out], "goes with a TARGET"),
        (["construct", target, "--out", tmp_path / "no" / "o.slth"], "does not exist"),
        (["construct", target, "--out", tmp_path], "it is a folder"),
        (["verify", tmp_path / "none.slth"], "cannot read"),
        (["verify", tmp_path / "empty.slth"], "truncated"),
        (["verify", tmp_path / "half.slth"], "truncated"),
        (["verify", target], "holds no `slth` metadata"),
        (["verify", ticket, "--target", tmp_path / "chain.safetensors"], "do not chain"),
        (["evaluate", ticket, "--data", tmp_path / "wide.npz"], "takes 6 inputs"),
        (["evaluate", ticket, "--data", tmp_path / "outside.npz"], "outside the input range"),
        (["evaluate", ticket, "--data", tmp_path / "labels.npz"], "labels run from 3 to 3"),
        (["evaluate", ticket, "--data", tmp_path / "none.npz"], "no such file"),
        (["show", ticket, "--weight", "0"], "LAYER:OUT,IN"),
        (["show", ticket, "--weight", "2:0,0"], "no layer 2"),
        (["show", ticket, "--weight", "0:8,0"], "no output 8"),
        (["show", ticket, "--weight", "0:0,6"], "no input 6"),
        (["show", ticket, "--weight", "0:0,0", "--picture", tmp_path / "w.bmp"], "a picture is written as"),
        (["show", ticket, "--picture", tmp_path / "w.svg"], "go with --weight"),
        (["export", ticket, "--out", tmp_path / "o.bin"], "expected the suffix"),
        (["export", ticket, "--out", tmp_path / "o.safetensors", "--view", "both"], "realised or source"),
        (["train", "--out", tmp_path / "m.bin"], "expected the suffix"),
        (["train", "--out", tmp_path / "m.safetensors", "--hidden", "x"], "whole numbers"),
    ]
    before = sorted(tmp_path.iterdir())
    for arguments, sentence in cases:
        if arguments[0] == "show" and "--picture" in arguments and "0:0,0" in arguments:
            assert run([str(a) for a in arguments]) == 2
            assert sentence in capsys.readouterr().err
        else:
            assert sentence in error_of(capsys, *arguments), arguments
        assert sorted(tmp_path.iterdir()) == before, arguments


def test_usage_errors_are_exit_code_2(capsys):
    for arguments in ([], ["frobnicate"], ["construct", "--tolerance", "x"], ["verify"], ["evaluate", "t.slth"]):
        assert run(arguments) == 2


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


def test_help_names_every_command_and_exit_code():
    done = subprocess.run([*SLTH, "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    for command in ("construct", "verify", "evaluate", "show", "export", "train"):
        assert command in done.stdout
        assert subprocess.run([*SLTH, command, "--help"], capture_output=True).returncode == 0
    assert "130 interrupted" in done.stdout


@pytest.mark.slow
def test_ctrl_c_at_any_moment_is_exit_code_130_and_leaves_no_partial_file(tmp_path):
    """Interrupts after 0.05 to 6 s: start-up, imports, training, solving, writing."""
    rng = np.random.default_rng(0)
    shapes = {"0.weight": (400, 300), "2.weight": (400, 400), "4.weight": (10, 400)}
    save_file({k: rng.normal(size=s).astype(np.float32) / 20 for k, s in shapes.items()}, tmp_path / "t.safetensors")
    codes = []
    for delay in np.linspace(0.05, 6, 24):
        out = tmp_path / "o.slth"
        command = [*SLTH, "construct", str(tmp_path / "t.safetensors"), "--out", str(out), "--input-range", "0,1"]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background job ignores it
        )
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        codes.append(process.returncode)
        if process.returncode == 0:
            assert load(out).misses == 0
            out.unlink()
        elif delay > 0.2:  # before that the interpreter itself may be starting
            assert process.returncode == 130, err
            assert "Traceback" not in err
        assert sorted(os.listdir(tmp_path)) == ["t.safetensors"], delay
    assert 130 in codes


def test_plan_states_the_width_and_construct_follows_it(made, tmp_path, capsys):
    target = str(made / "t.safetensors")
    assert run(["plan", "--target", target, "--tolerance", "1e-3", "--input-range", "0,1", "-q"]) == 0
    planned = [int(n) for n in re.findall(r"(\d+) candidates per weight", capsys.readouterr().out)]
    out = tmp_path / "p.slth"
    assert run(["construct", target, "--tolerance", "1e-3", "--input-range", "0,1", "--out", str(out), "-q"]) == 0
    assert [layer.lift.candidates for layer in load(out).layers] == planned


def test_epsilon_bounds_the_whole_network(made, tmp_path, capsys):
    out = tmp_path / "e.slth"
    target = str(made / "t.safetensors")
    assert run(["construct", target, "--epsilon", "0.01", "--input-range", "0,1", "--out", str(out), "-q"]) == 0
    assert load(out).certificate.sup_error <= 0.01
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
    assert ticket.certificate.sup_error <= 0.1
    assert run(["construct", target, "--tolerance", "1e-3", *options]) == 1
    assert "all the same" not in capsys.readouterr().err


def test_retries_of_a_given_width_take_the_next_seed_and_the_ticket_names_it(made, tmp_path):
    out = tmp_path / "r.slth"
    options = ["--input-range", "0,1", "--tolerance", "1e-3", "--candidates", "16", "--out", str(out), "-q"]
    assert run(["construct", str(made / "t.safetensors"), *options, "--seed", "1"]) == 1
    assert run(["construct", str(made / "t.safetensors"), *options, "--seed", "1", "--retries", "9"]) == 0
    ticket = load(out)
    assert ticket.seed == ticket.provenance.attempts > 1  # 1 + attempts - 1
    assert {layer.lift.candidates for layer in ticket.layers} == {16}
    assert run(["verify", str(out), "--target", str(made / "t.safetensors")]) == 0


def test_plan_with_candidates_states_the_misses_to_expect(made, capsys):
    target = str(made / "t.safetensors")
    found = []
    for n in ("12", "20"):
        assert run(["plan", "--target", target, "--candidates", n, "--input-range", "0,1", "--tolerance", "1e-3"]) == 0
        out = capsys.readouterr().out
        assert out.count(f"{n} candidates per weight and {n} per bias") == 2
        assert "at the width given" in out
        found.append(float(re.search(r"expected misses +(\S+) of 83", out).group(1)))
    assert found[0] > 10 > 1 > found[1] > 0


def test_plan_prints_theorem_and_first_moment_and_the_same_as_json(made, capsys):
    """n / C = ln(2 / min{τ/g, δ'}), δ' = 0.01 · 56/83 / 104 for the 48 signed weights and 8 biases of layer 0."""
    target = str(made / "t.safetensors")
    command = ["plan", "--target", target, "--input-range=-1,1", "--tolerance", "1e-3", "--activation", "relu"]
    assert run(command) == 0
    table = capsys.readouterr().out
    assert run([*command, "--json"]) == 0
    printed = capsys.readouterr()
    plan = json.loads(printed.out)
    first, second = plan["layers"]
    assert set(first) == {"weights", "tolerance", "gain", "candidates", "constants", "first_moment", "theorem"}
    assert (first["weights"], second["weights"], plan["weights"]) == (56, 27, 83)
    assert abs(first["theorem"] - np.log(2 / (0.01 * 56 / 83 / 104))) < 1e-12
    assert 0 < plan["expected_misses"] <= 0.01
    assert plan["mask_bits"] > 83 * 15
    assert plan["source_parameters"] > plan["mask_bits"]
    for layer in (first, second):
        assert f"theorem: C · {layer['theorem']:.1f} candidates, for a constant C that is not known" in table
        assert f"first moment: {layer['first_moment']} candidates" in table
        assert f"{layer['candidates']} candidates per weight and {layer['constants']} per bias" in table
    assert run([*command[:-1], "gelu"]) == 2


def test_two_tickets_share_one_random_network(made, tmp_path, capsys):
    state = load_file(made / "t.safetensors")
    save_file({k: -v for k, v in state.items()}, tmp_path / "other.safetensors")
    out = tmp_path / "o.slth"
    command = ["construct", str(tmp_path / "other.safetensors"), "--input-range", "0,1", "--out", str(out), "-q"]
    assert run([*command, "--source", str(made / "t.slth")]) == 0
    assert load(out).heads == load(made / "t.slth").heads
    for option in (["--candidates", "5"], ["--retries", "1"]):
        assert "a source fixes" in error_of(capsys, *command, "--source", made / "t.slth", *option)
