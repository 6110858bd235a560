"""Honest tickets of version 2, one of every kind that the file says, and the targets they stand for."""

import dataclasses

import numpy as np
from attacks.forging import certified
from helpers.graph_tickets import Builder, graph_ticket, ticket_of
from helpers.learned import any_learned, mlp_ticket
from helpers.tickets import any_ticket

from slth.certificate import Certificate
from slth.graph import (
    Add,
    AxisMap,
    AxisMatrix,
    Concat,
    Conv,
    ConvTranspose,
    Dense,
    Graph,
    Linear,
    MaxPool,
    Pointwise,
    Reshape,
    Scale,
    Target,
)
from slth.ticket import Inputs, Ticket

Specimen = tuple[Ticket, Target | None]


def branches(*, density: float = 0.5, whole: int = 0, linear: bool = False) -> tuple[Ticket, Target]:
    """A grouped convolution, ReLU6, a maximum, a residual with a carried Scale, an average, a dense map."""
    b = Builder(np.random.default_rng(0), (2, 5))
    conv = b.add(Linear("conv", Conv(2, 4, (2,), (1,), (1, 0), (1,), 2), True), "input")
    relu = b.add(Pointwise("Clip", low=0.0, high=6.0), conv)
    pool = b.add(MaxPool((2,), (1,), (1, 0), (1,)), relu)
    added = b.add(Add((1.0, -1.0)), relu, b.add(Scale(0, b.number(4), None), pool))
    mean = b.add(AxisMap((AxisMatrix(1, "average", kernel=2, stride=2, padding=(0, 1), length=3, count="all"),)), added)
    b.add(Linear("fc", Dense(12, 3), False), b.add(Reshape((12,)), mean))
    inputs = Inputs((2, 5), (0.5,), (0.25,), (0.0, -1.0), (1.0,))
    options = {"density": density, "whole": whole, "linear": linear}
    return ticket_of(Graph(tuple(b.nodes)), inputs, b.carried, misses=False, **options)


def transposed(*, linear: bool = False) -> tuple[Ticket, Target]:
    """A transposed convolution and one map at two nodes, over two axes, of inputs without a range."""
    b = Builder(np.random.default_rng(1), (2, 2, 3))
    tied = Linear("tied", Conv(2, 2, (1, 2), (1, 1), (0, 1, 0, 0), (1, 1), 2), True)
    x = b.add(Pointwise("Relu"), b.add(tied, "input"))
    up = ConvTranspose(2, 4, (2, 1), (2, 1), (1, 0, 0, 0), (1, 1), 2, (0, 0))
    x = b.add(Concat(0), b.add(Pointwise("Tanh"), b.add(tied, x)), x)
    x = b.add(Linear("up", dataclasses.replace(up, inputs=4), False), x)
    x = b.add(AxisMap((AxisMatrix(1, "mean", length=1), AxisMatrix(2, "linear", length=2, corners=False))), x)
    b.add(Linear("fc", Dense(8, 2), True), b.add(Reshape((8,)), x))
    return ticket_of(Graph(tuple(b.nodes)), Inputs((2, 2, 3)), b.carried, misses=False, linear=linear)


def proved(pair: tuple[Ticket, Target]) -> tuple[Ticket, Target]:
    """With a true certificate."""
    return certified(*pair), pair[1]


def stopping(pair: tuple[Ticket, Target]) -> tuple[Ticket, Target]:
    """Claims of the first map alone: they stop at the node behind."""
    ticket, target = proved(pair)
    first, *rest = ticket.claims.maps
    nothing = {path: dataclasses.replace(ticket.claims.maps[path], sup_error=None, l2_error=None) for path in rest}
    maps = {first: ticket.claims.maps[first], **nothing}
    claims = Certificate(maps, None, None, None, (ticket.network.nodes[1].name,))
    return dataclasses.replace(ticket, claims=claims), target


def silent(pair: tuple[Ticket, Target]) -> Specimen:
    """Without claims."""
    ticket, _ = pair
    return dataclasses.replace(ticket, claims=None), None


def specimens() -> list[Specimen]:
    """Branches, a sparse mask, whole neurons, stops, no claims, tied, transposed, random, learned; linear lifts."""
    learned, network = any_learned(), mlp_ticket((3,), inputs=(4,), classes=2)
    ranged = dataclasses.replace(learned.inputs, lower=(-1.0,), upper=(0.5, 1.0))
    chain, target = any_ticket()
    return [
        proved(branches()),
        proved(branches(density=0.05)),
        proved(branches(density=0.2, whole=2)),
        stopping(branches()),
        silent(branches()),
        proved(transposed()),
        *(proved(graph_ticket(seed, misses=False)) for seed in (2, 7, 20, 35)),
        (dataclasses.replace(chain, assumed=("ReLU between the layers",)), target),
        (dataclasses.replace(learned, inputs=ranged), None),
        (dataclasses.replace(network, assumed=("what was assumed",)), None),
        proved(branches(linear=True)),
        proved(transposed(linear=True)),
    ]
