"""`slth show`: what is inside a ticket, and a weight that adds up."""

import json
import re

import numpy as np
import pytest
from cli.helpers import check_refusals
from helpers.graph_tickets import ticket_of
from safetensors.numpy import load_file, save_file

from slth.cli.app import run
from slth.graph import Conv, Dense, Graph, Linear, Node, Pointwise, Reshape
from slth.ticket import Inputs, load, save


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


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """A ticket of a network as `nn.Sequential` names it: maps 0 and 1 are called 1 and 4; groups in the first."""
    basis = Conv(2, 6, (5, 5), (1, 1), (2, 2, 2, 2), (1, 1), 2)
    nodes = (
        Node("1", Linear("1", basis, True), ("input",)),
        Node("2", Pointwise("Relu"), ("1",)),
        Node("3", Reshape((96,)), ("2",)),
        Node("4", Linear("4", Dense(96, 3), False), ("3",)),
    )
    ticket, _ = ticket_of(Graph(nodes), Inputs((2, 4, 4), lower=(-1.0,), upper=(1.0,)), {})
    path = tmp_path_factory.mktemp("network") / "n.slth"
    save(ticket, path)
    return path, ticket


def test_show_says_what_a_graph_is_and_names_each_map(network, capsys):
    path, ticket = network
    assert run(["show", str(path)]) == 0
    out = capsys.readouterr().out
    for text in (
        "graph of 2 maps in 4 nodes",
        "1 conv, 1 Relu, 1 Reshape, 1 dense",
        "2 of 98 input channels of maps can be negative: two halves for each of their weights",
        "2 x 4 x 4, [-1, 1] in every coordinate",
        "conv 5 x 5, 2 -> 6, 2 groups, bias",
        "dense 96 -> 3",
        "2 of 2 inputs signed",
    ):
        assert text in out, text
    assert re.search(r"map +0  1 \(with block.norm, scale\)  conv", out)
    assert re.search(r" +1  4  +dense", out)
    assert re.search(r"folded  +1 of 2 maps are no tensors .* folded in: 1 \(with block.norm, scale\)\n", out)
    assert "layer" not in out
    share = ticket.tensor("1/mixing").kept / ticket.gadgets["1"].cost(ticket.maps["1"]).mask_bits
    assert f"{share:.3f} kept" in out


def test_a_weight_of_a_convolution_is_named_by_its_tap_and_position(network, capsys):
    """A path goes before a number: 1 is the first map, of that name; 0 is the first map, by its number."""
    path, ticket = network
    realised = ticket.realised("1")
    titles = []
    for weight in ("1:4,1,12", "0:4,1,12"):
        assert run(["show", str(path), "--weight", weight]) == 0
        out = capsys.readouterr().out
        titles.append(out.splitlines()[0])
        values = [float(value) for value in re.findall(r"realised +(\S+)", out)]
        assert np.allclose(values, [realised.positive[1, 1, 12], -realised.negative[1, 1, 12]], atol=1e-8)
    assert titles == ["map 1, output 4, input 1, tap 12 at (2, 2) of the 5 x 5 kernel: positive half"] * 2


def test_wrong_indices_are_answered_with_the_range_there_is(network, tmp_path, capsys):
    show = ["show", network[0], "--weight"]
    cases = [
        ([*show, "2:0,0"], "the ticket has maps 0 to 1 (1, 4); there is no map 2"),
        ([*show, "conv1:0,0"], "the ticket has maps 0 to 1 (1, 4); there is no map conv1"),
        ([*show, "1:6,0"], "1 (conv 5 x 5, 2 -> 6, 2 groups, bias) has outputs 0 to 5; there is no output 6"),
        ([*show, "1:0,2"], "has inputs 0 to 1; there is no input 2"),
        ([*show, "1:0,0,25"], "has taps 0 to 24; there is no tap 25"),
        ([*show, "4:0,0,1"], "4 (dense 96 -> 3) has one tap, 0; there is no tap 1"),
        ([*show, "4:0,bias"], "4 (dense 96 -> 3) has no bias; give an input from 0 to 95"),
        ([*show, "1:0,bias,3"], "a bias of 1 has no taps; leave the tap 3 out"),
        ([*show, "1:4,0"], "output 4 of 1 reads input 1 of its group, not input 0"),
        (["show", network[0], "--model", "net.py:f"], "go with --weight MAP:OUT,IN"),
    ]
    check_refusals(capsys, tmp_path, cases)


