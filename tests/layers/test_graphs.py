"""Message passing over a fixed graph: a ticket commutes with every relabelling of the nodes."""

import pytest
import torch
from torch import nn

import slth
from slth import InputError
from slth.graph import AxisMap
from slth.layers import Aggregation, GraphLinear, adjacency, aggregate

NODES = 6
EDGES = torch.tensor([[0, 1, 1, 2, 3, 4, 4, 5, 5, 0], [1, 0, 2, 1, 4, 3, 5, 4, 0, 5]])


def network(edges=EDGES):
    torch.manual_seed(0)
    entries = adjacency(edges, NODES)
    layers = [GraphLinear(3, 4, entries, NODES), nn.ReLU(), GraphLinear(4, 2, entries, NODES)]
    return nn.Sequential(*layers).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def made():
    return slth.construct(network(), input_shape=(NODES, 3), input_range=(0, 1), relative_tolerance=1e-2)


def test_a_ticket_is_proved_saved_and_read_back(made, tmp_path):
    path, model = tmp_path / "ticket.slth", network()
    slth.save(made, path)
    report = slth.verify(path, target=model)
    assert report.holds
    assert report.complete
    x = torch.rand(3, NODES, 3, generator=torch.Generator().manual_seed(1))
    realised = slth.realised(slth.load(path))
    assert float((model(x) - realised(x)).abs().max()) < made.claims.sup_error
    assert torch.allclose(slth.source(made)(x), realised(x), atol=1e-5)
    slth.export(made, out=tmp_path / "weights.safetensors")
    from safetensors.torch import load_file

    model.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    assert torch.equal(model(x), realised(x))
    assert not slth.verify(path, target=network(EDGES[:, :-2])).holds  # another graph is another network


def test_a_ticket_commutes_with_every_relabelling_of_the_nodes(made):
    """Ticket and target with the coefficients of the ticket, on the graph whose nodes have other numbers."""
    x = torch.rand(3, NODES, 3, generator=torch.Generator().manual_seed(1))
    y = slth.realised(made)(x)
    for seed in range(5):
        order = torch.randperm(NODES, generator=torch.Generator().manual_seed(seed))  # node i is called order[i]
        other = network(order[EDGES])
        for path, part in {path: made.realised(path) for path in made.maps}.items():
            linear = other.get_submodule(path)
            linear.weight.copy_(torch.from_numpy(part.positive[:, :, 0]))
            if part.bias is not None:
                linear.bias.copy_(torch.from_numpy(part.bias))
        moved = torch.empty_like(x)
        moved[:, order] = x
        assert torch.allclose(other(moved)[:, order], y, atol=1e-6)


def test_the_graph_is_carried_by_its_entries(made):
    ops = [node.op for node in made.network.nodes if isinstance(node.op, AxisMap)]
    assert [matrix.kind for op in ops for matrix in op.axes] == ["sparse", "sparse"]
    assert [array.shape for array in made.carried.values()] == [(len(EDGES[0]) + NODES, 3)]  # once for both layers
    assert "2 Aggregation" in str(slth.show(made))


def test_aggregation_is_the_product_with_the_matrix():
    entries = adjacency(EDGES, NODES, normalised="mean", loops=False)
    dense = torch.zeros(NODES, NODES)
    dense[entries[:, 0].long(), entries[:, 1].long()] = entries[:, 2]
    assert torch.allclose(dense.sum(1), torch.ones(NODES))
    x = torch.rand(2, NODES, 3)
    assert torch.allclose(Aggregation(entries, NODES)(x), dense @ x, atol=1e-6)
    assert torch.allclose(aggregate(x.mT, entries, NODES, axis=2), x.mT @ dense.T, atol=1e-6)
    symmetric = adjacency(EDGES, NODES)
    dense = torch.zeros(NODES, NODES)
    dense[symmetric[:, 0].long(), symmetric[:, 1].long()] = symmetric[:, 2]
    assert torch.equal(dense, dense.T)
    assert abs(float(torch.linalg.matrix_norm(dense, 2)) - 1) < 1e-6


def test_isolated_nodes_are_their_own_neighbours_or_refused():
    edges = torch.tensor([[0, 1], [1, 0]])
    assert adjacency(edges, 3)[-1].tolist() == [2.0, 2.0, 1.0]
    with pytest.raises(InputError, match=r"1 of 3 nodes have no neighbours, the first is node 2") as caught:
        adjacency(edges, 3, loops=False)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: adjacency(torch.tensor([[0, 4], [4, 0]]), 3), "edges between nodes 0 to 2, got 0 to 4"),
        (lambda: adjacency(torch.rand(2, 3), 3), "expected edges as integers"),
        (lambda: adjacency(torch.zeros(3, 2, dtype=torch.int64), 3), "expected edges as integers"),
        (lambda: Aggregation(torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]), 2), "in ascending order"),
        (lambda: network()(torch.zeros(1, 5, 3)), "expected values"),
    ],
)
def test_what_is_no_graph_is_refused_in_one_sentence(call, words):
    with pytest.raises(InputError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)
