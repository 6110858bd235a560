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
    table = capsys.readouterr().out
    assert run([*command, "--json"]) == 0
    printed = capsys.readouterr()
    plan = json.loads(printed.out)
    first, second = plan["maps"]
    assert set(first) == {
        *("path", "kind", "outputs", "inputs", "weights", "signed", "tolerance", "gain", "candidates", "constants"),
        *("neurons", "source_parameters", "mask_bits", "first_moment", "theorem"),
    }
    assert (first["path"], first["kind"], first["signed"]) == ("layers/0", "dense 6 -> 8, bias", 6)
    assert "two halves of 6 of 6 inputs" in table
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
        assert re.search(rf"{i} +layers/{i} +dense 4 -> 4 +0.01 .* {numbers} +{part['mask_bits']}\n", out)
    assert len(out.splitlines()) < 20


def test_bad_input_is_one_sentence_and_exit_code_2(made, tmp_path, capsys):
    plan = ["plan", "--target", made / "t.safetensors"]
    cases = [
        ([*plan, "--epsilon", "0.1"], "needs its input range"),
        ([*plan, "--tolerance", "0"], "tolerance must be a positive"),
        ([*plan, "--input-range", "0,1", "--data", "digits"], "give one of them"),
        (["plan", "--target", tmp_path / "none.safetensors"], "no such file"),
    ]
    check_refusals(capsys, tmp_path, [([*arguments, "-q"], sentence) for arguments, sentence in cases])
