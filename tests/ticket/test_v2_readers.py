"""Every kind of ticket of version 2, read by readers written from FORMAT.md alone, which share nothing with slth."""

import dataclasses

import numpy as np
import pytest
from attacks.graph_specimens import proved, specimens
from helpers.graph_tickets import Builder, graph_ticket, random_inputs, ticket_of
from helpers.graphs import random_case
from helpers.version2_files import parts
from references import version2, version2_network

from slth.graph import (
    AxisMap,
    AxisMatrix,
    Conv,
    ConvTranspose,
    Dense,
    Graph,
    Linear,
    MaxPool,
    Pad,
    Permutation,
    Pointwise,
    Reshape,
    Steerable,
)
from slth.ticket import Inputs, decode, encode


def over_three_axes():
    """A grouped convolution and a transposed one of volumes, padding of −1, a pool; some channels can be negative."""
    b = Builder(np.random.default_rng(3), (4, 2, 3, 2))
    conv = Conv(4, 4, (2, 1, 2), (1, 2, 1), (1, 0, 0, 0, 1, 1), (1, 1, 1), 2)
    x = b.add(Pointwise("Relu"), b.add(Linear("conv", conv, True), "input"))
    x = b.add(Pad((0, 0, 0, 0, 2, 0, 0, 1), -1.0), x)
    x = b.add(MaxPool((2, 1, 1), (1, 1, 1), (0, 0, 0, 1, 0, 0), (1, 1, 1)), x)
    up = ConvTranspose(6, 3, (1, 2, 2), (1, 2, 1), (0, 1, 0, 0, 0, 0), (1, 1, 2), 3, (0, 1, 0))
    x = b.add(Linear("up", up, False), x)
    x = b.add(AxisMap(tuple(AxisMatrix(axis, "mean", length=1) for axis in (1, 2, 3))), x)
    b.add(Linear("fc", Dense(3, 2), True), b.add(Reshape((3,)), x))
    inputs = Inputs((4, 2, 3, 2), lower=(-1.0, 0.0, 0.0, -0.5), upper=(1.0,))
    return proved(ticket_of(Graph(tuple(b.nodes)), inputs, b.carried, density=0.1, misses=False))


def with_symmetry():
    """Group convolutions, then maps of pairs and sets of the elements of the group, and a graph of them."""
    b = Builder(np.random.default_rng(4), (2, 4, 4))
    x = b.add(Linear("lift", Steerable(2, 2, "C4", 2, 2, 0, True), True), "input")
    x = b.add(Linear("turn", Steerable(2, 1, "C4", 2, 1, 0, False), False), b.add(Pointwise("Relu"), x))
    x = b.add(Linear("sets", Permutation(1, 2, 1, 2, 4), True), b.add(Reshape((4, 1)), x))
    x = b.add(Linear("pairs", Permutation(2, 1, 2, 2, 4), False), b.add(Pointwise("Relu"), x))
    graph = np.array([[0, 1, 0.5], [0, 3, -0.25], [2, 2, 1.0], [3, 0, 1.0]], np.float32)
    b.carried["graph"] = graph
    x = b.add(AxisMap((AxisMatrix(1, "sparse", length=4, value="graph"),)), x)
    b.add(Linear("one", Permutation(1, 2, 2, 0, 4), True), x)
    inputs = Inputs((2, 4, 4), lower=(-1.0, 0.0), upper=(1.0,))
    return proved(ticket_of(Graph(tuple(b.nodes)), inputs, b.carried, density=0.1, misses=False))


@pytest.fixture(scope="module")
def made():
    """Tickets and their targets."""
    return [*specimens(), over_three_axes(), with_symmetry()]


def test_what_is_written_is_read_back_and_written_the_same(made):
    for ticket, _ in made:
        data = encode(ticket)
        assert encode(decode(data)) == data


def test_they_find_the_same_coefficients_widths_heads_and_digests(made):
    """Grouped, transposed, over one to three axes, shared, sparse, without a bias, signed in some channels."""
    for ticket, target in made:
        if not ticket.gadgets:
            continue
        data = encode(ticket)
        meta, runs = version2.split(data)
        for path, found in version2.read(data).items():
            ours = ticket.realised(path)
            assert (found.positive == ours.positive).all()
            assert (found.negative == (0 if ours.negative is None else ours.negative)).all()
            assert (found.bias is None) == (ours.bias is None)
            assert ours.bias is None or (found.bias == ours.bias).all()
            assert found.widths == [ticket.gadgets[path].neurons]
            assert found.digest(ours.negative is not None) == ticket.digests[path]
            assert all(ticket.heads[name] == head for name, head in found.heads.items())
        if target is not None and ticket.joined and not ticket.merged and len(ticket.inputs.shape) > 1:
            coefficients = {path: (affine.weight, affine.bias) for path, affine in target.coefficients.items()}
            arrays = version2.carried(meta, runs)
            digest = version2.graph_digest(meta["inputs"]["shape"], meta["network"]["nodes"], coefficients, arrays)
            assert digest == ticket.provenance.target


def test_they_find_what_was_folded(made):
    found = []
    for ticket, _ in made:
        meta, _ = version2.split(encode(ticket))
        if meta["format"] != 1:
            found.append(version2.folded(meta))
            assert found[-1] == ticket.provenance.folded == decode(encode(ticket)).provenance.folded
    assert any(found)
    assert {} in found


def signs(ticket):
    """As the file states them, and as its network gives them."""
    meta, runs = version2.split(encode(ticket))
    stated = {path: gadget["signed"] for path, gadget in meta["gadgets"].items()}
    return stated, version2_network.signed(meta, version2.carried(meta, runs))


@pytest.mark.slow
def test_they_find_the_same_signs_and_shapes(made):
    """Entry by entry, where slth keeps one sign for many; of every op, on random networks, too."""
    tickets = [ticket for ticket, _ in made if ticket.gadgets and ticket.inputs]  # layers by themselves say no signs
    tickets += [graph_ticket(seed)[0] for seed in range(20)]
    for seed in range(16):
        target, _, box, _ = random_case(seed)
        inputs = random_inputs(seed, box.shape)
        tickets.append(ticket_of(target.graph, inputs, target.carried, seed=seed, misses=False)[0])
    kinds = set()
    for ticket in tickets:
        if parts(encode(ticket))[0]["format"] != 1:
            stated, found = signs(ticket)
            assert stated == found
            kinds |= {type(node.op).__name__ for node in ticket.network.nodes}
    assert len(kinds) == 19


def test_a_reader_takes_in_version_2_what_version_1_says(made):
    """A writer takes the oldest version that says a ticket; a reader does not ask."""
    from helpers.version2_files import changed, sealed

    ticket, _ = next((t, target) for t, target in made if list(t.maps) == ["layers/0", "layers/1"])
    meta, entries, body = parts(encode(ticket))
    read = decode(sealed(changed(meta, ("assumed",), []), entries, body))
    plain = dataclasses.replace(ticket, assumed=())
    assert parts(encode(read))[0]["format"] == 1
    assert encode(read) == encode(plain)
