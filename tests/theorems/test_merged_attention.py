"""Otsuka et al. (2025): what merged projections of random attention reach, and that no sequence is too long for it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.attentions import network

from slth.construction import Request, construct
from slth.graph import Affine, Attention, Graph
from slth.network import realised, target_module
from slth.ticket import Inputs


def constructed(target, **asked):
    asked = {"gadget": "merged", "tolerance": 1e-3} | asked
    return construct(target, Request(**asked), inputs=Inputs(target.input_shape, lower=(-1.0,), upper=(1.0,)))


def attacked(ticket, target, *, outputs=4, steps=40):
    """The largest |f − f̂| that sign steps of the gradient find from random corners."""
    ours, theirs = realised(ticket).double(), target_module(target, torch.float64)
    torch.manual_seed(0)
    largest = 0.0
    for output in range(outputs):
        x = (torch.randint(0, 2, (16, *target.input_shape)).double() * 2 - 1).requires_grad_()
        for k in range(steps):
            apart = (ours(x) - theirs(x)).flatten(1)[:, output].abs()
            largest = max(largest, float(apart.detach().max()))
            (slope,) = torch.autograd.grad(apart.sum(), x)
            with torch.no_grad():
                x += 0.5 * (1 - k / steps) * slope.sign()
                x.clamp_(-1, 1)
    return largest


def test_a_head_size_of_d_log_one_over_epsilon_is_enough():
    """Lemma 7: n_K = C d log(d/ε) neurons give every entry within ε. Measured n_K / d = 17 + 1.2 log₂(1/τ).

    Band: 21.7 to 23.8 at τ = 2⁻⁴, 36.2 to 36.5 at 2⁻¹⁶, over 3 seeds of the target; the slope is that of the planner.
    """
    target, sizes = network("alone"), []
    for bits in (4, 10, 16):
        ticket = constructed(target, tolerance=2.0**-bits)
        assert ticket.misses == 0
        sizes.append(max(ticket.gadgets[path].neurons for path in ticket.merged) / 6)
    assert sizes[2] < 40
    assert 1.0 < (sizes[2] - sizes[0]) / 12 < 1.5


@pytest.mark.parametrize("kind", ["one map", "block"])
def test_the_claim_is_the_same_for_every_length(kind):
    """Theorem 3, and blocks without normalisation: no T appears."""
    claims = [constructed(network(kind, length=length)).claims for length in (2, 7, 40)]
    assert len({claim.sup_error for claim in claims}) == 1
    assert claims[0].sup_error < 1


@pytest.mark.parametrize(("kind", "length"), [("one map", 2), ("one map", 33), ("grouped", 12), ("crossed", 12)])
def test_no_attack_exceeds_the_claim(kind, length):
    """It finds more than a thirtieth: the claim is a bound of the right size. Band: 0.067 to 0.31."""
    target = network(kind, length=length)
    ticket = constructed(target)
    found = attacked(ticket, target)
    assert ticket.claims.sup_error / 30 < found <= ticket.claims.sup_error


def test_no_mask_raises_the_claim():
    """Any that leaves every row a key."""
    target = network("masked", length=9)
    bare = Graph(
        tuple(
            replace(node, op=replace(node.op, visible=None)) if isinstance(node.op, Attention) else node
            for node in target.graph.nodes
        )
    )
    free = replace(target, graph=bare, carried={"bias": target.carried["bias"]})
    assert constructed(target).claims.sup_error <= constructed(free).claims.sup_error


def test_merging_pays_in_the_claim():
    """Keys and values are the tokens themselves, without an error: of separate projections the claim is larger."""
    target = network("one map", width=16, heads=2, head=8, length=6)
    separate = constructed(target, gadget="two-layer")
    assert constructed(target).claims.sup_error < separate.claims.sup_error / 2
    assert constructed(target).mask_bits > 0.9 * separate.mask_bits


def test_biases_of_the_queries_are_not_lost():
    """Seen to fail if they were: the source's answer moves with them."""
    target = network("alone")
    q = target.coefficients["0/q"]
    other = replace(target, coefficients={**target.coefficients, "0/q": Affine(q.weight, q.bias + 3.0)})
    x = torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, (20, *target.input_shape))).float()
    moved = realised(constructed(other))(x) - realised(constructed(target))(x)
    wanted = target_module(other)(x) - target_module(target)(x)
    assert (moved - wanted).abs().max() < 0.02 < wanted.abs().max()
