"""The digest of a target speaks of what the network computes, not of names; and of all of it."""

import dataclasses

import numpy as np
import pytest
from helpers.graph_tickets import Builder, graph_ticket
from helpers.networks import random_target

from slth.graph import Add, Affine, Attention, Conv, Graph, Linear, Node, Pointwise, Scale, Target
from slth.ticket import graph_digest, network_digest, target_digest


def renamed(target: Target) -> Target:
    """Other names for every node, map and carried array."""

    def op(op):
        names = {
            key: f"other/{getattr(op, key)}"
            for key in ("map", "scale", "shift", "slope", "value", "mean", "variance")
            if named(op, key)
        }
        if hasattr(op, "axes") and op.axes and hasattr(op.axes[0], "value"):
            names["axes"] = tuple(
                dataclasses.replace(axis, value=axis.value and f"other/{axis.value}") for axis in op.axes
            )
        if getattr(op, "tied", None) is not None:
            names["table"] = f"other/{op.table}"
        if isinstance(op, Attention):
            names |= {key: f"other/{getattr(op, key)}" for key in ("visible", "bias") if named(op, key)}
            names.pop("scale", None)
        return dataclasses.replace(op, **names)

    nodes = [
        Node(f"_{n.name}", op(n.op), tuple(i if i == "input" else f"_{i}" for i in n.inputs))
        for n in target.graph.nodes
    ]
    coefficients = {f"other/{path}": affine for path, affine in target.coefficients.items()}
    carried = {f"other/{name}": values for name, values in target.carried.items()}
    return Target(Graph(tuple(nodes)), coefficients, carried=carried)


def named(op, key):
    return isinstance(getattr(op, key, None), str)


@pytest.mark.parametrize("seed", range(12))
def test_names_do_not_matter(seed):
    ticket, target = graph_ticket(seed)
    assert graph_digest(renamed(target), ticket.inputs.shape) == ticket.provenance.target


def test_a_chain_has_the_digest_of_version_1_under_any_names():
    """On one axis, with a ReLU between two maps; one map used twice, or another function, is no chain."""
    chain = random_target((3, 3, 3))
    digest = target_digest(chain.coefficients)
    assert network_digest(chain, (3,)) == network_digest(renamed(chain), (3,)) == digest
    assert network_digest(renamed(chain), (2, 3)) == graph_digest(chain, (2, 3)) != digest
    first, relu, last = chain.graph.nodes
    twice = Graph((first, relu, dataclasses.replace(last, op=first.op)))
    tanh = Graph((first, dataclasses.replace(relu, op=Pointwise("Tanh")), last))
    for graph in (twice, tanh):
        target = dataclasses.replace(chain, graph=graph, coefficients={p: chain.coefficients[p] for p in graph.maps})
        assert network_digest(target, (3,)) == graph_digest(target, (3,))


def test_there_is_one_zero_also_in_ops():
    """A clip at −0.0 is one at 0.0."""
    digests = set()
    for zero in (0.0, -0.0):
        chain = random_target((3, 3, 3))
        first, relu, last = chain.graph.nodes
        graph = Graph((first, dataclasses.replace(relu, op=Pointwise("Clip", low=zero, high=1.0)), last))
        digests.add(graph_digest(dataclasses.replace(chain, graph=graph), (3,)))
    assert len(digests) == 1


@pytest.mark.parametrize("seed", range(12))
def test_each_number_matters_and_the_shape(seed):
    ticket, target = graph_ticket(seed)
    shape = ticket.inputs.shape
    digests = {ticket.provenance.target, graph_digest(target, (*shape[:-1], shape[-1] + 1))}
    arrays = [part for a in target.coefficients.values() for part in (a.weight, a.bias) if part is not None]
    arrays += target.carried.values()
    for array in arrays:
        array.reshape(-1)[-1] += 1
        digests.add(graph_digest(target, shape))
        array.reshape(-1)[-1] -= 1
    assert len(digests) == 2 + len(arrays)


def residual(order, *, first=1.0, stride=1, low=0.0, swapped=False):
    """x + conv(clip(x)), its nodes in some order; scales on both ways."""
    b = Builder(np.random.default_rng(0), (2, 4))
    scales = [b.number(2), b.number(2)]
    basis = Conv(2, 2, (3,), (stride,), (1, 1), (1,))
    nodes = {
        "clip": Node("clip", Pointwise("Clip", low=low, high=6.0), ("input",)),
        "conv": Node("conv", Linear("conv", basis, False), ("clip",)),
        "left": Node("left", Scale(0, scales[0], None), ("input",)),
        "right": Node("right", Scale(0, scales[1], None), ("conv",)),
        "sum": Node("sum", Add((first, 2.0)), ("right", "left") if swapped else ("left", "right")),
    }
    coefficients = graph_ticket(0)[1].coefficients
    weight = np.resize(next(iter(coefficients.values())).weight, (2, 2, 3))
    affine = Affine(np.ascontiguousarray(weight), None)
    return Target(Graph(tuple(nodes[name] for name in order)), {"conv": affine}, carried=b.carried)


ORDERS = [("clip", "conv", "left", "right", "sum"), ("left", "clip", "conv", "right", "sum")]


def test_the_order_of_independent_nodes_does_not_matter():
    """Nor does a node that the output does not need."""
    assert graph_digest(residual(ORDERS[0]), (2, 4)) == graph_digest(residual(ORDERS[1]), (2, 4))
    target = residual(ORDERS[0])
    dead = Node("dead", Pointwise("Relu"), ("left",))
    graph = Graph((*target.graph.nodes[:-1], dead, target.graph.nodes[-1]))
    assert graph_digest(dataclasses.replace(target, graph=graph), (2, 4)) == graph_digest(target, (2, 4))


def test_every_member_of_an_op_matters():
    changes = [{}, {"first": 0.5}, {"stride": 2}, {"low": 0.5}, {"low": None}, {"swapped": True}]
    assert len({graph_digest(residual(ORDERS[0], **change), (2, 4)) for change in changes}) == len(changes)


def test_there_is_one_zero():
    plus, minus = residual(ORDERS[0]), residual(ORDERS[0])
    for target, zero in ((plus, 0.0), (minus, -0.0)):
        target.coefficients["conv"].weight[:] = zero
        target.carried["array.0"][:] = zero
    assert graph_digest(plus, (2, 4)) == graph_digest(minus, (2, 4))


def test_a_chain_keeps_the_digest_of_version_1():
    """On one axis; over several, no version 1 file could name it."""
    target = random_target((3, 4, 2))
    assert network_digest(target, (3,)) == target_digest(target.coefficients)
    assert network_digest(target, (7, 3)) == graph_digest(target, (7, 3)) != target_digest(target.coefficients)
    ticket, other = graph_ticket(0)
    assert network_digest(other, ticket.inputs.shape) == ticket.provenance.target


def test_a_deep_network_has_a_digest():
    """The walk is no recursion."""
    target = random_target((3, 4, 2))
    nodes = [Node(f"t{i}", Pointwise("Tanh"), (f"t{i - 1}" if i else target.graph.output,)) for i in range(20_000)]
    deep = dataclasses.replace(target, graph=Graph((*target.graph.nodes, *nodes)))
    assert len(graph_digest(deep, (3,))) == 64
