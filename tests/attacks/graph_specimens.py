"""Honest tickets of version 2, one of every kind that the file says, and the targets they stand for."""

import dataclasses

import numpy as np
from attacks.forging import certified
from helpers.attentions import network
from helpers.graph_tickets import Builder, graph_ticket, ticket_of
from helpers.learned import any_learned, mlp_ticket
from helpers.tickets import any_ticket

from slth.certificate import Certificate
from slth.construction import Request, construct
from slth.graph import (
    Add,
    Affine,
    Attention,
    AxisMap,
    AxisMatrix,
    Concat,
    Constant,
    Conv,
    ConvTranspose,
    Dense,
    Embedding,
    Graph,
    Linear,
    MaxPool,
    OneHot,
    Permutation,
    Permute,
    Pointwise,
    Reshape,
    Scale,
    Standardise,
    Steerable,
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


def words(*, linear: bool = False) -> tuple[Ticket, Target]:
    """Tokens in a table that is a map and in the head's, two heads that share keys, two kinds of normalisation."""
    b = Builder(np.random.default_rng(2), (3,))
    table = b.add(Linear("table", OneHot(4, 4), False), "input")
    tied = b.add(Embedding("head", tied=True), "input", shape=(3, 4))
    x = b.add(Add((1.0, 0.5, 1.0)), table, tied, b.add(Constant(b.number(3, 4))))
    y = b.add(Scale(1, b.number(4), None), b.add(Standardise((1,), 0.25, centred=False), x))
    q, k, v = (
        b.add(
            Permute((1, 0, 2)), b.add(Reshape((3, heads, 2)), b.add(Linear(name, Dense(4, 2 * heads), name == "q"), y))
        )
        for name, heads in (("q", 2), ("k", 1), ("v", 1))
    )
    visible = b.number(3, 3)
    b.carried[visible] = np.array([[1, 0, 0], [1, 1, 1], [0, 1, 1]], np.float32)
    z = b.add(Attention(0.5, True, visible, b.number(2, 3, 3)), q, k, v)
    z = b.add(Linear("o", Dense(4, 4), True), b.add(Reshape((3, 4)), b.add(Permute((1, 0, 2)), z)))
    b.add(Linear("head", Dense(4, 4), True), b.add(Standardise((1,), 0.5), b.add(Add((1.0, 1.0)), x, z)))
    return ticket_of(Graph(tuple(b.nodes)), Inputs((3,), tokens=4), b.carried, misses=False, linear=linear)


def turned(*, linear: bool = False) -> tuple[Ticket, Target]:
    """A lifting layer of C4, a regular one, the mean over the group."""
    b = Builder(np.random.default_rng(3), (1, 4, 4))
    x = b.add(Pointwise("Relu"), b.add(Linear("lifting", Steerable(1, 2, "C4", 2, 1, 0, True), True), "input"))
    x = b.add(Linear("regular", Steerable(2, 1, "C4", 2, 1, 1, False), False), x)
    b.add(AxisMap((AxisMatrix(1, "mean", length=1),)), x)
    inputs = Inputs((1, 4, 4), lower=(-1.0,), upper=(0.5,))
    return ticket_of(Graph(tuple(b.nodes)), inputs, b.carried, misses=False, linear=linear)


def members(*, linear: bool = False) -> tuple[Ticket, Target]:
    """A graph of four nodes, one of them alone; the same map of their set twice; pairs of them and back."""
    b = Builder(np.random.default_rng(4), (4, 1))
    edges = b.number(5, 3)
    b.carried[edges] = np.array([[0, 1, 0.5], [1, 0, 1], [1, 2, -0.5], [2, 1, 1], [2, 2, 0.25]], np.float32)
    sets = Linear("sets", Permutation(1, 1, 1, 1, 4), True)
    x = b.add(
        Pointwise("Tanh"), b.add(sets, b.add(AxisMap((AxisMatrix(0, "sparse", length=4, value=edges),)), "input"))
    )
    x = b.add(Linear("pairs", Permutation(1, 1, 1, 2, 4), False), b.add(sets, x))
    b.add(Linear("one", Permutation(1, 2, 2, 0, 4), True), b.add(Pointwise("Relu"), x))
    inputs = Inputs((4, 1), lower=(-1.0,), upper=(1.0,))
    return ticket_of(Graph(tuple(b.nodes)), inputs, b.carried, misses=False, linear=linear)


def apart() -> tuple[Ticket, Target]:
    """Maps of which nothing else is known, of one of which the target stores the matrix the other way round."""
    rng, conv = np.random.default_rng(5), Linear("conv", Conv(1, 2, (2,), (1,), (0, 0), (1,)), False)
    graph = Graph.unjoined((Linear("in", Dense(2, 3), True), conv, Linear("out", Dense(3, 1), False)), ["out"])
    numbers = {
        path: Affine(rng.normal(size=op.coefficients), rng.normal(size=op.basis.outputs) if op.bias else None)
        for path, op in graph.maps.items()
    }
    names = {path: (f"{path}.weight", f"{path}.bias" if op.bias else None) for path, op in graph.maps.items()}
    target = Target(graph, numbers, carried={"steps": np.array(7, np.int64)}, names=names)
    return construct(target, Request(relative_tolerance=0.25), inputs=Inputs((1,))), target


def merged() -> tuple[Ticket, Target]:
    """Attention of two heads that share keys, its projections merged, behind a map that is not."""
    target = network("grouped", width=3, heads=2, head=1, length=2)
    asked = Request(relative_tolerance=0.25, gadget="merged")
    return construct(target, asked, inputs=Inputs((2, 3), lower=(-1.0,), upper=(1.0,))), target


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
    """Branches, sparse, neurons, stops, no claims, transposed, random, learned, tokens, symmetric, apart, merged."""
    learned, named = any_learned(), mlp_ticket((3,), inputs=(4,), classes=2)
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
        (dataclasses.replace(named, assumed=("what was assumed",)), None),
        proved(branches(linear=True)),
        proved(transposed(linear=True)),
        *(proved(kind(linear=linear)) for kind in (words, turned, members) for linear in (False, True)),
        apart(),
        merged(),
    ]
