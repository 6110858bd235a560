"""`slth construct --exact` on the command line: the file that comes back, exit codes, one-sentence errors."""

import numpy as np
import pytest
import torch
from cli.helpers import check_refusals
from helpers.exact import mlp
from safetensors.torch import save_file

from slth.cli.app import run
from slth.ticket import load

RANGE = ["--activation", "relu", "--input-range", "0,1", "-q"]


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "t.safetensors"
    save_file(mlp(torch.bfloat16, pruned=True).state_dict(), path)
    return path


def test_what_is_exported_is_what_went_in(target, tmp_path, capsys):
    ticket, back = tmp_path / "t.slth", tmp_path / "back.safetensors"
    assert run(["construct", str(target), "--exact", "--out", str(ticket), *RANGE]) == 0
    assert "the target itself" in capsys.readouterr().out
    assert run(["verify", str(ticket), "--target", str(target), "--activation", "relu", "--require-all"]) == 0
    assert "the ticket is the target: 6 tensors (BF16), every number bit for bit" in " ".join(
        capsys.readouterr().out.split()
    )
    assert run(["export", str(ticket), "--out", str(back)]) == 0
    assert back.read_bytes() == target.read_bytes()
    assert run(["show", str(ticket), "--weight", "layers/0:1,2"]) == 0
    assert run(["report", str(ticket), "--out", str(tmp_path / "page.html")]) == 0


def test_numbers_that_differ_are_listed_and_the_exit_code_is_1(target, tmp_path, capsys):
    ticket, arguments = tmp_path / "few.slth", [str(target), "--exact", "--candidates", "12", *RANGE[:-1]]
    assert run(["construct", *arguments, "--out", str(ticket)]) == 1
    assert "missed: layers/0, output" in capsys.readouterr().err
    assert load(ticket).misses > 0
    assert run(["verify", str(ticket), "--target", str(target), "--activation", "relu"]) == 0
    assert run(["export", str(ticket), "--out", str(tmp_path / "back.safetensors")]) == 2
    assert "--carry-rest" in capsys.readouterr().err
    assert run(["construct", *arguments, "--carry-rest", "--out", str(tmp_path / "all.slth")]) == 0
    assert run(["export", str(tmp_path / "all.slth"), "--out", str(tmp_path / "back.safetensors")]) == 0
    assert (tmp_path / "back.safetensors").read_bytes() == target.read_bytes()


def test_what_cannot_be_exact_is_said_in_one_sentence(target, tmp_path, capsys):
    wide = tmp_path / "wide.npz"
    np.savez(wide, **{"0.weight": np.eye(3)})
    check_refusals(
        capsys,
        tmp_path,
        [
            (["construct", target, "--exact", "--tolerance", "0.01"], "both say how exact the ticket is"),
            (["construct", target, "--exact", "--epsilon", "0.01", "--input-range", "0,1"], "both say how exact"),
            (["construct", target, "--carry-rest"], "--carry-rest carries what an exact ticket does not reach"),
            (["construct", wide, "--exact", "--out", tmp_path / "w.slth"], "0.weight is F64; --exact makes tickets of"),
            (["plan", "--shape", "4,3", "--exact"], "an exact ticket needs the numbers of its target"),
        ],
    )
