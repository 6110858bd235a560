"""`slth plan`: the width, and what can be expected of it."""

import json
import re

import numpy as np
from cli.helpers import check_refusals
from safetensors.numpy import save_file

from slth.cli.app import run
from slth.ticket import load


def test_plan_states_the_width_and_construct_follows_it(made, tmp_path, capsys):
    target = str(made / "t.safetensors")
    assert run(["plan", "--target", target, "--tolerance", "1e-3", "--input-range", "0,1", "-q"]) == 0
    planned = [int(n) for n in re.findall(r"(\d+) candidates per weight", capsys.readouterr().out)]
    out = tmp_path / "p.slth"
    assert run(["construct", target, "--tolerance", "1e-3", "--input-range", "0,1", "--out", str(out), "-q"]) == 0
    assert [gadget.candidates for gadget in load(out).gadgets.values()] == planned


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
    halved = capsys.readouterr().out
    command = [*command[:-2], "--lift", "relu", *command[-2:]]
    assert run(command) == 0
    table = capsys.readouterr().out
    assert run([*command, "--json"]) == 0
    printed = capsys.readouterr()
    plan = json.loads(printed.out)
    first, second = plan["maps"]
    assert set(first) == {
        *("path", "kind", "outputs", "inputs", "weights", "signed", "tolerance", "gain", "candidates", "constants"),
        *("neurons", "source_parameters", "mask_bits", "first_moment", "theorem", "times", "expected_misses"),
        *("law_misses", "seconds", "file_bytes", "memory", "stages", "split", "linear_lift"),
    }
    assert (first["path"], first["kind"], first["signed"]) == ("layers/0", "dense 6 -> 8, bias", 6)
    assert "two halves of 6 of 6 inputs" in table
    assert "linear lift" not in table
    assert "two halves" not in halved  # the default where inputs can be negative
    assert f"linear lift of {int(re.findall('linear lift of ([0-9,]+)', halved)[0]):,} neurons (no ReLU)" in halved
    assert not first["linear_lift"]
    assert (first["split"], second["split"]) == (6, 0)
    assert sum(part["mask_bits"] for part in (first, second)) == plan["mask_bits"]
    assert (first["weights"], second["weights"], plan["weights"]) == (56, 27, 83)
    assert abs(first["theorem"] - np.log(2 / (0.01 * 56 / 83 / 104))) < 1e-12
    assert 0 < plan["expected_misses"] <= 0.01
    assert plan["mask_bits"] > 83 * 15
    assert plan["source_parameters"] > plan["mask_bits"]
    for layer in (first, second):
        assert f"theorem: C · {layer['theorem']:.1f} candidates, for a constant C that is not known" in table
        assert f"first moment: {layer['first_moment']} candidates" in table
        assert f"{layer['candidates']} candidates per weight and {layer['constants']} per bias" in table
    assert run([*command[:-1], "nonsense"]) == 2