def test_bad_input_is_one_sentence_and_exit_code_2(made, tmp_path, capsys):
    show = ["show", made / "t.slth"]
    shapes = {"0.weight": (4, 6), "0.bias": (4,), "2.weight": (3, 4), "2.bias": (3,)}
    save_file({name: np.ones(shape, np.float32) for name, shape in shapes.items()}, tmp_path / "other.safetensors")
    cases = [
        ([*show, "--weight", "0"], "MAP:OUT,IN"),
        ([*show, "--weight", "2:0,0"], "no map 2"),
        ([*show, "--weight", "0:8,0"], "no output 8"),
        ([*show, "--weight", "0:0,6"], "no input 6"),
        ([*show, "--weight", "0:0,0", "--picture", tmp_path / "w.bmp"], "a picture is written as"),
        ([*show, "--picture", tmp_path / "w.svg"], "go with --weight"),
        ([*show, "--weight", "0:5,0", "--target", tmp_path / "other.safetensors"], "has no such coefficient; is it"),
    ]
    check_refusals(capsys, tmp_path, cases)


def test_show_counts_what_a_ticket_takes_as_json(made, capsys):
    """Of the ticket the whole file, of a map its masks; per candidate and per weight of the target."""
    path = made / "t.slth"
    assert run(["show", str(path), "--json"]) == 0
    counts = json.loads(capsys.readouterr().out)
    weights = 6 * 8 + 8 + 8 * 3 + 3
    assert (counts["kind"], counts["weights"], counts["bytes"]) == ("constructed", weights, path.stat().st_size)
    assert counts["bits_per_weight"] == 8 * path.stat().st_size / weights
    for name in ("weights", "candidates", "kept"):
        assert counts[name] == sum(part[name] for part in counts["maps"])
    for part in (counts, *counts["maps"]):
        assert part["kept_per_candidate"] == part["kept"] / part["candidates"]
        assert 0 < part["density"] < 1
        assert 0 < part["packing_bits_per_weight"] < part["bits_per_weight"]
        assert part["quantiser_bits_per_weight"] > 0
    stored = sum(part["bits_per_weight"] * part["weights"] for part in counts["maps"])
    assert stored < 8 * counts["bytes"]
    check_refusals(capsys, made, [(["show", str(path), "--json", "--weight", "0:0,0"], "give one of them")])


def test_the_table_says_the_bits_of_the_file_and_of_a_quantiser(made, capsys):
    assert run(["show", str(made / "t.slth")]) == 0
    out = capsys.readouterr().out
    assert f"{(made / 't.slth').stat().st_size:,} bytes, " in out
    assert re.search(r"at this error +\d+\.\d\d bits per target parameter from a uniform quantiser", out)


def test_a_weight_of_mirrored_pairs_names_each_neuron_and_its_mirror(tmp_path, capsys):
    save_file({"weight": np.array([[0.5, -0.25], [0.125, 0.3]], np.float32)}, tmp_path / "m.safetensors")
    place, model = str(tmp_path / "m.slth"), str(tmp_path / "m.safetensors")
    assert run(["construct", model, "--input-range", "0,1", "--centred", "--tolerance", "0.01", "--out", place]) == 0
    capsys.readouterr()
    assert run(["show", place, "--weight", "0:1,1", "--target", model]) == 0
    printed = capsys.readouterr().out
    n = load(place).gadgets["layers/0"].candidates
    assert printed.count("keep") == printed.count("prune") == n
