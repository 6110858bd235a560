"""`slth evaluate`: what a ticket does on data."""

import json
from dataclasses import asdict, replace

import numpy as np
from cli.helpers import check_refusals
from helpers.learned import any_learned

import slth
from slth.cli.app import run
from slth.ticket import encode


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


def test_what_examples_say_is_a_row_of_its_own(made, tmp_path, capsys):
    """With its confidence and its population; in the record; with --out in the ticket, which else stays as it is."""
    ticket, data, target = str(made / "t.slth"), str(made / "d.npz"), str(made / "t.safetensors")
    evaluate = ["evaluate", ticket, "--data", data, "--target", target]
    assert run(evaluate) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("statistical"))
    assert "with 99 % confidence, of examples drawn independently, as those of d.npz were" in row
    out = tmp_path / "claiming.slth"
    assert run([*evaluate, "--confidence", "0.9", "--out", str(out), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    claim = record["outcome"]["statistical"]
    assert record["asked"]["confidence"] == claim["confidence"] == 0.9
    assert (claim["data"], claim["examples"], claim["changed"]) == ("d.npz", 200, record["outcome"]["changed"])
    read = slth.load(out)
    assert [asdict(part) for part in read.claims.statistical] == [claim]
    assert encode(replace(read, claims=replace(read.claims, statistical=()))) == (made / "t.slth").read_bytes()
    assert run(["verify", str(out), "--target", target]) == 0
    assert "90 % confidence" in capsys.readouterr().out
    before = out.read_bytes()
    assert run(["evaluate", str(out), *evaluate[2:], "--out", str(out)]) == 2  # over itself
    assert "would be both ticket and out" in capsys.readouterr().err
    assert out.read_bytes() == before
    again = tmp_path / "again.slth"
    assert run(["evaluate", str(out), *evaluate[2:], "--out", str(again)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split() == ["wrote", str(again)]
    assert [part.confidence for part in slth.load(again).claims.statistical] == [0.99]


def test_data_is_standardised_as_the_options_say(made, tmp_path, capsys):
    """Of what was multiplied by two and moved by one, mean 1 and deviation 2 make the old data again."""
    data = np.load(made / "d.npz")
    np.savez(tmp_path / "moved.npz", x=2 * data["x"] + 1, y=data["y"])
    found = []
    for more in (["--data", made / "d.npz"], ["--data", tmp_path / "moved.npz", "--mean", "1", "--std", "2"]):
        assert run(["evaluate", str(made / "t.slth"), "--json", *map(str, more)]) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert found[0]["outcome"]["accuracy"] == found[1]["outcome"]["accuracy"]
    assert (found[1]["asked"]["mean"], found[1]["asked"]["std"]) == ([1.0], [2.0])
    assert found[0]["asked"]["mean"] is None


def test_bad_input_is_one_sentence_and_exit_code_2(made, tmp_path, capsys):
    np.savez(tmp_path / "wide.npz", x=np.zeros((5, 7)), y=np.zeros(5, int))
    np.savez(tmp_path / "outside.npz", x=np.full((5, 6), 1.5), y=np.zeros(5, int))
    np.savez(tmp_path / "labels.npz", x=np.zeros((5, 6)), y=np.full(5, 3))
    shapes = {"0.weight": (8, 6), "0.bias": (8,), "2.weight": (3, 8), "2.bias": (3,)}
    np.savez(tmp_path / "other.npz", **{name: np.ones(shape) for name, shape in shapes.items()})
    slth.save(any_learned(moved=False), tmp_path / "l.slth")
    evaluate = ["evaluate", made / "t.slth", "--data"]
    learned = ["evaluate", tmp_path / "l.slth", "--model", "net.py:never", "--data"]
    kept = ["--out", tmp_path / "o.slth", "--records", tmp_path / "r.jsonl", "--json"]  # neither is written
    cases = [
        ([*evaluate, tmp_path / "wide.npz"], "takes inputs of shape 6"),
        ([*evaluate, tmp_path / "outside.npz"], "outside the input range"),
        ([*evaluate, tmp_path / "outside.npz"], "set --mean and --std as at construction"),
        ([*evaluate, tmp_path / "labels.npz"], "labels run from 3 to 3"),
        ([*evaluate, tmp_path / "none.npz"], "no such file"),
        ([*evaluate, made / "d.npz", "--confidence", "1"], "confidence must be a number between 0 and 1 such as 0.99"),
        ([*evaluate, made / "d.npz", "--out", tmp_path / "o.slth"], "--out writes the ticket with a claim about its"),
        ([*learned, made / "d.npz", *kept], "--out writes the ticket with a claim about its target; a learned ticket"),
        ([*evaluate, made / "d.npz", "--std", "1"], "mean and std go together, got only std"),
        ([*evaluate, made / "d.npz", "--records", tmp_path / "no" / "r.jsonl"], "does not exist"),
    ]
    check_refusals(capsys, tmp_path, cases)
    before = sorted(tmp_path.iterdir())
    assert run([str(a) for a in (*evaluate, made / "d.npz", "--target", tmp_path / "other.npz", *kept)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "the evaluation is of another network than the ticket was made for" in err.splitlines()[-1]
    assert sorted(tmp_path.iterdir()) == before