def test_many_maps_have_a_line_each(tmp_path, capsys):
    rng = np.random.default_rng(0)
    state = {f"{2 * i}.weight": rng.normal(size=(4, 4)).astype(np.float32) for i in range(9)}
    save_file(state, tmp_path / "deep.safetensors")
    command = ["plan", "--target", str(tmp_path / "deep.safetensors"), "--input-range", "0,1", "--tolerance", "1e-2"]
    assert run([*command, "--json", "-q"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert run(command) == 0
    out, err = capsys.readouterr()
    assert "nothing was solved" in err
    for i, part in enumerate(plan["maps"]):
        numbers = rf"{part['candidates']} +- +{part['first_moment']} +{part['theorem']:.1f} +0 +{part['neurons']}"
        assert re.search(rf"{i} +layers/{i} +dense 4 -> 4 +0.01 .* {numbers} +{part['mask_bits']} +\S+ +\d", out)
    assert len(out.splitlines()) < 27


def test_bad_input_is_one_sentence_and_exit_code_2(made, tmp_path, capsys):
    plan = ["plan", "--target", made / "t.safetensors"]
    cases = [
        ([*plan, "--epsilon", "0.1"], "needs its input range"),
        ([*plan, "--tolerance", "0"], "tolerance must be a positive"),
        ([*plan, "--input-range", "0,1", "--data", "digits"], "give one of them"),
        (["plan", "--target", tmp_path / "none.safetensors"], "no such file"),
        ([*plan, "--shape", "784,10"], "--shape and --target both describe the network"),
        (["plan", "--shape", "784,10", "--model", "net.py:f"], "--shape and --model both describe the network"),
        (["plan", "--shape", "784,10", "--data", "digits"], "--shape and --data both describe the network"),
        (["plan", "--shape", "784,10", "--epsilon", "0.1"], "ask for a tolerance or a relative tolerance"),
        (["plan", "--shape", "784"], "2 to 1,000 widths"),
        (["plan", "--shape", ""], "2 to 1,000 widths"),
        (["plan", "--shape", "784,0,10"], "a width must be a whole number from 1 to 1,000,000, got 0"),
        (["plan", "--shape=784,-5"], "got -5"),
        (["plan", "--shape", f"784,{10**30}"], "got about 1e+30"),
        (["plan", "--shape", "784,many"], "whole numbers separated by commas; got '784,many'"),
        (["plan", "--shape", "1e30,2"], "whole numbers separated by commas"),
        (["plan", "--shape", "resnet-51"], "did you mean 'resnet-50'"),
        (["plan", "--shape", "gpt-3", "--input-range", "0,1"], "gpt-3 reads tokens"),
        (["plan", "--shape", "784,10", "--tolerance", "1e-17"], "is in reach here"),
        (["plan", "--shape", "784,10", "--tolerance", "nan"], "tolerance must be a positive number"),
        (["plan", "--shape", "784,10", "--tolerance", "inf"], "tolerance must be a positive number"),
        (
            ["plan", "--shape", "784,10", "--relative-tolerance", "1"],
            "relative_tolerance must be a number between 0 and 1",
        ),
        (
            ["plan", "--shape", "784,10", "--relative-tolerance", "0"],
            "relative_tolerance must be a number between 0 and 1",
        ),
        (["plan", "--shape", "9,9", "--relative-tolerance", "0.1", "--tolerance", "0.1"], "give one of them"),
        (["plan", "--shape", "784,10", "--threads", "0"], "threads must be"),
    ]
    check_refusals(capsys, tmp_path, [([*arguments, "-q"], sentence) for arguments, sentence in cases])


def test_a_folder_of_data_in_the_environment_says_nothing_of_a_shape(monkeypatch, tmp_path):
    monkeypatch.setenv("SLTH_DATA", str(tmp_path))
    assert run(["plan", "--shape", "8,5,3", "--tolerance", "0.01", "-q"]) == 0


def test_plain_numbers_have_no_lift_and_one_subset_for_both_signs(made, capsys):
    """Whatever the signs: of such weights there are no halves."""
    asked = ["--tolerance", "0.01", "--input-range=-1,1", "--gadget", "plain"]
    assert run(["plan", "--target", str(made / "t.safetensors"), *asked]) == 0
    out = capsys.readouterr().out
    assert "no lift, " in out
    assert "two halves" not in out


def test_a_shape_needs_no_file_and_states_what_it_assumes(capsys):
    assert run(["plan", "--shape", "784,500,10", "--relative-tolerance", "0.002", "--input-range", "0,1"]) == 0
    out, err = capsys.readouterr()
    assert re.match("784-500-10\n", out)
    for part in (
        "layers/0: dense 784 -> 500, bias",
        "misses expected",
        "processor time",
        "wall time",
        "memory",
        "file",
    ):
        assert part in out
    assert "assumed" in out
    assert "Gaussian" in out
    assert "two halves" not in out
    assert "nothing was solved" in err


def test_equal_maps_of_a_named_network_are_grouped(capsys):
    assert run(["plan", "--shape", "gpt3", "--json", "-q", "--threads", "3"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [part["times"] for part in found["maps"]] == [384, 96, 96]
    assert found["threads"] == 3
    assert sum(part["mask_bits"] * part["times"] for part in found["maps"]) == found["mask_bits"]
    assert run(["plan", "--shape", "gpt-3", "-q"]) == 0
    out = capsys.readouterr().out
    assert "x 384: dense 12,288 -> 12,288, bias" in out
    assert "planned, not constructible yet" in out
    assert "are carried, not constructed" in out
