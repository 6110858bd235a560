"""`slth report` as a stranger uses it."""

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import replace
from html import unescape

import numpy as np
import onnx
import pytest
from attacks.forging import forged
from helpers.gadgets import staged
from helpers.learned import any_learned
from helpers.onnx_models import model
from helpers.tickets import any_ticket
from safetensors.numpy import save_file

import slth
from slth.cli.app import run
from slth.reporting.html import number
from slth.ticket import save


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A small target, its ticket, labelled data and records of both verbs."""
    folder = tmp_path_factory.mktemp("made")
    rng = np.random.default_rng(0)
    shapes = {"0.weight": (8, 6), "0.bias": (8,), "2.weight": (3, 8), "2.bias": (3,)}
    save_file({k: rng.normal(size=s).astype(np.float32) / 3 for k, s in shapes.items()}, folder / "t.safetensors")
    x = rng.random((200, 6)).astype(np.float32)
    np.savez(folder / "d.npz", x=x, y=rng.integers(0, 3, 200))
    arguments = ["--out", "t.slth", "--input-range=0,1", "-q", "--records", "r.jsonl"]
    before = os.getcwd()
    os.chdir(folder)
    try:
        assert run(["construct", "t.safetensors", *arguments]) == 0
        assert run(["evaluate", "t.slth", "--data", "d.npz", "--target", "t.safetensors", "--records", "r.jsonl"]) == 0
    finally:
        os.chdir(before)
    return folder


def report(*arguments):
    return run(["report", *map(str, arguments), "-q"])


def test_the_page_agrees_with_the_record(made, tmp_path):
    out = tmp_path / "p.html"
    more = ["--target", made / "t.safetensors", "--data", made / "d.npz", "--out", out]
    assert report(made / "t.slth", *more) == 0
    record = json.loads((made / "r.jsonl").read_text().splitlines()[1])["outcome"]
    html = unescape(out.read_text())
    assert f"{number(record['measured_error'])}, measured in float32" in html
    assert f"{record['accuracy']['hits']:,} right" in html
    assert f"({record['unchanged_per_input']['hits']:,}), input by input" in html
    assert f"{record['sizes']['kept_parameters']:,}" in html
    assert "give --" not in html
    assert str(made) not in html  # names of files, not of folders
    assert report(made / "t.slth", made / "r.jsonl", "--out", tmp_path / "q.html") == 0
    assert f"{record['accuracy']['hits']:,} right" in (tmp_path / "q.html").read_text()


def test_data_is_normalised_as_the_ticket_says(made, tmp_path, capsys):
    ticket, target, data = tmp_path / "n.slth", made / "t.safetensors", made / "d.npz"
    asked = ["--input-range=-1,1", "--mean", "0.5", "--std", "0.5", "--candidates", "30", "-q"]
    assert run(["construct", str(target), "--out", str(ticket), *asked]) == 0
    capsys.readouterr()
    assert run(["evaluate", str(ticket), "--data", str(data), "--target", str(target), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["outcome"]
    assert report(ticket, "--target", target, "--data", data, "--out", tmp_path / "p.html") == 0
    html = unescape((tmp_path / "p.html").read_text())
    assert f"{found['accuracy']['hits']:,} right" in html
    assert f"at most {number(found['measured_error'], 3)} was measured" in html


@pytest.mark.slow
def test_two_processes_write_the_same_bytes(made, tmp_path):
    pages = []
    for seed in ("1", "2"):
        out = tmp_path / f"{seed}.html"
        files = [made / "t.slth", made / "r.jsonl", "--target", made / "t.safetensors", "--data", made / "d.npz"]
        command = [sys.executable, "-m", "slth", "report", *files, "--out", out]
        done = subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        pages.append(out.read_bytes())
    assert pages[0] == pages[1]


@pytest.mark.parametrize(
    "asked",
    [
        ["--input-range=-1,1"],
        ["--input-range=-1,1", "--lift", "relu"],
        ["--input-range=-1,1", "--lift", "linear"],
        [
            "--input-range=0,1",
            "--candidates",
            "30",
            "--seed",
            "7",
            "--tolerance",
            "0.003",
            "--mean",
            "0.5",
            "--std",
            "2",
        ],
        ["--input-range=0,1", "--epsilon", "0.05"],
        ["--input-range=0,1", "--candidates=15", "--seed=2", "--tolerance=0.001", "--retries=20"],
        ["--input-range=0,1", "--source", "t.slth"],
        ["--input-range=0,1", "--activation", "relu"],
        ["--raw-range=-0.25,1.5", "--mean", "0.1,0.2,0.3,0.4,0.5,0.6", "--std", "0.7"],
        [],
    ],
    ids=" ".join,
)
def test_the_commands_on_the_page_make_the_same_file_again(made, tmp_path, monkeypatch, asked):
    monkeypatch.chdir(tmp_path)
    for name in ("t.slth", "t.safetensors", "d.npz"):
        (tmp_path / name).write_bytes((made / name).read_bytes())
    assert run(["construct", "t.safetensors", "--out", "u.slth", "-q", *asked]) == 0
    first = (tmp_path / "u.slth").read_bytes()
    assert report("u.slth", "--target", "t.safetensors", "--out", "p.html") == 0
    code = re.search(r"<pre>(.*?)</pre>", (tmp_path / "p.html").read_text()).group(1)
    lines = [unescape(re.sub(r"<[^>]+>", "", part)) for part in code.split('<span class="line">')[1:]]
    assert lines[0] == "pip install -c constraints.txt -e '.[nn]'"  # of a source tree: no index has slth
    made_again = "again.slth" if "again.slth" in lines[1] else "u.slth"
    if made_again == "u.slth":
        (tmp_path / "u.slth").unlink()
    for line in lines[1:]:
        words = shlex.split(line.replace("DATA", "d.npz"))
        if words[1] != "evaluate" or "--mean" not in asked:  # that would move the data out of the range
            assert run(words[1:]) == 0, line
    assert (tmp_path / made_again).read_bytes() == first


@pytest.mark.parametrize(
    ("names", "asked", "said"),
    [
        (("up2", "up1"), ["--order", "up2,up1", "--activation", "relu"], {"--activation=relu", "--order up2,up1"}),
        (("fc1", "fc2"), ["--order", "fc1,fc2"], {"--order fc1,fc2"}),
        (("fc1", "fc2"), ["--activation", "tanh"], {"--activation=tanh"}),
        (("fc1", "fc2"), [], set()),
        (("a", "b"), ["--order", "b,a", "--activation", "silu"], {"--order b,a", "--activation=silu"}),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else "",
)
def test_what_the_file_does_not_tell_stands_in_every_command(tmp_path, monkeypatch, names, asked, said):
    """Square layers, so that only names could tell their order: the same ticket again, and it is verified."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    save_file({f"{name}.weight": rng.normal(size=(6, 6)).astype(np.float32) / 3 for name in names}, "t.safetensors")
    np.savez("d.npz", x=rng.random((20, 6)).astype(np.float32))
    assert run(["construct", "t.safetensors", "--out", "u.slth", "-q", "--input-range=0,1", *asked]) == 0
    first = (tmp_path / "u.slth").read_bytes()
    read = [word for word in asked if word != "-q"]
    assert report("u.slth", "--target", "t.safetensors", *read, "--out", "p.html") == 0
    code = re.search(r"<pre>(.*?)</pre>", (tmp_path / "p.html").read_text()).group(1)
    lines = [unescape(re.sub(r"<[^>]+>", "", part)) for part in code.split('<span class="line">')[1:]]
    (tmp_path / "u.slth").unlink()
    for line in lines[1:]:
        assert {option for option in ("--order", "--activation") if option in line} == {
            re.split(r"[= ]", option)[0] for option in said
        }, line
        assert all(option in line for option in said), line
        assert run(shlex.split(line.replace("DATA", "d.npz"))[1:]) == 0, line
    assert (tmp_path / "u.slth").read_bytes() == first


