"""Every example runs, is short, and prints what it is there to show; another language reads the same coefficients."""

import json
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import slth

EXAMPLES = Path(__file__).parents[1] / "examples"
GOLDEN = Path(__file__).parent / "golden"
SAYS = {  # a line that each prints, and what is asked of the numbers in it
    "one_weight": (r"closest of all 2\^20 subsets: error ([\d.e-]+), no subset is closer", lambda error: error < 1e-4),
    "ticket_from_a_module": (
        r"measured ([\d.]+), proved ([\d.]+) for every input",
        lambda measured, proved: 0 < measured <= proved,
    ),
    "verify_a_ticket": (r"forged.slth: FAILS", lambda: True),
    "search_on_digits": (r"accuracy on the test digits: ([\d.]+)%", lambda percent: percent > 80),
    "phase_transition": (r"0\.001 +([\d]+)% .* ([\d]+)%   n = 11", lambda few, many: few < 10 and many > 95),
    "transformer": (r"same next token everywhere: True\nevery check holds: True", lambda: True),
    "symmetric_network": (r"over all 8 elements of D4: exact to the last bit: True", lambda: True),
    "own_training_loop": (r"the weights moved by ([\d.]+);", lambda moved: moved == 0),
    "bounds_beside_measurement": (r"0\.001 +(\d+) +(\d+) ", lambda measured, theorem: measured <= theorem),
    "bits_of_a_weight": (r"tolerance-0.003.slth +([\d.]+) +0.003\n", lambda bits: 10 < bits < 20),
    "train_prune_rewind": (r"prune +([\d.]+)% of the test digits,  50% of the weights kept", lambda found: found > 80),
}
SLOW = ("transformer", "bits_of_a_weight", "train_prune_rewind")


def test_every_example_is_tried():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(SAYS)


@pytest.mark.parametrize("path", sorted(EXAMPLES.iterdir()), ids=lambda path: path.name)
def test_an_example_is_at_most_sixty_lines_and_says_first_what_it_shows(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= 60
    assert lines[0].startswith(("// ", '"""'))
    assert re.search(r"[.?]", lines[0])
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] if n in SLOW else []) for n in SAYS])
def test_an_example_runs_and_prints_what_it_shows(name, tmp_path, monkeypatch, capsys):
    pytest.importorskip("lightning_fabric")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [f"{name}.py"])
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    shown = capsys.readouterr().out
    pattern, holds = SAYS[name]
    found = re.search(pattern, shown)
    assert found, shown
    assert holds(*map(float, found.groups())), found[0]


needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine")


def read_by_node(ticket):
    return subprocess.run(["node", EXAMPLES / "read_ticket.mjs", ticket], capture_output=True, text=True)


@needs_node
@pytest.mark.parametrize("name", ["v1", "v1-sparse"])  # plain masks and coded ones, signed inputs, a bias and none
def test_javascript_reads_the_coefficients_of_a_ticket_bit_for_bit(name):
    done = read_by_node(GOLDEN / f"{name}.slth")
    assert done.returncode == 0, done.stderr
    ticket = slth.load(GOLDEN / f"{name}.slth")
    layers = json.loads(done.stdout)
    assert len(layers) == len(ticket.maps)
    for path, layer in zip(ticket.maps, layers, strict=True):
        found = ticket.realised(path)
        assert np.array_equal(np.array(layer["P"]), found.positive[:, :, 0])
        assert layer["N"] is None or np.array_equal(np.array(layer["N"]), found.negative[:, :, 0])
        assert (layer["b"] is None) == (found.bias is None)
        assert layer["b"] is None or np.array_equal(np.array(layer["b"]), found.bias)


@needs_node
def test_javascript_refuses_a_mask_that_computes_something_else(tmp_path):
    changed = bytearray((GOLDEN / "v1.slth").read_bytes())
    changed[-26] ^= 1  # of the first layer's mask, which ends 25 bytes before the file
    (tmp_path / "t.slth").write_bytes(changed)
    done = read_by_node(tmp_path / "t.slth")
    assert done.returncode == 1
    assert "layers/0 does not compute what the file says" in done.stderr
    learned = read_by_node(GOLDEN / "v1-learned.slth")
    assert learned.returncode == 1
    assert "this reader knows constructed tickets of version 1" in learned.stderr
