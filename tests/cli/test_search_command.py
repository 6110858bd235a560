"""`slth search` as a stranger uses it: tickets that the other commands take, one-sentence errors, no half files."""

import csv
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file

import slth.cli._search
from slth.cli.app import run
from slth.learning import ask
from slth.ticket import load

SMALL = ["search", "-q", "--hidden", "16", "--epochs", "1"]


def searched(out, *options):
    """The ticket's bytes; options that come later win."""
    assert run([*SMALL, "--out", str(out), *map(str, options)]) == 0
    return out.read_bytes()


def error_of(capsys, *arguments):
    """Exit code 2 and one sentence on stderr, nothing on stdout."""
    capsys.readouterr()
    code = run([str(a) for a in arguments])
    out, err = capsys.readouterr()
    assert code == 2, (out, err)
    assert out == ""
    lines = err.strip().splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("slth: ")
    return lines[0]


def test_with_no_options_a_ticket_is_written_that_the_other_commands_take(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["search", "--records", "r.jsonl"]) == 0
    out = capsys.readouterr().out
    accuracy = float(out.partition("\naccuracy")[2].split("%")[0])
    assert accuracy > 85  # 91.7 when this was written, 10 by chance
    for text in ("mlp(", "a strong ticket", "0.5", "ticket.slth"):
        assert text in out
    assert sorted(os.listdir(tmp_path)) == ["r.jsonl", "ticket.slth"]

    assert run(["verify", "ticket.slth"]) == 0
    capsys.readouterr()
    assert run(["evaluate", "ticket.slth", "--data", "digits", "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)["outcome"]["accuracy"]["value"]
    record = json.loads((tmp_path / "r.jsonl").read_text())
    assert measured == record["outcome"]["accuracy"] == pytest.approx(accuracy / 100, abs=1e-4)
    assert run(["show", "ticket.slth"]) == 0
    assert "2,368" in capsys.readouterr().out  # half of 64 * 64 + 64 * 10
    assert run(["export", "ticket.slth", "--out", "x.safetensors"]) == 0
    state = load_file("x.safetensors")
    assert {name: value.shape for name, value in state.items()} == {
        "1.weight": (64, 64), "1.bias": (64,), "3.weight": (10, 64), "3.bias": (10,),
    }  # fmt: skip
    assert np.count_nonzero(state["1.weight"]) == 2048


def test_the_same_seed_gives_the_same_bytes_and_another_seed_gives_others(tmp_path):
    first, again = searched(tmp_path / "a"), searched(tmp_path / "b", "--threads", "2")
    assert first == again
    assert searched(tmp_path / "c", "--seed", "1") != first


def test_three_seeds_give_a_mean_with_students_interval_and_the_ticket_of_the_first(tmp_path, capsys):
    out, logs = tmp_path / "t", tmp_path / "l"
    options = ["--seeds", "3", "--seed", "4", "--logs", logs, "--checkpoint", tmp_path / "run.ckpt"]
    ticket = searched(out, *options, "--records", tmp_path / "r.jsonl")
    printed = capsys.readouterr().out
    records = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert [record["asked"]["seed"] for record in records] == [4, 5, 6]
    values = [record["outcome"]["accuracy"] for record in records]
    assert len(set(values)) > 1
    half = 4.302653 * np.std(values, ddof=1) / 3**0.5  # Student's t, 2 degrees of freedom, 97.5 %
    assert f"{np.mean(values):.2%} ± {half:.2%} (95 % interval of the mean, Student's, over 3 seeds: " in printed
    alone = searched(tmp_path / "alone", "--seed", "4", "--logs", logs)
    assert ticket == alone
    of_seeds = [(tmp_path / f"l-{seed}" / "history.csv").read_text() for seed in (4, 5, 6)]
    assert len(set(of_seeds)) == 3
    names = {path.name for path in tmp_path.iterdir()}
    assert {"run-4.ckpt", "run-5.ckpt", "run-6.ckpt"} <= names
    assert "run.ckpt" not in names


def test_controls_are_printed_and_recorded(tmp_path, capsys):
    searched(tmp_path / "t", "--controls", "--epochs", "3", "--records", tmp_path / "r.jsonl")
    printed = capsys.readouterr().out
    outcome = json.loads((tmp_path / "r.jsonl").read_text())["outcome"]
    assert set(outcome["controls"]) == {"random_mask", "shuffled_mask", "reinitialised", "dense"}
    for name, value in outcome["controls"].items():
        assert f"{value:.2%}" in printed.partition(f"control {name.replace('_', ' ')}")[2].splitlines()[0]
    assert outcome["controls"]["random_mask"] < outcome["accuracy"]


def test_a_preset_gives_its_settings_and_options_override_them(tmp_path):
    options = ["--preset", "magnitude/mnist", "--data", "digits", "--model", "mlp", "--epochs", "0.1"]
    searched(tmp_path / "t", *options, "--set", "density=0.5", "--set", "rate=0.3", "--batch", "100")
    asked = load(tmp_path / "t").provenance.asked
    assert asked["method"] | {"name": "magnitude", "density": 0.5, "rate": 0.3, "last_rate": 0.1} == asked["method"]
    assert asked["training"] | {"optimizer": "adam", "lr": 1.2e-3, "epochs": 0.1, "batch": 100} == asked["training"]
    assert asked["policy"]["law"] == "glorot_normal"
    assert asked["data"] == "digits"


def test_set_reaches_the_method(tmp_path):
    """One round at rate 0.75 keeps a quarter; two rounds would be needed at the default 0.2."""
    options = ["--method", "magnitude", "--density", "0.25", "--epochs", "0.2"]
    searched(tmp_path / "t", *options, "--set", "rate=0.75", "--set", "retrain=true", "--set", "scope=global")
    ticket = load(tmp_path / "t")
    asked = ticket.provenance.asked["method"]
    assert (asked["rate"], asked["retrain"], asked["scope"]) == (0.75, True, "global")
    assert ticket.kept == -(-ticket.size // 4)


def test_json_is_one_record_that_says_what_the_ticket_says(tmp_path, capsys):
    searched(tmp_path / "t", "--json")
    record = json.loads(capsys.readouterr().out)
    ticket = load(tmp_path / "t")
    assert record["asked"] == ticket.provenance.asked
    assert record["outcome"]["kept"] == ticket.kept
    assert [row["epoch"] for row in record["outcome"]["history"]] == [1]


def test_the_network_is_recorded_with_its_defaults(tmp_path):
    """A default that changes one day changes no ticket."""
    assert run(["search", "-q", "--epochs", "0.1", "--out", str(tmp_path / "t")]) == 0
    arguments = {"inputs": [1, 8, 8], "classes": 10, "width": 1.0, "hidden": [64], "bias": True}
    assert load(tmp_path / "t").network.arguments == arguments
    said = ["--width", "1", "--hidden", "64", "--model", "mlp"]
    assert run(["search", "-q", "--epochs", "0.1", "--out", str(tmp_path / "u"), *said]) == 0
    assert (tmp_path / "u").read_bytes() == (tmp_path / "t").read_bytes()


class Interrupted(BaseException):
    """Nothing catches it by accident."""


def test_an_interrupted_run_is_resumed_and_ends_in_the_same_bytes(tmp_path, monkeypatch):
    """Interrupted in the second of two stages, which the next command begins with."""
    options = ["--method", "perturbed-edge-popup", "--density", "0.5", "--set", "epochs_weights=0.5"]
    whole = searched(tmp_path / "whole", *options)
    steps, keeping = [], ["--checkpoint", tmp_path / "run", "--logs", tmp_path / "logs"]

    def interrupted(*_):
        def report(done, total):
            steps.append(done)
            if done == 8 and len(steps) == 8:  # 6 steps of the first stage
                raise Interrupted

        return Progress(report)

    monkeypatch.setattr(slth.cli._search._print, "progress", interrupted)
    with pytest.raises(Interrupted):
        searched(tmp_path / "t", *options, *keeping)
    assert not (tmp_path / "t").exists()
    assert searched(tmp_path / "t", *options, *keeping) == whole
    assert steps[8:] == list(range(7, 19))  # the first stage is not trained again
    with open(tmp_path / "logs" / "history.csv") as file:
        rows = list(csv.DictReader(file))
    assert [row["stage"] for row in rows] == ["projected-sgd", "edge-popup"]


class Progress:
    """A context that gives a function."""

    def __init__(self, report):
        self.report = report

    def __enter__(self):
        return self.report

    def __exit__(self, *_):
        return None


@pytest.fixture
def inputs(tmp_path):
    """Files that a search may be given."""
    np.savez(tmp_path / "negative.npz", x=np.zeros((5, 6)), y=np.full(5, -1))
    np.savez(tmp_path / "real.npz", x=np.zeros((5, 6)), y=np.zeros(5))
    np.savez(tmp_path / "nan.npz", x=np.full((5, 6), np.nan), y=np.zeros(5, int))
    searched(tmp_path / "t", "--epochs", "0.1", "--checkpoint", tmp_path / "run")
    (tmp_path / "t").unlink()
    return tmp_path


def test_bad_input_is_one_sentence_and_exit_code_2(inputs, capsys):
    magnitude, perturbed = ["--method", "magnitude", "--set"], ["--method", "perturbed-edge-popup", "--set"]
    cases = [
        (["--density", "0"], "a density is the kept fraction, above 0 and at most 1, such as 0.5; got 0"),
        (["--density", "1.5"], "a density is the kept fraction"),
        (["--density", "nan"], "a density is the kept fraction"),
        (["--density", "1e-4"], "keeps less than one"),
        (["--first", "nan"], "a density is the kept fraction"),
        (["--method", "edge-pop"], "did you mean 'edge-popup'?"),
        (["--model", "lenet300"], "did you mean 'lenet_300_100'?"),
        (["--model", "lenet_5"], "lenet_5 has no argument 'hidden'"),
        (["--data", "digit"], "did you mean 'digits'?"),
        (["--data", inputs / "none.npz"], "no such file"),
        (["--data", inputs / "negative.npz"], "got -1 to -1; number the classes 0, 1, 2"),
        (["--data", inputs / "real.npz"], "integer labels"),
        (["--data", inputs / "nan.npz"], "finite"),
        (["--preset", "edge-popup/mnst"], "did you mean 'edge-popup/mnist'?"),
        (["--set", "densty=0.5"], "did you mean 'density'?"),
        (["--set", "density"], "--set takes KEY=VALUE"),
        (["--set", "ramp=fast"], "edge-popup: ramp must be a number, got 'fast'"),
        ([*magnitude, "rate=fast"], "magnitude: rate must be a number, got 'fast'"),
        ([*magnitude, "last_rate=fast"], "magnitude: last_rate must be a number"),
        ([*magnitude, "rewind=2.5"], "magnitude: rewind must be a whole number, got 2.5"),
        ([*magnitude, "rewind=true"], "magnitude: rewind must be a whole number, got True"),
        ([*magnitude, "retrain=no"], "magnitude: retrain must be true or false, got 'no'"),
        ([*perturbed, "most_move=small"], "perturbed-edge-popup: most_move must be a number"),
        (["--method", "supermask", "--set", "initial=low"], "supermask: initial must be a number"),
        (["--most-move", "0.1"], "unknown option of edge-popup 'most_move'; expected one of density, ramp, scope"),
        (["--hidden", "abc"], "--hidden takes whole numbers separated by commas; got 'abc'"),
        (["--hidden", "0"], "hidden as a list of whole numbers of at least 1"),
        (["--lr", "inf"], "lr must be a positive number"),
        (["--epochs", "nan"], "epochs must be a positive number"),
        (["--seed=-1"], "non-negative"),
        (["--precision", "16-mixed"], "needs a GPU"),
        (["--accelerator", "abacus"], "cannot train on 1 x 'abacus'"),
        (["--devices", "2"], "torchrun --nproc-per-node 2"),
        (["--out", inputs / "no" / "t"], "does not exist"),
        (["--out", inputs], "it is a folder"),
        (["--records", inputs / "no" / "r"], "does not exist"),
        (["--logs", inputs / "no" / "l"], "does not exist"),
        (["--checkpoint", inputs / "no" / "run"], "does not exist"),
        (["--checkpoint", inputs / "real.npz"], "what is there is not a checkpoint of slth"),
        (["--checkpoint", inputs / "run"], "another run: training.epochs is 0.1 there and 1.0 here"),
        (["--checkpoint", inputs / "run", "--epochs", "0.1", "--seed", "1"], "seed is 0 there and 1 here"),
    ]
    before = {path: path.read_bytes() for path in inputs.iterdir()}
    for options, sentence in cases:
        error = error_of(capsys, *SMALL, "--out", inputs / "t", *options)
        assert sentence in error, options
        assert {path: path.read_bytes() for path in inputs.iterdir()} == before, options


def test_no_file_is_written_over_another_one_that_the_command_names_or_makes_up(tmp_path, monkeypatch, capsys):
    """The ticket's name where none is given, and the checkpoint of each seed."""
    monkeypatch.chdir(tmp_path)
    assert "ticket.slth would be both" in error_of(capsys, *SMALL, "--checkpoint", "ticket.slth")
    seeds = [*SMALL, "--seeds", "2", "--checkpoint", "run.slth", "--out", "run-1.slth"]
    assert "run-1.slth would be both" in error_of(capsys, *seeds)
    assert not list(tmp_path.iterdir())


def test_an_unknown_option_is_named_with_the_nearest(tmp_path, capsys):
    assert run([*SMALL, "--out", str(tmp_path / "t"), "--densty", "0.5"]) == 2
    assert "--density" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["--out", "--checkpoint"])
def test_an_unwritable_place_is_refused_before_the_training(place, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode, **_: mode != os.W_OK)
    monkeypatch.setattr(ask, "find", None)  # would be a TypeError
    assert "permission denied" in error_of(capsys, *SMALL, place, tmp_path / "file")


@pytest.mark.parametrize("options", [[], ["--checkpoint", "run"]])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(options, tmp_path, capsys, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.fsync", full)
    error = error_of(capsys, *SMALL, "--out", "t", *options)
    assert "No space left" in error
    assert (options or ["", "t"])[1] in error
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_checkpoint_of_the_stage_before(tmp_path, capsys, monkeypatch):
    written, fsync = [], os.fsync

    def full(file):
        written.append(file)
        if len(written) > 1:
            raise OSError(28, "No space left on device")
        fsync(file)

    options = ["--method", "perturbed-edge-popup", "--set", "epochs_weights=0.5", "--checkpoint", tmp_path / "run"]
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        error = error_of(capsys, *SMALL, "--out", tmp_path / "t", *options)
    assert "No space left on device" in error
    assert "the last good checkpoint is still there" in error
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert searched(tmp_path / "t", *options) == searched(tmp_path / "u", *options[:-2])


def test_a_loss_that_is_nan_names_step_and_layer_and_keeps_the_last_good_checkpoint(tmp_path, capsys):
    """Magnitude's first round overflows at once; an ε-perturbed search only after its first stage, which is saved."""
    error = error_of(capsys, *SMALL, "--method", "magnitude", "--lr", "1e30", "--out", tmp_path / "t")
    assert "not finite at step 2 of stage round 0: the first output that is not finite is that of layer '" in error
    assert "try a lower rate than 1e+30" in error
    assert list(tmp_path.iterdir()) == []
    perturbed = ["--method", "perturbed-edge-popup", "--weight-decay", "1", "--lr", "1e30", "--out", tmp_path / "t"]
    error = error_of(capsys, *SMALL, *perturbed, "--checkpoint", tmp_path / "run")
    assert "the scores of layer '1' are not finite after step" in error
    assert f"{tmp_path / 'run'} holds the last good state" in error
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("absent", ["torch", "lightning_fabric"])
def test_without_the_packages_of_a_search_one_sentence_says_what_to_install(absent, tmp_path):
    """In a process of its own, in which the package cannot be imported."""
    code = f"""
import sys
sys.modules[{absent!r}] = None
import slth
for ask in (lambda: slth.search, lambda: slth.attach, lambda: __import__("slth.learning")):
    try:
        ask()
    except slth.InputError as error:
        assert str(error).endswith("pip install -c constraints.txt -e '.[search]' in the source folder of slth"), error
    else:
        raise AssertionError
from slth.cli.app import run
sys.exit(run(["search"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("slth: a search needs PyTorch and Lightning Fabric")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_two_processes_write_one_ticket_and_one_record(tmp_path):
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    options = ["--devices", "2", "--epochs", "0.3", "--out", "t", "--records", "r.jsonl", "--json", "-q"]
    done = subprocess.run(
        [*torchrun, "-m", "slth", "search", *options], capture_output=True, text=True, cwd=tmp_path, timeout=120
    )
    assert done.returncode == 0, done.stderr
    (record,) = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    (kept,) = (tmp_path / "r.jsonl").read_text().splitlines()
    assert json.loads(kept) == record
    assert record["asked"] == load(tmp_path / "t").provenance.asked


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_is_exit_code_130_and_leaves_a_whole_checkpoint_and_nothing_else(tmp_path, capsys):
    """Interrupted when the second stage has trained an epoch."""
    options = ["--method", "perturbed-edge-popup", "--density", "0.5", "--set", "epochs_weights=0.5"]
    options += ["--hidden", "16", "--threads", "1", "--checkpoint", "run", "--out", "t"]
    process = subprocess.Popen(
        [sys.executable, "-m", "slth", "search", "-v", *options, "--epochs", "1000000"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background job ignores it
    )  # fmt: skip
    for line in process.stderr:
        if line.startswith("slth: edge-popup epoch 1:"):
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert out == ""
    assert err.endswith("slth: interrupted; nothing is left half written\n")
    assert "Traceback" not in err
    assert os.listdir(tmp_path) == ["run"]
    error = error_of(capsys, *SMALL, *options[:6], "--out", tmp_path / "t", "--checkpoint", tmp_path / "run")
    assert "another run: training.epochs is 1000000.0 there and 1.0 here" in error
