"""`slth show`: what is inside a ticket, and a weight that adds up."""

import re

from cli.helpers import check_refusals
from safetensors.numpy import load_file

from slth.cli.app import run


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


def test_bad_input_is_one_sentence_and_exit_code_2(made, tmp_path, capsys):
    show = ["show", made / "t.slth"]
    cases = [
        ([*show, "--weight", "0"], "MAP:OUT,IN"),
        ([*show, "--weight", "2:0,0"], "no map 2"),
        ([*show, "--weight", "0:8,0"], "no output 8"),
        ([*show, "--weight", "0:0,6"], "no input 6"),
        ([*show, "--weight", "0:0,0", "--picture", tmp_path / "w.bmp"], "a picture is written as"),
        ([*show, "--picture", tmp_path / "w.svg"], "go with --weight"),
    ]
    check_refusals(capsys, tmp_path, cases)
