"""Merged projections (Otsuka et al., 2026) beside separate ones, with ReLU and with linear lifts: what each costs.

    python benchmarks/attention.py

One attention whose heads stand side by side. The experiment of the paper is `slth reproduce attention`.
"""

import math
import time

import numpy as np
import torch

from slth import network
from slth.construction import Request, construct
from slth.graph import (
    INPUT,
    Affine,
    Attention,
    Dense,
    Graph,
    Linear,
    Node,
    Permute,
    Reshape,
    Target,
    evaluate,
    times_the_coefficients,
    with_merged,
)
from slth.records import environment
from slth.ticket import Inputs, Ticket, encode

TOLERANCE = 1e-4  # of a weight


def layer(width: int, heads: int, length: int, *, seed: int = 0) -> Target:
    """An attention with biases whose heads stand side by side, as most libraries have it; weights N(0, 1/width)."""
    rng, own = np.random.default_rng(seed), width // heads
    nodes: list[Node] = []
    for side in "qkv":
        nodes.append(Node(side, Linear(side, Dense(width, width), True), (INPUT,)))
        nodes.append(Node(f"{side}/split", Reshape((length, heads, own)), (side,)))
        nodes.append(Node(f"{side}/heads", Permute((1, 0, 2)), (f"{side}/split",)))
    nodes.append(Node("attention", Attention(own**-0.5), ("q/heads", "k/heads", "v/heads")))
    nodes.append(Node("back", Permute((1, 0, 2)), ("attention",)))
    nodes.append(Node("joined", Reshape((length, width)), ("back",)))
    nodes.append(Node("o", Linear("o", Dense(width, width), True), ("joined",)))
    graph = Graph(tuple(nodes))
    coefficients = {
        path: Affine(
            rng.normal(size=op.coefficients).astype(np.float32).astype(np.float64) / math.sqrt(width),
            0.1 * rng.normal(size=width).astype(np.float32).astype(np.float64),
        )
        for path, op in graph.maps.items()
    }
    return Target(graph, coefficients, (length, width))


def main() -> None:
    """One attention, 64 wide, 4 heads, biases: source, bits, claim, what is measured."""
    print(environment(1))
    print(
        "\n| projections | lift | T | layers | source | mask bits | file | misses | largest weight error | certified | "
        "found by ascent | on random inputs | processor s |\n" + "| --- " * 13 + "|"
    )
    for length in (16, 64):
        target = layer(64, 4, length)
        inputs = Inputs(target.input_shape, lower=(-1.0,), upper=(1.0,))
        for gadget, lift in (("two-layer", "relu"), ("two-layer", "linear"), ("merged", None)):
            row(target, Request(gadget=gadget, lift=lift, tolerance=TOLERANCE), inputs, length)
    print(f"\nmerging costs {times_the_coefficients(with_merged(layer(64, 4, 16))):.3g} times the coefficients")


def row(target: Target, asked: Request, inputs: Inputs, length: int) -> None:
    """One line of the table."""
    start = time.process_time()
    ticket = construct(target, asked, inputs=inputs)
    seconds = time.process_time() - start
    weights = target.graph.weights
    bound = None if ticket.claims is None else ticket.claims.sup_error
    layers = "as the target" if asked.gadget == "merged" else "two for one"
    lift = "linear" if asked.gadget == "merged" else asked.lift
    cells = [
        "merged" if asked.gadget == "merged" else "separate",
        str(lift),
        f"{length}",
        layers,
        f"{ticket.size:,} ({ticket.size / weights:,.0f} x)",
        f"{ticket.mask_bits / weights:.1f}",
        f"{8 * len(encode(ticket)) / weights:.1f}",
        f"{ticket.misses}",
        f"{ticket.claims.weight_error:.2g}",
        "none" if bound is None else f"{bound:.3g}",
        f"{ascended(ticket, target):.3g}",
        f"{sampled(ticket, target):.3g}",
        f"{seconds:.1f}",
    ]
    print("|", " | ".join(cells), "|", flush=True)


def sampled(ticket: Ticket, target: Target) -> float:
    """The largest difference on 200 inputs."""
    x = np.random.default_rng(0).uniform(-1, 1, (200, *target.input_shape))
    realised = {path: ticket.realised(path) for path in ticket.maps}
    ours = evaluate(ticket.network, realised, x, ticket.carried)
    return float(np.abs(ours - evaluate(target.graph, target.coefficients, x, target.carried)).max())


def ascended(ticket: Ticket, target: Target, steps: int = 60) -> float:
    """The largest difference that sign steps of the gradient find from 16 corners, for 4 of the outputs in turn."""
    ours, theirs = network.realised(ticket).double(), network.target_module(target, torch.float64)
    torch.manual_seed(0)
    largest = 0.0
    for output in range(4):
        x = torch.randint(0, 2, (16, *target.input_shape)).double() * 2 - 1
        x.requires_grad_()
        for k in range(steps):
            apart = (ours(x) - theirs(x))[:, 0, output].abs()
            largest = max(largest, float(apart.detach().max()))
            (slope,) = torch.autograd.grad(apart.sum(), x)
            with torch.no_grad():
                x += 0.3 * (1 - k / steps) * slope.sign()
                x.clamp_(-1, 1)
    return largest


if __name__ == "__main__":
    main()
