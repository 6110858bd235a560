"""A network with merged projections computes what it computed; what cannot be merged is refused by name."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from helpers.attentions import KINDS, network

from slth import InputError
from slth.graph import (
    Affine,
    Attention,
    Graph,
    Multiply,
    Node,
    Standardise,
    chain,
    evaluate,
    shapes,
    times_the_coefficients,
    with_merged,
)

every_kind = pytest.mark.parametrize("kind", KINDS)


def values(target, x):
    return evaluate(target.graph, target.coefficients, x, target.carried)


@every_kind
def test_the_function_is_the_same(kind):
    target = network(kind)
    merged = with_merged(target)
    x = np.random.default_rng(1).normal(size=(20, *target.input_shape))
    assert np.abs(values(target, x) - values(merged, x)).max() < 1e-13
    assert shapes(merged.graph, merged.input_shape, merged.carried)[merged.graph.output] == (target.input_shape)


@every_kind
def test_each_head_has_two_maps_and_no_other_map_is_left_of_its_four(kind):
    target = network(kind)
    merged = with_merged(target)
    heads = 1 if kind in ("alone", "one head") else 3
    assert len(merged.merged) == 2 * heads
    beside = {"memory/map"} if kind == "crossed" else {"up", "after"} if kind == "block" else set()
    assert set(merged.graph.maps) - set(merged.merged) == beside


def test_one_head_without_an_axis_of_its_own_is_two_maps_and_an_attention_alone():
    """No view of a value as it is."""
    merged = with_merged(network("alone"))
    assert [type(node.op).__name__ for node in merged.graph.nodes] == ["Linear", "Attention", "Linear"]


def test_what_was_tied_stays_tied():
    merged = with_merged(network("tied"))
    assert len(merged.merged) == 6  # of two attentions of three heads
    assert sum(node.op.__class__.__name__ == "Linear" for node in merged.graph.nodes) == 12


@every_kind
def test_merged_maps_stand_for_every_parameter_of_the_projections_once(kind):
    target = network(kind)
    merged = with_merged(target)
    beside = sum(op.weights for path, op in merged.graph.maps.items() if path not in merged.merged)
    assert sum(product.weights for product in merged.merged.values()) + beside == target.graph.weights


def test_the_bias_of_the_keys_drops_out():
    """It moves all logits of a row alike."""
    target = network("one map")
    whole = target.coefficients["0/in"]
    bias = whole.bias.copy()
    bias[6:12] = 1000.0  # of the keys
    other = replace(target, coefficients={**target.coefficients, "0/in": Affine(whole.weight, bias)})
    first, second = with_merged(target), with_merged(other)
    for path in first.merged:
        assert (first.coefficients[path].weight == second.coefficients[path].weight).all()
    assert all(
        first.coefficients[path].bias is None or (first.coefficients[path].bias == second.coefficients[path].bias).all()
        for path in first.merged
    )


def test_no_coefficient_is_further_from_its_product_than_the_bound_says():
    target = network("one map", head=7, heads=2)
    merged = with_merged(target)
    whole, output = target.coefficients["0/in"], target.coefficients["0/o"]
    exact = np.vectorize(Fraction, otypes=[object])
    q, k, v, o = (exact(part) for part in (*whole.weight[:, :, 0].reshape(3, 2, 7, 6), output.weight[:, :, 0]))
    b_q, _, b_v = (exact(part) for part in whole.bias.reshape(3, 2, 7))
    wrong = []
    for h in range(2):
        own = o[:, 7 * h : 7 * h + 7]
        wanted = {f"0/in/query-key/{h}": (k[h].T @ q[h], k[h].T @ b_q[h]), f"0/o/value-output/{h}": (own @ v[h], None)}
        if h == 0:
            wanted["0/o/value-output/0"] = own @ v[0], o @ b_v.reshape(-1) + exact(output.bias)
        for path, (weight, bias) in wanted.items():
            wrong.append(np.abs(exact(merged.coefficients[path].weight[:, :, 0]) - weight).max())
            if bias is not None:
                wrong.append(np.abs(exact(merged.coefficients[path].bias) - bias).max())
    assert 0 < max(wrong) <= merged.rounding < 1e-14


def test_merging_costs_width_over_twice_the_head():
    target = network("alone", width=12, head=3)  # d² + d² + biases for 4 d · 3
    assert times_the_coefficients(with_merged(target)) == pytest.approx(12 / 6, rel=0.05)
    assert times_the_coefficients(target) == 1.0


# --- what cannot be merged ---


def changed(target, name, *nodes, reads):
    """With some nodes behind another one, whose readers read them instead."""
    out = []
    for node in target.graph.nodes:
        out.append(replace(node, inputs=tuple(reads if read == name else read for read in node.inputs)))
        if node.name == name:
            out.extend(nodes)
    return replace(target, graph=Graph(tuple(out)))


def test_rotary_positions_and_normalised_queries_are_refused_by_name():
    target = network("three maps")
    rotary = Node("rotary", Multiply(), ("0/k/heads", "0/k/heads"))
    with pytest.raises(InputError, match=r"0/attention: its keys are .* Multiply \(rotary\), such as rotary positions"):
        with_merged(changed(target, "0/k/heads", rotary, reads="rotary"))
    normalised = Node("norm", Standardise((2,), 1e-5), ("0/q/heads",))
    with pytest.raises(InputError, match=r"0/attention: its queries are .* Standardise \(norm\)"):
        with_merged(changed(target, "0/q/heads", normalised, reads="norm"))


def test_a_projection_that_something_else_reads_is_refused():
    target = network("three maps", heads=1, head=6)
    nodes = [*target.graph.nodes, Node("more", Multiply(), ("0/v", "0/o"))]
    with pytest.raises(InputError, match="0/v is read outside of the attention"):
        with_merged(replace(target, graph=Graph(tuple(nodes))))


def test_heads_that_no_single_map_reads_are_refused():
    target = network("three maps")
    squared = Node("squared", Multiply(), ("0/joined", "0/joined"))
    with pytest.raises(InputError, match=r"0/attention: Multiply \(squared\) reads what its heads give"):
        with_merged(changed(target, "0/joined", squared, reads="squared"))
    nodes = [node for node in target.graph.nodes if node.name not in ("0/back", "0/joined", "0/o")]
    kept = {path: affine for path, affine in target.coefficients.items() if path != "0/o"}
    with pytest.raises(InputError, match="0/attention: 0 nodes read what its heads give"):
        with_merged(replace(target, graph=Graph(tuple(nodes)), coefficients=kept))


def test_positions_that_move_are_refused():
    """Heads taken without a permutation: a reshape alone makes heads of other positions."""
    target = network("three maps")
    nodes = []
    for node in target.graph.nodes:
        if node.name == "0/q/heads":
            nodes.append(Node("0/q/heads", replace(node.op, order=(1, 0, 2)), ("wrong",)))
        elif node.name == "0/q/split":
            nodes += [node, Node("turned", replace(node.op, shape=(3, 5, 2)), ("0/q/split",))]
            nodes.append(Node("wrong", replace(node.op, shape=(5, 3, 2)), ("turned",)))
        else:
            nodes.append(node)
    with_merged(replace(target, graph=Graph(tuple(nodes))))  # there and back: nothing moves
    nodes = [
        Node("0/q/heads", replace(node.op, shape=(3, 5, 2)), node.inputs) if node.name == "0/q/split" else node
        for node in target.graph.nodes
        if node.name != "0/q/heads"
    ]
    with pytest.raises(InputError, match="0/attention: its queries are moved between positions"):
        with_merged(replace(target, graph=Graph(tuple(nodes))))


def test_a_network_without_attention_and_one_that_is_merged_are_refused():
    with pytest.raises(InputError, match="no attention"):
        with_merged(chain([network("three maps").coefficients["0/q"]]))
    with pytest.raises(InputError, match="rewritten already"):
        with_merged(with_merged(network("alone")))
    assert isinstance(network("alone").graph.nodes[3].op, Attention)