def test_the_confidence_of_the_statistical_claim_can_be_asked_for(made, tmp_path):
    more = ["--target", made / "t.safetensors", "--data", made / "d.npz", "--out", tmp_path / "p.html"]
    assert report(made / "t.slth", *more, "--confidence", "0.9") == 0
    assert "with 90 % confidence" in unescape((tmp_path / "p.html").read_text())
    assert report(made / "t.slth", *more, "--confidence", "1.5") == 2


def test_what_was_left_open_has_a_name_and_lists_are_words(made, tmp_path):
    """No dash for a default, no brackets of a list."""
    assert report(made / "r.jsonl", "--out", tmp_path / "p.html") == 0
    text = " ".join(unescape(re.sub(r"<[^>]+>", " ", (tmp_path / "p.html").read_text())).split())
    assert "asked · candidates planned" in text
    assert "asked · epsilon not asked for" in text
    assert not re.search(r"candidates \[|widths \[|interval \[", text)


@pytest.mark.parametrize("asked", [["--to", "h"], ["--to", "y"], []], ids=" ".join)
def test_the_commands_for_an_onnx_file_make_the_same_file_again(tmp_path, monkeypatch, asked):
    """Cut to a chain, or a graph: a file, where it was cut, and no code."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    w, v = (rng.normal(size=shape).astype(np.float32) for shape in ((4, 6), (3, 4)))
    nodes = [("Gemm", "x w", "h", {"transB": 1}), ("Sigmoid", "h", "s", {}), ("Gemm", "s v", "y", {"transB": 1})]
    onnx.save(model(nodes, shape=(6,), constants={"w": w, "v": v}), "net.onnx")
    assert run(["construct", "net.onnx", "--out", "u.slth", "-q", "--input-range=0,1", *asked]) == 0
    first = (tmp_path / "u.slth").read_bytes()
    np.savez("d.npz", x=rng.random((20, 6)).astype(np.float32))
    assert report("u.slth", "--target", "net.onnx", "--out", "p.html") == 0
    html = (tmp_path / "p.html").read_text()
    code = re.search(r"<pre>(.*?)</pre>", html).group(1)
    lines = [unescape(re.sub(r"<[^>]+>", "", part)) for part in code.split('<span class="line">')[1:]]
    assert lines[0] == "pip install -c constraints.txt -e '.[onnx]'"  # of a source tree: no index has slth
    assert all(line.count(f"--to {asked[1]}") == 1 for line in lines[1:] if asked)
    assert "MODEL" not in html
    (tmp_path / "u.slth").unlink()
    for line in lines[1:]:
        assert run(shlex.split(line.replace("DATA", "d.npz"))[1:]) == 0, line
    assert (tmp_path / "u.slth").read_bytes() == first


def test_what_no_command_gives_again_is_said(made, tmp_path):
    """A range that differs from input to input, and what examples say of a population."""
    target = made / "t.safetensors"
    lower = (0.0, -0.1, -0.2, -0.3, -0.4, -0.5)
    ticket = slth.construct(target, input_range=(np.array(lower), 1), tolerance=0.01)
    found = slth.evaluate(ticket, made / "d.npz", target=target)
    save(slth.with_claim(ticket, found), tmp_path / "own.slth")
    assert report(tmp_path / "own.slth", "--target", target, "--out", tmp_path / "p.html") == 0
    html = " ".join(unescape(re.sub(r"<[^>]+>", " ", (tmp_path / "p.html").read_text())).split())
    assert "The input range differs from channel to channel, or from input to input; from Python" in html
    assert "-range=" not in html
    assert "But for its statistical claims, which slth evaluate adds with --out." in html
    assert report(made / "t.slth", "--target", target, "--out", tmp_path / "q.html") == 0
    assert "But for" not in (tmp_path / "q.html").read_text()


def test_a_claim_that_fails_is_exit_code_1_and_a_page(tmp_path, capsys):
    ticket, target = any_ticket((3, 4, 2))
    worse = [np.array(layer.weight) for layer in target.coefficients.values()]
    state = {f"{i}.weight": w[:, :, 0] for i, w in enumerate(worse)} | {
        f"{i}.bias": t.bias for i, t in enumerate(target.coefficients.values())
    }
    save_file(state, tmp_path / "t.safetensors")
    small = replace(ticket.claims, sup_error=1e-3, output_error=(1e-3, 1e-3), l2_error=1e-3)
    save(replace(ticket, claims=small), tmp_path / "t.slth")
    out = tmp_path / "p.html"
    assert report(tmp_path / "t.slth", "--target", tmp_path / "t.safetensors", "--out", out) == 1
    assert "a claim does not hold: t.slth" in capsys.readouterr().err
    assert 'class="alarm"' in out.read_text()


def test_learned_tickets_have_pages_and_stand_for_no_target(made, tmp_path, capsys):
    save(any_learned(moved=False), tmp_path / "l.slth")
    out = tmp_path / "p.html"
    assert report(tmp_path / "l.slth", made / "t.slth", "--target", made / "t.safetensors", "--out", out) == 0
    html = unescape(out.read_text())
    assert "2 strong lottery tickets" in html
    assert "it is the network the ticket was made for, bit for bit" in html
    assert "Tensor by tensor" in html
    out.unlink()
    for option, value in (("--target", made / "t.safetensors"), ("--weight", "0:0,0")):
        capsys.readouterr()
        assert report(tmp_path / "l.slth", option, value, "--out", out) == 2
        assert f"{option} goes with constructed tickets; l.slth was learned" in capsys.readouterr().err
    capsys.readouterr()
    assert report(tmp_path / "l.slth", "--data", made / "d.npz", "--out", out) == 2
    assert not out.exists()


def test_a_network_given_as_code_is_compared_and_stands_in_the_commands(tmp_path, monkeypatch):
    """A convolution: no file alone says what it is, so the page names the code."""
    (tmp_path / "net.py").write_text(
        "import torch\n\n\ndef small():\n    torch.manual_seed(0)\n    layer = torch.nn.Conv2d(1, 2, 2)\n"
        "    return torch.nn.Sequential(layer, torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(8, 3))\n"
    )
    monkeypatch.chdir(tmp_path)
    asked = ["--model", "net.py:small", "--input-shape", "1,3,3", "--input-range=0,1", "--tolerance", "0.05"]
    assert run(["construct", *asked, "--out", "c.slth", "-q"]) == 0
    assert report("c.slth", "--model", "net.py:small", "--weight", "0:1,0,3", "--out", "p.html") == 0
    html = unescape(re.sub(r"<[^>]+>", " ", (tmp_path / "p.html").read_text()))
    text = " ".join(html.split())
    assert "Stated" not in text
    assert "Map 0, output 1, input 0, tap 3 at (1, 1) of the 2 x 2 kernel: the weight asked for" in text
    assert "slth construct --model net.py:small --out c.slth --input-shape=1,3,3 --tolerance=0.05" in text
    assert "slth verify c.slth --model net.py:small" in text
    assert run(["show", "c.slth", "--weight", "0:1,0,3", "--model", "net.py:small"]) == 0


def test_the_code_of_a_chain_with_folded_norms_stands_in_the_commands(tmp_path, monkeypatch):
    """A file of its tensors alone would be another network."""
    (tmp_path / "net.py").write_text(
        "import torch\nfrom torch import nn\n\n\ndef normed():\n    torch.manual_seed(0)\n"
        "    norm = nn.BatchNorm1d(4)\n    norm.running_mean.normal_()\n"
        "    return nn.Sequential(nn.Linear(3, 4), norm, nn.ReLU(), nn.Linear(4, 2))\n"
    )
    monkeypatch.chdir(tmp_path)
    asked = ["--model", "net.py:normed", "--input-range=0,1", "--tolerance", "0.05"]
    assert run(["construct", *asked, "--out", "c.slth", "-q"]) == 0
    first = (tmp_path / "c.slth").read_bytes()
    for code in ([], ["--model", "net.py:normed"]):
        assert report("c.slth", *code, "--out", "p.html") == 0
        text = " ".join(unescape(re.sub(r"<[^>]+>", " ", (tmp_path / "p.html").read_text())).split())
        assert "tensor names 0.weight (with 1), 0.bias, 3.weight, 3.bias" in text
        line = re.search(r"slth (construct --.*?) slth verify", text).group(1)
        assert run(shlex.split(line.replace("MODEL", "net.py:normed"))) == 0
        assert (tmp_path / "c.slth").read_bytes() == first


def test_tokens_and_their_table_stand_in_the_commands(tmp_path, monkeypatch):
    """A module is known by some tokens alone, and whether their table is a map the ticket says."""
    (tmp_path / "net.py").write_text(
        "import torch\nfrom torch import nn\n\n\ndef reader():\n    torch.manual_seed(0)\n"
        "    return nn.Sequential(nn.Embedding(5, 2), nn.ReLU(), nn.Linear(2, 3))\n"
    )
    np.save(tmp_path / "x.npy", np.zeros((1, 4), np.int64))
    monkeypatch.chdir(tmp_path)
    asked = ["--model", "net.py:reader", "--example", "x.npy", "--embeddings", "ticketed", "--tolerance", "0.05"]
    assert run(["construct", *asked, "--out", "c.slth", "-q"]) == 0
    first = (tmp_path / "c.slth").read_bytes()
    assert report("c.slth", "--out", "p.html") == 0
    text = " ".join(unescape(re.sub(r"<[^>]+>", " ", (tmp_path / "p.html").read_text())).split())
    assert "TOKENS stands for a file of one input, 4 tokens" in text
    line = re.search(r"slth (construct --.*?) slth verify", text).group(1)
    assert run(shlex.split(line.replace("MODEL", "net.py:reader").replace("TOKENS", "x.npy"))) == 0
    assert (tmp_path / "c.slth").read_bytes() == first


def test_bad_input_is_one_sentence_and_exit_code_2(made, tmp_path, capsys):
    ticket, records, out = made / "t.slth", made / "r.jsonl", tmp_path / "p.html"
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "no.jsonl").write_text("{}\n")
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe{")
    row = json.loads(records.read_text().splitlines()[0])
    (tmp_path / "list.jsonl").write_text(json.dumps({**row, "asked": []}) + "\n")
    (tmp_path / "deep.jsonl").write_text("[" * 100_000 + "\n")
    (tmp_path / "half.slth").write_bytes(ticket.read_bytes()[:777])
    evaluated = json.loads(records.read_text().splitlines()[1])
    evaluated["outcome"]["accuracy"] = 3
    (tmp_path / "false.jsonl").write_text(json.dumps(evaluated) + "\n")
    save_file({"0.weight": np.ones((8, 6), np.float32)}, tmp_path / "other.safetensors")
    np.savez(tmp_path / "outside.npz", x=np.full((5, 6), 1.5), y=np.zeros(5, int))
    cases = [
        ([ticket, "--out", tmp_path / "p.pdf"], "written as .html"),
        ([ticket, "--out", tmp_path / "no" / "p.html"], "does not exist"),
        ([tmp_path / "none.slth", "--out", out], "no such file"),
        ([tmp_path, "--out", out], "it is a folder, and no sweep's"),
        ([tmp_path / "half.slth", "--out", out], "truncated"),
        ([tmp_path / "empty.jsonl", "--out", out], "holds no records"),
        ([tmp_path / "no.jsonl", "--out", out], "line 1 is not a record"),
        ([tmp_path / "list.jsonl", "--out", out], "line 1 is not a record"),
        ([tmp_path / "bytes.jsonl", "--out", out], "line 1 is not a record"),
        ([tmp_path / "deep.jsonl", "--out", out], "line 1 is not a record"),
        ([ticket, tmp_path / "false.jsonl", "--out", out], "'accuracy'"),
        ([records, "--target", made / "t.safetensors", "--out", out], "--target goes with tickets"),
        ([records, "--data", made / "d.npz", "--out", out], "--data goes with tickets"),
        ([records, "--weight", "0:0,0", "--out", out], "--weight goes with tickets"),
        ([ticket, "--weight", "0:0", "--out", out], "MAP:OUT,IN"),
        ([ticket, "--weight", "0:8,0", "--out", out], "no output 8"),
        ([ticket, "--target", tmp_path / "other.safetensors", "--out", out], "is not the network that t.slth"),
        ([ticket, "--data", tmp_path / "outside.npz", "--out", out], "outside the input range"),
        ([ticket, "--data", "imagenet", "--out", out], "expected one of"),
    ]
    for arguments, sentence in cases:
        capsys.readouterr()
        assert report(*arguments) == 2, arguments
        printed, error = capsys.readouterr()
        assert printed == ""
        assert len(error.strip().splitlines()) == 1, error
        assert sentence in error, arguments
        assert not list(tmp_path.glob("*.html"))


def test_a_record_of_wrong_types_is_refused_without_the_tests_type_checker(made, tmp_path):
    row = json.loads((made / "r.jsonl").read_text().splitlines()[0])
    (tmp_path / "kind.jsonl").write_text(json.dumps({**row, "kind": 3}) + "\n")
    command = [sys.executable, "-m", "slth", "report", tmp_path / "kind.jsonl", "--out", tmp_path / "p.html"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "line 1 is not a record" in done.stderr


def test_a_ticket_that_cannot_be_regenerated_is_refused_in_a_sentence(tmp_path, capsys):
    ticket, _ = any_ticket((3, 4, 2))
    gadget = ticket.gadgets["layers/0"]
    wider = forged(ticket, gadgets={"layers/0": staged(gadget, neurons=gadget.neurons + 1)})
    save(wider, tmp_path / "t.slth")
    assert report(tmp_path / "t.slth", "--out", tmp_path / "p.html") == 2
    assert "nothing to draw" in capsys.readouterr().err
    assert not (tmp_path / "p.html").exists()
