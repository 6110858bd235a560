"""`slth verify`: what was checked, and exit code 1 where it does not hold."""

import json

import numpy as np
from cli.helpers import check_refusals
from safetensors.numpy import load_file, save_file

from slth.cli.app import run


def test_verify_says_what_it_checked_and_what_needs_the_target(made, capsys):
    assert run(["verify", str(made / "t.slth")]) == 0
    out = capsys.readouterr().out
    assert out.count("not checked") == 2
    assert out.splitlines()[-1] == "2 claims need the target: give it with --target, or --model"
    assert run(["verify", str(made / "t.slth"), "--require-all", "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert (result["holds"], result["complete"]) == (True, False)
    asked = ["verify", str(made / "t.slth"), "--target", str(made / "t.safetensors"), "--require-all"]
    assert run(asked) == 0
    assert "need the target" not in capsys.readouterr().out
    assert run([*asked, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["holds"]
    assert result["complete"]
    said = {check["name"] for check in result["checks"] if check["verdict"] == "says"}
    assert said == {"inputs", "assumed", "origin"}
    assert {check["verdict"] for check in result["checks"]} == {"holds", "says"}


def test_any_number_of_threads_finds_the_same(made, capsys):
    asked = ["verify", str(made / "t.slth"), "--target", str(made / "t.safetensors")]
    found = []
    for threads in ("1", "2", "3"):
        assert run([*asked, "--threads", threads]) == 0
        found.append(capsys.readouterr().out)
    assert found[0] == found[1] == found[2]
    assert run([*asked, "--threads", "0"]) == 2
    assert "threads must be a whole number, at least 1" in capsys.readouterr().err


def test_a_target_is_read_with_the_activation_that_its_file_does_not_say(made, tmp_path, capsys):
    target, ticket = str(made / "t.safetensors"), str(tmp_path / "tanh.slth")
    assert run(["construct", target, "--activation", "tanh", "--out", ticket, "--input-range", "0,1", "-q"]) == 0
    assert run(["verify", ticket, "--target", target]) == 1
    assert run(["verify", ticket, "--target", target, "--activation", "tanh"]) == 0
    evaluate = ["evaluate", ticket, "--data", str(made / "d.npz"), "--target", target]
    assert run([*evaluate, "--activation", "tanh"]) == 0
    assert "accuracy of the target" in capsys.readouterr().out


def test_verify_fails_with_exit_code_1(made, tmp_path, capsys):
    data = bytearray((made / "t.slth").read_bytes())
    data[-5] ^= 4
    (tmp_path / "bad.slth").write_bytes(bytes(data))
    assert run(["verify", str(tmp_path / "bad.slth")]) == 1
    assert "FAILS" in capsys.readouterr().out
    state = load_file(made / "t.safetensors")
    state["0.weight"][0, 0] += 1
    save_file(state, tmp_path / "other.safetensors")
    other = ["--target", str(tmp_path / "other.safetensors")]
    assert run(["verify", str(made / "t.slth"), *other]) == 1
    out = capsys.readouterr().out
    assert "holds        integrity" in out
    assert "FAILS        target" in out
    assert run(["evaluate", str(made / "t.slth"), "--data", str(made / "d.npz"), *other]) == 0
    assert "not the network that the ticket was made for: its digest differs" in capsys.readouterr().err


def test_bad_input_is_one_sentence_and_exit_code_2(made, tmp_path, capsys):
    ticket = made / "t.slth"
    chain = {**load_file(made / "t.safetensors"), "2.weight": np.ones((3, 7), np.float32)}
    save_file(chain, tmp_path / "chain.safetensors")
    (tmp_path / "empty.slth").write_bytes(b"")
    (tmp_path / "half.slth").write_bytes(ticket.read_bytes()[:999])
    cases = [
        (["verify", tmp_path / "none.slth"], "cannot read"),
        (["verify", tmp_path / "empty.slth"], "truncated"),
        (["verify", tmp_path / "half.slth"], "truncated"),
        (["verify", made / "t.safetensors"], "holds no `slth` metadata"),
        (["verify", ticket, "--target", tmp_path / "chain.safetensors"], "do not chain"),
    ]
    check_refusals(capsys, tmp_path, cases)
