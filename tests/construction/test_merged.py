"""Tickets with merged projections: what is planned, that the source is the attention itself, what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.attentions import KINDS, network

from slth import InputError
from slth.construction import Request, construct, plan_maps
from slth.evidence import verify
from slth.graph import Affine, Attention, chain, evaluate, with_merged
from slth.network import realised, source
from slth.ticket import Inputs, Merged, TwoLayer, decode, encode

every_kind = pytest.mark.parametrize("kind", KINDS)


def inputs_of(target):
    return Inputs(target.input_shape, lower=(-1.0,), upper=(1.0,))


def constructed(kind="one map", **asked):
    target = network(kind)
    asked = {"gadget": "merged", "tolerance": 0.02} | asked
    return target, construct(target, Request(**asked), inputs=inputs_of(target))


# --- the network that is made ---


@every_kind
def test_source_and_realised_compute_the_same_and_come_near_the_target(kind):
    target, ticket = constructed(kind)
    x = np.random.default_rng(3).uniform(-1, 1, (30, *target.input_shape))
    parts = {path: ticket.realised(path) for path in ticket.maps}
    wanted = evaluate(ticket.network, parts, x, ticket.carried)
    for view in (realised, source):
        assert np.abs(view(ticket)(torch.from_numpy(x).float()).numpy() - wanted).max() < 1e-5
    assert np.abs(wanted - evaluate(target.graph, target.coefficients, x, target.carried)).max() < 0.3
    assert ticket.misses == 0
    assert verify(decode(encode(ticket)), target=target).holds


@pytest.mark.parametrize("kind", ["one map", "grouped", "alone", "block"])
def test_the_source_has_the_targets_architecture_with_other_head_sizes_and_no_layer_more(kind):
    """Four projections of every head around the same op: queries and keys n_K wide, values n_V, none behind another."""
    target, ticket = constructed(kind)
    view = source(ticket)
    heads = sum(product.part == "query-key" for product in ticket.merged.values())
    projections = [path for path in view.graph.maps if path not in ticket.maps]
    assert len(projections) == 4 * heads
    (attention,) = (node for node in view.graph.nodes if isinstance(node.op, Attention))
    (theirs,) = (node for node in target.graph.nodes if isinstance(node.op, Attention))
    assert attention.op == theirs.op
    for path, product in ticket.merged.items():
        ends = ("query", "key") if product.part == "query-key" else ("value", "output")
        first, second = (view.graph.maps[f"{path}/{end}"].basis for end in ends)
        between = second.outputs if product.part == "query-key" else second.inputs
        assert first.outputs == between >= ticket.gadgets[path].cost(ticket.maps[path]).live
    uniform = {tensor.law for tensor in ticket.tensors}
    assert uniform == {"uniform"}


def test_the_queries_of_the_source_are_block_structured_and_its_keys_pruned_random_numbers():
    """Every neuron of the lift keeps one number of its row; a key's row keeps some of the mixing layer's own."""
    _, ticket = constructed("alone")
    (path,) = (path for path, product in ticket.merged.items() if product.part == "query-key")
    view, gadget = source(ticket), ticket.gadgets[path]
    maps = dict(zip(view.paths, view.maps, strict=True))
    query, key = (maps[f"{path}/{end}"].weight.numpy() for end in ("query", "key"))
    live = gadget.cost(ticket.maps[path]).live
    assert ((query[:live] != 0).sum(axis=1) <= 1).all()
    assert not query[live:].any()
    mask = ticket.map_mask(path).T.reshape(live, -1)
    assert ((key[:live] != 0) <= mask).all()
    assert np.abs(key).max() < 1


def test_several_stages_and_mirrored_pairs_are_wider_heads():
    for asked in ({"tolerance": 1e-13}, {"centred": True}):
        target, ticket = constructed("one head", **asked)
        x = torch.from_numpy(np.random.default_rng(3).uniform(-1, 1, (9, *target.input_shape))).float()
        assert (source(ticket)(x) - realised(ticket)(x)).abs().max() < 1e-4
        assert verify(ticket, target=target).holds
    assert ticket.gadgets[next(iter(ticket.merged))].centred


def test_other_maps_are_two_layers_and_maps_behind_the_attention_have_relu_lifts_where_nothing_is_negative():
    _, ticket = constructed("block")
    kinds = {path: (type(gadget), gadget.linear) for path, gadget in ticket.gadgets.items()}
    assert kinds["up"] == (TwoLayer, True)
    assert kinds["after"] == (TwoLayer, False)
    assert {kinds[path] for path in ticket.merged} == {(Merged, True)}


def test_bits_count_by_the_parameters_of_the_target():
    target, ticket = constructed("grouped")
    assert ticket.target_parameters == target.graph.weights
    planned = plan_maps(target, Request(gadget="merged", tolerance=0.02), inputs=inputs_of(target))
    assert sum(part.weights for part in planned) == target.graph.weights


# --- which network it is for ---


def test_the_target_is_merged_before_it_is_compared():
    target, ticket = constructed("three maps")
    held = verify(ticket, target=target)
    assert held.holds
    (said,) = (check.detail for check in held.checks if check.name == "target")
    assert "bit for bit; claims speak of its projections merged in float64, each number within" in said
    other = network("three maps", seed=1)
    assert not verify(ticket, target=other).holds
    assert not verify(ticket, target=network("grouped")).holds


def test_a_change_that_merging_loses_is_another_target_all_the_same():
    """Twice the queries, half the keys: the same products, and another digest."""
    target, ticket = constructed("three maps")
    q, k = (target.coefficients[f"0/{side}"] for side in "qk")
    changed = {"0/q": Affine(2 * q.weight, 2 * q.bias), "0/k": Affine(k.weight / 2, None)}
    other = replace(target, coefficients=target.coefficients | changed)
    first, second = with_merged(target), with_merged(other)
    assert all((first.coefficients[path].weight == second.coefficients[path].weight).all() for path in first.merged)
    found = {check.name: check.verdict.name for check in verify(ticket, target=other).checks}
    assert (found["target"], found["claims"]) == ("FAILS", "HOLDS")


def test_maps_that_stand_for_other_parameters_than_they_say_are_noticed():
    target, ticket = constructed("alone")
    path = next(iter(ticket.merged))
    lying = replace(ticket.gadgets[path], weights=ticket.gadgets[path].weights + 1)
    wrong = replace(ticket, gadgets={**ticket.gadgets, path: lying})
    assert not verify(wrong, target=target).holds


# --- what is refused ---


def test_what_merging_does_not_cover_is_refused():
    target = network("alone")
    with pytest.raises(InputError, match="no attention whose projections could be merged"):
        construct(chain([target.coefficients["0/q"]]), Request(gadget="merged"), inputs=Inputs((6,)))
    with pytest.raises(InputError, match="give none of its tensors back"):
        Request(gadget="merged", exact=True)
    with pytest.raises(InputError, match="where inputs have signs: no lift"):
        Request(gadget="merged", lift="relu")
    _, ticket = constructed("alone")
    with pytest.raises(InputError, match="serves the gadget two-layer alone, not merged"):
        construct(target, Request(gadget="merged", tolerance=0.02, source=ticket), inputs=inputs_of(target))
